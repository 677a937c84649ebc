"""How many requests are answered a minute, and what answers tell of that."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from taps.sandbox.answers import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MINUTE = 60.0


class _FixedWindow:
    """So many requests in each window, which begins with the first request after the one before."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._begun = 0.0
        self._used = 0

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        """Count a request.

        Args:
            now: When it came.
            cost: As how many it counts.

        Returns:
            Whether it is let through, how many more would be, and the seconds until there are more again.
        """
        if not self._used or now - self._begun >= self._window:
            self._begun, self._used = now, 0
        self._used += cost
        left = max(0, self._limit - self._used)
        return self._used <= self._limit, left, self._window - (now - self._begun)


class _SlidingWindow:
    """So many requests in the seconds before each; those that were refused are not counted."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._taken: deque[float] = deque()

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        """As of `_FixedWindow`."""
        while self._taken and now - self._taken[0] >= self._window:
            self._taken.popleft()
        through = len(self._taken) + cost <= self._limit
        if through:
            self._taken.extend([now] * cost)
        wait = self._window - (now - self._taken[0]) if self._taken else self._window
        return through, self._limit - len(self._taken), wait


class _Bucket:
    """As many requests at once as a window has, and then one after the other as they flow in evenly."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._rate = limit / window
        self._level = float(limit)
        self._seen = 0.0

    def take(self, now: float, cost: int = 1) -> tuple[bool, int, float]:
        """As of `_FixedWindow`."""
        self._level = min(self._limit, self._level + (now - self._seen) * self._rate)
        self._seen = now
        through = self._level >= cost
        if through:
            self._level -= cost
        left = int(self._level)
        return through, left, (left + 1 - self._level) / self._rate


RateKind = Literal["fixed", "sliding", "bucket"]
RateHeaders = Literal["total", "reset", "none"]
_KINDS: dict[RateKind, type[_FixedWindow | _SlidingWindow | _Bucket]] = {
    "fixed": _FixedWindow,
    "sliding": _SlidingWindow,
    "bucket": _Bucket,
}


class Told(NamedTuple):
    """What there is to tell of a request's place in the limit.

    Attributes:
        limit: The requests in a window; 0 where there is no limit.
        left: How many more would be let through.
        wait: The seconds until there are more again.
        cost: As how many the request counted.
        through: Whether it was let through.
    """

    limit: int
    left: int
    wait: float
    cost: int
    through: bool


Tell = Callable[[Told], Mapping[str, str]]

#: What answers tell, by the names that users know: the `total` and what remains, these and the seconds to the `reset`.
TELLS: Mapping[RateHeaders, Tell] = {
    "total": lambda told: {"x-ratelimit-total": str(told.limit), "x-ratelimit-remaining": str(told.left)},
    "reset": lambda told: {
        "x-ratelimit-limit": str(told.limit),
        "x-ratelimit-remaining": str(told.left),
        "x-ratelimit-reset": str(math.ceil(told.wait)),
    },
    "none": lambda _: {},
}


@dataclass(frozen=True)
class Lane:
    """Paths that have a limit of their own within that of all.

    Attributes:
        option: The API's option that says how many requests it lets through; 0 for any number.
        paths: The paths below the API's base, each with the name of the count that it shares with others.
    """

    option: str
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Metering:
    """How an API counts requests.

    Attributes:
        cost: As how many a request counts.
        tell: What answers tell unless the user says otherwise.
        always: Whether they tell it even where there is no limit.
        lanes: The paths with a limit of their own.
    """

    cost: Callable[[Scope], int] = lambda _: 1
    tell: Tell = TELLS["total"]
    always: bool = False
    lanes: Sequence[Lane] = ()

    def counts(self, limit: int | None, options: Mapping[str, Any]) -> bool:
        """Tell whether there is anything to count or to tell.

        Args:
            limit: The requests in a window, if they are limited.
            options: The API's options.

        Returns:
            False where every request is let through and nothing is told.
        """
        return self.always or limit is not None or any(options[lane.option] for lane in self.lanes)

    def limits(self, options: Mapping[str, Any], base: str) -> dict[str, tuple[str, int]]:
        """Find out which paths have a limit of their own.

        Args:
            options: The API's options.
            base: What all paths begin with.

        Returns:
            By path the name of its count and the limit.
        """
        return {
            base + path: (name, options[lane.option])
            for lane in self.lanes
            if options[lane.option]
            for path, name in lane.paths.items()
        }


@dataclass
class _Counted:
    """The counts of all requests and of those in lanes."""

    make: Callable[[int], _FixedWindow | _SlidingWindow | _Bucket]
    limit: int | None
    limits: Mapping[str, tuple[str, int]]
    lanes: dict[str, _FixedWindow | _SlidingWindow | _Bucket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.all = None if self.limit is None else self.make(self.limit)

    def take(self, path: str, cost: int) -> Told:
        now = time.monotonic()
        through, left, wait = self.all.take(now, cost) if self.all else (True, 0, 0.0)
        name, limit = self.limits.get(path, ("", 0))
        if through and limit:
            lane = self.lanes.setdefault(name, self.make(limit))
            through, _, lane_wait = lane.take(now)
            wait = wait if through else lane_wait
        return Told(self.limit or 0, left, wait, cost, through)


class RateLimit:
    """Middleware that refuses the requests past so many in a time.

    Args:
        app: What answers.
        limit: The requests in a window; None for any number.
        prefix_spared: Paths that begin like this are not counted.
        failure: Makes the body of a refusal.
        window: The window's seconds.
        kind: How it counts.
        tell: What answers tell; a refusal has `Retry-After` in any case.
        cost: As how many a request counts.
        lanes: The limit of a path's own, with the name of the count; by path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int | None,
        prefix_spared: str,
        failure: Callable[[Scope, int, str, str], Mapping[str, Any]],
        window: float = _MINUTE,
        kind: RateKind = "fixed",
        tell: Tell = TELLS["total"],
        cost: Callable[[Scope], int] = Metering.cost,
        lanes: Mapping[str, tuple[str, int]] | None = None,
    ) -> None:
        self._app = app
        self._spared = prefix_spared
        self._failure = failure
        self._tell = tell
        self._cost = cost
        self._counted = _Counted(lambda most: _KINDS[kind](most, window), limit, lanes or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it with 429.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.
        """
        if scope["path"].startswith(self._spared):
            await self._app(scope, receive, send)
            return
        told = self._counted.take(scope["path"], self._cost(scope))
        headers = [(name.encode(), value.encode()) for name, value in self._tell(told).items()]

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if not told.through:
            text = "You have used up the requests that you may send a minute."
            body = self._failure(scope, 429, "rate_limit_reached", text)
            # Sent rather than raised: exceptions are turned into answers further in than this middleware is.
            await Json(body, 429, {"Retry-After": str(max(1, int(told.wait) + 1))})(scope, receive, tell)
            return
        await self._app(scope, receive, tell)
