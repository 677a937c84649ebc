from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sandbox_client import Client

from taps.sandbox.apis import APIS
from taps.sandbox.helpdesk.streams import STREAMS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = "1970-01-01T00:00:00Z"


@pytest.fixture
def desk() -> Iterator[Sandbox]:
    with Sandbox(tickets=40, seed=8) as running:
        yield running


@pytest.fixture
def client(desk: Sandbox) -> Iterator[Client]:
    with Client(desk) as made:
        yield made


def control(desk: Sandbox, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{desk.base_url}/_sandbox/{path}", json=body, timeout=10)


def test_health_asks_for_no_credentials(desk: Sandbox) -> None:
    assert control(desk, "GET", "health").json() == {"status": "ok"}


def test_counts_name_all_28_streams(desk: Sandbox) -> None:
    counts = control(desk, "GET", "helpdesk/counts").json()
    assert counts == desk.helpdesk.counts()
    assert len(counts) == 28
    assert counts["tickets"] == 40
    for stream in STREAMS:
        assert counts[stream] == len(control(desk, "GET", f"helpdesk/records/{stream}").json())


def test_records_are_whole_and_carry_their_parents_key(desk: Sandbox) -> None:
    tickets = control(desk, "GET", "helpdesk/records/tickets").json()
    assert {"description", "requester", "stats"} <= set(tickets[0])
    for name, stream in STREAMS.items():
        if stream.parent:
            above = {row["id"] for row in desk.helpdesk.records(stream.parent)}
            assert {row[stream.parent_key] for row in desk.helpdesk.records(name)} <= above


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "helpdesk/records/nothing", 404),
        ("GET", "voice/counts", 404),
        ("GET", "helpdesk/change", 405),
        ("POST", "helpdesk/change?tickets=-1", 400),
        ("POST", "helpdesk/change?cats=1", 400),
        ("GET", "requests?last=x", 400),
        ("PUT", "faults", 400),
    ],
)
def test_bad_control_requests_are_told_so(desk: Sandbox, method: str, path: str, status: int) -> None:
    response = control(desk, method, path)
    assert response.status_code == status
    assert response.json()["message"]


def test_a_change_shows_where_it_says(desk: Sandbox, client: Client) -> None:
    before = {row["id"]: row for row in desk.helpdesk.records("tickets")}
    turns = {number: len(client.data(f"/v1/tickets/{number}/conversations")) for number in before}
    people = {row["id"]: row for row in client.linked("/v1/contacts")}
    began = int(time.time())
    answer = control(desk, "POST", "helpdesk/change?tickets=5&new=3&contacts=2&delete=1").json()
    assert [len(answer[kind]) for kind in ("tickets", "new", "contacts", "deleted")] == [5, 3, 2, 1]

    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
    fresh = client.data("/v1/tickets", updated_since=since, include="stats")
    assert sorted(row["id"] for row in fresh) == sorted(answer["tickets"] + answer["new"])
    for row in fresh:
        assert len(row["updated_at"]) == len("2026-01-01T00:00:00Z")
        old = before.get(row["id"])
        if old is not None:
            assert row["subject"] != old["subject"]
            assert row["status"] != old["status"]
            assert row["created_at"] == old["created_at"]
    assert sorted(answer["new"]) == [41, 42, 43]

    for number, count in answer["conversations"].items():
        written = client.data(f"/v1/tickets/{number}/conversations")
        assert len(written) == count
        assert [row["id"] for row in written] == sorted(row["id"] for row in written)
        if int(number) in turns:
            assert count == turns[int(number)] + 1
    changed = client.linked("/v1/contacts", _updated_since=since)
    assert [row["id"] for row in changed] == answer["contacts"]
    assert all(row != people[row["id"]] for row in changed)
    assert client.get(f"/v1/tickets/{answer['deleted'][0]}/conversations").status_code == 404
    assert desk.helpdesk.counts()["tickets"] == 42
    numbers = [row["id"] for row in desk.helpdesk.records("conversations")]
    assert len(set(numbers)) == len(numbers)


def test_changes_are_chosen_by_the_seed() -> None:
    def ids(seed: int) -> list[Any]:
        with Sandbox(tickets=50, seed=seed) as sandbox:
            return [sandbox.helpdesk.change(tickets=4, new=1, contacts=2, delete=2) for _ in range(2)]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


