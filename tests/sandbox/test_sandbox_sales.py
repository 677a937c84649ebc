from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sales_client import Client, detail, moment, sales

from taps.sandbox.sales_engagement.made import flat
from taps.sandbox.sales_engagement.store import SalesStore
from taps.sandbox.sales_engagement.streams import BY_TYPE, STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.sandbox.server import Sandbox

FULL_TABLE = {
    "audit_logs",
    "batch_items",
    "batches",
    "compliance_requests",
    "duties",
    "recipients",
    "sequence_templates",
    "webhooks",
}
BY_CREATION = {"account_notes", "events", "prospect_notes"}
CUSTOMS = {"accounts": 150, "opportunities": 150, "products": 150, "prospects": 150, "purchases": 150, "users": 5}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A server that these tests read and none changes."""
    with sales() as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox) as made:
        yield made


def test_there_are_47_collections_with_all_their_fields() -> None:
    assert len(STREAMS) == len(BY_TYPE) == 47
    assert {name: stream.customs for name, stream in STREAMS.items() if stream.customs} == CUSTOMS
    assert len(STREAMS["prospects"].attributes) + 150 == 253
    assert STREAMS["call_dispositions"].path == "/v1/callDispositions"
    assert {name for name, stream in STREAMS.items() if not stream.filters} == FULL_TABLE
    assert {name for name, stream in STREAMS.items() if stream.filters == {"createdAt"}} == BY_CREATION
    targets = {
        target for stream in STREAMS.values() for part in stream.relationships if part.data for target in part.targets
    }
    assert targets <= set(BY_TYPE)


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_each_collection_gives_all_its_records_once(sandbox: Sandbox, client: Client, name: str) -> None:
    stream = STREAMS[name]
    rows = client.rows(stream.path, page_size=9)
    assert [flat(row) for row in rows] == sandbox.sales_engagement.records(name)
    assert len(rows) == sandbox.sales_engagement.counts()[name] > 0
    fields = {one.name for one in stream.attributes} | {f"custom{number + 1}" for number in range(stream.customs)}
    for row in rows:
        assert set(row) == {"type", "id", "attributes", "relationships", "links"}
        assert row["type"] == stream.type
        assert set(row["attributes"]) == fields
        assert set(row["relationships"]) == {part.name for part in stream.relationships}
        for part in stream.relationships:
            related = row["relationships"][part.name]
            if not part.data:
                assert set(related) == {"links"}
                assert related["links"]["related"].startswith(f"{stream.path}/{row['id']}/")
            elif part.many:
                assert all(one["type"] in part.targets for one in related["data"])
            else:
                assert related["data"] is None or related["data"]["type"] in part.targets


def test_relationships_lead_to_records_or_to_none(sandbox: Sandbox, client: Client) -> None:
    counts = sandbox.sales_engagement.counts()
    seen = set()
    for row in client.rows("/v1/tasks") + client.rows("/v1/prospects"):
        for part in row["relationships"].values():
            for one in part["data"] if isinstance(part.get("data"), list) else [part.get("data")]:
                seen.add(one is None)
                assert one is None or 1 <= one["id"] <= counts[BY_TYPE[one["type"]]]
    assert seen == {True, False}


def test_flat_records_carry_the_ids_of_their_relationships() -> None:
    with sales(flat=True, warm=True) as sandbox, Client(sandbox) as client:
        rows = client.rows("/v1/prospects")
        assert rows == sandbox.sales_engagement.records("prospects")
        assert {"ownerId", "emailAddressIds", "custom150", "firstName"} <= set(rows[0])
        assert not {"attributes", "relationships", "type", "callIds", "owner"} & set(rows[0])
        assert "associatedIdId" in client.rows("/v1/calls")[0]
        answer = sandbox.sales_engagement.change(prospects=1, new=1)
        fresh = client.rows("/v1/prospects", sort="-updatedAt")[:2]
        assert {row["id"] for row in fresh} == set(answer["prospects"] + answer["new"])
    with sales() as sandbox:
        assert sandbox.sales_engagement.records("prospects") == rows


def test_an_attribute_never_contradicts_a_relationship(sandbox: Sandbox) -> None:
    for row in sandbox.sales_engagement.rows("mailboxes").keys:
        record = sandbox.sales_engagement.rows("mailboxes").record(row)
        assert record["attributes"]["userId"] == flat(record)["userId"]


def test_pages_are_linked_by_absolute_urls_that_repeat_the_parameters(sandbox: Sandbox, client: Client) -> None:
    first = client.get("/v1/prospects", page_size=25, sort="updatedAt", updated="2000-01-01T00:00:00.000Z..inf").json()
    assert first["meta"] == {"count": 60, "count_truncated": False}
    assert set(first["links"]) == {"first", "next"}
    for link in first["links"].values():
        assert link.startswith(sandbox.base_url + "/v1/prospects?")
        asked = parse_qs(urlsplit(link).query)
        assert asked["page[size]"] == ["25"]
        assert asked["sort"] == ["updatedAt"]
        assert asked["filter[updatedAt]"] == ["2000-01-01T00:00:00.000Z..inf"]
    assert "page[after]" not in first["links"]["first"]
    assert re.search(r"page%5Bafter%5D=[\w-]+$", first["links"]["next"])
    assert client.get(first["links"]["first"]).json() == first
    last = client.get(client.get(first["links"]["next"]).json()["links"]["next"]).json()
    assert len(last["data"]) == 10
    assert set(last["links"]) == {"first"}


def test_links_are_under_the_origin_that_the_client_used(sandbox: Sandbox, client: Client) -> None:
    for host in ("one.example", "two.example:81"):
        response = client.session.get(sandbox.base_url + "/v1/prospects", headers={"Host": host}, timeout=10)
        assert response.json()["links"]["next"].startswith(f"http://{host}/v1/prospects?")


def test_an_empty_answer_has_no_links(client: Client) -> None:
    response = client.get("/v1/prospects", updated="2100-01-01T00:00:00.000Z..inf")
    assert response.json() == {"data": [], "meta": {"count": 0, "count_truncated": False}}
    assert client.get("/v1/prospects", updated="2100-01-01T00:00:00Z..inf", count="false").json() == {"data": []}


def test_the_page_size_is_50_by_default_and_1000_at_most() -> None:
    with sales(size=1_200) as sandbox, Client(sandbox) as client:
        assert len(client.get("/v1/prospects").json()["data"]) == 50
        assert len(client.get("/v1/prospects", page_size=5_000).json()["data"]) == 1_000
        assert sandbox.sales_engagement.counts()["accounts"] == 300
    with sales(page_cap=20) as sandbox, Client(sandbox) as client:
        assert [len(page) for page in client.pages("/v1/prospects", page_size=1_000)] == [20, 20, 20]


@pytest.mark.parametrize("name", sorted(set(STREAMS) - FULL_TABLE))
def test_the_filter_is_inclusive_and_the_sort_ascends(sandbox: Sandbox, client: Client, name: str) -> None:
    field, key = ("createdAt", "created") if name in BY_CREATION else ("updatedAt", "updated")
    records = sorted(sandbox.sales_engagement.records(name), key=lambda row: moment(row, field))
    middle = records[len(records) // 2]
    expected = [row["id"] for row in records if moment(row, field) >= moment(middle, field)]
    bound = f"{middle[field]}..inf"
    rows = client.rows(STREAMS[name].path, sort=field, page_size=4, count="false", **{key: bound})
    times = [moment(row, field) for row in rows]
    assert times == sorted(times)
    assert sorted(row["id"] for row in rows) == sorted(expected)
    latest = client.rows(STREAMS[name].path, sort=f"-{field}")
    assert [moment(row, field) for row in latest] == sorted((moment(row, field) for row in records), reverse=True)


def test_the_filter_takes_an_end_too(sandbox: Sandbox, client: Client) -> None:
    records = sandbox.sales_engagement.records("calls")
    times = sorted(moment(row) for row in records)
    row = next(row for row in records if moment(row) == times[5])
    rows = client.rows("/v1/calls", updated=f"neginf..{row['updatedAt']}", sort="updatedAt")
    assert [moment(row) for row in rows] == [time for time in times if time <= times[5]]


def test_records_share_instants_and_spell_them_in_more_than_one_way(sandbox: Sandbox) -> None:
    rows = [row for name in STREAMS for row in sandbox.sales_engagement.records(name) if row.get("updatedAt")]
    spelled = [row["updatedAt"] for row in rows]
    assert len({moment(row) for row in rows}) < len(rows) * 0.97
    # With and without milliseconds, in UTC and elsewhere.
    lengths = {len("2025-01-01T00:00:00Z"), len("2025-01-01T00:00:00.000Z"), len("2025-01-01T00:00:00.000+02:00")}
    assert lengths <= {len(text) for text in spelled}
    assert any(moment(row) % 1_000_000 for row in rows)


@pytest.mark.parametrize(
    ("path", "params", "told"),
    [
        ("prospects", {"updated": "2025-01-01T00:00:00.000001Z..inf"}, "milliseconds"),
        ("prospects", {"updated": "2025-01-01T00:00:00.000Z"}, "range"),
        ("prospects", {"updated": "yesterday..inf"}, "yesterday"),
        ("events", {"updated": "2025-01-01T00:00:00Z..inf"}, "cannot be filtered"),
        ("events", {"sort": "updatedAt"}, "cannot be sorted"),
        ("duties", {"created": "2025-01-01T00:00:00Z..inf"}, "cannot be filtered"),
        ("emailAddresses", {"created": "2025-01-01T00:00:00Z..inf"}, "cannot be filtered"),
        ("prospects", {"sort": "shoeSize"}, "shoeSize"),
        ("prospects", {"page_size": "0"}, "page[size]"),
        ("prospects", {"page_size": "many"}, "page[size]"),
        ("prospects", {"page[after]": "abc"}, "page[after]"),
        ("prospects", {"page[after]": "WzFd"}, "page[after]"),
        ("prospects", {"count": "perhaps"}, "count"),
        ("prospects", {"page[offset]": "10"}, "page[offset]"),
    ],
)
def test_what_a_collection_does_not_offer_is_refused(
    client: Client, path: str, params: dict[str, str], told: str
) -> None:
    assert told in detail(client.get(f"/v1/{path}", **params))


def test_unknown_paths_and_methods_are_refused(sandbox: Sandbox, client: Client) -> None:
    assert "/v1/cats" in detail(client.get("/v1/cats"), 404, "routeNotFound")
    response = client.session.post(sandbox.base_url + "/v1/prospects", timeout=10)
    assert "POST" in detail(response, 405, "methodNotAllowed")
    assert response.headers["Allow"] == "GET"
    assert requests.get(sandbox.config["token_url"], timeout=10).status_code == 405


def test_a_change_between_two_pages_moves_no_other_record() -> None:
    with sales() as sandbox, Client(sandbox) as client:
        first = client.get("/v1/prospects", sort="updatedAt", page_size=20).json()
        changed = sandbox.sales_engagement.change(prospects=15)["prospects"]
        rows = first["data"] + client.rows(first["links"]["next"])
        assert {row["id"] for row in rows} == set(range(1, 61))
        doubled = {row["id"] for row in first["data"]} & set(changed)
        assert len(rows) == 60 + len(doubled)


def test_ragged_pages_hold_everything_once() -> None:
    with sales(ragged=True) as sandbox, Client(sandbox) as client:
        pages = client.pages("/v1/prospects", page_size=9, sort="updatedAt")
        assert {0, 3, 9} <= {len(page) for page in pages}
        assert sorted(row["id"] for page in pages for row in page) == list(range(1, 61))
        firsts = [client.get(stream.path, page_size=3, count="false").json() for stream in STREAMS.values()]
        assert any(not page["data"] and page["links"]["next"] for page in firsts)
        for name, stream in STREAMS.items():
            assert len(client.rows(stream.path, page_size=7)) == sandbox.sales_engagement.counts()[name]


def test_heavy_pages_answer_502() -> None:
    with sales(heavy="prospects=15,calls=1000") as sandbox, Client(sandbox) as client:
        assert "60" in detail(client.get("/v1/prospects", page_size=1_000), 502, "badGateway")
        assert client.get("/v1/prospects", page_size=16).status_code == 502
        assert [len(page) for page in client.pages("/v1/prospects", page_size=15)] == [15, 15, 15, 15]
        assert client.get("/v1/calls").status_code == 200
        # The rest of a list may be light enough.
        assert client.get("/v1/prospects", page_size=1_000, updated="2025-11-30T00:00:00Z..inf").status_code == 200


@pytest.mark.parametrize("heavy", ["cats=1", "prospects", "prospects=0", "prospects=x"])
def test_a_bad_heavy_is_told(heavy: str) -> None:
    with pytest.raises(ValueError, match="prospects=250"):
        sales(heavy=heavy)


def test_the_same_seed_gives_the_same_data() -> None:
    first, second, other = (SalesStore(prospects=30, seed=seed) for seed in (1, 1, 2))
    for name in STREAMS:
        assert json.dumps(first.records(name)) == json.dumps(second.records(name))
    assert first.records("prospects") != other.records("prospects")
    assert SalesStore(prospects=0).counts()["prospects"] == 0
    assert SalesStore(prospects=0).records("tasks")


def test_control_paths_show_the_records(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/_sandbox/sales_engagement"
    assert requests.get(f"{url}/counts", timeout=10).json() == sandbox.sales_engagement.counts()
    shown = requests.get(f"{url}/records/call_dispositions", timeout=10).json()
    assert shown == sandbox.sales_engagement.records("call_dispositions")
    assert requests.get(f"{url}/records/callDispositions", timeout=10).status_code == 404
