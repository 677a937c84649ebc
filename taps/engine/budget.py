"""When requests may start: those of all threads together evenly, and no more than the API allows."""

from __future__ import annotations

import bisect
import math
import threading
import time
from http import HTTPStatus
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from taps.engine.lanes import FREE, Toll
from taps.engine.pacing import retry_after_seconds
from taps.engine.quota import Quota, Scout
from taps.engine.ratelimits import LONGEST_WAIT, RateLimits, read_rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BudgetClosedError", "RateBudget", "Wait"]

_MINUTE = 60.0
_PAUSED = "the API asked to wait"
_OWN_RATE = "as requests_per_minute says"
_QUOTA = "the API says that its limit is used up"
# With these two, one request more than the limit takes 60.3 s at least: more than a minute, wherever that begins.
_SHARE = 0.99
_CATCH_UP = 0.3
# A client that obeys Retry-After sleeps until a moment after the end of the pause.
_SAME = 0.1
_WORTH_SAYING = 5.0  # seconds
# About as many as there are threads.
_PLACES_BACK = 32


class BudgetClosedError(Exception):
    """No more requests are wanted."""


class Wait(NamedTuple):
    """What requests wait for.

    Attributes:
        seconds: How long still, at most.
        reason: Why.
    """

    seconds: float
    reason: str


