from __future__ import annotations

import base64
import gzip
import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sandbox_client import Client

from taps.sandbox.helpdesk.streams import STREAMS
from taps.sandbox.instants import DAY, instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = "1970-01-01T00:00:00Z"
EVERYTHING = "description,requester,stats"
CONTRACT_PATHS = {
    "agents": "/v1/agents",
    "business_hours": "/v1/business_hours",
    "canned_response_folders": "/v1/canned_response_folders",
    "canned_responses": "/v1/canned_response_folders/{}/responses",
    "companies": "/v1/companies",
    "contacts": "/v1/contacts",
    "conversations": "/v1/tickets/{}/conversations",
    "discussion_categories": "/v1/discussions/categories",
    "discussion_comments": "/v1/discussions/topics/{}/comments",
    "discussion_forums": "/v1/discussions/categories/{}/forums",
    "discussion_topics": "/v1/discussions/forums/{}/topics",
    "email_configs": "/v1/email_configs",
    "email_mailboxes": "/v1/email/mailboxes",
    "groups": "/v1/groups",
    "products": "/v1/products",
    "roles": "/v1/roles",
    "satisfaction_ratings": "/v1/surveys/satisfaction_ratings",
    "scenario_automations": "/v1/scenario_automations",
    "skills": "/v1/skills",
    "sla_policies": "/v1/sla_policies",
    "solution_articles": "/v1/solutions/folders/{}/articles",
    "solution_categories": "/v1/solutions/categories",
    "solution_folders": "/v1/solutions/categories/{}/folders",
    "surveys": "/v1/surveys",
    "ticket_fields": "/v1/ticket_fields",
    "time_entries": "/v1/time_entries",
}


@pytest.fixture(scope="module")
def desk() -> Iterator[Sandbox]:
    """A help desk that these tests read and none changes."""
    with Sandbox(tickets=300, seed=3, page_cap=40) as running:
        yield running


@pytest.fixture(scope="module")
def client(desk: Sandbox) -> Iterator[Client]:
    with Client(desk) as made:
        yield made


def micros(row: dict[str, Any], field: str = "updated_at") -> int:
    moment = instant(row[field])
    assert moment is not None
    return moment


def errors(response: requests.Response) -> list[dict[str, str]]:
    assert response.status_code == 400
    assert response.json()["description"] == "Validation failed"
    found: list[dict[str, str]] = response.json()["errors"]
    return found


@pytest.mark.parametrize("stream", sorted(CONTRACT_PATHS))
def test_each_linked_collection_gives_all_its_records_once(desk: Sandbox, client: Client, stream: str) -> None:
    path, expected = CONTRACT_PATHS[stream], desk.helpdesk.records(stream)
    above = STREAMS[stream].parent
    if above is None:
        assert client.linked(path) == expected
        return
    key = STREAMS[stream].parent_key
    parents = sorted(row["id"] for row in desk.helpdesk.records(above))
    got = [{**row, key: parent} for parent in parents for row in client.linked(path.format(parent))]
    assert sorted(got, key=lambda row: row["id"]) == sorted(expected, key=lambda row: row["id"])
    assert len(got) == desk.helpdesk.counts()[stream] > 0


def test_a_parent_without_children_has_an_empty_page(desk: Sandbox, client: Client) -> None:
    childless = [row["id"] for row in desk.helpdesk.records("solution_folders") if not row["articles_count"]]
    assert childless
    response = client.get(f"/v1/solutions/folders/{childless[0]}/articles")
    assert response.json() == {"data": []}
    assert "link" not in response.headers


def test_children_come_by_id(client: Client) -> None:
    for ticket in range(1, 40):
        numbers = [row["id"] for row in client.linked(f"/v1/tickets/{ticket}/conversations", limit=2)]
        assert numbers == sorted(numbers)


