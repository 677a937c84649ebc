"""How many requests may still be sent, going by what the API's headers say remains."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from taps.engine.ratelimits import RateLimits

__all__ = ["Quota"]

_WINDOW = 60.0
_ROUNDED_DOWN = 1.0
_LONG_WAIT = 10.0
_MOST_WAITS_IN_VAIN = 2
_SCOUT_SECONDS = 5.0


class _Mark(NamedTuple):
    """What may be spent in all since the start, and until when that holds: infinite where the API does not say."""

    spendable: int
    until: float


class Quota:
    """Counts what remains, for requests that overlap and whose answers come in any order.

    What an answer says is a little old: it counts those requests that the API had come to by then, and nobody knows
    which of the ones under way these are. Two things are certain. Of the answers since a reset, the one that leaves the
    least is too high by no more than the requests that were under way when the latest came in; so these are taken off
    until they are answered too. And a request that began after an answer had come in is counted after it; so its
    own answer replaces that one, be it higher or lower.

    When all was spent and the wait is over, one request goes first, and the others wait for what it is told.

    Each request has a serial number; the first has 1. All times are seconds of one clock. It is not safe for threads
    by itself.
    """

    def __init__(self) -> None:
        self._begun = 0
        self._spent = 0
        self._cost = 1
        # The least that was told before the turn, as far as it still counts, and the least that was told since. The
        # turn is an answer, and its successor is that to a request that began after it.
        self._marks: list[_Mark] = []
        self._turn = 0
        self._turn_remaining = 0
        # Requests up to this one belong to a window that is over.
        self._over = 0
        self._seen = 0.0
        self._most = 0
        # Whether requests come back bit by bit, each a minute after it was spent, and not all at a time.
        self._trickles = False
        self._untimed = False
        self._sent: deque[float] = deque()
        # Those of the requests up to this one that are not answered may not be counted in the marks.
        self._told = 0
        self._unsure = 0
        self._scout_wanted = False
        self._scout = 0
        self._scout_until = 0.0
        self._waited = False
        self._waited_untimed = False
        self._in_vain = 0
        self._trusted = True

    @property
    def binds(self) -> bool:
        """Whether it may hold requests back."""
        return bool(self._marks or self._scout or self._scout_wanted)

    def wait(self, now: float) -> float:
        """Tell how long the next request has to wait.

        Returns:
            Seconds, negative or 0 for not at all; infinite where an answer that is under way has to tell.
        """
        if self._scout:
            return self._scout_until - now
        if not self._marks:
            return 0.0
        spendable, until = min(self._marks)
        left = spendable - self._spent
        if left - self._unsure * self._cost >= self._cost:
            return 0.0
        all_spent = left < self._cost
        untimed = False
        if until == math.inf:
            if not all_spent:
                return math.inf
            untimed = True
            until = self._sent[0] + _WINDOW if self._trickles and self._sent else self._seen + _WINDOW
        if now >= until:
            self._marks.clear()
            self._over = self._begun
            self._scout_wanted = self._waited = all_spent
            self._waited_untimed = untimed
        return until - now

    def begin(self, serial: int, now: float) -> None:
        """Note that a request begins."""
        self._begun = serial
        self._spent += self._cost
        self._scout = 0
        if self._untimed:
            self._sent.append(now)
            while now - self._sent[0] >= _WINDOW:
                self._sent.popleft()
        if self._scout_wanted:
            self._scout_wanted = False
            self._scout = serial
            self._scout_until = now + _SCOUT_SECONDS

    def fail(self, serial: int) -> None:
        """Note that a request got no answer; the API may have counted it or not."""
        if serial == self._scout:
            self._scout = 0
            self._scout_wanted = True
        self._count_as_spent(serial)

    def answer(self, serial: int, limits: RateLimits | None, *, under_way: int, success: bool, now: float) -> None:
        """Note an answer.

        Args:
            serial: The request's.
            limits: What the answer says.
            under_way: Requests that are not answered yet.
            success: Whether the API did what was asked.
            now: The time.
        """
        current = serial > self._over
        if current:
            self._scout = 0
        remaining = limits.remaining if limits and current and self._trusted else None
        if limits is None or remaining is None:
            self._count_as_spent(serial)
            return
        self._cost = max(self._cost, limits.cost)
        self._most = max(self._most, remaining)
        if remaining < self._cost and success and self._waited:
            self._doubt(limits.reset)
            if not self._trusted:
                return
        self._waited = False
        if limits.reset is None:
            self._untimed = True
            until = math.inf
        else:
            until = now + max(limits.reset, _ROUNDED_DOWN)
        self._mark(serial, remaining, until, now)
        self._told = self._begun
        self._unsure = under_way

    def _mark(self, serial: int, remaining: int, until: float, now: float) -> None:
        mark = _Mark(self._spent + remaining, until)
        if self._marks and serial <= self._turn:
            self._marks[-1] = min(self._marks[-1], mark)
            return
        back = remaining - self._turn_remaining
        self._trickles = self._trickles if back <= 0 else 2 * back < self._most - self._turn_remaining
        if not self._marks or back > 0:
            self._seen = now
        if self._marks and back > 0 and not self._trickles:
            # A reset. Answers from before it may still come in.
            self._over = self._begun
            self._marks.clear()
        self._marks = [*self._marks[-1:], mark]
        self._turn = self._begun
        self._turn_remaining = remaining

    def _count_as_spent(self, serial: int) -> None:
        if serial <= self._told and self._unsure:
            self._unsure -= 1
            self._marks = [mark._replace(spendable=mark.spendable - self._cost) for mark in self._marks]

    def _doubt(self, reset: float | None) -> None:
        """After a wait, an answer was a success and still says that nothing remains: maybe it always does.

        An API that gives out each request as it comes back says so too, but has said something else before, or the
        waits are short.
        """
        if self._waited_untimed:
            self._trusted = self._trickles
        elif self._most < self._cost and (reset is None or reset >= _LONG_WAIT):
            self._in_vain += 1
            self._trusted = self._in_vain <= _MOST_WAITS_IN_VAIN
        if not self._trusted:
            self._marks.clear()
