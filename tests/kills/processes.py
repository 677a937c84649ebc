"""What the system says of processes."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def of_session(session: int) -> list[int]:
    """Find the processes of a session that have not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == session and fields[0] not in {"Z", "X"}:
            found.append(int(entry.parent.name))
    return found


def command_line(process: int) -> str:
    """Give a process's arguments; empty where there is no such process any more."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    except OSError:
        return ""


def answers(process: int, number: signal.Signals = signal.SIGTERM) -> bool:
    """Tell whether a process has a handler for a signal."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def wait_for(condition: Callable[[], bool], seconds: float = 30, pause: float = 0.002) -> bool:
    """Wait until something is so; tell whether it came to that."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