def test_a_change_of_more_than_there_is_takes_all(desk: Sandbox) -> None:
    answer = desk.helpdesk.change(tickets=1_000, delete=1_000, contacts=1_000)
    assert len(answer["tickets"]) == 40
    assert answer["deleted"] == []
    with Sandbox(tickets=0) as empty:
        assert empty.helpdesk.change(tickets=1, new=1, delete=1)["new"] == [1]


def test_requests_are_noted_until_they_are_cleared(desk: Sandbox, client: Client) -> None:
    client.get("/v1/groups", limit=2)
    client.get("/v1/nothing")
    client.get("/v1/groups", limit=0)
    desk.set_faults(["503:times=1"])
    client.get("/v1/roles")
    summary = control(desk, "GET", "requests").json()
    assert summary["total"] == 4
    assert summary["paths"] == {"/v1/groups": {"200": 1, "400": 1}, "/v1/nothing": {"404": 1}, "/v1/roles": {"503": 1}}
    assert summary["last"][0] == {
        "method": "GET",
        "path": "/v1/groups",
        "query": {"limit": "2"},
        "status": 200,
        "fault": None,
    }
    assert summary["last"][-1]["fault"] == "503"
    assert len(control(desk, "GET", "requests?last=1").json()["last"]) == 1
    first = desk.requests[0]
    assert (first.method, first.path, first.query, first.status) == ("GET", "/v1/groups", {"limit": "2"}, 200)
    assert first.headers["authorization"].startswith("Basic ")
    assert control(desk, "DELETE", "requests").status_code == 204
    assert control(desk, "GET", "requests").json() == {"total": 0, "paths": {}, "last": []}
    assert desk.requests == []


def test_faults_can_be_put_and_ended(desk: Sandbox, client: Client) -> None:
    assert control(desk, "PUT", "faults", ["503:path=/v1/groups"]).json() == ["503:path=/v1/groups"]
    assert client.get("/v1/groups").status_code == 503
    bad = control(desk, "PUT", "faults", ["nonsense"])
    assert bad.status_code == 400
    assert "there is no fault 'nonsense'" in bad.json()["message"]
    assert control(desk, "PUT", "faults", {"503": 1}).status_code == 400
    assert client.get("/v1/groups").status_code == 503
    control(desk, "PUT", "faults", [])
    assert client.get("/v1/groups").status_code == 200


def test_put_replaces_a_collection_as_it_is(desk: Sandbox, client: Client) -> None:
    before = client.data("/v1/groups")
    rows: list[dict[str, Any]] = [{"id": 2}, {"id": None, "name": "x"}, {"id": 2}, {"big": 2**70}]
    desk.helpdesk.put("groups", rows)
    assert client.data("/v1/groups") == rows != before
    assert desk.helpdesk.counts()["groups"] == 4
    desk.helpdesk.put("settings", [{"primary_language": "de"}])
    assert client.get("/v1/settings/helpdesk").json() == {"data": {"primary_language": "de"}}


def test_put_tickets_start_without_children(desk: Sandbox, client: Client) -> None:
    rows = [
        {"id": 1, "updated_at": "2025-05-05T05:05:05Z", "created_at": "2025-05-05T05:05:05Z"},
        {"id": 900, "updated_at": "2025-05-05T07:05:04+02:00", "created_at": None},
        {"id": 901, "updated_at": "no moment"},
    ]
    desk.helpdesk.put("tickets", rows)
    asked = {"order_by": "updated_at", "order_type": "asc"}
    assert [row["id"] for row in client.data("/v1/tickets", updated_since=ALL, **asked)] == [900, 1, 901]
    # A record without a readable moment is shown by every filter: a tap must be seen to cope with it.
    since = client.data("/v1/tickets", updated_since="2025-05-05T05:05:05Z", **asked)
    assert [row["id"] for row in since] == [1, 901]
    assert client.data("/v1/tickets/1/conversations") == []
    desk.helpdesk.put_children("conversations", 900, [{"id": 7, "body": "x"}])
    assert client.data("/v1/tickets/900/conversations") == [{"id": 7, "body": "x"}]
    assert desk.helpdesk.records("conversations") == [{"id": 7, "body": "x", "ticket_id": 900}]


def test_a_deleted_parents_children_are_404(desk: Sandbox, client: Client) -> None:
    forum = desk.helpdesk.records("discussion_forums")[0]["id"]
    topic = desk.helpdesk.records("discussion_topics")[0]["id"]
    assert client.get(f"/v1/discussions/topics/{topic}/comments").status_code == 200
    desk.helpdesk.delete("discussion_topics", topic)
    assert client.get(f"/v1/discussions/topics/{topic}/comments").status_code == 404
    assert topic not in {row["id"] for row in client.linked(f"/v1/discussions/forums/{forum}/topics")}
    desk.helpdesk.delete("tickets", 3)
    assert client.get("/v1/tickets/3/conversations").status_code == 404
    assert 3 not in {row["id"] for row in client.data("/v1/tickets", updated_since=ALL)}


