"""How the process of a tap ends when it is told to: within half a second, and with whole lines where that is possible.

An exception that is raised out of a signal handler, as the SDK does it, is raised wherever the program happens to be:
in the middle of a line, or where it is swallowed. And an interpreter that ends in the usual way first writes what is
still buffered, and waits for whoever does not read it. So the process of a command ends at once, without either.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Stopping", "stopping"]

_GRACE = 0.4  # seconds for what is better finished than left half done


class Stopping:
    """Ends the process at SIGTERM or SIGINT, unless it is a host's: a host that runs a tap decides for itself."""

    def __init__(self) -> None:
        self.armed = False
        """Whether this process is a tap's own."""
        self.last_words = b""
        """What is written to standard error at the very end, such as that the cursor be shown again."""
        self._lock = threading.RLock()
        self._unfinished = 0
        self._code: int | None = None

    def arm(self) -> None:
        """Take over both signals, before anything is imported that takes long."""
        self.armed = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_early)

    def stop(self, number: int, say: Callable[[str], object]) -> None:
        """End the process with 128 and the signal's number; returns only while something is being finished.

        Args:
            number: The signal.
            say: Tells the user, in one line.
        """
        if self._code is not None:  # told again
            self._exit()
        self._code = 128 + number
        # First of all: whoever is to be told may not read, and a lock that is wanted may be held.
        signal.signal(signal.SIGALRM, lambda *_: self._exit())
        signal.setitimer(signal.ITIMER_REAL, _GRACE)
        try:
            say(f"Stopped by {signal.Signals(number).name} before the sync was complete")
        finally:
            with self._lock:
                if not self._unfinished:
                    self._exit()

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Do something that a stop lets come to its end, if that is soon; after a stop nothing is begun any more."""
        with self._lock:
            begins = self._code is None
            self._unfinished += begins
        if not begins:
            threading.Event().wait()  # for the end of the process
        try:
            yield
        finally:
            with self._lock:
                self._unfinished -= 1
                if self._code is not None and not self._unfinished:
                    self._exit()

    def _stop_early(self, number: int, _frame: FrameType | None) -> None:
        # There is no tap yet that could log it.
        self.stop(number, lambda line: os.write(2, f"{line}\n".encode()))

    def _exit(self) -> NoReturn:
        if self.last_words:
            with suppress(OSError):
                os.write(2, self.last_words)
        os._exit(self._code or 1)


stopping = Stopping()
"""Of this process."""
