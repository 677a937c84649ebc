from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from oncall_client import Client, moment, oncall, refused

from taps.sandbox.oncall.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.sandbox.server import Sandbox

CHILDREN = {"alert_logs", "alert_recipients", "user_teams"}
FIELDS = {
    "alerts": "acknowledged actions alias count createdAt description details entity id integration isSeen "
    "lastOccurredAt message note owner ownerTeamId priority report responders seen snoozed snoozedUntil source status "
    "tags teams tinyId updatedAt user visibleTo",
    "alert_logs": "alert_id createdAt log offset owner type",
    "alert_recipients": "alert_id aware createdAt method state updatedAt user user_id user_username",
    "incidents": "actions createdAt description details extraProperties id impactEndDate impactStartDate "
    "impactedServices isSeen links message note notifyStakeholders owner ownerTeam priority responders source status "
    "statusPageEntry tags timelines tinyId updatedAt",
    "integrations": "advanced enabled id name teamId type version",
    "services": "description id isExternal links name tags teamId visibility",
    "teams": "description id links name",
    "user_teams": "id name user_id",
    "users": "blocked createdAt details fullName id invitationDisabled locale mutedUntil role skypeUsername tags "
    "timeZone userAddress userContacts username verified",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A server that these tests read and none changes."""
    with oncall() as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox) as made:
        yield made


@pytest.mark.parametrize("name", sorted(set(STREAMS) - CHILDREN))
def test_each_collection_gives_all_its_records_once(sandbox: Sandbox, client: Client, name: str) -> None:
    rows = client.rows(STREAMS[name].path, limit=9)
    expected = sandbox.oncall.records(name)
    assert sorted(rows, key=lambda row: row["id"]) == sorted(expected, key=lambda row: row["id"])
    assert len({row["id"] for row in rows}) == len(rows) == sandbox.oncall.counts()[name] > 0


@pytest.mark.parametrize("name", sorted(CHILDREN))
def test_each_parent_gives_its_children(sandbox: Sandbox, client: Client, name: str) -> None:
    stream = STREAMS[name]
    parents = [row["id"] for row in sandbox.oncall.records(stream.parent or "")]
    got = []
    for parent in parents:
        for row in client.rows(stream.path.format(id=parent)):
            assert stream.parent_key not in row
            got.append({**row, stream.parent_key: parent} | ({"user_id": row["user"]["id"]} if "user" in row else {}))
    expected = sandbox.oncall.records(name)
    assert sorted(map(json.dumps, got)) == sorted(map(json.dumps, expected))
    assert len(got) == sandbox.oncall.counts()[name] > len(parents) / 2
    assert {row[stream.parent_key] for row in got} < set(parents)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_all_fields_are_there_and_filled_in_somewhere(sandbox: Sandbox, name: str) -> None:
    rows = sandbox.oncall.records(name)
    assert {field for row in rows for field in row} == set(FIELDS[name].split())
    assert {field for row in rows for field, value in row.items() if value is not None} == set(FIELDS[name].split())


def test_recipients_of_an_alert_differ_and_are_users(sandbox: Sandbox) -> None:
    users = {row["id"]: row["username"] for row in sandbox.oncall.records("users")}
    rows = sandbox.oncall.records("alert_recipients")
    assert len({(row["alert_id"], row["user_id"]) for row in rows}) == len(rows)
    assert all(users[row["user"]["id"]] == row["user"]["username"] for row in rows)


def test_offsets_of_logs_are_unique_for_an_alert_but_not_for_all(sandbox: Sandbox) -> None:
    rows = sandbox.oncall.records("alert_logs")
    assert len({(row["alert_id"], row["offset"]) for row in rows}) == len(rows)
    assert len({row["offset"] for row in rows}) < len(rows)


def test_timestamps_have_1_to_9_digits_and_some_are_shared(sandbox: Sandbox) -> None:
    rows = sandbox.oncall.records("alerts")
    fractions = {len(re.sub(r".*\.|Z", "", row[field])) for row in rows for field in ("createdAt", "updatedAt")}
    assert fractions >= {1, 2, 3, 4, 6, 7, 9}
    assert max(fractions) == 9
    assert all(moment(row, "createdAt") <= moment(row) for row in rows)
    shared: dict[int, set[str]] = {}
    for row in rows:
        shared.setdefault(moment(row), set()).add(row["updatedAt"])
    assert len(shared) < len(rows) - 8
    # One instant, spelled in several ways.
    assert any(len(spelled) > 1 for spelled in shared.values())


@pytest.mark.parametrize("name", ["users", "services", "incidents", "alerts"])
def test_pages_are_of_20_by_default_and_of_100_at_most(name: str) -> None:
    path = STREAMS[name].path
    with oncall(size=3_000, page_cap=100) as sandbox, Client(sandbox) as client:
        first = client.get(path).json()
        assert len(first["data"]) == 20
        assert len(client.get(path, limit=500).json()["data"]) == 100
        total = sandbox.oncall.counts()[name]
        assert first.get("totalCount") == (total if name == "users" else None)
        assert set(first) - {"totalCount"} == {"data", "paging", "took", "requestId"}
        assert set(first["paging"]) == {"first", "last", "next"}
        for link, offset in (("first", 0), ("next", 20), ("last", (total - 1) // 20 * 20)):
            parts = urlsplit(first["paging"][link])
            assert f"{parts.scheme}://{parts.netloc}{parts.path}" == sandbox.base_url + path
            assert parse_qs(parts.query) == {"limit": ["20"], "offset": [str(offset)]}
        last = client.get(first["paging"]["last"]).json()
        assert last["data"]
        assert "next" not in last["paging"]


def test_the_servers_cap_shortens_pages_and_their_links_follow() -> None:
    with oncall(page_cap=7) as sandbox, Client(sandbox) as client:
        assert [len(page) for page in client.pages("/v2/alerts", limit=100)] == [7] * 21 + [3]
        assert len(client.rows("/v2/alerts", limit=100)) == 150


@pytest.mark.parametrize("name", ["teams", "integrations"])
def test_some_collections_come_at_once(sandbox: Sandbox, client: Client, name: str) -> None:
    body = client.get(STREAMS[name].path, limit=1).json()
    assert set(body) == {"data", "took", "requestId"}
    assert body["data"] == sandbox.oncall.records(name)


def test_logs_page_by_an_opaque_offset(sandbox: Sandbox, client: Client) -> None:
    rows = sandbox.oncall.records("alert_logs")
    parent = max((row["alert_id"] for row in rows), key=[row["alert_id"] for row in rows].count)
    own = [
        {name: value for name, value in row.items() if name != "alert_id"} for row in rows if row["alert_id"] == parent
    ]
    assert len(own) > 100
    path = f"/v2/alerts/{parent}/logs"
    assert client.rows(path) == own[::-1]
    assert client.rows(path, limit=50, order="asc") == own
    assert [len(page) for page in client.pages(path, limit=100)] == [100, len(own) - 100]
    following = parse_qs(urlsplit(client.get(path, limit=50, order="asc").json()["paging"]["next"]).query)
    assert following["limit"] == ["50"]
    assert following["order"] == ["asc"]
    assert not following["offset"][0].isdigit()
    assert "offset" in refused(client.get(path, offset="abc"), 422)


@pytest.mark.parametrize("path", ["/v2/alerts/{}/logs", "/v2/alerts/{}/recipients", "/v2/users/{}/teams"])
def test_children_of_unknown_parents_are_not_found(client: Client, path: str) -> None:
    for parent in ("none", "70e1"):
        assert parent in refused(client.get(path.format(parent)), 404)


def test_ragged_pages_hold_everything_once() -> None:
    with oncall(size=400, ragged=True) as sandbox, Client(sandbox) as client:
        for name in ("alerts", "incidents", "services", "users"):
            for limit in (4, 9, 100):
                pages = client.pages(STREAMS[name].path, limit=limit)
                ids = [row["id"] for page in pages for row in page]
                assert sorted(ids) == sorted(row["id"] for row in sandbox.oncall.records(name))
        lengths = [len(page) for page in client.pages("/v2/alerts", limit=9)]
        assert set(lengths) >= {0, 3, 9}
        last = client.get(client.get("/v2/alerts", limit=9).json()["paging"]["last"]).json()
        assert last["data"]
        assert "next" not in last["paging"]
        rows = sandbox.oncall.records("alert_logs")
        parent = max((row["alert_id"] for row in rows), key=[row["alert_id"] for row in rows].count)
        pages = client.pages(f"/v2/alerts/{parent}/logs", limit=9)
        assert {0, 3, 9} <= {len(page) for page in pages}
        assert sum(map(len, pages)) == sum(row["alert_id"] == parent for row in rows)


@pytest.mark.parametrize("authorization", [None, "another", "GenieKey sandbox-key", "Bearer sandbox-key"])
@pytest.mark.parametrize("path", ["/v2/alerts", "/v1/incidents", "/v2/nothing"])
def test_other_credentials_get_a_401_that_does_not_repeat_them(
    sandbox: Sandbox, authorization: str | None, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = requests.get(sandbox.base_url + path, headers=headers, timeout=10)
    refused(response, 401)
    assert "another" not in response.text
    assert "sandbox-key" not in response.text


def test_the_key_may_have_a_prefix() -> None:
    with oncall(auth_prefix="GenieKey ", api_key="secret") as sandbox:
        with Client(sandbox, "GenieKey ") as client:
            assert client.get("/v2/teams").status_code == 200
        with Client(sandbox) as client:
            assert client.get("/v2/teams").status_code == 401


def test_unknown_paths_and_methods_are_refused(sandbox: Sandbox, client: Client) -> None:
    for path in ("/v2/incidents", "/v1/alerts", "/v2/alerts/1/2/3"):
        assert path in refused(client.get(path), 404)
    response = client.session.delete(sandbox.base_url + "/v2/alerts", timeout=10)
    assert "DELETE" in refused(response, 405)


def test_links_are_under_the_origin_that_the_client_used(sandbox: Sandbox, client: Client) -> None:
    for host in ("one.example", "two.example:81"):
        response = client.session.get(sandbox.base_url + "/v2/alerts", headers={"Host": host}, timeout=10)
        assert response.json()["paging"]["next"].startswith(f"http://{host}/v2/alerts?")
