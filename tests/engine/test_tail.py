"""Where a list ends that grows as fast as it is read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from taps.engine.errors import PaginationError
from taps.engine.page import Content, Page
from taps.engine.seam import Seam
from taps.engine.tail import Tail, settled_pages

if TYPE_CHECKING:
    from collections.abc import Generator

BEGUN = datetime.now(timezone.utc).replace(microsecond=0)
MANY = 200


def page(second: float, *, now: float, date: bool = True) -> Page:
    """Give a page of two records of a second, as it comes at a time; both counted from the sync's beginning."""
    instants = [BEGUN + timedelta(seconds=second), BEGUN + timedelta(seconds=second, milliseconds=100)]
    headers = {"Date": format_datetime(BEGUN + timedelta(seconds=now), usegmt=True)} if date else {}
    return Page("https://api.example.com/v1/tickets", headers, Content([{}, {}], [(second, 0), (second, 1)], instants))


def read_until(tail: Tail, pages: list[Page]) -> int:
    """Count the pages up to the last one to be read."""
    return next((place for place, each in enumerate(pages, 1) if tail.is_passed(each)), len(pages))


def test_a_list_that_grows_is_read_up_to_where_it_ended_when_its_tail_came() -> None:
    """The first page of the tail comes 300 seconds after the beginning; each page is a second, and comes a second later."""
    pages = [page(second, now=300 + second) for second in range(1, 1000)]
    tail = Tail(lambda: BEGUN)
    assert read_until(tail, pages) == 302
    assert tail.until == BEGUN + timedelta(seconds=301)


def test_a_short_tail_is_read_to_its_end() -> None:
    pages = [page(second, now=1) for second in range(1, 50)]
    assert not any(map(Tail(lambda: BEGUN).is_passed, pages))


def test_what_existed_before_the_sync_is_no_tail() -> None:
    pages = [page(-MANY + second, now=second) for second in range(MANY)]
    assert not any(map(Tail(lambda: BEGUN).is_passed, pages))


def test_something_older_shows_that_it_was_not_the_end() -> None:
    tail = Tail(lambda: BEGUN)
    late = [page(second, now=1) for second in range(2, 52)]
    assert not any(map(tail.is_passed, late))
    assert not tail.is_passed(page(-5, now=1))
    assert not tail.is_passed(page(60, now=1))
    assert read_until(tail, [page(second, now=1) for second in range(61, 200)]) == 50


def test_records_that_are_dated_ahead_are_no_tail() -> None:
    ahead = timedelta(days=2).total_seconds()
    pages = [page(ahead + second, now=1) for second in range(MANY)]
    assert not any(map(Tail(lambda: BEGUN).is_passed, pages))


def test_an_implausible_date_of_the_server_is_not_taken_for_the_time() -> None:
    pages = [page(second, now=-(10**7)) for second in range(3600, 3600 + MANY)]
    assert Tail(lambda: BEGUN).is_passed(pages[0]) is False
    tail = Tail(lambda: BEGUN)
    assert read_until(tail, pages) == 51
    assert tail.until is not None
    assert abs(tail.until - datetime.now(timezone.utc)) < timedelta(minutes=1)


def broken(error: PaginationError) -> Generator[Page, None, None]:
    yield page(1, now=1)
    raise error


def test_a_window_behind_the_beginning_that_cannot_be_read_comes_next_time() -> None:
    told: list[datetime] = []
    start = BEGUN + timedelta(seconds=1)
    pages = settled_pages(broken(PaginationError("too fast", start=start)), Seam(), lambda: BEGUN, told.append)
    assert len(list(pages)) == 1
    assert told == [start]


@pytest.mark.parametrize("start", [None, BEGUN, BEGUN - timedelta(seconds=1)])
def test_any_other_window_that_cannot_be_read_is_an_error(start: datetime | None) -> None:
    told: list[datetime] = []
    pages = settled_pages(broken(PaginationError("too fast", start=start)), Seam(), lambda: BEGUN, told.append)
    assert next(pages)
    with pytest.raises(PaginationError, match="too fast"):
        next(pages)
    assert not told