class RateBudget:
    """Says when a request may start; safe for threads.

    Three things hold requests back: the rate that the user allows, what the API's headers say remains, and, once the
    API has refused a request because of its rate, a number of requests that may be under way at once. That number is
    halved by a refusal and grows again with the successes.

    Threads go in the order in which they come, except that those whose requests were refused may have to let some
    others go first.

    Attributes:
        waited: Seconds that threads have waited so far, added up.

    Args:
        per_minute: Most requests in a minute, or `None` for no limit but the API's own.
        sent_before: Requests that may have been sent just before, by another process within the same limit.
        headers: Names of headers that tell of the limit, as of `read_rate_limits`.
        clock: Gives seconds that never go back.
        say: Is told of each long wait for what the API says of its limit, apart from those after a refusal.
    """

    def __init__(
        self,
        per_minute: int | None,
        *,
        sent_before: int = 0,
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[Wait], object] = lambda _: None,
    ) -> None:
        self.waited = 0.0
        self._say = say
        self._waiting_until = self._said_until = -math.inf
        self._reason = ""
        self._clock = clock
        self._headers = {name.lower(): part for part, name in (headers or {}).items()}
        self._interval = _MINUTE / (per_minute * _SHARE) if per_minute else 0.0
        self._slot = clock() + sent_before * self._interval if sent_before and self._interval else None
        self._paused_until = -math.inf
        self._lock = threading.Lock()
        self._queue: list[_Turn] = []
        self._closing = threading.Event()
        self._arrived = 0
        self._begun = 0
        self._under_way = 0
        self._own = _Own()
        self._scout = Scout()
        self._quota = Quota(self._scout)
        self._ceiling = _Ceiling()

    def acquire(self, toll: Toll = FREE) -> None:
        """Wait until one more request may start.

        Args:
            toll: What it takes of the limits.

        Raises:
            BudgetClosedError: It is closed, or is meanwhile.
        """
        if toll.lane is not None:
            self.sleep(toll.lane.wait())
        self._own.cost = toll.cost
        with self._lock:
            if self._closing.is_set():
                raise BudgetClosedError
            now = self._clock()
            if self._queue or self._wait(now) > 0:
                self._queue_up(now)
            else:
                self._begin(now)

    def release(self, status: int, headers: Mapping[str, str]) -> None:
        """Note that the headers of an answer are in; once for each `acquire`, and by the same thread.

        Args:
            status: The HTTP status.
            headers: Of the answer.
        """
        limits = self.told_by(headers)
        refused = status == HTTPStatus.TOO_MANY_REQUESTS
        success = status < HTTPStatus.BAD_REQUEST
        asked = retry_after_seconds(headers) if refused else None
        if asked is not None and asked > LONGEST_WAIT:
            # Nobody waits so long. The client gives the request up, and whoever sends another is told the same.
            limits = asked = None
        elif asked is not None and limits is not None:
            limits = RateLimits(limits.remaining, asked, limits.cost)
        with self._lock:
            serial, held = self._end()
            now = self._clock()
            self._own.refusals = self._own.refusals + 1 if refused else 0
            self._scout.end(serial, again=False)
            if refused:
                self._scout.wanted |= self._ceiling.refuse(serial, self._begun)
                # At once, so that no other thread sends anything before the client gets to it.
                self._pause(asked or 0, now)
            elif success:
                self._ceiling.succeed(serial)
            if limits is not None and not refused:
                self._pause(limits.pause, now)
            if limits is not None or held:
                self._quota.answer(serial, limits, under_way=self._under_way, success=success, now=now)
            if held:
                self._wake_first()

    @property
    def waited_here(self) -> float:
        """Seconds that this thread has waited so far."""
        return self._own.waited

    def waiting(self) -> Wait | None:
        """Tell what requests wait for now; `None` where that is nothing, or an answer."""
        with self._lock:
            seconds = self._waiting_until - self._clock()
            return Wait(seconds, self._reason) if self._queue and seconds > 0 else None

    def told_by(self, headers: Mapping[str, str]) -> RateLimits | None:
        """Read what an answer says of the rate limit; `None` where that is nothing."""
        return read_rate_limits(headers, self._headers)

    def failed(self) -> None:
        """Note that a request got no answer; instead of `release`."""
        with self._lock:
            serial, held = self._end()
            self._scout.end(serial, again=True)
            self._quota.fail(serial, under_way=self._under_way)
            if held:
                self._wake_first()

    def pause(self, seconds: float) -> None:
        """Let no request start for this long."""
        with self._lock:
            self._pause(seconds, self._clock())

    def sleep(self, seconds: float) -> None:
        """Let one thread wait.

        Raises:
            BudgetClosedError: It is closed, or is meanwhile.
        """
        with self._lock:
            begun = self._clock()
            if begun < self._paused_until and begun + seconds <= self._paused_until + _SAME:
                # Whoever waits for the end of a pause does it in the queue.
                seconds = 0
        closed = self._closing.wait(min(max(0, seconds), threading.TIMEOUT_MAX))
        with self._lock:
            self._count_wait(self._clock() - begun)
        if closed:
            raise BudgetClosedError

    def close(self) -> None:
        """Let no request start any more, and wake all who wait."""
        with self._lock:
            self._closing.set()
            for turn in self._queue:
                turn.notify()

    def _queue_up(self, begun: float) -> None:
        """Wait behind those who came before, and begin."""
        self._arrived += 1
        turn = _Turn(self._lock, self._arrived, self._own.refusals)
        bisect.insort(self._queue, turn, key=_place)
        now = begun
        try:
            while not self._closing.is_set():
                wait = self._wait(now) if self._first() is turn else math.inf
                if wait <= 0:
                    self._begin(now)
                    return
                # Whoever is first has it end by itself or is woken by an answer; all others by the one before them.
                if wait < math.inf:
                    self._note_wait(wait, now)
                turn.wait(None if wait == math.inf else min(wait, LONGEST_WAIT))
                now = self._clock()
            raise BudgetClosedError
        finally:
            self._queue.remove(turn)
            self._count_wait(now - begun)
            self._wake_first()

    def _wait(self, now: float) -> float:
        """Tell how long the next request has to wait.

        Returns:
            Seconds, infinite where that depends on an answer. When they are over, there may be something else to wait
            for. With 0 or less the request has to begin at once.
        """
        if self._under_way >= self._ceiling.most:
            return math.inf
        until = self._paused_until if self._slot is None else max(self._slot, self._paused_until)
        wait = max(until - now, self._scout.wait(now))
        return wait if wait > 0 else self._quota.wait(now)

    def _count_wait(self, seconds: float) -> None:
        self._own.waited += seconds
        self.waited += seconds

    def _note_wait(self, seconds: float, now: float) -> None:
        """Take note of what all wait for, and say so once where it is long and nobody has."""
        paused, slot = self._paused_until > now, self._slot is not None and self._slot > now
        self._waiting_until = now + seconds
        self._reason = _PAUSED if paused else _OWN_RATE if slot else _QUOTA
        if self._reason == _QUOTA and seconds > _WORTH_SAYING and now > self._said_until:
            self._said_until = self._waiting_until
            self._say(Wait(seconds, self._reason))

    def _first(self) -> _Turn:
        """Tell whose turn it is."""
        return max(self._queue, key=_refusals) if self._scout.wanted else self._queue[0]

    def _begin(self, now: float) -> None:
        self._begun += 1
        self._under_way += 1
        self._own.serials.append(self._begun)
        self._scout.begin(self._begun, now)
        self._quota.begin(self._begun, now)
        self._ceiling.begin(self._under_way)
        if self._interval:
            # What threads are late, because they were busy when their turn came, is caught up with, but only so far.
            slot = now if self._slot is None else max(self._slot, now - _CATCH_UP)
            self._slot = slot + self._interval * self._own.cost

    def _end(self) -> tuple[int, bool]:
        """Give the serial number of the request that has been answered, and whether somebody may wait for that."""
        self._under_way = max(0, self._under_way - 1)
        # A thread that has begun none answers for another one.
        serial = self._own.serials.pop() if self._own.serials else self._begun
        return serial, self._quota.binds or self._scout.holds or self._ceiling.most < math.inf

    def _wake_first(self) -> None:
        if self._queue:
            self._first().notify()

    def _pause(self, seconds: float, now: float) -> None:
        if seconds > 0 and now + seconds > self._paused_until:
            self._paused_until = now + seconds
            # Nobody is late meanwhile.
            if self._slot is not None:
                self._slot = max(self._slot, self._paused_until)


