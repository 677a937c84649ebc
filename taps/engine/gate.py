"""Requests side by side, and one alone where the API is in trouble."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taps.engine.budget import BudgetClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Gate"]


class Gate:
    """Lets requests of all threads through, or those of one alone, as long as it asks for that; safe for threads.

    A request that has failed twice is tried again alone. Among others it could meet the API's trouble once more each
    time, and use up its tries where a client that asks for one thing after another would long have got through.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._alone: int | None = None
        self._inside = 0
        self._closed = False

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Wait until a request may start, and count it until it has ended.

        Raises:
            BudgetClosedError: The gate is closed, or is meanwhile.
        """
        with self._changed:
            self._wait_while(lambda: self._alone not in {None, threading.get_ident()})
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                if self._alone is not None:
                    self._changed.notify_all()

    def claim(self) -> None:
        """Let only this thread's requests through from now on, when those of others have ended.

        Raises:
            BudgetClosedError: The gate is closed, or is meanwhile.
        """
        with self._changed:
            self._wait_while(lambda: self._alone not in {None, threading.get_ident()})
            self._alone = threading.get_ident()
            self._wait_while(lambda: self._inside > 0)

    def leave(self) -> None:
        """Let others through again, if this thread has kept them out."""
        if self._alone == threading.get_ident():
            with self._changed:
                self._alone = None
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody through any more, and wake all who wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_while(self, busy: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._closed or not busy())
        if self._closed:
            raise BudgetClosedError