def test_what_cannot_be_done_by_hand_is_a_value_error(desk: Sandbox) -> None:
    with pytest.raises(ValueError, match="put_children"):
        desk.helpdesk.put("conversations", [])
    with pytest.raises(ValueError, match="use put"):
        desk.helpdesk.put_children("tickets", 1, [])
    with pytest.raises(ValueError, match="no tickets record with the id 77"):
        desk.helpdesk.put_children("conversations", 77, [])
    for stream in ("tickets", "conversations", "settings"):
        with pytest.raises(ValueError, match=f"no {stream} record with the id 77"):
            desk.helpdesk.delete(stream, 77)


def test_latency_delays_every_answer_but_control() -> None:
    with Sandbox(tickets=1, latency=0.2, jitter=0.1) as sandbox, Client(sandbox) as client:
        began = time.monotonic()
        assert client.data("/v1/groups")
        assert 0.2 <= time.monotonic() - began < 1
        began = time.monotonic()
        control(sandbox, "GET", "health")
        assert time.monotonic() - began < 0.2


def test_it_starts_and_stops_quickly_and_leaves_no_thread() -> None:
    before = threading.active_count()
    began = time.monotonic()
    with Sandbox(tickets=50) as sandbox, Client(sandbox) as client:
        url = sandbox.base_url
        assert client.data("/v1/groups")
        assert time.monotonic() - began < 1
        began = time.monotonic()
    assert time.monotonic() - began < 1
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)


def test_it_stops_in_the_middle_of_an_answer() -> None:
    with Sandbox(tickets=1, faults=["slow:seconds=60"]) as sandbox:
        url = f"{sandbox.base_url}/v1/groups"

        def ask() -> None:
            with pytest.raises(requests.RequestException):
                requests.get(url, timeout=30).raise_for_status()

        asking = threading.Thread(target=ask)
        asking.start()
        while not sandbox.requests:
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    asking.join(5)
    assert not asking.is_alive()


def test_one_api_is_served_and_the_others_are_not_there() -> None:
    with Sandbox(size=3) as sandbox:
        assert sandbox.config == {"base_url": sandbox.base_url, "api_key": "sandbox-key"}
        assert sandbox.helpdesk.counts()["tickets"] == 3
        with pytest.raises(AttributeError):
            sandbox.voice.counts()
    with pytest.raises(ValueError, match="there is no API 'nonsense'; there are helpdesk"):
        Sandbox("nonsense")
    with pytest.raises(
        TypeError, match="the voice API has no setting 'max_ticket_pages'; it has access_token, api_key"
    ):
        Sandbox("voice", max_ticket_pages=3)


@pytest.mark.parametrize("api", APIS)
def test_every_api_offers_the_same_control_paths(api: str) -> None:
    with Sandbox(api, size=20) as sandbox:
        counts = control(sandbox, "GET", f"{api}/counts").json()
        assert counts == getattr(sandbox, api).counts()
        assert sum(counts.values()) > 20
        for stream, count in counts.items():
            assert len(control(sandbox, "GET", f"{api}/records/{stream}").json()) == count
        assert control(sandbox, "GET", f"{api}/records/nothing").status_code == 404
        assert control(sandbox, "POST", f"{api}/change").status_code == 200
        assert requests.get(f"{sandbox.base_url}/v1/nothing", timeout=10).status_code in {401, 404}
        assert sandbox.requests[-1].path == "/v1/nothing"


@pytest.mark.parametrize("api", APIS)
def test_the_same_seed_makes_the_same_records(api: str) -> None:
    def records(seed: int) -> dict[str, Any]:
        store = APIS[api].make_store(25, seed)
        store.warm()
        return {stream: store.records(stream) for stream in store.counts()}

    assert records(4) == records(4)
    assert records(4) != records(5)


def test_two_sandboxes_do_not_share_anything() -> None:
    with Sandbox(tickets=3, api_key="one") as one, Sandbox(tickets=3, api_key="two") as two, Client(one) as client:
        assert client.get(f"{one.base_url}/v1/groups").status_code == 200
        assert client.get(f"{two.base_url}/v1/groups").status_code == 401
        one.helpdesk.put("groups", [])
        assert two.helpdesk.counts()["groups"] == 12
