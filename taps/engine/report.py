"""What a stream says of itself: meters while it is read, and warnings at the end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from taps.engine.account import Tally
from taps.engine.meters import StreamMeters

if TYPE_CHECKING:
    from taps.engine.errors import StatusError
    from taps.engine.stream import ApiStream

__all__ = ["StreamReport"]

_MOST_WARNINGS = 10


class StreamReport:
    """A stream's meters, and what is to be said of it once.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: ApiStream) -> None:
        self.meters = StreamMeters(stream.name, stream.path)
        self.tally = Tally()
        self._stream = stream
        self._parents_gone = 0
        self._refused_with: set[int] = set()

    def parent_gone(self, error: StatusError) -> None:
        """Take note that a parent's list was not there; the first few are told at once."""
        self._parents_gone += 1
        self._refused_with.add(error.status)
        if self._parents_gone <= _MOST_WARNINGS:
            self._warn("%s; taken as a parent that was deleted meanwhile", error)

    def finish(self) -> None:
        """Log requests, a child's records and time, parents that were gone, and what the schema lacks."""
        stream = self._stream
        self.meters.finish(succeeded=not stream.failed)
        if self._parents_gone and not self.meters.requests.total:
            message = "%s: all %d parents were refused with %s; is the path %s right?"
            statuses = " and ".join(map(str, sorted(self._refused_with)))
            self._warn(message, stream.name, self._parents_gone, statuses, stream.path)
        elif self._parents_gone > _MOST_WARNINGS:
            self._warn("%s: %d parents in all were gone", stream.name, self._parents_gone)
        undeclared = sorted(stream.reader.codec.undeclared) if "reader" in vars(stream) else ()
        if undeclared:
            message = "%s: the API gives fields that the schema does not declare; they are left out: %s"
            self._warn(message, stream.name, ", ".join(undeclared))

    def _warn(self, message: str, *args: object) -> None:
        self._stream.log(message, *args, level=logging.WARNING)
