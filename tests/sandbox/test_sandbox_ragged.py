from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import Client

from taps.sandbox.paging import by_cursor, by_number, read_cursor
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = "1970-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def desk() -> Iterator[Sandbox]:
    with Sandbox(tickets=300, seed=4, ragged=True) as running:
        yield running


@pytest.fixture(scope="module")
def client(desk: Sandbox) -> Iterator[Client]:
    with Client(desk) as made:
        yield made


def test_linked_pages_are_full_short_and_empty_and_hold_everything_once(desk: Sandbox, client: Client) -> None:
    pages = client.linked_pages("/v1/contacts", limit=9)
    lengths = [len(page) for page in pages]
    assert {0, 3, 9} <= set(lengths)
    # An empty page leads on to pages with records.
    assert any(not length and sum(lengths[at:]) for at, length in enumerate(lengths))
    assert [row for page in pages for row in page] == desk.helpdesk.records("contacts")


def test_some_first_page_is_empty_but_leads_on(client: Client) -> None:
    firsts = [client.get(path, limit=2) for path in ("/v1/agents", "/v1/contacts", "/v1/groups", "/v1/ticket_fields")]
    empty = [first for first in firsts if not first.json()["data"]]
    assert empty
    assert all("next" in first.links for first in empty)


def test_ticket_pages_are_short_in_the_middle_and_never_empty_before_the_end(desk: Sandbox, client: Client) -> None:
    pages = client.numbered_pages("/v1/tickets", limit=30, updated_since=ALL, order_by="updated_at", order_type="asc")
    lengths = [len(page) for page in pages]
    assert set(lengths[:-1]) == {30, 15, 10}
    numbers = [row["id"] for page in pages for row in page]
    assert sorted(numbers) == [row["id"] for row in desk.helpdesk.records("tickets")]


@given(total=st.integers(0, 400), size=st.integers(1, 100), name=st.text(max_size=4))
def test_any_ragged_list_of_linked_pages_is_complete(total: int, size: int, name: str) -> None:
    seen: list[int] = []
    position: tuple[int, int] | None = (0, 0)
    while position is not None:
        cut = by_cursor(total, size, position, name)
        assert cut.stop - cut.start <= size
        seen += range(cut.start, cut.stop)
        position = None if cut.cursor is None else read_cursor(cut.cursor)
    assert seen == list(range(total))


@given(total=st.integers(0, 400), size=st.integers(1, 100), ragged=st.booleans())
def test_any_list_of_numbered_pages_is_complete(total: int, size: int, *, ragged: bool) -> None:
    seen: list[int] = []
    page = 1
    while (cut := by_number(total, size, page, ragged=ragged)).start < cut.stop:
        assert cut.stop - cut.start <= size
        seen += range(cut.start, cut.stop)
        page += 1
    assert seen == list(range(total))