def test_settings_are_one_object(desk: Sandbox, client: Client) -> None:
    assert client.get("/v1/settings/helpdesk").json() == {"data": desk.helpdesk.records("settings")[0]}


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic " + base64.b64encode(b"another-key:X").decode(),
        "Basic " + base64.b64encode(b"sandbox-key:secret").decode(),
        "Basic not base64",
        "Bearer sandbox-key",
    ],
)
@pytest.mark.parametrize("path", ["/v1/agents", "/v1/nothing", "/v1/tickets/1/conversations"])
def test_other_credentials_get_a_401_that_does_not_repeat_them(
    desk: Sandbox, authorization: str | None, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = requests.get(desk.base_url + path, headers=headers, timeout=10)
    assert response.status_code == 401
    assert response.json()["code"] == "invalid_credentials"
    assert "key" not in response.text
    assert "secret" not in response.text


def test_limit_is_capped_by_the_api_and_by_the_server() -> None:
    with Sandbox(tickets=400) as sandbox, Client(sandbox) as client:
        assert len(client.data("/v1/contacts")) == 100
        assert len(client.data("/v1/contacts", limit=500)) == 100
        assert len(client.data("/v1/contacts", limit=7)) == 7
        assert len(client.data("/v1/tickets", limit=7, updated_since=ALL)) == 7


def test_the_servers_own_cap_holds(client: Client) -> None:
    assert len(client.data("/v1/contacts", limit=100)) == 40
    assert len(client.data("/v1/tickets", limit=100, updated_since=ALL)) == 40


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "", "1.5", "\u0661"])
@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/tickets", "/v1/tickets/1/conversations"])
def test_a_limit_that_is_no_positive_number_is_refused(client: Client, path: str, limit: str) -> None:
    assert errors(client.get(path, limit=limit))[0]["field"] == "limit"


def test_the_next_link_is_absolute_and_repeats_the_parameters_but_no_credentials(desk: Sandbox, client: Client) -> None:
    response = client.get("/v1/contacts", limit=5, _updated_since="2021-01-01T00:00:00+02:00")
    url = response.links["next"]["url"]
    assert url.startswith(f"{desk.base_url}/v1/contacts?")
    assert desk.api_key not in url
    query = parse_qs(urlsplit(url).query)
    assert query.pop("cursor")
    assert query == {"limit": ["5"], "_updated_since": ["2021-01-01T00:00:00+02:00"]}


def test_the_next_link_is_under_the_host_that_was_asked(desk: Sandbox, client: Client) -> None:
    port = urlsplit(desk.base_url).port
    response = client.get(f"http://localhost:{port}/v1/contacts")
    assert response.links["next"]["url"].startswith(f"http://localhost:{port}/v1/contacts?")


