"""Reading a list that is sorted by its cursor, and that moves while it is read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from taps.engine.errors import PaginationError
from taps.engine.timestamps import format_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from taps.engine.page import Page
    from taps.engine.query import Query

__all__ = ["Window"]


class Window:
    """The records of one query of a list that is sorted by its cursor and can be asked for from a cursor on.

    Pages of such a list that are counted, by number or offset, shift when a record on an earlier page changes (it goes
    to the end) or is deleted, and the first record of the next page is then never seen. So the next query begins at
    the last cursor as soon as there is one to begin from; that is also the way past the most that an API gives for one
    query. The records of that instant come twice; `Seam` drops the second.

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
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._ascending = True
        self._cut_off = False
        self._ascending_within_seconds = True

    def add(self, page: Page) -> None:
        """Take note of a page's records."""
        for instant, key in zip(page.content.instants, page.content.keys, strict=True):
            if instant is None:
                continue
            if self._last is None or self._first is None:
                self._first = self._last = instant
            elif instant >= self._last:
                self._last = instant
            else:
                self._ascending &= _second(instant) == _second(self._last)
                self._ascending_within_seconds = False
                self._first = min(instant, self._first)
            self._versions.append((instant, *key))
        self._pages.append(len(self._versions))

    def holds(self, again: Window, pages: int) -> bool:
        """Tell whether so many first pages were the same when they were read again, record by record."""
        return len(again._pages) == pages and again._versions == self._versions[: self._pages[pages - 1]]

    @property
    def can_pass_first_second(self) -> bool:
        """Whether all records of the earliest second are there, and the list is seen to be sorted."""
        return self._query.start_param is not None and self._ascending and self._first is not None and not self._cut_off

    def passed_first_second(self) -> Query:
        """Give the query for the records after the earliest second."""
        first = self._first or self._query.start
        return self._query.beginning(_second(first) + timedelta(seconds=1))

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
            and _second(self._first) < _second(self._last)
            and _second(self._query.start) < _second(self._last)
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
                f"{limit}, and all of these records have {cursor} {format_timestamp(_second(self._last))}: "
                f"the sync cannot get past this second"
            )
        return self._query.beginning(self._last)


def _second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
