"""Reading a list that is sorted by its cursor, and that moves while it is read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from taps.engine.errors import PaginationError
from taps.engine.timestamps import ascending, format_timestamp, whole_second

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.query import Query

__all__ = ["Walk", "Way", "Window", "read_windows"]

_MOST_WALKS = 20
_MOST_IN_VAIN = 3  # second pages that did not begin with the end of the first: such an API has sizes of its own


class Way(NamedTuple):
    """A way to go through a query's pages.

    Attributes:
        query: What is read.
        window: Takes note of the records, where the API gives no more than so many a query.
        most: Pages to go through at most.
        shares: Whether pages may be asked for so that each begins with the last records of the one before.
    """

    query: Query
    window: Window | None = None
    most: int | None = None
    shares: bool = False


class Walk(NamedTuple):
    """How it went.

    Attributes:
        pages: How many were asked for.
        ended: Whether the list has ended.
        longest: Records on the longest, where a page does not say by a link whether another follows.
        sure: Whether each page was seen to begin with the last records of the one before.
        broken: Whether one was seen not to. It is not among the `pages`, and not to be used.
        gave_up: Whether pages cannot share records any more.
    """

    pages: int
    ended: bool
    longest: int | None = None
    sure: bool = False
    broken: bool = False
    gave_up: bool = False


def read_windows(
    walk: Callable[[Way], Generator[Request, Page, Walk]], query: Query, limit: int | None, unit: str
) -> Generator[Request, Page, None]:
    """Go through a list window by window, until it has ended.

    Pages of a window are counted, and shift when a record on an earlier one changes or is deleted. Nothing has gone
    from between two pages where the second begins with the last records of the first. Where pages cannot be asked for
    so, and a window has more than one (a second with more records than a page), all but the last are read again: a
    record that went from between two of them would show up at the end of the first. Then the next window begins after
    the second, for what came behind it may have shifted too; it is not used before, or a bookmark would pass the
    second too soon. All this is spared where the first page was shorter than others were: the list had ended on it.

    A list without a limit is one walk, and nothing of it is remembered; so is one that the API gives from its beginning
    again, whatever time it is asked for.

    Args:
        walk: Goes through the pages of a query.
        query: What is read.
        limit: The most that the API gives for one query, or `None`.
        unit: Of what.

    Raises:
        PaginationError: As of `Window.moved`, or the list changes too fast.
    """
    if limit is None:
        yield from walk(Way(query))
        return
    yield from _Windows(walk, query, f"{limit} {unit}").read()


class _Windows:
    def __init__(self, walk: Callable[[Way], Generator[Request, Page, Walk]], query: Query, limit: str) -> None:
        self._walk = walk
        self._whole = query
        self._limit = limit
        self._beginning: tuple[Any, ...] | None = None
        self._longest = 0
        self._keep: int | None = None
        self._in_vain = 0

    def read(self) -> Generator[Request, Page, None]:
        query: Query | None = self._whole
        while query is not None:
            query = yield from self._window(query)

    def _window(self, query: Query) -> Generator[Request, Page, Query | None]:
        """Go through one window; give the query for what comes behind it, or none where the list has ended."""
        longest, shares = self._longest, True
        for _ in range(_MOST_WALKS):
            window = Window(query, self._limit)
            shares = shares and self._in_vain < _MOST_IN_VAIN
            went = yield from self._go(Way(query, window, shares=shares))
            if self._is_the_beginning_again(window):
                yield from self._go(Way(self._whole))
                return None
            if went.gave_up or (went.broken and not window.can_move):
                shares = not went.gave_up
                continue
            on_one_page = went.pages == 1 or (went.longest is not None and went.longest < longest)
            if not went.broken and not went.sure and not on_one_page:
                self._keep = window.of_first_second()
                again = Window(query, self._limit)
                yield from self._go(Way(query, again, most=went.pages - 1))
                if not window.holds(again, went.pages - 1):
                    continue
                if window.can_pass_first_second:
                    return window.passed_first_second()
            return None if went.ended else window.moved()
        raise PaginationError(
            f"GET {query.request.path}: the list changes faster than its pages can be read",
            self._keep,
            start=query.start if query.start_param else None,
        )

    def _go(self, way: Way) -> Generator[Request, Page, Walk]:
        """Walk; the first request says how much of the page before is to be used."""
        walk = self._walk(way)
        request = replace(next(walk), keep=self._keep)
        self._keep = None
        while True:
            page = yield request
            try:
                request = walk.send(page)
            except StopIteration as end:
                went: Walk = end.value
                break
        if went.broken:
            self._keep = 0
        if went.sure:
            self._in_vain = 0
        elif went.broken and went.pages == 1:
            self._in_vain += 1
        self._longest = max(self._longest, went.longest or 0)
        return went

    def _is_the_beginning_again(self, window: Window) -> bool:
        self._beginning = self._beginning or window.beginning
        return window.begins_too_early and window.beginning == self._beginning


class Window:
    """The records of one query of a list that is sorted by its cursor and can be asked for from a cursor on.

    Pages of such a list that are counted, by number or offset, shift when a record on an earlier page changes (it goes
    to the end) or is deleted, and the first record of the next page is then never seen. A query that begins at the last
    cursor loses nothing, and is also the way past the most that an API gives for one query. The records of that instant
    come twice; `Seam` drops the second.

    Cursors are compared by the second: servers that sort by the second give fractions in any order. Only where a second
    has more records than the API gives for one query do its fractions count.

    Args:
        query: What is read.
        limit: The most that the API gives for one query, in words, for example `300 pages`.
    """

    def __init__(self, query: Query, limit: str) -> None:
        self._query = query
        self._limit = limit
        self._versions: list[tuple[Any, ...]] = []
        self._pages: list[int] = []
        self._latest: Page | None = None
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._ascending = True
        self._cut_off = False
        self._ascending_within_seconds = True

    def add(self, page: Page, shared: int = 0) -> None:
        """Take note of a page's records.

        Args:
            page: The page.
            shared: How many of the first ones were on the page before.
        """
        versions = [
            version
            for version in zip(page.content.instants[shared:], page.content.keys[shared:], strict=True)
            if version[0] is not None
        ]
        self._versions += versions
        self._pages.append(len(self._versions))
        self._latest = page
        instants: list[Any] = [instant for instant, _ in versions]
        if not instants:
            return
        if self._first is None or self._last is None:
            self._first = self._last = instants[0]
        if instants[0] >= self._last and ascending(instants):
            self._last = instants[-1]
            return
        self._ascending_within_seconds = False
        for instant in instants:
            if instant >= self._last:
                self._last = instant
            else:
                self._ascending &= whole_second(instant) == whole_second(self._last)
                self._first = min(instant, self._first)

    def of_first_second(self) -> int | None:
        """Tell how many of the first records on the latest page are of the earliest second, if not all.

        What is behind them is read again where that second has been passed. Until then a bookmark must not pass it.
        """
        if not self.can_move or self._latest is None or self._first is None:
            return None
        first = whole_second(max(self._first, self._query.start))
        instants = self._latest.content.instants
        behind = (
            place for place, instant in enumerate(instants) if instant is not None and whole_second(instant) > first
        )
        return next(behind, None)

    @property
    def beginning(self) -> tuple[Any, ...] | None:
        """The first record's version."""
        return self._versions[0] if self._versions else None

    @property
    def begins_too_early(self) -> bool:
        """Whether there are records from before the time that was asked for."""
        asked = self._query.start_param is not None
        return asked and self._first is not None and whole_second(self._first) < whole_second(self._query.asked)

    def holds(self, again: Window, pages: int) -> bool:
        """Tell whether so many first pages were the same when they were read again, record by record."""
        return len(again._pages) == pages and again._versions == self._versions[: self._pages[pages - 1]]

    @property
    def can_pass_first_second(self) -> bool:
        """Whether all records of the earliest second are there, and the list is seen to be sorted."""
        return self._query.start_param is not None and self._ascending and self._first is not None and not self._cut_off

    def passed_first_second(self) -> Query:
        """Give the query for the records after the earliest second."""
        first = max(self._first or self._query.start, self._query.start)
        return self._query.going_on(whole_second(first) + timedelta(seconds=1))

    def cut_off(self) -> None:
        """Take note that the API gives no more of this window."""
        self._cut_off = not self.can_move

    @property
    def can_move(self) -> bool:
        """Whether a query from the last cursor on would begin in a later second, and the list is seen to be sorted."""
        return (
            self._query.start_param is not None
            and self._ascending
            and self._first is not None
            and self._last is not None
            and whole_second(self._first) < whole_second(self._last)
            and whole_second(self._query.start) < whole_second(self._last)
        )

    def moved(self) -> Query:
        """Give the query for the records from the last cursor on.

        Raises:
            PaginationError: There is no place to go on from, or it is where this window began.
        """
        cursor = self._query.cursor
        limit = f"GET {self._query.request.path}: the API gives at most {self._limit} a query"
        if self._query.start_param is None or self._first is None or self._last is None:
            raise PaginationError(f"{limit}, and the records have no cursor to go on from")
        if not self._ascending:
            raise PaginationError(
                f"{limit}, and the records are not sorted by {cursor}, so no place to go on from is known"
            )
        start = self._query.start_param.value
        moves_within_a_second = (
            self._ascending_within_seconds
            and self._query.start < self._last
            and start(self._query.start) != start(self._last) != start(self._first)
        )
        if not self.can_move and not moves_within_a_second:
            raise PaginationError(
                f"{limit}, and all of these records have {cursor} {format_timestamp(whole_second(self._last))}: "
                f"the sync cannot get past this second"
            )
        return self._query.going_on(whole_second(self._last) if self.can_move else self._last)
