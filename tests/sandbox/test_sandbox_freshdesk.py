"""The help desk in Freshdesk's dialect, over a socket: the same records, in another shape and with stricter rules."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from vendor_client import VendorClient, counted

from taps.sandbox.apis import served_as
from taps.sandbox.helpdesk.store import HelpdeskStore
from taps.sandbox.helpdesk.streams import STREAMS
from taps.sandbox.instants import instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = "1970-01-01T00:00:00Z"
IN_ORDER = {"updated_since": ALL, "order_by": "updated_at", "order_type": "asc", "per_page": 100}
EVERYTHING = {**IN_ORDER, "include": "description,requester,stats"}
NEWER = {"groups": "/admin/groups", "skills": "/admin/skills", "ticket_fields": "/admin/ticket_fields"}
AUTHORED = {"conversations", "discussion_comments", "discussion_topics", "satisfaction_ratings", "solution_articles"}


def freshdesk(**settings: Any) -> Sandbox:
    return Sandbox("helpdesk", **{"provider": "freshdesk", "size": 120, "seed": 5, **settings})


class Client(VendorClient):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.session.auth = (self.config["api_key"], "anything")

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        pages = self.pages(path, params, lambda response: response.links.get("next", {}).get("url"))
        return [row for page in pages for row in page]


@pytest.fixture(scope="module")
def desk() -> Iterator[Sandbox]:
    with freshdesk() as running:
        yield running


@pytest.fixture
def client(desk: Sandbox) -> Iterator[Client]:
    with Client(desk) as asking:
        yield asking


def refused(response: requests.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    if status == 400:
        assert sorted(body) == ["description", "errors"]
        (error,) = body["errors"]
        assert sorted(error) == ["code", "field", "message"]
        assert error["code"] == code
        field: dict[str, Any] = error
        return field
    assert sorted(body) == ["code", "message"]
    assert body["code"] == code
    return body


def as_held(stream: str, row: dict[str, Any]) -> dict[str, Any]:
    if stream not in AUTHORED:
        return row
    assert "customer_id" not in row
    return {"customer_id" if name == "user_id" else name: value for name, value in row.items()}


def by_id(rows: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_config_names_the_provider_and_its_root(desk: Sandbox) -> None:
    assert desk.config == {
        "provider": "freshdesk",
        "base_url": f"{desk.root_url}/api/v2",
        "api_key": "sandbox-key",
    }
    assert requests.get(f"{desk.root_url}/_sandbox/health", timeout=10).status_code == 200
    assert requests.get(f"{desk.root_url}/v1/groups", timeout=10).json()["code"] == "not_found"


@pytest.mark.parametrize("stream", [name for name, one in STREAMS.items() if not one.parent and name != "settings"])
def test_lists_are_bare_arrays_of_the_same_records(desk: Sandbox, client: Client, stream: str) -> None:
    path = STREAMS[stream].path.removeprefix("/v1")
    rows = client.rows(path, **(EVERYTHING if stream == "tickets" else {"per_page": 7}))
    assert by_id([as_held(stream, row) for row in rows]) == by_id(desk.helpdesk.records(stream))
    if stream in NEWER:
        assert client.rows(NEWER[stream]) == rows


def test_the_settings_are_a_bare_object(desk: Sandbox, client: Client) -> None:
    assert client.get("/settings/helpdesk").json() == desk.helpdesk.settings


@pytest.mark.parametrize("stream", [name for name, one in STREAMS.items() if one.parent and name != "solution_folders"])
def test_children_are_the_same_records(desk: Sandbox, client: Client, stream: str) -> None:
    declared = STREAMS[stream]
    rows = [
        {**as_held(stream, row), declared.parent_key: parent["id"]}
        for parent in desk.helpdesk.records(declared.parent or "")
        for row in client.rows(declared.path.removeprefix("/v1").replace("{id}", str(parent["id"])), per_page=100)
    ]
    assert rows == desk.helpdesk.records(stream)


def test_the_records_are_those_of_the_neutral_form(desk: Sandbox) -> None:
    neutral = HelpdeskStore(tickets=120, seed=5)
    for stream in set(STREAMS) - {"solution_folders", "solution_articles"}:
        assert desk.helpdesk.records(stream) == neutral.records(stream)
    assert "deleted_tickets" not in neutral.counts()
    with pytest.raises(KeyError):
        neutral.records("deleted_tickets")


def test_pages_hold_30_and_no_more_than_100(client: Client) -> None:
    response = client.get("/contacts")
    assert len(response.json()) == 30
    assert response.links["next"]["url"] == f"{client.config['base_url']}/contacts?page=2"
    assert "next" not in client.get("/contacts", {"page": 2}).links
    assert refused(client.get("/contacts", {"per_page": 101}), 400, "invalid_value")["field"] == "per_page"
    assert len(client.get("/tickets", {**IN_ORDER, "per_page": 100}).json()) == 100


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/tickets", "limit"),
        ("/tickets", "_updated_since"),
        ("/contacts", "updated_since"),
        ("/contacts", "cursor"),
        ("/companies", "_updated_since"),
        ("/groups", "updated_since"),
        ("/agents", "filter"),
    ],
)
def test_an_unknown_parameter_is_refused(client: Client, path: str, parameter: str) -> None:
    assert refused(client.get(path, {parameter: "1"}), 400, "invalid_field")["field"] == parameter


def test_a_parameter_is_given_once(client: Client) -> None:
    assert refused(client.get("/agents?page=1&page=2"), 400, "invalid_value")["field"] == "page"


@pytest.mark.parametrize("part", ["company", "conversations"])
def test_other_parts_cannot_be_included(client: Client, part: str) -> None:
    assert refused(client.get("/tickets", {"include": part}), 400, "invalid_value")["field"] == "include"


def test_tickets_without_a_start_are_recent_ones(desk: Sandbox, client: Client) -> None:
    assert 0 < len(client.rows("/tickets", per_page=100)) < desk.helpdesk.counts()["tickets"]


def test_the_last_page_of_tickets_is_the_300th(client: Client) -> None:
    assert client.get("/tickets", {"page": 300}).json() == []
    message = refused(client.get("/tickets", {"page": 301}), 400, "invalid_value")["message"]
    assert message == "You cannot access tickets beyond the 300th page"
    with freshdesk(max_ticket_pages=2) as sandbox, Client(sandbox) as other:
        assert other.get("/tickets", {"page": 3}).status_code == 400


@pytest.mark.parametrize(
    ("stream", "parameter", "kind"),
    [
        ("tickets", "filter", "deleted"),
        ("tickets", "filter", "spam"),
        ("contacts", "state", "deleted"),
        ("contacts", "state", "blocked"),
    ],
)
def test_what_is_set_aside_is_listed_when_asked_for(
    desk: Sandbox, client: Client, stream: str, parameter: str, kind: str
) -> None:
    more = EVERYTHING if stream == "tickets" else {"_updated_since": ALL}
    rows = client.rows(f"/{stream}", **{parameter: kind}, **more)
    held = desk.helpdesk.records(f"{kind}_{stream}")
    assert by_id(rows) == by_id(held)
    assert rows
    # Nothing in a contact says that it is blocked.
    assert kind == "blocked" or all(row[kind] is True for row in rows)
    assert not {row["id"] for row in rows} & {row["id"] for row in desk.helpdesk.records(stream)}
    assert refused(client.get(f"/{stream}", {parameter: "other"}), 400, "invalid_value")["field"] == parameter


def test_children_of_a_deleted_ticket_are_denied(desk: Sandbox, client: Client) -> None:
    deleted = desk.helpdesk.records("deleted_tickets")[0]["id"]
    refused(client.get(f"/tickets/{deleted}/conversations"), 403, "access_denied")
    spam = desk.helpdesk.records("spam_tickets")[0]["id"]
    assert client.rows(f"/tickets/{spam}/conversations") == []
    refused(client.get("/tickets/999999/conversations"), 404, "not_found")


def test_a_ticket_that_is_deleted_later_is_set_aside() -> None:
    with freshdesk(size=20) as sandbox, Client(sandbox) as client:
        (number,) = sandbox.helpdesk.change(delete=1)["deleted"]
        assert number not in {row["id"] for row in client.rows("/tickets", **IN_ORDER)}
        (gone,) = [row for row in client.rows("/tickets", filter="deleted", **IN_ORDER) if row["id"] == number]
        assert gone["deleted"] is True
        refused(client.get(f"/tickets/{number}/conversations"), 403, "access_denied")


@pytest.mark.parametrize(("stream", "option"), [("companies", "companies_param"), ("contacts", "contacts_param")])
def test_the_parameter_that_filters_can_be_another(stream: str, option: str) -> None:
    for name in ("updated_since", "_updated_since", "none"):
        with freshdesk(**{option: name}) as sandbox, Client(sandbox) as client:
            rows = sandbox.helpdesk.records(stream)
            moment = sorted((row["updated_at"] for row in rows), key=lambda text: instant(text) or 0)[len(rows) // 2]
            if name != "none":
                assert 0 < len(client.rows(f"/{stream}", **{name: moment})) < len(rows)
            for unknown in {"updated_since", "_updated_since"} - {name}:
                refused(client.get(f"/{stream}", {unknown: moment}), 400, "invalid_field")


def test_the_older_paths_can_be_all_there_is() -> None:
    with freshdesk(older_paths=True) as sandbox, Client(sandbox) as client:
        for stream, path in NEWER.items():
            refused(client.get(path), 404, "not_found")
            assert client.rows(f"/{stream}") == sandbox.helpdesk.records(stream)


def test_conversations_of_archived_tickets_are_elsewhere() -> None:
    with freshdesk(archived=40) as sandbox, Client(sandbox) as client:
        tickets = [row["id"] for row in sandbox.helpdesk.records("tickets")]
        rows = []
        for place, number in enumerate(tickets[:60]):
            here, there = f"/tickets/{number}/conversations", f"/tickets/archived/{number}/conversations"
            path, other = (there, here) if place < 40 else (here, there)
            rows += client.rows(path)
            refused(client.get(other), 404, "not_found")
        held = [row for row in sandbox.helpdesk.records("conversations") if row["ticket_id"] in tickets[:60]]
        assert [as_held("conversations", row) for row in rows] == held
        assert len(client.rows("/tickets", **IN_ORDER)) == 120


def test_folders_are_in_folders_and_all_have_articles(desk: Sandbox, client: Client) -> None:
    def below(folder: dict[str, Any], level: int) -> Iterator[dict[str, Any]]:
        inner = client.rows(f"/solutions/folders/{folder['id']}/subfolders")
        assert len(inner) == folder["sub_folders_count"]
        for row in inner:
            assert row["parent_folder_id"] == folder["id"]
            assert [step["level"] for step in row["hierarchy"]] == list(range(level + 1))
            assert row["hierarchy"][-1]["data"]["id"] == row["id"]
            assert row["hierarchy"][-2]["data"]["id"] == folder["id"]
            yield row
            yield from below(row, level + 1)

    found = []
    for category in client.rows("/solutions/categories"):
        for folder in client.rows(f"/solutions/categories/{category['id']}/folders"):
            assert folder["parent_folder_id"] is None
            found += [folder, *below(folder, 2)]
    assert by_id(found) == by_id(desk.helpdesk.records("solution_folders"))
    depths = {len(folder["hierarchy"]) for folder in found}
    assert depths == {2, 3, 4}
    deepest = next(folder for folder in found if len(folder["hierarchy"]) == 4)
    assert len(client.rows(f"/solutions/folders/{deepest['id']}/articles")) == deepest["articles_count"] > 0
    refused(client.get("/solutions/folders/1/subfolders"), 404, "not_found")


def test_the_key_is_the_user_and_any_password_does(desk: Sandbox, client: Client) -> None:
    for password in ("X", "", "anything: else"):
        client.session.auth = (desk.api_key, password)
        assert client.get("/groups").status_code == 200
    for user in ("another", ""):
        client.session.auth = (user, "X")
        refused(client.get("/groups"), 401, "invalid_credentials")
    client.session.auth = None
    client.session.headers["Authorization"] = f"Bearer {desk.api_key}"
    refused(client.get("/groups"), 401, "invalid_credentials")


def test_credits_are_counted_and_not_requests() -> None:
    with freshdesk(size=5, rate_limit=10) as sandbox, Client(sandbox) as client:
        first = client.get("/groups")
        assert counted(first) == {
            "x-ratelimit-total": "10",
            "x-ratelimit-remaining": "9",
            "x-ratelimit-used-currentrequest": "1",
        }
        second = client.get("/tickets", {"include": "stats,requester"})
        assert (second.headers["X-RateLimit-Used-CurrentRequest"], second.headers["X-RateLimit-Remaining"]) == (
            "5",
            "4",
        )
        third = client.get("/tickets", {"include": "stats,requester"})
        refused(third, 429, "rate_limit_reached")
        assert 1 <= int(third.headers["Retry-After"]) <= 61
    with freshdesk(size=5) as sandbox, Client(sandbox) as client:
        assert counted(client.get("/groups")) == {}


def test_two_lists_have_a_limit_of_their_own() -> None:
    with freshdesk(size=5, list_limit=2, rate_window=1) as sandbox, Client(sandbox) as client:
        assert [client.get("/tickets").status_code for _ in range(3)] == [200, 200, 429]
        assert [client.get("/contacts").status_code for _ in range(3)] == [200, 200, 429]
        assert client.get("/contacts").headers["Retry-After"] == "1"
        assert client.get("/companies").status_code == 200
        assert client.get("/tickets/1/conversations").status_code == 200
        time.sleep(1)
        assert client.get("/tickets").status_code == 200


def test_a_plan_may_lack_collections() -> None:
    with freshdesk(size=5, lacks="skills,discussion_categories,products=404") as sandbox, Client(sandbox) as client:
        refused(client.get("/skills"), 403, "require_feature")
        refused(client.get("/admin/skills"), 403, "require_feature")
        refused(client.get("/discussions/categories"), 403, "require_feature")
        refused(client.get("/products"), 404, "require_feature")
        assert client.get("/groups").status_code == 200


@pytest.mark.parametrize(
    "settings", [{"lacks": "nonsense"}, {"lacks": "skills=500"}, {"companies_param": "since"}, {"archived": -1}]
)
def test_a_bad_option_is_an_error(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        freshdesk(**settings)


def test_faults_and_churn_go_on_working() -> None:
    with freshdesk(size=60, churn="new=1,every=2", faults=["foreign-link:at=1", "400:at=1"]) as sandbox:
        with Client(sandbox) as client:
            link = client.get("/contacts", {"per_page": 5}).links["next"]["url"]
            assert link == "http://elsewhere.invalid/api/v2/contacts?per_page=5"
            refused(client.get("/contacts"), 400, "sandbox_400")
            client.get("/contacts")
            sandbox.set_faults(["self-link:path=/api/v2/agents"])
            agents = client.get("/agents")
            assert agents.links["next"]["url"] == agents.url
        assert sandbox.helpdesk.counts()["tickets"] > 60


def test_pages_may_be_ragged(desk: Sandbox) -> None:
    with freshdesk(ragged=True) as sandbox, Client(sandbox) as client:
        assert len(client.rows("/tickets", **IN_ORDER)) == 120
        assert len(client.rows("/contacts", per_page=4)) == desk.helpdesk.counts()["contacts"]


def test_there_are_no_others() -> None:
    with pytest.raises(ValueError, match="the help desk API has no provider 'nonsense'; it has generic, freshdesk"):
        served_as("helpdesk", "nonsense")
    assert served_as("helpdesk", "generic").provider == "generic"
