from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from oncall_client import Client, moment, oncall, refused

from taps.sandbox.oncall.store import OncallStore
from taps.sandbox.oncall.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A server that these tests read and none changes."""
    with oncall() as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox) as made:
        yield made


@pytest.mark.parametrize("field", ["updatedAt", "createdAt"])
@pytest.mark.parametrize("name", ["alerts", "incidents"])
def test_a_query_filters_and_sorts(sandbox: Sandbox, client: Client, name: str, field: str) -> None:
    path, records = STREAMS[name].path, sandbox.oncall.records(name)
    times = sorted(moment(row, field) for row in records)
    first, last = times[len(times) // 3] // 1_000, times[-3] // 1_000
    for query, expected in (
        (f"{field} >= {first}", [at for at in times if at >= first * 1_000]),
        (f"{field}>={first}  AND {field} < {last}", [at for at in times if first * 1_000 <= at < last * 1_000]),
        (f"{field} > {first}", [at for at in times if at > first * 1_000]),
        (f"{field} <= {first}", [at for at in times if at <= first * 1_000]),
        ("", times),
    ):
        rows = client.rows(path, query=query, sort=field, order="asc", limit=17)
        assert [moment(row, field) for row in rows] == expected
        assert len({row["id"] for row in rows}) == len(rows)
        assert [row["id"] for row in client.rows(path, query=query, sort=field)] == [row["id"] for row in rows][::-1]


def test_two_fields_may_be_asked_for_at_once(sandbox: Sandbox, client: Client) -> None:
    records = sandbox.oncall.records("alerts")
    created, updated = (
        sorted(moment(row, field) for row in records)[70] // 1_000 for field in ("createdAt", "updatedAt")
    )
    rows = client.rows("/v2/alerts", query=f"createdAt < {created} AND updatedAt >= {updated}")
    expected = [
        row["id"] for row in records if moment(row, "createdAt") < created * 1_000 and moment(row) >= updated * 1_000
    ]
    assert sorted(row["id"] for row in rows) == sorted(expected)


def test_the_newest_come_first_by_default(client: Client) -> None:
    for path in ("/v2/alerts", "/v1/incidents"):
        times = [moment(row, "createdAt") for row in client.rows(path)]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v2/alerts", {"query": "updatedAt >= 2025-01-01"}),
        ("/v2/alerts", {"query": "updatedAt >= 1700000000000000"}),
        ("/v2/alerts", {"query": "status = open"}),
        ("/v2/alerts", {"query": "updatedAt >= 1 OR createdAt >= 2"}),
        ("/v2/alerts", {"query": "updatedAt >= 1 AND "}),
        ("/v2/alerts", {"sort": "tinyId"}),
        ("/v2/alerts", {"order": "up"}),
        ("/v2/alerts", {"limit": "0"}),
        ("/v2/alerts", {"limit": "x"}),
        ("/v1/incidents", {"offset": "-1"}),
        ("/v1/incidents", {"page": "2"}),
        ("/v2/users", {"query": "createdAt >= 1"}),
        ("/v2/teams", {"sort": "name"}),
    ],
)
def test_anything_else_is_refused(client: Client, path: str, params: dict[str, str]) -> None:
    assert next(iter(params)) in refused(client.get(path, **params), 422)


@pytest.mark.parametrize("name", ["alerts", "incidents"])
def test_no_page_reaches_past_the_window(name: str) -> None:
    path = STREAMS[name].path
    with oncall(size=1_200, query_window=100) as sandbox, Client(sandbox) as client:
        assert len(client.get(path, limit=50, offset=50).json()["data"]) == 50
        for limit, offset in ((50, 51), (50, 100), (100, 1)):
            assert "100" in refused(client.get(path, limit=limit, offset=offset), 422)
        following = client.get(path, limit=50, offset=50).json()["paging"]["next"]
        refused(client.get(following), 422)
        assert len(client.rows("/v2/users")) == sandbox.oncall.counts()["users"]


def test_the_window_may_end_without_a_link() -> None:
    with oncall(query_window=60, window_end="no-link") as sandbox, Client(sandbox) as client:
        assert [len(page) for page in client.pages("/v2/alerts", limit=20)] == [20, 20, 20]
        assert "last" in client.get("/v2/alerts", limit=20, offset=40).json()["paging"]
        refused(client.get("/v2/alerts", limit=20, offset=60), 422)


def test_windows_lead_to_all_alerts() -> None:
    with oncall(query_window=40, window_end="no-link") as sandbox, Client(sandbox) as client:
        seen: dict[str, int] = {}
        since = 0
        while True:
            rows = client.rows("/v2/alerts", query=f"updatedAt >= {since}", sort="updatedAt", order="asc", limit=20)
            seen |= {row["id"]: moment(row) for row in rows}
            if len(rows) < 40:
                break
            since = moment(rows[-1]) // 1_000
        assert seen == {row["id"]: moment(row) for row in sandbox.oncall.records("alerts")}


@pytest.mark.parametrize(("setting", "value"), [("window_end", "silent"), ("query_window", 0)])
def test_bad_options_are_told(setting: str, value: object) -> None:
    with pytest.raises(ValueError, match="no-link"):
        oncall(**{setting: value})


def test_a_change_shows_where_it_says() -> None:
    with oncall() as sandbox, Client(sandbox) as client:
        before = {row["id"]: row for row in sandbox.oncall.records("alerts")}
        logs = {number: len(client.rows(f"/v2/alerts/{number}/logs")) for number in before}
        since = int(time.time()) * 1_000
        url = f"{sandbox.base_url}/_sandbox/oncall/change?alerts=4&new=2&incidents=3"
        answer = requests.post(url, timeout=10).json()
        assert [len(answer[kind]) for kind in ("alerts", "new", "incidents")] == [4, 2, 3]
        asked = {"query": f"updatedAt >= {since}", "sort": "updatedAt", "order": "asc"}
        fresh = client.rows("/v2/alerts", **asked)
        assert sorted(row["id"] for row in fresh) == sorted(answer["alerts"] + answer["new"])
        assert all(row["status"] != before[row["id"]]["status"] for row in fresh if row["id"] in before)
        assert all(row["createdAt"] == before[row["id"]]["createdAt"] for row in fresh if row["id"] in before)
        assert sorted(row["id"] for row in client.rows("/v1/incidents", **asked)) == sorted(answer["incidents"])
        assert sandbox.oncall.counts()["alerts"] == 152
        for number, count in answer["logs"].items():
            assert len(client.rows(f"/v2/alerts/{number}/logs")) == count == logs.get(number, 0) + 1
            assert client.get(f"/v2/alerts/{number}/recipients").status_code == 200
        assert sandbox.oncall.change(new=1)["new"][0] not in answer["new"]


def test_records_are_put_and_deleted() -> None:
    with oncall() as sandbox, Client(sandbox) as client:
        number = sandbox.oncall.records("alerts")[0]["id"]
        sandbox.oncall.delete("alerts", number)
        refused(client.get(f"/v2/alerts/{number}/logs"), 404)
        assert number not in {row["id"] for row in client.rows("/v2/alerts")}
        odd: list[dict[str, Any]] = [{"id": "a", "updatedAt": "2025-01-01T00:00:00.1Z"}, {"id": None}]
        sandbox.oncall.put("alerts", odd)
        assert client.rows("/v2/alerts", order="asc") == odd
        assert client.rows("/v2/alerts/a/logs") == []
        sandbox.oncall.put_children("alert_recipients", "a", [{"user": {"id": "b"}}])
        assert sandbox.oncall.records("alert_recipients") == [{"user": {"id": "b"}, "alert_id": "a", "user_id": "b"}]
        with pytest.raises(ValueError, match="user_teams"):
            sandbox.oncall.put("user_teams", [])


def test_the_same_seed_gives_the_same_data() -> None:
    first, second, other = (OncallStore(alerts=60, seed=seed) for seed in (1, 1, 2))
    for name in STREAMS:
        assert json.dumps(first.records(name)) == json.dumps(second.records(name))
    assert first.records("alerts") != other.records("alerts")
    assert OncallStore(alerts=0).counts()["alerts"] == 0


def test_faults_strike_the_links_in_the_body() -> None:
    with (
        oncall(faults=["foreign-link:at=1", "self-link:at=1", "429:at=1,retry_after=1"]) as sandbox,
        Client(sandbox) as client,
    ):
        assert client.get("/v2/users").json()["paging"]["next"] == "http://elsewhere.invalid/v2/users"
        assert client.get("/v1/services").json()["paging"]["next"] == f"{sandbox.base_url}/v1/services"
        assert client.get("/v2/teams").headers["Retry-After"] == "1"
        assert [(seen.status, seen.fault) for seen in sandbox.requests] == [
            (200, "foreign-link"),
            (200, "self-link"),
            (429, "429"),
        ]
