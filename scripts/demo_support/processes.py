"""Processes that end when they are no longer needed, with all that they have started."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from demo_support.stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["running", "stop"]

_STOP_SECONDS = 10


def stop(process: subprocess.Popen[str]) -> None:
    """End a process of `running` and all that it has started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(command: Sequence[str], **kwargs: Any) -> Iterator[subprocess.Popen[str]]:
    """Have a process, in a group of its own, for as long as it is needed."""
    process = subprocess.Popen(command, cwd=ROOT, text=True, encoding="utf-8", start_new_session=True, **kwargs)
    try:
        yield process
    finally:
        stop(process)
        if process.stdout is not None:
            process.stdout.close()
