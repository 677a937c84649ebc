"""Paginators against lists of any shape: each record once, and always an end."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taps.engine.client import Request
from taps.engine.errors import PaginationError
from taps.engine.pagination import HeaderLink, Page, PageNumber, Pagination, SinglePage
from taps.engine.query import Query, StartParam
from taps.engine.seam import Seam
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://api.example.com/v1/things"
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def read(pagination: Pagination, query: Query, serve: Callable[[Request], Page]) -> tuple[list[Page], list[Request]]:
    requests = pagination.requests(query)
    sent = [next(requests)]
    pages = [serve(sent[0])]
    while True:
        try:
            sent.append(requests.send(pages[-1]))
        except StopIteration:
            return pages, sent
        pages.append(serve(sent[-1]))
        assert len(pages) < 10_000, "the pages have no end"


def query(**overrides: Any) -> Query:
    return Query(Request(URL), page_size=100, start_param=StartParam("since"), start=START, **overrides)


def test_a_single_page_is_one_request() -> None:
    pages, sent = read(SinglePage(), query(), lambda request: Page(request.url, {}, [{"id": 1}]))
    assert len(pages) == len(sent) == 1
    assert sent[0] == query().first()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_links_are_followed_through_short_and_empty_pages(sizes: list[int]) -> None:
    def serve(request: Request) -> Page:
        number = int(request.url.partition("cursor=")[2] or 0)
        link = {"Link": f'<{URL}?cursor={number + 1}>; rel="next"'} if number + 1 < len(sizes) else {}
        return Page(request.url, link, [{"id": (number, n)} for n in range(sizes[number])])

    pages, sent = read(HeaderLink(), query(), serve)
    assert [record["id"] for page in pages for record in page.records] == [
        (number, n) for number, size in enumerate(sizes) for n in range(size)
    ]
    assert sent[0].params == {"since": "2024-01-01T00:00:00Z", "limit": 100}
    assert all(request.params == {} for request in sent[1:]), "a next link is used as it is"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'<{URL}?page=2>; rel="next"', f"{URL}?page=2"),
        (f'<{URL}?page=1>; rel="prev", <{URL}?page=3>; rel="next"', f"{URL}?page=3"),
        (f"<{URL}?page=2>; rel=next", f"{URL}?page=2"),
        (f'<{URL}?page=2>; rel="last next"', f"{URL}?page=2"),
        ('</v1/things?page=2>; rel="next"', f"{URL}?page=2"),
        ('<?page=2>; rel="next"', f"{URL}?page=2"),
    ],
)
def test_link_headers_are_understood_in_all_their_forms(header: str, expected: str) -> None:
    _, sent = read(
        HeaderLink(), query(), lambda request: Page(request.url, {} if "page" in request.url else {"Link": header}, [])
    )
    assert sent[1].url == expected


@pytest.mark.parametrize("header", ["", f'<{URL}?page=1>; rel="prev"', "nonsense", "<>; rel=next"])
def test_without_a_next_link_the_list_ends(header: str) -> None:
    pages, _ = read(HeaderLink(), query(), lambda request: Page(request.url, {"Link": header}, [{"id": 1}]))
    assert len(pages) == 1


@given(st.integers(1, 5), st.integers(0, 4))
def test_links_that_form_a_cycle_are_an_error_not_an_endless_sync(length: int, entry: int) -> None:
    def serve(request: Request) -> Page:
        number = int(request.url.partition("cursor=")[2] or 0)
        following = number + 1 if number < length + entry else entry
        return Page(request.url, {"Link": f'<{URL}?cursor={following}>; rel="next"'}, [])

    with pytest.raises(PaginationError, match=r"GET /v1/things: .*loop"):
        read(HeaderLink(), query(), serve)


@given(st.lists(st.integers(1, 5), max_size=20))
def test_page_numbers_count_up_to_the_first_empty_page(sizes: list[int]) -> None:
    def serve(request: Request) -> Page:
        number = int(request.params["page"])
        return Page(
            request.url, {}, [{"id": (number, n)} for n in range(sizes[number - 1])] if number <= len(sizes) else []
        )

    pages, sent = read(PageNumber(), query(), serve)
    assert sum(len(page.records) for page in pages) == sum(sizes)
    assert [request.params["page"] for request in sent] == list(range(1, len(sizes) + 2))
    assert all(request.params["limit"] == 100 for request in sent)


class WindowedList:
    """A list sorted by its cursor that is refused beyond so many pages, as a help desk's tickets are."""

    def __init__(self, offsets: list[int], page_size: int, window: int) -> None:
        self.records = [
            {"id": number, "at": format_timestamp(START + timedelta(seconds=offset))}
            for number, offset in enumerate(sorted(offsets))
        ]
        self.page_size = page_size
        self.window = window

    def serve(self, request: Request) -> Page:
        since, number = str(request.params["since"]), int(request.params["page"])
        assert number <= self.window, "the API answers 400 beyond the last page of a window"
        found = [record for record in self.records if parse_timestamp(str(record["at"])) >= parse_timestamp(since)]
        return Page(request.url, {}, found[(number - 1) * self.page_size : number * self.page_size])


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 4), st.integers(2, 4))
def test_windows_give_each_record_once_or_say_that_an_instant_is_too_full(
    offsets: list[int], page_size: int, window: int
) -> None:
    api = WindowedList(offsets, page_size, window)
    seam = Seam(["id"], "at")
    got: list[int] = []
    requests = PageNumber(window=window).requests(query(cursor="at"))
    request = next(requests)
    fullest = max((offsets.count(offset) for offset in offsets), default=0)
    try:
        while True:
            page = api.serve(request)
            got += [record["id"] for record in seam.fresh(page.records)]
            request = requests.send(page)
    except StopIteration:
        assert got == [record["id"] for record in api.records]
    except PaginationError as error:
        # Both ends are right, each for its lists.
        assert fullest > page_size * (window - 1), "an instant that fills the last page of a window too is too full"
        assert "cannot get past this instant" in str(error)  # noqa: PT017
        assert got == [record["id"] for record in api.records][: len(got)], "what was given until then is right"


def test_a_full_window_of_unsorted_records_is_an_error() -> None:
    def serve(request: Request) -> Page:
        hour = 10 - int(request.params["page"])
        return Page(request.url, {}, [{"id": hour, "at": f"2024-01-01T{hour:02d}:00:00Z"}])

    with pytest.raises(PaginationError, match="not sorted by at"):
        read(PageNumber(window=3), query(cursor="at"), serve)


def test_a_full_window_without_cursors_is_an_error() -> None:
    with pytest.raises(PaginationError, match="no cursor to go on from"):
        read(
            PageNumber(window=2),
            query(cursor="at"),
            lambda request: Page(request.url, {}, [{"id": 1}]),
        )


def test_a_record_that_changed_at_the_seam_is_given_again() -> None:
    seam = Seam(["id"], "at")
    old = {"id": 1, "at": "2024-01-01T00:00:00.100Z"}
    new = {"id": 1, "at": "2024-01-01T00:00:00.900Z"}
    assert list(seam.fresh([old, old, new])) == [old, new]
    assert list(seam.fresh([old, new, {"id": 2, "at": None}])) == [{"id": 2, "at": None}]