@pytest.mark.parametrize("cursor", ["", "x", "!!!", base64.urlsafe_b64encode(b"-1.0").decode(), "é"])
def test_a_made_up_cursor_is_refused(client: Client, cursor: str) -> None:
    assert errors(client.get("/v1/contacts", cursor=cursor))[0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/contacts", "updated_since"),
        ("/v1/contacts", "page"),
        ("/v1/agents", "_updated_since"),
        ("/v1/tickets", "_updated_since"),
        ("/v1/tickets", "cursor"),
        ("/v1/tickets", "per_page"),
        ("/v1/settings/helpdesk", "language"),
        ("/v1/surveys/satisfaction_ratings", "updated_since"),
        ("/v1/tickets/1/conversations", "include"),
    ],
)
def test_an_unknown_parameter_is_refused(client: Client, path: str, parameter: str) -> None:
    found = errors(client.get(path, **{parameter: "1"}))
    assert found == [{"field": parameter, "message": "Unexpected/invalid field in request", "code": "invalid_field"}]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v1/agents/1",
        "/v1/agents/",
        "/nothing",
        "/",
        "/v1/tickets/999999/conversations",
        "/v1/tickets/one/conversations",
        "/v1/discussions/topics/1/comments",
    ],
)
def test_unknown_paths_and_parents_are_404(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert set(response.json()) == {"code", "message"}


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(desk: Sandbox, client: Client, method: str) -> None:
    response = client.session.request(method, f"{desk.base_url}/v1/agents", timeout=10)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"


def test_bodies_are_compressed_for_who_asks(client: Client) -> None:
    plain = client.session.get(
        client.get("/v1/agents").url, headers={"Accept-Encoding": "identity"}, stream=True, timeout=10
    )
    packed = client.session.get(plain.url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    with plain, packed:
        body = plain.raw.read()
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.raw.read(decode_content=False)) == body


def test_a_connection_is_kept(desk: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(desk.base_url).port or 0, timeout=10)
    headers = {"Authorization": "Basic " + base64.b64encode(f"{desk.api_key}:X".encode()).decode()}
    local = set()
    for path in ("/v1/agents", "/v1/nothing", "/v1/groups?x=1", "/v1/groups"):
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
        local.add(connection.sock.getsockname() if connection.sock else None)
    connection.close()
    assert len(local) == 1
    assert None not in local


def test_tickets_by_number_end_at_an_empty_page_and_have_no_link(desk: Sandbox, client: Client) -> None:
    pages = client.numbered_pages("/v1/tickets", updated_since=ALL, include=EVERYTHING)
    assert [len(page) for page in pages] == [40] * 7 + [20]
    got = sorted((row for page in pages for row in page), key=lambda row: row["id"])
    assert got == desk.helpdesk.records("tickets")
    assert "link" not in client.get("/v1/tickets", updated_since=ALL).headers


def test_tickets_without_updated_since_are_the_last_30_days(desk: Sandbox, client: Client) -> None:
    everything = desk.helpdesk.records("tickets")
    newest = max(micros(row, "created_at") for row in everything)
    recent = [row["id"] for row in everything if micros(row, "created_at") >= newest - 30 * DAY]
    assert 0 < len(recent) < len(everything)
    assert sorted(row["id"] for row in client.data("/v1/tickets", limit=100)) == recent


def test_updated_since_is_inclusive_and_compares_instants(desk: Sandbox, client: Client) -> None:
    rows = desk.helpdesk.records("tickets")
    offset = next(row for row in rows if row["updated_at"].endswith("+02:00"))
    moment = micros(offset)
    expected = {row["id"] for row in rows if micros(row) >= moment}
    for spelled in (offset["updated_at"], offset["updated_at"].replace("+02:00", ".000000+02:00")):
        pages = client.numbered_pages("/v1/tickets", updated_since=spelled)
        assert {row["id"] for page in pages for row in page} == expected
    fraction = next(row for row in rows if "." in row["updated_at"])
    later = fraction["updated_at"].replace(".123", ".124")
    assert later != fraction["updated_at"]
    pages = client.numbered_pages("/v1/tickets", updated_since=later)
    assert fraction["id"] not in {row["id"] for page in pages for row in page}


def test_a_bare_day_is_a_moment(client: Client) -> None:
    assert client.data("/v1/tickets", updated_since="1970-01-01") == client.data("/v1/tickets", updated_since=ALL)


@pytest.mark.parametrize("moment", ["", "yesterday", "2025-13-01T00:00:00Z", "2025-01-01T00:00:00 02:00", "1735689600"])
@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/tickets", "updated_since"),
        ("/v1/contacts", "_updated_since"),
        ("/v1/surveys/satisfaction_ratings", "created_since"),
    ],
)
def test_a_moment_that_is_none_is_refused(client: Client, path: str, parameter: str, moment: str) -> None:
    assert errors(client.get(path, **{parameter: moment}))[0]["field"] == parameter


