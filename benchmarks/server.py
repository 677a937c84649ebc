"""The server that all programs read: the sandbox's help desk, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from benchmarks.places import LOGS, BenchmarkError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Server", "served"]

_ADDRESS = re.compile(r"tap-sandbox serves the .* at (http://\S+) ")
_START_SECONDS = 60
_STOP_SECONDS = 10
#: Megabytes that the pages of one ticket take in the server's cache, plain and compressed, for one order of reading.
_MB_A_TICKET = 0.004
#: Programs that read in orders of their own.
_ORDERS = 4


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: The API's root.
        process: Its process' id.
        tickets: How many tickets it has.
    """

    url: str
    process: int
    tickets: int

    def counts(self) -> dict[str, int]:
        """Tell how many records there are by stream."""
        answer = requests.get(f"{self.url}/_sandbox/helpdesk/counts", timeout=600)
        answer.raise_for_status()
        counts: dict[str, int] = answer.json()
        return counts

    @property
    def cpu(self) -> float | None:
        """The seconds of CPU that it has used, where the system tells."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(tickets: int, *, latency_ms: float = 0, jitter_ms: float = 0) -> Iterator[Server]:
    """Have a server for as long as it is needed.

    Pages are kept once they are made, so a second reading of the same pages costs the server next to nothing.

    Args:
        tickets: How many tickets it has.
        latency_ms: Milliseconds that every answer is late.
        jitter_ms: Milliseconds that an answer is late on top, at most.

    Yields:
        The server.

    Raises:
        BenchmarkError: It does not come up.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"server-{tickets}-{latency_ms:g}ms.log"
    command = [sys.executable, "-m", "taps.sandbox.cli", "--quiet", "--api", "helpdesk", "--tickets", str(tickets)]
    command += ["--latency", str(latency_ms / 1_000), "--jitter", str(jitter_ms / 1_000)]
    # Not all programs know that pages end at a number, or can read numbers of more than 64 bits.
    command += ["--max-ticket-pages", str(tickets + 1), "--option", "huge_numbers=false"]
    command += ["--cache-mb", str(512 + int(tickets * _MB_A_TICKET * _ORDERS))]
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True) as process,
    ):
        try:
            yield Server(_address(process, log), process.pid, tickets)
        finally:
            _stop(process)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    # Unless it gets to speak in time, it is stopped, and that ends the reading.
    timer = threading.Timer(_START_SECONDS, _stop, [process])
    timer.start()
    found = _ADDRESS.match(process.stdout.readline() if process.stdout else "")
    timer.cancel()
    if not found:
        raise BenchmarkError(f"the server did not start within {_START_SECONDS} s; what it said is in {shown(log)}")
    return found[1]


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
