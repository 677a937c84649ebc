"""What one of several readers takes of a stream, so that all of them together have each of its records once."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from taps.engine.errors import TooEarlyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from taps.engine.lanes import Limit
    from taps.engine.page import Page

__all__ = ["ALL", "Share"]

_HASHES = 2**32  # that `zlib.crc32` gives


class Share(Struct, frozen=True, kw_only=True):
    """A part of a tap's records, and of what it may ask for in a minute.

    It is a part of the stream that has no parent; of a child stream it is what belongs to those records. Shares are
    disjoint by what a record itself says, its cursor or its key, and not by where in a list it was found. So it does
    not matter when each is read, or how often.

    Attributes:
        since: The time from which the records are, by their cursor. `None` for the beginning, and for those records
            that have no time.
        until: The time before which they are; `None` for no end.
        piece: Which of the `pieces` of the records, from 0. They are told apart by a hash of the key, which is the same
            in all processes.
        pieces: How many there are.
        reader: Which of the `readers` that run at once, from 0. Each has its part of a limit.
        readers: How many there are.
        settled: Whether its time has to be over, so that no more records of it can come.
        follows: Whether another reader may have ended just before, and used the same part of the limits.
    """

    since: datetime | None = None
    until: datetime | None = None
    piece: int = 0
    pieces: int = 1
    reader: int = 0
    readers: int = 1
    settled: bool = True
    follows: bool = False

    def has(self, key: tuple[Any, ...], instant: datetime | None) -> bool:
        """Tell whether a record belongs to it.

        Args:
            key: The record's primary key.
            instant: Its cursor, if it has one.
        """
        if instant is None:
            in_time = self.since is None
        else:
            in_time = (self.since is None or self.since <= instant) and (self.until is None or instant < self.until)
        return in_time and (self.pieces == 1 or _piece(key, self.pieces) == self.piece)

    def pages(self, pages: Iterator[Page]) -> Iterator[Page]:
        """Give pages with those of their records that belong to it.

        Args:
            pages: Of a stream without a parent.
        """
        if self.since is None and self.until is None and self.pieces == 1:
            return pages
        return (
            page.only([place for place, record in enumerate(zip(*page.content[1:3], strict=True)) if self.has(*record)])
            for page in pages
        )

    def require_ended(self, moment: datetime) -> None:
        """Make sure that its time is over, where it has to be.

        Args:
            moment: What the server's clock shows.

        Raises:
            TooEarlyError: It is not.
        """
        if self.settled and self.until is not None and moment < self.until:
            raise TooEarlyError(self.until, moment)

    def of(self, requests: int) -> int:
        """Give its part of a number of requests; one at least."""
        return max(1, requests // self.readers + (self.reader < requests % self.readers))

    def of_limit(self, limit: Limit) -> Limit:
        """Give its part of a limit."""
        return replace(limit, requests=self.of(limit.requests))


ALL = Share()
"""Everything."""


def _piece(key: tuple[Any, ...], pieces: int) -> int:
    return zlib.crc32(msgspec.json.encode(key)) * pieces // _HASHES
