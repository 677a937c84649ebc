from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_client import Client

from taps.sandbox.instants import instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = "1970-01-01T00:00:00Z"
TICKETS: dict[str, Any] = {"updated_since": ALL, "order_by": "updated_at", "order_type": "asc", "per_page": 100}
EVERYTHING = "description,requester,company,stats"


@pytest.fixture(scope="module")
def desk() -> Iterator[Sandbox]:
    with Sandbox(tickets=250, seed=5) as running:
        yield running


@pytest.fixture
def client(desk: Sandbox) -> Iterator[Client]:
    with Client(desk) as asking:
        yield asking


def linked(client: Client, path: str, **params: Any) -> list[list[dict[str, Any]]]:
    response = client.get(path, **params)
    pages = []
    while True:
        assert response.status_code == 200, response.text
        pages.append(response.json())
        if "next" not in response.links:
            return pages
        response = client.get(response.links["next"]["url"])


def as_at_vendor(record: dict[str, Any]) -> dict[str, Any]:
    shown = {"user_id" if name == "customer_id" else name: value for name, value in record.items()}
    for name, value in shown.items():
        moment = instant(value)
        if name.endswith("_at") and moment is not None:
            shown[name] = moment // 1_000_000
    return shown


def seconds(record: dict[str, Any]) -> dict[str, Any]:
    for name, value in record.items():
        if name.endswith("_at") and value is not None:
            assert value.endswith("Z")
            assert "." not in value
    return as_at_vendor(record)


def test_the_vendors_tickets_are_bare_arrays_with_links(desk: Sandbox, client: Client) -> None:
    pages = linked(client, "/api/v2/tickets", include=EVERYTHING, **TICKETS)
    assert [len(page) for page in pages] == [100, 100, 50]
    rows = [row for page in pages for row in page]
    by_id = {row["id"]: row for row in desk.helpdesk.records("tickets")}
    assert len(rows) == len(by_id)
    assert all(seconds(row) == as_at_vendor(by_id[row["id"]]) for row in rows)
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)


def test_the_vendors_pages_hold_30_by_default(client: Client) -> None:
    assert len(client.get("/api/v2/contacts").json()) == 30
    assert len(client.get("/api/v2/tickets", updated_since=ALL).json()) == 30


def test_the_vendors_other_lists_go_by_page_number(desk: Sandbox, client: Client) -> None:
    rows = [row for page in linked(client, "/api/v2/contacts", per_page=40) for row in page]
    assert [row["id"] for row in rows] == [row["id"] for row in desk.helpdesk.records("contacts")]
    assert client.get("/api/v2/contacts", page=2, per_page=40).json() == rows[40:80]


def test_the_vendors_settings_are_a_bare_object(desk: Sandbox, client: Client) -> None:
    assert client.get("/api/v2/settings/helpdesk").json() == desk.helpdesk.settings


def test_the_vendors_children_name_the_author_user_id(desk: Sandbox, client: Client) -> None:
    ticket = next(row["ticket_id"] for row in desk.helpdesk.records("conversations"))
    rows = client.get(f"/api/v2/tickets/{ticket}/conversations", per_page=100, page=1).json()
    assert rows
    assert all("user_id" in row and "customer_id" not in row for row in rows)


@pytest.mark.parametrize("kind", ["deleted", "spam"])
def test_the_vendor_has_no_tickets_of_other_kinds(client: Client, kind: str) -> None:
    assert client.get("/api/v2/tickets", filter=kind, **TICKETS).json() == []


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/v2/tickets", "limit"),
        ("/api/v2/contacts", "cursor"),
        ("/v1/tickets", "per_page"),
        ("/v1/tickets", "filter"),
        ("/v1/contacts", "page"),
    ],
)
def test_each_dialect_has_its_own_parameters(client: Client, path: str, parameter: str) -> None:
    response = client.get(path, **{parameter: "1"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == parameter


def test_the_vendor_takes_any_of_the_usual_passwords(desk: Sandbox, client: Client) -> None:
    client.session.auth = (desk.api_key, "")
    assert client.get("/api/v2/tickets").status_code == 200
    assert client.get("/v1/tickets").status_code == 401
    client.session.auth = ("another", "")
    assert client.get("/api/v2/tickets").status_code == 401


def test_the_vendors_last_page_is_the_last_here_too() -> None:
    with Sandbox(tickets=5, max_ticket_pages=2) as sandbox, Client(sandbox) as client:
        assert client.get("/api/v2/tickets", page=2, per_page=2, updated_since=ALL).status_code == 200
        assert client.get("/api/v2/tickets", page=3, per_page=2, updated_since=ALL).status_code == 400


@pytest.mark.parametrize("path", ["/v1/tickets", "/api/v2/tickets"])
def test_numbers_beyond_64_bits_can_be_left_out(path: str) -> None:
    def meters(*, huge: bool) -> tuple[set[str], set[str]]:
        with Sandbox(tickets=98, huge_numbers=huge) as sandbox, Client(sandbox) as client:
            size = {"limit": 100} if path == "/v1/tickets" else {"per_page": 100}
            body = client.get(path, updated_since=ALL, **size).json()
            rows = body["data"] if isinstance(body, dict) else body
            fields = {name: json.dumps(row["custom_fields"][name]) for row in rows for name in row["custom_fields"]}
            return set(fields), set(fields.values())

    names, values = meters(huge=True)
    assert "123456789012345678901234567890" in values
    assert "9007199254740993" in values
    fewer, others = meters(huge=False)
    assert names - fewer == {"cf_serial"}
    assert "9007199254740993" in others


def test_a_reading_in_windows_finds_all_tickets_of_a_large_desk() -> None:
    with Sandbox(tickets=3_000, seed=9) as sandbox, Client(sandbox) as client:
        since = ALL
        seen: set[int] = set()
        while True:
            rows = client.data("/v1/tickets", updated_since=since, order_by="updated_at", order_type="asc")
            fresh = {row["id"] for row in rows} - seen
            if not fresh:
                break
            seen |= fresh
            since = rows[-1]["updated_at"]
        assert len(seen) == 3_000


def test_pages_are_made_anew_where_there_is_no_room_to_keep_them() -> None:
    with Sandbox(tickets=1_500, cache_mb=1) as sandbox, Client(sandbox) as client:
        first = client.numbered_pages("/v1/tickets", updated_since=ALL, include="description,requester,stats")
        assert client.numbered_pages("/v1/tickets", updated_since=ALL, include="description,requester,stats") == first
        assert sum(map(len, first)) == 1_500