class _Own(threading.local):
    """What is known of a thread.

    Attributes:
        serials: The serial numbers of its requests that are not answered yet.
        refusals: How often in a row it was refused.
        cost: How many requests the one that it begins counts for.
        waited: Seconds that it has waited.
    """

    def __init__(self) -> None:
        self.serials: list[int] = []
        self.refusals = 0
        self.cost = 1
        self.waited = 0.0


class _Turn(threading.Condition):
    """A thread's turn to send a request.

    A thread gives a request up when it has been refused a few times. Where an API takes less than it is sent, some are
    always refused; so that it is not the same ones again and again, those that were refused go a little later. But the
    one that was refused most often is the next scout, which is the least likely to be refused.

    Attributes:
        refusals: How often in a row the thread was refused.
        place: In the queue.
    """

    def __init__(self, lock: threading.Lock, arrived: int, refusals: int) -> None:
        super().__init__(lock)
        self.refusals = refusals
        self.place = arrived + _PLACES_BACK * refusals


_place = attrgetter("place")
_refusals = attrgetter("refusals")


class _Ceiling:
    """How many requests may be under way at once: any number, until one is refused because of the rate.

    Attributes:
        most: The number.
    """

    def __init__(self) -> None:
        self.most: float = math.inf
        self._peak = 0
        self._lowered = 0
        self._successes = 0

    def begin(self, under_way: int) -> None:
        """Note how many are under way now."""
        self._peak = max(self._peak, under_way)

    def refuse(self, serial: int, begun: int) -> bool:
        """Halve it, but once only for all requests that began before it was known.

        Args:
            serial: The serial number of the request that was refused.
            begun: The latest request's.

        Returns:
            Whether it was halved.
        """
        if serial <= self._lowered:
            return False
        self.most = max(1, min(self.most, self._peak) // 2)
        self._lowered = begun
        self._successes = 0
        return True

    def succeed(self, serial: int) -> None:
        """Raise it by one after as many successes as it allows."""
        if self.most < math.inf and serial > self._lowered:
            self._successes += 1
            if self._successes >= self.most:
                self.most += 1
                self._successes = 0
