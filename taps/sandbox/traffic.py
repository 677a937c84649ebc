"""What goes over the wire: a journal of the requests, and how late answers are."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from taps.sandbox.breakage import STRUCK

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT_REQUESTS = 20_000


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
