"""APIs that limit the rate, and threads that ask them, in made-up time: minutes pass in milliseconds, and in any order."""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from taps.engine.budget import RateBudget, _Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MINUTE = 60.0


class Server(Protocol):
    """Lets so many requests through in a minute."""

    limit: int

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        """Count a request; tell whether it is let through, what remains, and the seconds until there is more."""


class Fixed:
    """Minutes that begin by the clock."""

    def __init__(self, limit: int, begins: float = 17.0) -> None:
        self.limit = limit
        self._begins = begins
        self._window = -math.inf
        self._used = 0

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        window = (now - self._begins) // MINUTE * MINUTE + self._begins
        if window > self._window:
            self._window, self._used = window, 0
        through = self._used + cost <= self.limit
        self._used += cost * through
        return through, self.limit - self._used, self._window + MINUTE - now


class Sliding:
    """The minute before each request."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._taken: deque[float] = deque()

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        while self._taken and now - self._taken[0] >= MINUTE:
            self._taken.popleft()
        through = len(self._taken) + cost <= self.limit
        self._taken.extend([now] * cost * through)
        return through, self.limit - len(self._taken), self._taken[0] + MINUTE - now if self._taken else 0


class Bucket:
    """Full at first, and filled evenly."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._rate = limit / MINUTE
        self._level = float(limit)
        self._seen = 0.0

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        self._level = min(self.limit, self._level + (now - self._seen) * self._rate)
        self._seen = now
        through = self._level >= cost
        self._level -= cost * through
        left = int(self._level)
        return through, left, (left + 1 - self._level) / self._rate


Headers = dict[str, str]
STYLES: dict[str, Callable[[int, int, float], Headers]] = {
    "none": lambda total, left, wait: {},
    "total": lambda total, left, wait: {"X-RateLimit-Total": str(total), "X-RateLimit-Remaining": str(left)},
    "reset": lambda total, left, wait: {"RateLimit-Remaining": str(left), "RateLimit-Reset": str(math.ceil(wait))},
    "rounded down": lambda total, left, wait: {"RateLimit": f'"a";r={left};t={int(wait)}'},
    "constant": lambda total, left, wait: {"X-RateLimit-Remaining": "0"},
    "constant reset": lambda total, left, wait: {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"},
}


HEADERS = {
    "cost": "X-RateLimit-Used-CurrentRequest",
    "state": "X-RateLimit-State",
    "period": "X-RateLimit-Period-In-Sec",
}


class Hand:
    """A budget whose clock and requests are moved by hand."""

    def __init__(self, per_minute: int | None = None) -> None:
        self.now = 1000.0
        self.budget = RateBudget(per_minute, headers=HEADERS, clock=lambda: self.now)

    def wait(self) -> float:
        """Tell how long the next request has to wait, without beginning it."""
        return max(0.0, self.budget._wait(self.now))

    def begin(self) -> int:
        """Begin a request; give its serial number."""
        assert self.wait() == 0, f"it has to wait {self.wait()} s"
        self.budget._begin(self.now)
        return self.budget._own.serials.pop()

    def answer(self, serial: int, status: int = 200, headers: Mapping[str, str] | None = None, **named: object) -> None:
        """Answer a request with these headers; `remaining` and `reset` stand for the usual ones."""
        told = {f"X-RateLimit-{name.title()}": str(value) for name, value in named.items()}
        self.budget._own.serials.append(serial)
        self.budget.release(status, {**told, **(headers or {})})

    def fail(self, serial: int) -> None:
        self.budget._own.serials.append(serial)
        self.budget.failed()


@dataclass
class Outcome:
    """What came of a simulation.

    Attributes:
        through: Requests that were let through.
        refused: Requests that were not.
        in_a_row: How often one request was refused, at most.
        longest_gap: Seconds between two that were let through, at most.
    """

    through: int = 0
    refused: int = 0
    in_a_row: int = 0
    longest_gap: float = 0


class Simulation:
    """Threads that ask for page after page, and retry as the client does.

    Args:
        server: What they ask.
        threads: How many they are.
        per_minute: The budget.
        style: What answers tell, one of `STYLES`.
        latency: Seconds that an answer takes, from and to.
        cost: What a request counts for.
        seed: Of the latencies.
    """

    def __init__(
        self,
        server: Server,
        *,
        threads: int,
        per_minute: int | None = None,
        style: str = "none",
        latency: tuple[float, float] = (0.05, 0.4),
        cost: int = 1,
        seed: int = 0,
    ) -> None:
        self._server = server
        self._style = STYLES[style]
        self._latency = latency
        self._cost = cost
        self._random = random.Random(seed)  # noqa: S311
        self._hand = Hand(per_minute)
        self._refusals = [0] * threads
        self._threads: dict[_Turn, int] = {}
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = itertools.count()
        self._look = self._latest = self._hand.now
        self._outcome = Outcome()
        for thread in range(threads):
            self._queue_up(thread)

    def run(self, minutes: float) -> Outcome:
        """Let so many minutes pass."""
        end = self._hand.now + minutes * MINUTE
        while self._hand.now < end:
            self._begin_all()
            assert self._events, "all wait for ever"
            self._hand.now, _, happen, what = heapq.heappop(self._events)
            happen(*what)
        return self._outcome

    def _plan(self, at: float, happen: Callable[..., None], *what: Any) -> None:
        heapq.heappush(self._events, (at, next(self._number), happen, what))

    def _queue_up(self, thread: int) -> None:
        budget = self._hand.budget
        budget._arrived += 1
        turn = _Turn(budget._lock, budget._arrived, self._refusals[thread])
        bisect.insort(budget._queue, turn, key=lambda turn: turn.place)
        self._threads[turn] = thread

    def _begin_all(self) -> None:
        budget, now = self._hand.budget, self._hand.now
        while budget._queue:
            wait = budget._wait(now)
            if wait > 0:
                if wait < math.inf and not now < self._look <= now + wait:
                    self._look = now + wait
                    self._plan(self._look, lambda: None)
                return
            turn = budget._first()
            budget._queue.remove(turn)
            late = self._random.uniform(*self._latency)
            way = late * self._random.uniform(0, 0.5)
            self._plan(now + way, self._arrive, self._threads.pop(turn), self._hand.begin(), now + late)

    def _arrive(self, thread: int, serial: int, back: float) -> None:
        through, left, wait = self._server.take(self._hand.now, self._cost)
        headers = self._style(self._server.limit, left, wait)
        if self._cost > 1:
            headers[HEADERS["cost"]] = str(self._cost)
        if not through:
            headers["Retry-After"] = str(math.ceil(wait))
        self._plan(back, self._answer, thread, serial, through, headers)

    def _answer(self, thread: int, serial: int, through: bool, headers: Headers) -> None:  # noqa: FBT001
        outcome = self._outcome
        self._hand.budget._own.refusals = self._refusals[thread]
        self._hand.answer(serial, 200 if through else 429, headers)
        self._refusals[thread] = 0 if through else self._refusals[thread] + 1
        if through:
            outcome.through += 1
            outcome.longest_gap = max(outcome.longest_gap, self._hand.now - self._latest)
            self._latest = self._hand.now
        else:
            outcome.refused += 1
            outcome.in_a_row = max(outcome.in_a_row, self._refusals[thread])
        # One who was refused waits for the end of the pause in the queue.
        self._queue_up(thread)
