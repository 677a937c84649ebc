"""Going on past the most that an API gives for one query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.engine.errors import PaginationError
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from taps.engine.client import Request
    from taps.engine.query import Query

__all__ = ["Window"]


class Window:
    """The records of one query whose list is sorted by its cursor; past its end the next query begins at the last.

    The records of that instant come twice; `Seam` drops the second.

    Args:
        query: What is read.
        limit: The API's limit in words, for example `300 pages`.
    """

    def __init__(self, query: Query, limit: str) -> None:
        self._query = query
        self._limit = limit
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._ascending = True

    def add(self, records: list[dict[str, Any]]) -> None:
        """Take note of a page's records."""
        for record in records if self._query.cursor else ():
            value = record.get(self._query.cursor or "")
            if value is None:
                continue
            instant = parse_timestamp(value)
            # Servers that sort by the second give fractions in any order.
            if self._last is not None and instant.replace(microsecond=0) < self._last.replace(microsecond=0):
                self._ascending = False
            self._first = min(instant, self._first or instant)
            self._last = max(instant, self._last or instant)

    def next_request(self) -> Request:
        """Make the request for the records after these.

        Raises:
            PaginationError: There is no place to go on from, or it is where this window began.
        """
        cursor, limit = (
            self._query.cursor,
            f"GET {self._query.request.path}: the API gives at most {self._limit} a query",
        )
        if self._query.start_param is None or self._first is None or self._last is None:
            raise PaginationError(f"{limit}, and the records have no cursor to go on from")
        if not self._ascending:
            raise PaginationError(
                f"{limit}, and the records are not sorted by {cursor}, so no place to go on from is known"
            )
        if self._first == self._last:
            raise PaginationError(
                f"{limit}, and all of these records have {cursor} {format_timestamp(self._last)}: "
                f"the sync cannot get past this instant"
            )
        return self._query.since(self._last)
