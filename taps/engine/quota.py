"""How many requests may still be sent, going by what the API's headers say remains."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from taps.engine.ratelimits import RateLimits

__all__ = ["Quota", "Scout"]

# Seconds that a limit is counted over where nobody says.
_WINDOW = 60.0
# A reset within the second is told as 0 by some.
_ROUNDED_DOWN = 1.0
# So many waits of so many seconds are allowed to an API that has never said anything but that nothing remains.
_LONG_WAIT = 10.0
_MOST_WAITS_IN_VAIN = 2
# Nobody waits for a scout longer than this.
_SCOUT_SECONDS = 5.0


class _Mark(NamedTuple):
    """What may be spent in all since the start, and until when that holds: infinite where the API does not say."""

    spendable: int
    until: float


class Scout:
    """A request that goes first after a wait, while the others wait for what it is told.

    Attributes:
        wanted: Whether the next request is to be one.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._serial = 0
        self._until = 0.0

    @property
    def holds(self) -> bool:
        """Whether others wait for it."""
        return self._serial > 0

    def wait(self, now: float) -> float:
        """Tell how long the others have to wait at most: seconds, negative or 0 for not at all."""
        return self._until - now if self._serial else 0.0

    def begin(self, serial: int, now: float) -> None:
        """Note that a request begins."""
        self._serial = serial if self.wanted else 0
        self._until = now + _SCOUT_SECONDS
        self.wanted = False

    def end(self, serial: int, *, again: bool) -> None:
        """Note that a request has ended, and whether another scout is wanted if it was one."""
        if serial == self._serial:
            self._serial = 0
            self.wanted = again


class Quota:
    """Counts what remains, for requests that overlap and whose answers come in any order.

    What an answer says is a little old: it counts those requests that the API had come to by then, and nobody knows
    which of the ones under way these are. Two things are certain. Of the answers since a reset, the one that leaves the
    least is too high by no more than the requests that were under way when the latest came in; so these are taken off
    until they are answered too. And a request that began after an answer had come in is counted after it; so its
    own answer replaces that one, be it higher or lower.

    Each request has a serial number; the first has 1. All times are seconds of one clock. It is not safe for threads
    by itself.

    Args:
        scout: Is wanted when a wait for more is over.
    """

    def __init__(self, scout: Scout) -> None:
        self._scout = scout
        self._begun = 0
        self._spent = 0
        self._cost = 1
        # A turn is an answer to a request that began after the turn before. The marks are those of the last turn and
        # since, and before them those since the turn before, which may have been counted later than the last turn.
        self._marks: list[_Mark] = []
        self._since = 0
        self._turn = 0
        self._turn_remaining = 0
        # Requests up to this one belong to a window that is over.
        self._over = 0
        # When the window was first seen, and the most that has ever remained.
        self._seen = 0.0
        self._most = 0
        # Whether requests come back bit by bit, each a minute after it was spent, and not all at a time; and where the
        # API tells no reset, when those of the last minute were spent.
        self._trickles = False
        self._untimed = False
        self._sent: deque[float] = deque()
        # Those of the requests up to this one that are not answered may not be counted in the marks.
        self._told = 0
        self._unsure = 0
        # Whether all was spent and a wait for more is over, and whether its end was a guess.
        self._waited = False
        self._guessed = False
        self._in_vain = 0
        self._trusted = True

    @property
    def binds(self) -> bool:
        """Whether it may hold requests back."""
        return bool(self._marks)

    def wait(self, now: float) -> float:
        """Tell how long the next request has to wait.

        Returns:
            Seconds, negative or 0 for not at all; infinite where an answer that is under way has to tell.
        """
        if not self._marks:
            return 0.0
        spendable, until = min(self._marks)
        left = spendable - self._spent
        if left - self._unsure * self._cost >= self._cost:
            return 0.0
        all_spent = left < self._cost
        guessed = until == math.inf
        if guessed:
            if not all_spent:
                return math.inf
            until = self._sent[0] + _WINDOW if self._trickles and self._sent else self._seen + _WINDOW
        if now >= until:
            self._marks.clear()
            self._over = self._begun
            self._waited = all_spent
            self._scout.wanted = True
            self._guessed = guessed
        return until - now

    def begin(self, serial: int, now: float) -> None:
        """Note that a request begins."""
        self._begun = serial
        self._spent += self._cost
        if self._untimed:
            self._sent.append(now)
            while now - self._sent[0] >= _WINDOW:
                self._sent.popleft()

    def fail(self, serial: int, *, under_way: int) -> None:
        """Note that a request got no answer; the API may have counted it or not."""
        self._count_as_spent(serial, under_way)

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
        remaining = limits.remaining if limits and current and self._trusted else None
        if limits is None or remaining is None:
            self._count_as_spent(serial, under_way)
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
            self._marks.append(mark)
            return
        back = remaining - self._turn_remaining
        if back > 0 or (not self._marks and remaining >= self._cost):
            self._trickles = 2 * back < self._most - self._turn_remaining
        if back > 0 or not self._marks:
            self._seen = now
        if self._marks and back > 0 and not self._trickles:
            # A reset. Answers from before it may still come in.
            self._over = self._begun
            self._marks.clear()
        self._marks = [*self._marks[self._since + 1 :], mark]
        self._since = len(self._marks) - 1
        self._turn = self._begun
        self._turn_remaining = remaining

    def _count_as_spent(self, serial: int, under_way: int) -> None:
        if serial <= self._told and self._unsure:
            self._unsure -= 1
            self._marks = [mark._replace(spendable=mark.spendable - self._cost) for mark in self._marks]
        self._unsure = min(self._unsure, under_way)

    def _doubt(self, reset: float | None) -> None:
        """After a wait, an answer was a success and still says that nothing remains: maybe it always does.

        An API that gives out each request as it comes back says so too, but has said something else before, or the
        waits are short.
        """
        if self._guessed:
            self._trusted = self._trickles
        elif self._most < self._cost and (reset is None or reset >= _LONG_WAIT):
            self._in_vain += 1
            self._trusted = self._in_vain <= _MOST_WAITS_IN_VAIN
        if not self._trusted:
            self._marks.clear()
