"""The lowest lines of a terminal, kept for what is redrawn, while all else scrolls above them.

A view that is drawn where the cursor is, as most libraries do it, has to know of every other line that gets to the
terminal. In `tap-… | target-…` the target writes there too, and a redraw would wipe its lines out. So the view has
lines of its own, which the terminal's scrolling region leaves out: the log, warnings and whatever other programs write
stay whole, without passing through here.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RELEASE", "Screen"]

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_ALL_ROWS = "\x1b[r"
_ERASE_LINE, _ERASE_BELOW = "\x1b[2K", "\x1b[J"
RELEASE = f"{_SAVE}{_ALL_ROWS}{_RESTORE}\r{_ERASE_BELOW}".encode()
"""Gives all lines of a terminal back, and wipes out what is below the cursor, and a `^C` in its own line."""

_PATIENCE = 0.1  # seconds; whoever stops the process does not wait for a terminal that takes nothing


class Screen:
    """The lowest lines of a terminal. The cursor stays where it is, and visible, so that it is so after any end.

    Args:
        descriptor: Of the terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.RLock()
        self._size: os.terminal_size | None = None
        self._height = 0
        self._closed = False

    @property
    def size(self) -> os.terminal_size:
        """The terminal's columns and rows; 0 of both where there is none any more."""
        try:
            return os.get_terminal_size(self._descriptor)
        except OSError:
            return os.terminal_size((0, 0))

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines, none of which may be wider than the terminal; none at all in the background.

        Args:
            lines: Text with its escape sequences.
        """
        with self._lock:
            size = self.size
            if self._closed or not self._in_foreground() or len(lines) >= size.lines:
                return
            text = ""
            if (size, len(lines)) != (self._size, self._height):
                text += self._reserve(size, len(lines))
            top = size.lines - len(lines) + 1
            rows = "".join(f"\x1b[{top + index};1H{_ERASE_LINE}{line}" for index, line in enumerate(lines))
            self._write(f"{text}{_SAVE}{rows}{_RESTORE}")

    def close(self) -> None:
        """Give the lines back, and draw no more; also in a signal handler."""
        if not self._lock.acquire(timeout=_PATIENCE):
            return
        try:
            if not self._closed and self._size is not None and self._in_foreground():
                self._write(RELEASE.decode())
            self._closed = True
        finally:
            self._lock.release()

    def _reserve(self, size: os.terminal_size, height: int) -> str:
        # Below the cursor there is nothing but the view, wherever a terminal puts it that was made larger.
        before = "" if self._size is None else RELEASE.decode()
        self._size, self._height = size, height
        room = "\n" * height + f"\x1b[{height}A"  # what is on these lines moves up
        return f"{before}{room}{_SAVE}\x1b[1;{size.lines - height}r{_RESTORE}"

    def _in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # a terminal that controls no session, as in a container without one
            return True

    def _write(self, text: str) -> None:
        # In one piece, so that nothing that others write gets in between.
        with suppress(OSError):
            os.write(self._descriptor, text.encode())
