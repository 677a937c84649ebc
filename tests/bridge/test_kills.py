"""Whoever is killed, and whenever: the next run ends with exactly the rows of the server."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import duckdb
import killed
import pytest

from support import command, config_for
from taps.engine.timestamps import parse_timestamp
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# dlt itself calls `Logger.warn` where it goes on with a load that was interrupted.
pytestmark = pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")

STREAMS = ["tickets", "conversations", "contacts", "agents", "companies"]
TAP = "tap-helpdesk"
AT_DLT = [
    ("tap run", 0),  # before the first row
    ("rows taken", 0),
    ("rows taken", 9),
    ("rows written", 1),
    ("rows written", 4),
    ("state kept", 1),
    ("extracted", 0),
    ("normalizing", 0),
    ("loading", 0),
    ("query", 4),
    ("query", 9),
    ("query", 14),
    ("job submitted", 0),
    ("job submitted", 3),
    *(("job committed", count) for count in range(6)),
    ("jobs completed", 0),
    ("jobs completed", 1),
    ("package loaded", 0),
]
AT_TAP = [("rows taken", 0), ("rows taken", 5), ("rows written", 3), ("state kept", 1)]


def settings_for(folder: Path, sandbox: Sandbox, tap: str) -> dict[str, Any]:
    config = config_for(sandbox, page_size=10)
    return {"tap": tap, "config": config, "streams": STREAMS, "folder": str(folder)}


def run_and_kill(folder: Path, sandbox: Sandbox, tap: str, at: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    settings = {**settings_for(folder, sandbox, tap), "at": at}
    return subprocess.run(
        [sys.executable, killed.__file__, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def assert_equal_to_the_server(folder: Path, sandbox: Sandbox) -> None:
    with duckdb.connect(str(folder / "rows.duckdb"), read_only=True) as database:
        for stream in STREAMS:
            rows = database.execute(f"select id, epoch_us(updated_at) from killed.{stream}").fetchall()
            held = [(record["id"], microseconds(record["updated_at"])) for record in sandbox.helpdesk.records(stream)]
            assert sorted(rows) == sorted(held), stream


def microseconds(timestamp: str) -> int:
    return (parse_timestamp(timestamp) - datetime.fromtimestamp(0, timezone.utc)) // timedelta(microseconds=1)


def kill_and_run_again(folder: Path, sandbox: Sandbox, tap: str, at: dict[str, Any], *, moves: bool = False) -> None:
    outcome = run_and_kill(folder, sandbox, tap, at)
    if at["who"] == "tap":
        assert "tap-helpdesk was killed by SIGKILL; nothing of this run is loaded" in outcome.stderr
        assert outcome.returncode == 1
    else:
        assert outcome.returncode == -signal.SIGKILL, outcome.stderr
    if moves:  # to another machine, which has the destination alone
        shutil.rmtree(folder / "pipelines")
    killed.run(**settings_for(folder, sandbox, tap))
    assert_equal_to_the_server(folder, sandbox)


@pytest.mark.parametrize(("point", "count"), AT_DLT)
def test_dlt_is_killed(tmp_path: Path, shared_sandbox: Sandbox, point: str, count: int) -> None:
    kill_and_run_again(tmp_path, shared_sandbox, TAP, {"point": point, "count": count, "who": "dlt"})


@pytest.fixture(scope="module")
def slow_sandbox() -> Iterator[Sandbox]:
    """A help desk that takes its time, so that the tap still runs when its first rows have come a long way."""
    with Sandbox(tickets=30, seed=5, latency=0.05) as running:
        yield running


@pytest.mark.parametrize("who", ["tap", "both"])
@pytest.mark.parametrize(("point", "count"), AT_TAP)
def test_a_tap_that_runs_as_a_process_is_killed(
    tmp_path: Path, slow_sandbox: Sandbox, point: str, count: int, who: str
) -> None:
    kill_and_run_again(tmp_path, slow_sandbox, command(TAP), {"point": point, "count": count, "who": who})


@pytest.mark.parametrize(("point", "count"), [("state kept", 2), ("extracted", 0), ("query", 9)])
def test_the_next_run_is_on_another_machine(tmp_path: Path, shared_sandbox: Sandbox, point: str, count: int) -> None:
    kill_and_run_again(tmp_path, shared_sandbox, TAP, {"point": point, "count": count, "who": "dlt"}, moves=True)


@pytest.mark.parametrize(("point", "count"), [("rows written", 3), ("query", 9)])
def test_what_changes_after_a_kill_comes_with_a_later_run(
    tmp_path: Path, sandbox: Sandbox, point: str, count: int
) -> None:
    killed.run(**settings_for(tmp_path, sandbox, TAP))
    sandbox.helpdesk.change(tickets=5, new=3, contacts=3)
    kill_and_run_again(tmp_path, sandbox, TAP, {"point": point, "count": count, "who": "dlt"})
    # What the killed run had extracted is loaded instead of anything new, so that this takes one run more.
    sandbox.helpdesk.change(tickets=4, new=2, contacts=2)
    killed.run(**settings_for(tmp_path, sandbox, TAP))
    assert_equal_to_the_server(tmp_path, sandbox)