@pytest.mark.parametrize("order_by", ["created_at", "due_by", "updated_at", "status"])
def test_tickets_are_ordered_as_asked(client: Client, order_by: str) -> None:
    def ranks(rows: list[dict[str, Any]]) -> list[Any]:
        values = [row[order_by] if order_by == "status" else instant(row[order_by]) for row in rows]
        return [1 << 80 if value is None else value for value in values]

    asked = {"updated_since": ALL, "order_by": order_by}
    up = [row for page in client.numbered_pages("/v1/tickets", order_type="asc", **asked) for row in page]
    down = [row for page in client.numbered_pages("/v1/tickets", **asked) for row in page]
    assert ranks(up) == sorted(ranks(up))
    assert [row["id"] for row in down] == [row["id"] for row in reversed(up)]
    if order_by == "created_at":
        assert client.data("/v1/tickets", updated_since=ALL) == down[:40]


@pytest.mark.parametrize(
    ("parameter", "value"), [("order_by", "id"), ("order_type", "up"), ("include", "stats,company"), ("page", "0")]
)
def test_values_that_tickets_do_not_know_are_refused(client: Client, parameter: str, value: str) -> None:
    assert errors(client.get("/v1/tickets", **{parameter: value}))[0]["field"] == parameter


def test_what_is_not_included_is_absent(client: Client) -> None:
    parts = {
        "description": {"description", "description_text", "structured_description"},
        "requester": {"requester"},
        "stats": {"stats"},
    }
    bare = set(client.data("/v1/tickets", updated_since=ALL)[0])
    assert not bare & set().union(*parts.values())
    for part, names in parts.items():
        assert set(client.data("/v1/tickets", updated_since=ALL, include=part)[0]) == bare | names


def test_past_the_last_page_is_a_400() -> None:
    with Sandbox(tickets=30, max_ticket_pages=3) as sandbox, Client(sandbox) as client:
        assert client.data("/v1/tickets", updated_since=ALL, limit=5, page=3)
        found = errors(client.get("/v1/tickets", updated_since=ALL, limit=5, page=4))
    with Sandbox(tickets=1) as sandbox, Client(sandbox) as client:
        assert client.data("/v1/tickets", updated_since=ALL, page=300) == []
        usual = errors(client.get("/v1/tickets", updated_since=ALL, page=301))
    assert found[0]["field"] == "page"
    assert usual[0]["message"] == "You cannot access tickets beyond the 300th page"


@pytest.mark.parametrize(
    ("stream", "parameter", "field"),
    [("contacts", "_updated_since", "updated_at"), ("satisfaction_ratings", "created_since", "created_at")],
)
def test_linked_lists_filter_inclusively(
    desk: Sandbox, client: Client, stream: str, parameter: str, field: str
) -> None:
    path, rows = CONTRACT_PATHS[stream], desk.helpdesk.records(stream)
    middle = sorted(rows, key=lambda row: micros(row, field))[len(rows) // 2]
    expected = [row for row in rows if micros(row, field) >= micros(middle, field)]
    assert client.linked(path, limit=5, **{parameter: middle[field]}) == expected
    assert client.linked(path, **{parameter: ALL}) == rows


def test_numbers_keep_every_digit_on_the_wire(client: Client) -> None:
    body = client.get("/v1/tickets", updated_since=ALL, order_type="asc").text
    assert "9007199254740993" in body
    assert "123456789012345678901234567890" in body
    assert '"cf_amount":0.1,' in body
    assert json.loads(body)["data"][0]["custom_fields"]["cf_serial"] == 123456789012345678901234567890


def test_the_rate_limit_is_told_and_kept() -> None:
    with Sandbox(tickets=1, rate_limit=2) as sandbox, Client(sandbox) as client:
        answers = [client.get("/v1/groups") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
        assert {answer.headers["x-ratelimit-total"] for answer in answers} == {"2"}
        assert 1 <= int(answers[2].headers["retry-after"]) <= 61
        assert requests.get(f"{sandbox.base_url}/_sandbox/health", timeout=10).status_code == 200
