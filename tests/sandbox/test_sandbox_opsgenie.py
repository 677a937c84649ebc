"""The on-call team in Opsgenie's dialect, over a socket: the same records, and a query language of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from vendor_client import VendorClient, counted

from taps.sandbox.instants import instant
from taps.sandbox.oncall.store import OncallStore
from taps.sandbox.oncall.streams import STREAMS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = 1_000_000


def opsgenie(**settings: Any) -> Sandbox:
    return Sandbox("oncall", **{"provider": "opsgenie", "size": 150, "seed": 3, **settings})


class Client(VendorClient):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.session.headers["Authorization"] = f"GenieKey {self.config['api_key']}"

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        pages = self.pages(path, params, lambda response: response.json().get("paging", {}).get("next"))
        return [row for page in pages for row in page["data"]]


@pytest.fixture(scope="module")
def team() -> Iterator[Sandbox]:
    with opsgenie() as running:
        yield running


@pytest.fixture
def client(team: Sandbox) -> Iterator[Client]:
    with Client(team) as asking:
        yield asking


def refused(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert sorted(body) == ["message", "requestId", "took"]
    text: str = body["message"]
    return text


def moment(row: dict[str, Any], field: str = "createdAt") -> int:
    found = instant(row[field])
    assert found is not None
    return found


def fractions(rows: list[dict[str, Any]], field: str) -> set[int]:
    return {len(row[field].partition(".")[2].rstrip("Z")) for row in rows}


def test_the_config_names_the_provider_and_the_servers_root(team: Sandbox) -> None:
    assert team.config == {"provider": "opsgenie", "base_url": team.root_url, "api_key": "sandbox-key"}


@pytest.mark.parametrize("stream", [name for name, one in STREAMS.items() if not one.parent])
def test_lists_have_the_same_records(team: Sandbox, client: Client, stream: str) -> None:
    rows = client.rows(STREAMS[stream].path, limit=100)
    held = team.oncall.records(stream)
    assert {row["id"]: row for row in rows} == {row["id"]: row for row in held}
    assert len(rows) == len(held)


@pytest.mark.parametrize("stream", [*(name for name, one in STREAMS.items() if one.parent), "alert_notes"])
def test_children_have_the_same_records(team: Sandbox, client: Client, stream: str) -> None:
    declared = team.oncall.streams[stream]
    order = {"order": "asc"} if declared.paged else {}
    rows = [
        {**row, declared.parent_key: parent["id"], **({"user_id": row["user"]["id"]} if "user" in row else {})}
        for parent in team.oncall.records(declared.parent or "")
        for row in client.rows(declared.path.replace("{id}", parent["id"]), **order)
    ]
    assert rows == team.oncall.records(stream)
    assert rows


def test_notes_are_in_pages_and_not_in_the_neutral_form(team: Sandbox, client: Client) -> None:
    notes = team.oncall.records("alert_notes")
    assert {tuple(note) for note in notes} == {("note", "owner", "createdAt", "offset", "alert_id")}
    counts = {note["alert_id"]: 0 for note in notes}
    for note in notes:
        counts[note["alert_id"]] += 1
    assert max(counts.values()) > 100
    assert team.oncall.counts()["alert_notes"] == len(notes)
    with Sandbox("oncall", size=3) as neutral:
        assert "alert_notes" not in neutral.oncall.counts()
        number = neutral.oncall.records("alerts")[0]["id"]
        url = f"{neutral.base_url}/v2/alerts/{number}/notes"
        response = requests.get(url, headers={"Authorization": neutral.api_key}, timeout=10)
        assert response.status_code == 404
    number = next(iter(counts))
    response = client.get(f"/v2/alerts/{number}/notes", {"limit": 1})
    assert len(response.json()["data"]) == 1
    assert refused(client.get("/v2/alerts/unknown/notes"), 404)


@pytest.mark.parametrize("stream", ["alerts", "incidents"])
def test_instants_are_those_of_the_neutral_form_with_other_digits(team: Sandbox, stream: str) -> None:
    rows = team.oncall.records(stream)
    neutral = OncallStore(alerts=150, seed=3).records(stream)
    for field in ("createdAt", "updatedAt"):
        assert [moment(row, field) for row in rows] == [moment(row, field) for row in neutral]
    bare = [{name: value for name, value in row.items() if name not in {"createdAt", "updatedAt"}} for row in rows]
    assert bare == [
        {name: value for name, value in row.items() if name not in {"createdAt", "updatedAt"}} for row in neutral
    ]
    assert rows == OncallStore(alerts=150, seed=3, vendor=True).records(stream)


def test_fractions_have_none_to_nine_digits(team: Sandbox) -> None:
    rows = team.oncall.records("alerts")
    assert fractions(rows, "createdAt") | fractions(rows, "updatedAt") == set(range(10))
    assert {0, 3, 9} <= fractions(rows, "createdAt")


def test_pages_hold_20_and_no_more_than_100(client: Client) -> None:
    body = client.get("/v2/alerts").json()
    assert len(body["data"]) == 20
    assert sorted(body["paging"]) == ["first", "last", "next"]
    assert all(link.startswith(f"{client.config['base_url']}/v2/alerts?") for link in body["paging"].values())
    assert "100" in refused(client.get("/v2/alerts", {"limit": 101}), 422)
    assert len(client.get("/v2/alerts", {"limit": 100}).json()["data"]) == 100


def test_the_latest_come_first(client: Client) -> None:
    moments = [moment(row) for row in client.rows("/v2/alerts", limit=100)]
    assert moments == sorted(moments, reverse=True)


def test_offsets_end_at_20000(client: Client) -> None:
    assert client.get("/v2/alerts", {"offset": 19_900, "limit": 100}).json()["data"] == []
    assert "20000" in refused(client.get("/v2/alerts", {"offset": 19_901, "limit": 100}), 422)
    assert "20000" in refused(client.get("/v1/incidents", {"offset": 20_000}), 422)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("createdAt >= {ms}", lambda at, of: at >= of),
        ("createdAt > {ms}", lambda at, of: at > of),
        ("createdAt < {ms}", lambda at, of: at < of),
        ("createdAt <= {ms}", lambda at, of: at <= of),
        ("createdAt>={s}", lambda at, of: at >= of // SECOND * SECOND),
        ("createdAt >= {s} AND createdAt < {ms}", lambda at, of: of // SECOND * SECOND <= at < of),
    ],
)
def test_queries_name_when_alerts_came_in(team: Sandbox, client: Client, query: str, matches: Any) -> None:
    held = team.oncall.records("alerts")
    middle = sorted(map(moment, held))[len(held) // 2]
    text = query.format(ms=middle // 1_000, s=middle // SECOND)
    found = client.rows("/v2/alerts", query=text, sort="createdAt", order="asc", limit=100)
    assert [row["id"] for row in found] == [
        row["id"] for row in sorted(held, key=moment) if matches(moment(row), middle)
    ]


def test_other_fields_are_searched_only_if_they_can_be(client: Client) -> None:
    asked = {"query": "updatedAt >= 0", "sort": "updatedAt", "order": "asc", "limit": 100}
    assert "updatedAt" in refused(client.get("/v2/alerts", asked), 422)
    assert refused(client.get("/v2/alerts", {"query": "status: open"}), 422)
    assert client.get("/v2/alerts", {"sort": "updatedAt"}).status_code == 200
    with opsgenie(search_updated=True) as sandbox, Client(sandbox) as other:
        assert len(other.rows("/v2/alerts", **asked)) == 150


@pytest.mark.parametrize(("path", "parameter"), [("/v2/alerts", "page"), ("/v2/users", "query"), ("/v2/teams", "sort")])
def test_an_unknown_parameter_is_refused(client: Client, path: str, parameter: str) -> None:
    assert parameter in refused(client.get(path, {parameter: "1"}), 400)


def test_a_parameter_is_given_once(client: Client) -> None:
    assert refused(client.get("/v2/alerts?limit=1&limit=2"), 400)


def test_the_key_has_its_prefix(client: Client) -> None:
    for wrong in ("sandbox-key", "Bearer sandbox-key", "GenieKey another", "", "geniekey sandbox-key"):
        client.session.headers["Authorization"] = wrong
        refused(client.get("/v2/teams"), 401)


def test_a_plan_may_lack_collections() -> None:
    with opsgenie(size=5, lacks="services=402,incidents") as sandbox, Client(sandbox) as client:
        refused(client.get("/v1/services"), 402)
        refused(client.get("/v1/incidents"), 403)
        assert client.get("/v2/alerts").status_code == 200


def test_answers_tell_the_state_of_the_limit() -> None:
    with opsgenie(size=5, rate_limit=1) as sandbox, Client(sandbox) as client:
        assert counted(client.get("/v2/teams")) == {"x-ratelimit-state": "OK"}
        second = client.get("/v2/teams")
        refused(second, 429)
        assert counted(second) == {
            "x-ratelimit-state": "THROTTLED",
            "x-ratelimit-reason": "ACCOUNT",
            "x-ratelimit-period-in-sec": "60",
        }
        assert 1 <= int(second.headers["Retry-After"]) <= 61
    with opsgenie(size=5) as sandbox, Client(sandbox) as client:
        assert counted(client.get("/v2/teams")) == {"x-ratelimit-state": "OK"}


def test_a_bad_option_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        opsgenie(lacks="nonsense")


def test_faults_and_churn_go_on_working() -> None:
    faults = ["self-link:path=/v2/alerts,at=1", "403:at=1"]
    with opsgenie(size=40, churn="new=1,alerts=1", faults=faults) as sandbox, Client(sandbox) as client:
        response = client.get("/v2/alerts")
        assert response.json()["paging"]["next"] == response.url
        refused(client.get("/v2/alerts"), 403)
        client.get("/v2/alerts")
        counts = sandbox.oncall.counts()
        assert counts["alerts"] > 40
        assert len(client.rows("/v2/alerts", limit=100)) > counts["alerts"]
