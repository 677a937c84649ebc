"""Runs one program and tells what it took; a process of its own, small, with the standard library alone.

What to run comes as JSON on standard input, what it took goes as JSON to standard output. The peak memory that the
kernel tells of a process is never less than that of the process which started it: that is why this one is small (about
10 MB), and why the benchmarks themselves start no program.

Modes:
    run: Standard output goes to nowhere. This is what is measured.
    first: Until the first line that is a record has come; then the program is ended.
    count: All lines are read and counted, by type and stream.
    tree: The same, and memory is that of the program and all processes that it starts, together.
    hash: The same, and hashed with the times of extraction blanked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

TYPE_CHECKING = False  # the real one would make this process larger
if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE = re.compile(rb'\{"type":\s*"(\w+)"')
_STREAM = re.compile(rb'"stream":\s*"(\w+)"')
_EXTRACTED = re.compile(rb'"time_extracted":\s*"[^"]*"')
#: Where in a line its stream is named.
_HEAD = 400
_LOOK_EVERY = 0.1  # seconds


class Reader:
    """Reads a program's output.

    Args:
        hashed: Whether to hash it.
    """

    def __init__(self, *, hashed: bool) -> None:
        self._hash = hashlib.sha256() if hashed else None
        self._messages: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()
        self._records: Counter[str] = Counter()
        self._phases: dict[str, float] = {}

    def take(self, line: bytes) -> bool:
        """Take note of a line, and tell whether it is a record."""
        found = _TYPE.match(line)
        kind = found[1].decode() if found else "other"
        self._messages[kind] += 1
        self._sizes[kind] += len(line)
        if self._hash:
            self._hash.update(_EXTRACTED.sub(b'"time_extracted":""', line))
        if kind == "RECORD" and (stream := _STREAM.search(line, 0, _HEAD)):
            self._records[stream[1].decode()] += 1
        elif kind == "COUNT":
            told = json.loads(line)
            self._records[told["stream"]] += told["count"]
        elif kind == "PHASES":
            self._phases = json.loads(line)["seconds"]
        return kind == "RECORD"

    @property
    def told(self) -> dict[str, object]:
        """What was read: messages and their bytes by type, records by stream, the hash, and seconds by phase."""
        return {
            "messages": self._messages,
            "bytes": self._sizes,
            "records": self._records,
            "hash": self._hash.hexdigest() if self._hash else None,
            "phases": self._phases,
        }


class Tree(threading.Thread):
    """Looks again and again how much memory a process and all that it started have together.

    What they share is counted once.

    Args:
        root: The process.
    """

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._ended = threading.Event()
        self.peak_kb = 0

    def run(self) -> None:
        """Look until the end; while there is one process alone, the kernel's own figure is the better one."""
        while not self._ended.wait(_LOOK_EVERY):
            processes = list(_with_children(self._root))
            if len(processes) > 1:
                self.peak_kb = max(self.peak_kb, sum(map(_share_kb, processes)))

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()


def _with_children(process: int) -> Iterator[int]:
    yield process
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208 - as above
            with open(f"/proc/{process}/task/{thread}/children", encoding="ascii") as file:  # noqa: PTH123
                children = file.read().split()
            for child in children:
                yield from _with_children(int(child))


def _share_kb(process: int) -> int:
    """Give a process's resident memory; of what several processes have, its share."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123
        return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return 0


def measure(command: list[str], mode: str, log: str, limit: int) -> dict[str, object]:
    """Run a program.

    Args:
        command: The program and its arguments.
        mode: What to do with its output (see the module).
        log: The file for what it says on standard error.
        limit: Seconds after which it is ended.

    Returns:
        `seconds` from its start to its end (in the mode `first`, to its first record), `cpu` seconds of its own,
        `memory_mb` (its peak resident memory, in 10^6 bytes), its exit `code`, and what was read of its output.
    """
    reader = Reader(hashed=mode == "hash")
    seconds = None
    with open(log, "wb") as errors:  # noqa: PTH123 - pathlib would make this process larger
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if mode == "run" else subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        tree = Tree(process.pid)
        if mode == "tree":
            tree.start()
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(limit)
        try:
            for line in process.stdout or ():
                if reader.take(line) and mode == "first":
                    seconds = time.perf_counter() - started
                    os.killpg(process.pid, signal.SIGKILL)
                    break
            _, status, usage = os.wait4(process.pid, 0)
            seconds = seconds or time.perf_counter() - started
            if mode == "tree":
                tree.end()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        signal.alarm(0)
    first_came = mode == "first" and reader.told["records"]
    return {
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory_mb": max(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), tree.peak_kb * 1024) / 1e6,
        "code": 0 if first_came else process.returncode,
        **reader.told,
    }


def _stopped(number: int, _frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stopped)
    json.dump(measure(**json.load(sys.stdin)), sys.stdout)
