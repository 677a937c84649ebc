"""`meltano run tap-helpdesk target-duckdb` is killed, as a whole or in part: the next run completes the tables."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import processes
import pytest
from meltano_project import MELTANO, PLUGINS, Project

from support import ROOT
from taps.engine.timestamps import parse_timestamp
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

SEED = 20_262
_REQUESTS = 45  # of some 60 that a whole run makes
_TERM, _INT, _KILL = signal.SIGTERM, signal.SIGINT, signal.SIGKILL
KILLS = [
    ("tap-helpdesk", _TERM),
    ("tap-helpdesk", _INT),
    ("tap-helpdesk", _KILL),
    ("target-duckdb", _TERM),
    ("target-duckdb", _KILL),
    ("all", _TERM),
    ("all", _INT),  # as Ctrl+C in a terminal
    ("all", _KILL),
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tickets=40, seed=31, latency=0.03, jitter=0.03) as running:
        yield running


@pytest.fixture(scope="module")
def _plugins(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Sandbox(tickets=1) as unread:
        Project(tmp_path_factory.mktemp("meltano"), unread).install(*PLUGINS)


@pytest.fixture
def project(_plugins: None, tmp_path: Path, sandbox: Sandbox) -> Project:
    project = Project(tmp_path, sandbox)
    project.env |= {
        "MELTANO_STATE_BACKEND_URI": f"file://{tmp_path}/state",
        "TAP_HELPDESK__SELECT": '["tickets.*", "conversations.*"]',
        "TAP_HELPDESK_PAGE_SIZE": "5",
        "TARGET_DUCKDB_BATCH_SIZE_ROWS": "12",
    }
    return project


class Run:
    """`meltano run` in a session of its own, so that a signal to the group reaches all of it and nothing else."""

    def __init__(self, project: Project, folder: Path) -> None:
        self._log = folder / "meltano.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(MELTANO), "--log-format=json", "run", *PLUGINS],
                cwd=ROOT,
                env=project.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def process(self, plugin: str) -> int:
        """Find a plugin's process; the one that discovers the catalog is another."""
        lines = {process: processes.command_line(process) for process in processes.of_session(self._process.pid)}
        [found] = [number for number, line in lines.items() if f"bin/{plugin} " in line and "--discover" not in line]
        return found

    def send(self, who: str, sent: signal.Signals) -> float:
        """Send a signal; give the seconds until the tap has ended."""
        tap = self.process("tap-helpdesk")
        begun = time.monotonic()
        if who == "all":
            os.killpg(self._process.pid, sent)
        else:
            os.kill(self.process(who), sent)
        assert processes.wait_for(lambda: tap not in processes.of_session(self._process.pid))
        return time.monotonic() - begun

    def end(self) -> int:
        code = self._process.wait(60)
        assert processes.wait_for(lambda: not processes.of_session(self._process.pid), 10), "something is left"
        return code

    def kill(self) -> None:
        for process in processes.of_session(self._process.pid):
            os.kill(process, _KILL)
        self._process.wait(10)


@pytest.mark.parametrize(("who", "sent"), KILLS, ids=lambda value: getattr(value, "name", value))
def test_the_next_run_completes_the_tables(
    tmp_path: Path, project: Project, sandbox: Sandbox, who: str, sent: signal.Signals
) -> None:
    chance = random.Random(f"{SEED}-{who}-{sent.name}")  # noqa: S311
    at, delay = chance.randrange(3, _REQUESTS), chance.uniform(0, 0.05)
    run = Run(project, tmp_path)
    try:
        assert processes.wait_for(lambda: len(sandbox.requests) >= at or not run.runs)
        time.sleep(delay)
        assert run.runs, f"it was to be killed {delay:.3f} s after request {at}: {run.log}"
        seconds = run.send(who, sent)
        code = run.end()
    finally:
        run.kill()
    place = f"{who} got {sent.name} {delay:.3f} s after request {at}; seed {SEED}"
    assert code != 0, place
    if who != "target-duckdb" and sent is not _KILL:
        assert seconds <= 1, place
        assert run.log.count(f"Stopped by {sent.name} before the sync was complete") == 1, f"{place}\n{run.log}"
    if who == "tap-helpdesk":
        assert "Traceback" not in run.log, f"{place}\n{run.log}"
    kept = bookmark(tmp_path)

    sandbox.helpdesk.change(tickets=3, new=2)
    sandbox.clear_requests()
    done = project.meltano("run", "--force", *PLUGINS)  # of a Meltano that was killed the run counts as running
    assert done.returncode == 0, f"{place}\n{done.stderr}{done.stdout}"
    assert_complete(project, sandbox)
    first = next(request for request in sandbox.requests if request.path == "/v1/tickets")
    assert kept is None or parse_timestamp(first.query["updated_since"]) >= kept


def bookmark(folder: Path) -> datetime | None:
    """Give the bookmark of tickets that Meltano has kept."""
    for path in (folder / "state").rglob("state.json"):
        state: dict[str, Any] = json.loads(path.read_text())
        kept = state["completed"]["singer_state"]["bookmarks"]["tickets"].get("replication_key_value")
        return parse_timestamp(kept) if kept else None
    return None


def assert_complete(project: Project, sandbox: Sandbox) -> None:
    texts = {"tickets": ("subject", "description"), "conversations": ("body", "body_text")}
    for stream, columns in texts.items():
        names = ("id", *columns)
        rows = project.rows(f"select {', '.join(names)}, epoch_ms(updated_at) from helpdesk.{stream}")
        held = [
            (
                *(record[name] for name in names),
                round(parse_timestamp(record["updated_at"]).timestamp() * 1_000),
            )
            for record in sandbox.helpdesk.records(stream)
        ]
        assert sorted(rows) == sorted(held), stream
