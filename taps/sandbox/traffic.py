"""What goes over the wire: a journal of the requests, how late answers are and how many are given a minute."""

from __future__ import annotations

import asyncio
import math
import random
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from taps.sandbox.answers import Json
from taps.sandbox.breakage import STRUCK

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT_REQUESTS = 20_000
_MINUTE = 60.0


@dataclass
class SeenRequest:
    """A request that the sandbox got.

    Attributes:
        method: The HTTP method.
        path: The path, without the query.
        query_string: The query as it was sent.
        status: The status that was sent; None where the connection broke before that, or the answer is still due.
        fault: The name of the fault that struck it, if any.
    """

    method: str
    path: str
    query_string: str
    status: int | None = None
    fault: str | None = None
    _headers: list[tuple[bytes, bytes]] = field(default_factory=list, repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers, their names in lower case."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers}


class Journal:
    """The requests since the start, or since it was cleared. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[SeenRequest] = deque(maxlen=_KEPT_REQUESTS)
        self._total = 0
        self._by_path: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def begin(self, scope: Scope) -> SeenRequest:
        """Note a request.

        Args:
            scope: The request.

        Returns:
            Its entry, to be completed by `end`.
        """
        query = scope["query_string"].decode("latin-1")
        seen = SeenRequest(scope["method"], scope["path"], query, _headers=scope["headers"])
        with self._lock:
            self._total += 1
            self._kept.append(seen)
        return seen

    def answered(self, seen: SeenRequest, status: int | None, fault: str | None) -> None:
        """Note how a request was answered.

        Args:
            seen: Its entry.
            status: The status, or None where none was sent.
            fault: The fault that struck it.
        """
        with self._lock:
            seen.status = status
            seen.fault = fault
            self._by_path[seen.path]["none" if status is None else str(status)] += 1

    def requests(self) -> list[SeenRequest]:
        """List the requests.

        Returns:
            The last 20,000, in the order in which they came.
        """
        with self._lock:
            return list(self._kept)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._kept.clear()
            self._by_path.clear()
            self._total = 0

    def summary(self, last: int) -> dict[str, Any]:
        """Sum the requests up.

        Args:
            last: How many of the latest to list.

        Returns:
            `total`, the numbers of statuses by path (`none`: the connection broke first), and the latest requests.
        """
        with self._lock:
            kept = list(self._kept)
            latest = kept[len(kept) - min(last, len(kept)) :]
            return {
                "total": self._total,
                "paths": {path: dict(statuses) for path, statuses in sorted(self._by_path.items())},
                "last": [
                    {
                        "method": seen.method,
                        "path": seen.path,
                        "query": seen.query,
                        "status": seen.status,
                        "fault": seen.fault,
                    }
                    for seen in latest
                ],
            }


class Recorder:
    """Middleware that keeps the journal and makes every answer late.

    Args:
        app: What answers.
        journal: The journal.
        prefix_spared: Paths that begin like this are neither noted nor late.
        latency: Seconds that every answer is late.
        jitter: Seconds that an answer is late on top, at most.
    """

    def __init__(self, app: ASGIApp, *, journal: Journal, prefix_spared: str, latency: float, jitter: float) -> None:
        self._app = app
        self._journal = journal
        self._spared = prefix_spared
        self._latency = latency
        self._jitter = jitter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note a request and have it answered.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.
        """
        if scope["path"].startswith(self._spared):
            await self._app(scope, receive, send)
            return
        seen = self._journal.begin(scope)
        noted = False

        async def note(message: Message) -> None:
            nonlocal noted
            if message["type"] == "http.response.start":
                noted = True
                # Before it is sent, so that whoever has the answer finds it in the journal.
                self._journal.answered(seen, message["status"], scope.get(STRUCK))
            await send(message)

        if self._latency or self._jitter:
            await asyncio.sleep(self._latency + random.uniform(0, self._jitter))
        try:
            await self._app(scope, receive, note)
        finally:
            if not noted:
                self._journal.answered(seen, None, scope.get(STRUCK))


class _FixedWindow:
    """So many requests in each window, which begins with the first request after the one before."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._begun = 0.0
        self._used = 0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Count a request.

        Args:
            now: When it came.

        Returns:
            Whether it is let through, how many more would be, and the seconds until there are more again.
        """
        if not self._used or now - self._begun >= self._window:
            self._begun, self._used = now, 0
        self._used += 1
        left = max(0, self._limit - self._used)
        return self._used <= self._limit, left, self._window - (now - self._begun)


class _SlidingWindow:
    """So many requests in the seconds before each; those that were refused are not counted."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._taken: deque[float] = deque()

    def take(self, now: float) -> tuple[bool, int, float]:
        """As of `_FixedWindow`."""
        while self._taken and now - self._taken[0] >= self._window:
            self._taken.popleft()
        through = len(self._taken) < self._limit
        if through:
            self._taken.append(now)
        return through, self._limit - len(self._taken), self._window - (now - self._taken[0])


class _Bucket:
    """As many requests at once as a window has, and then one after the other as they flow in evenly."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._rate = limit / window
        self._level = float(limit)
        self._seen = 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        """As of `_FixedWindow`."""
        self._level = min(self._limit, self._level + (now - self._seen) * self._rate)
        self._seen = now
        through = self._level >= 1
        if through:
            self._level -= 1
        left = int(self._level)
        return through, left, (left + 1 - self._level) / self._rate


RateKind = Literal["fixed", "sliding", "bucket"]
RateHeaders = Literal["total", "reset", "none"]
_KINDS: dict[RateKind, type[_FixedWindow | _SlidingWindow | _Bucket]] = {
    "fixed": _FixedWindow,
    "sliding": _SlidingWindow,
    "bucket": _Bucket,
}


class RateLimit:
    """Middleware that refuses the requests past so many in a time.

    Args:
        app: What answers.
        limit: The requests in a window.
        prefix_spared: Paths that begin like this are not counted.
        window: Its seconds.
        kind: How it counts.
        headers: What answers tell: the `total` and what remains, these and the seconds to the `reset`, or `none`. A
            refusal has `Retry-After` in any case.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        prefix_spared: str,
        window: float = _MINUTE,
        kind: RateKind = "fixed",
        headers: RateHeaders = "total",
    ) -> None:
        self._app = app
        self._limit = limit
        self._spared = prefix_spared
        self._count = _KINDS[kind](limit, window)
        self._headers = headers

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
        through, left, wait = self._count.take(time.monotonic())
        headers = self._tell(left, wait)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if not through:
            body = {
                "code": "rate_limit_reached",
                "message": "You have used up the requests that you may send a minute.",
            }
            # Sent rather than raised: exceptions are turned into answers further in than this middleware is.
            await Json(body, 429, {"Retry-After": str(max(1, int(wait) + 1))})(scope, receive, tell)
            return
        await self._app(scope, receive, tell)

    def _tell(self, left: int, wait: float) -> list[tuple[bytes, bytes]]:
        if self._headers == "none":
            return []
        remaining = (b"x-ratelimit-remaining", str(left).encode())
        if self._headers == "total":
            return [(b"x-ratelimit-total", str(self._limit).encode()), remaining]
        return [
            (b"x-ratelimit-limit", str(self._limit).encode()),
            remaining,
            (b"x-ratelimit-reset", str(math.ceil(wait)).encode()),
        ]
