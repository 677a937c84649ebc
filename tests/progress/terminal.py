"""A command on a terminal of its own, and what its screen shows."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import shlex
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Any

import pyte

from support import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATIENCE = 60.0  # seconds


class Terminal:
    """Runs a tap whose standard error is a terminal, and whose standard output is a file or that terminal too.

    Args:
        folder: Where the files are.
        config: The tap's settings.
        columns: Width of the terminal.
        lines: Its height.
        env: Further variables of the environment.
        output_too: Whether standard output is the terminal as well.
        target: A shell's command that reads the output, and writes to the terminal what it has to say.
    """

    def __init__(
        self,
        folder: Path,
        config: dict[str, Any],
        *,
        columns: int = 110,
        lines: int = 40,
        env: dict[str, str] | None = None,
        output_too: bool = False,
        target: str = "",
    ) -> None:
        (folder / "config.json").write_text(json.dumps(config))
        self.output = folder / "output"
        self.raw = b""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        inherited = {
            name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES", "CI"}
        }
        line = [command("tap-helpdesk"), "--config", str(folder / "config.json")]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["sh", "-c", f"{shlex.join(line)} | ({target})"] if target else line,
                stdout=slave if output_too else output,
                stderr=slave,
                env={**inherited, "TERM": "xterm-256color", **(env or {})},
                start_new_session=True,
            )
        os.close(slave)

    def until(self, shows: Callable[[str], bool]) -> str:
        """Let it run until the screen shows something, or the process has ended; give the screen's text."""
        deadline = time.monotonic() + _PATIENCE
        while not shows(self.text) and self._read():
            assert time.monotonic() < deadline, self.text
        return self.text

    def to_the_end(self) -> str:
        """Let it run to its end."""
        self.until(lambda _: False)
        self.process.wait(_PATIENCE)
        return self.text

    def resize(self, columns: int, lines: int) -> None:
        """Change its size, as whoever drags the window does."""
        self.screen.resize(lines, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def is_divided(self) -> bool:
        """Whether a part of the screen scrolls by itself."""
        margins = self.screen.margins
        return margins is not None and (margins.top, margins.bottom) != (0, self.screen.lines - 1)

    def close(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait(_PATIENCE)
        os.close(self._master)

    def hides_cursor(self) -> bool:
        return bool(self.screen.cursor.hidden)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.1)[0]:
            return True
        try:
            read = os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            return False
        self.raw += read
        self._stream.feed(read)
        return bool(read)
