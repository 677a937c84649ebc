"""`tap-helpdesk | small_target.py`, with its state kept as Meltano keeps it, and a signal at a point of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import processes
import small_target

from support import command, config_for, selected_catalog
from taps.engine.timestamps import parse_timestamp
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from points import Point

    from taps.sandbox.server import Sandbox

STREAMS = ["tickets", "conversations"]
GRACE = 0.35  # seconds that a tap gives the target, less some for the machine
_LINE_OF_STOPPED = "Stopped by {} before the sync was complete"
_LINE_OF_BROKEN = "The reader of standard output has gone away; the sync stops here"


@dataclass
class Ended:
    """How a run ended.

    Attributes:
        code: The tap's exit code.
        target_code: The target's.
        log: What the tap wrote to standard error.
        target_log: What the target wrote there.
        armed: Whether the tap had got as far as to handle signals when it was sent one.
        killed: Whether it still ran then.
        seconds: From the signal to the tap's end.
        left: Processes of the tap's session after its end.
    """

    code: int
    target_code: int
    log: str
    target_log: str
    armed: bool = False
    killed: bool = False
    seconds: float = 0
    left: Sequence[int] = ()

    @property
    def errors(self) -> list[str]:
        """Lines of errors; those of a tap that has not come to its logging yet are plain."""
        return [line for line in self.log.splitlines() if "| ERROR" in line or line.startswith("Stopped by")]


class Pipeline:
    """A tap and a target, what the target has loaded, and the state that is kept.

    Args:
        folder: For all of its files.
        sandbox: What is read.
        **settings: Of the tap.
    """

    def __init__(self, folder: Path, sandbox: Sandbox, **settings: Any) -> None:
        self._folder = folder
        self._sandbox = sandbox
        self._database = folder / "rows.sqlite"
        self._state = folder / "state.json"
        # What a run waits for is never over in time, if it is not for the signal.
        config = config_for(sandbox, backoff_factor=30, max_retries=6, **settings)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "catalog.json").write_text(json.dumps(selected_catalog(TapHelpdesk, config, STREAMS)))

    @property
    def state(self) -> dict[str, Any]:
        """The state that is kept; empty if there is none."""
        kept: dict[str, Any] = json.loads(self._state.read_text()) if self._state.exists() else {}
        return kept

    def run(self) -> Ended:
        """Run to the end."""
        with self._running(None) as (tap, target):
            return self._ended(tap, target)

    def run_to(self, point: Point, requests: int) -> Ended:
        """Run until a point, and send the signal that it names.

        Args:
            point: The point.
            requests: How many requests the whole run makes.
        """
        marker = self._folder / f"marker-{time.monotonic_ns()}"
        with self._running(point, marker) as (tap, target):
            processes.wait_for(lambda: tap.poll() is not None or self._reached(point, marker, requests))
            time.sleep(point.delay)
            if point.changes == "before":
                self._sandbox.helpdesk.change(tickets=3, new=2)
            armed, killed = processes.answers(tap.pid), tap.poll() is None
            begun = time.monotonic()
            # A process that has ended, but was not waited for, still has its number: nobody else is hit.
            for process in {"tap": [tap], "target": [target], "both": [tap, target]}[point.who]:
                process.send_signal(point.sent)
            tap.wait(60)
            seconds = time.monotonic() - begun
            left = processes.of_session(tap.pid)
            if point.when == "full":
                target.kill()
            ended = self._ended(tap, target)
            ended.armed, ended.killed, ended.seconds, ended.left = armed, killed, seconds, left
            return ended

    def _reached(self, point: Point, marker: Path, requests: int) -> bool:
        seen = self._sandbox.requests
        if point.when == "start":
            time.sleep(point.count)
            return True
        if point.when == "line":
            return marker.exists()
        if point.when == "full":  # nothing moves any more
            time.sleep(0.15)
            return marker.exists() and len(self._sandbox.requests) == len(seen)
        if point.when == "last":
            return len(seen) >= requests - point.count
        return len(seen) >= point.count and (point.when != "retry" or any(request.fault for request in seen))

    @contextlib.contextmanager
    def _running(
        self, point: Point | None, marker: Path | None = None
    ) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
        reads = point is not None and point.when in {"line", "full"}
        settings = {
            "database": str(self._database),
            "batch": point.batch if point else 100,
            "pause": point.pause if point else 0,
            "marker": str(marker),
            "line": point.count if point and reads else None,
            "stalls": bool(point and point.when == "full"),
        }
        arguments = ["--config", "config.json", "--catalog", "catalog.json"]
        if self._state.exists():
            arguments += ["--state", "state.json"]
        read, write = os.pipe()
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context((self._folder / name).open("wb")) for name in _OUTPUTS]
            if point:
                fcntl.fcntl(write, _PIPE_SIZE, point.pipe)
            try:
                target = subprocess.Popen(
                    [sys.executable, "-I", "-S", small_target.__file__, json.dumps(settings)],
                    stdin=read,
                    stdout=files[1],
                    stderr=files[2],
                )
                stack.callback(_end, target)
                tap = subprocess.Popen(
                    [command("tap-helpdesk"), *arguments],
                    cwd=self._folder,
                    stdout=write,
                    stderr=files[0],
                    start_new_session=True,
                )
                stack.callback(_end, tap)
            finally:
                os.close(read)
                os.close(write)
            yield tap, target

    def _ended(self, tap: subprocess.Popen[bytes], target: subprocess.Popen[bytes]) -> Ended:
        """Wait for both, and keep the last STATE that the target has printed, as Meltano does whoever has failed."""
        codes = tap.wait(60), target.wait(60)
        logs = {name: (self._folder / name).read_text() for name in _OUTPUTS}
        states = [line for line in logs["states.jsonl"].splitlines(keepends=True) if line.endswith("\n")]
        if states:
            self._state.write_text(states[-1])
        return Ended(*codes, logs["tap.log"], logs["target.log"])

    def loaded(self, stream: str) -> list[dict[str, Any]]:
        """Give the rows that are there."""
        if not self._database.exists():
            return []
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            connection.execute(small_target._TABLE)
            rows = connection.execute("select record from rows where stream = ?", [stream]).fetchall()
        return [json.loads(record) for (record,) in rows]

    # What must hold

    def assert_the_state_is_kept_to(self) -> None:
        """All that the bookmark is past is there, with its children, and is what the server has."""
        bookmark = self.state.get("bookmarks", {}).get("tickets", {}).get("replication_key_value")
        if bookmark is None:
            return
        past = parse_timestamp(bookmark)
        covered = {
            ticket["id"]
            for ticket in self._sandbox.helpdesk.records("tickets")
            if parse_timestamp(ticket["updated_at"]) < past
        }
        self._assert_there(lambda stream, record: record["id" if stream == "tickets" else "ticket_id"] in covered)

    def assert_complete(self) -> None:
        """Every row of the server is there once, and is what the server has."""
        self._assert_there(lambda *_: True)
        for stream in STREAMS:
            keys = [record["id"] for record in self.loaded(stream)]
            assert len(keys) == len(set(keys)), f"{stream}: a key is there twice"
            assert len(keys) == len(self._sandbox.helpdesk.records(stream)), stream

    def _assert_there(self, wanted: Callable[[str, dict[str, Any]], bool]) -> None:
        for stream in STREAMS:
            there = {record["id"]: record for record in self.loaded(stream)}
            for held in self._sandbox.helpdesk.records(stream):
                if wanted(stream, held):
                    assert held["id"] in there, f"{stream} {held['id']} is missing; state {self.state}"
                    row = there[held["id"]]
                    assert row.items() >= json.loads(json.dumps(held)).items(), f"{stream} {held['id']} is another"


_OUTPUTS = ("tap.log", "states.jsonl", "target.log")
_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which `fcntl` has a name for only from Python 3.10 and on Linux


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(10)


def assert_stopped_as_it_should(ended: Ended, sent: signal.Signals) -> None:
    """After SIGTERM or SIGINT: gone within a second, with an exit code and one line that say so, and nothing left."""
    assert ended.seconds <= 1, f"{ended.seconds:.2f} s"
    assert ended.code == 128 + sent
    assert len(ended.errors) == 1, ended.log
    assert _LINE_OF_STOPPED.format(sent.name) in ended.errors[0]
    assert_clean(ended)


def assert_noticed_that_nobody_reads(ended: Ended) -> None:
    """After the target's end: one line, an exit code that is not 0, and nothing left."""
    assert ended.code == 1
    assert len(ended.errors) == 1, ended.log
    assert _LINE_OF_BROKEN in ended.errors[0]
    assert_clean(ended)


def assert_clean(ended: Ended) -> None:
    """No traceback, and no process is left."""
    assert "Traceback" not in ended.log
    assert "Exception ignored" not in ended.log
    assert not ended.left
