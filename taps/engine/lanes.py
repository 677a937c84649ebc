"""Limits that an API sets to some of its lists alone, beside the one of all requests together."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FREE", "Lane", "Limit", "Toll"]

_SHARE = 1.005  # of the time, for the two clocks do not run alike


class Limit(Struct, frozen=True):
    """How often something may be asked for.

    Attributes:
        requests: How many requests in a time, wherever that begins.
        seconds: The time.
        name: Tells it apart from another one of the same size.
    """

    requests: int
    seconds: float = 60.0
    name: str = ""


class Lane:
    """Requests that share a limit; safe for threads.

    They may follow one another at once until the limit is reached, so that a list of few pages does not wait.

    Attributes:
        requests: How many may be sent in the limit's time.
        binding: Whether the limit is known to be in force. Some customers have bought a higher one than the API's
            documentation tells of, so that one is held to from the first refusal on.

    Args:
        limit: The limit.
        binding: Whether it is from the beginning.
        sent_before: Whether another process may have used the limit up just before, a request after the other.
        clock: Gives seconds that never go back.
    """

    def __init__(
        self,
        limit: Limit,
        *,
        binding: bool,
        sent_before: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.requests = limit.requests
        self.binding = binding
        self._seconds = limit.seconds * _SHARE
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=limit.requests)
        if sent_before:
            apart, now = self._seconds / limit.requests, clock()
            self._starts.extend(now - apart * place for place in reversed(range(limit.requests)))
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Take a place in the lane; give the seconds until one's turn comes."""
        with self._lock:
            now = self._clock()
            full = len(self._starts) == self._starts.maxlen
            start = max(now, self._starts[0] + self._seconds) if full and self.binding else now
            self._starts.append(start)
            return start - now


class Toll(NamedTuple):
    """What a request takes of the limits.

    Attributes:
        cost: How many requests it counts for.
        lane: The limit that it shares with some others, if there is one.
    """

    cost: int = 1
    lane: Lane | None = None


FREE = Toll()
