"""Records that change while they are read, on demand."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from taps.sandbox.control import Store

__all__ = ["BadChurnError", "Changing", "Churn", "Churning"]

_EVERY = "every"


class BadChurnError(ValueError):
    """A spec that is not written as it should be; the message is one line."""


@dataclass(frozen=True)
class Churn:
    """What changes, and how often.

    Attributes:
        numbers: How many records change, by kind, as a store's `change` takes them.
        every: With which request: each, each second one, …
    """

    numbers: Mapping[str, int]
    every: int = 1

    @classmethod
    def parse(cls, spec: str, kinds: frozenset[str]) -> Churn:
        """Read a spec as a user writes it.

        Args:
            spec: Such as `tickets=2,new=1,delete=1,every=5`.
            kinds: The kinds of change that the API has.

        Raises:
            BadChurnError: It is none.
        """
        numbers = {}
        for part in spec.split(","):
            name, _, number = part.partition("=")
            if name not in {*kinds, _EVERY} or not re.fullmatch(r"[1-9]\d{0,5}", number, re.ASCII):
                valid = ", ".join((*sorted(kinds), _EVERY))
                raise BadChurnError(f"bad churn {spec!r}: {part!r} is none of {valid}, each with a number from 1")
            numbers[name] = int(number)
        every = numbers.pop(_EVERY, 1)
        if not numbers:
            raise BadChurnError(f"bad churn {spec!r}: it does not say what changes: {', '.join(sorted(kinds))}")
        return cls(numbers, every)


class Changing:
    """The change that is in force. Its methods may be called from any thread.

    Args:
        store: The records.
        spec: As of `Churn`; None for no change.

    Raises:
        BadChurnError: The spec is none.
    """

    def __init__(self, store: Store, spec: str | None = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self.replace(spec)

    def replace(self, spec: str | None) -> None:
        """Put another change in force, its count at zero.

        Args:
            spec: As of `Churn`; None for no change.

        Raises:
            BadChurnError: The spec is none; what was in force then stays.
        """
        churn = None if spec is None else Churn.parse(spec, self._store.changes)
        with self._lock:
            self._churn = churn
            self._seen = 0

    def go_on(self) -> None:
        """Count a request, and change what is due."""
        with self._lock:
            self._seen += 1
            due = self._churn.numbers if self._churn and self._seen % self._churn.every == 0 else None
        if due:
            self._store.change(**due)


class Churning:
    """Middleware that changes records before it lets a request through.

    Args:
        app: What answers.
        changing: The change in force.
        prefix_spared: Requests of paths that begin like this change nothing.
    """

    def __init__(self, app: ASGIApp, *, changing: Changing, prefix_spared: str) -> None:
        self._app = app
        self._changing = changing
        self._spared = prefix_spared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change what is to change, and have the request answered.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.
        """
        if not scope["path"].startswith(self._spared):
            self._changing.go_on()
        await self._app(scope, receive, send)
