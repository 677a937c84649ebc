"""The example for cron: run as cron runs it, with a real target, with a target that fails, and beside itself."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import command, config_for

if TYPE_CHECKING:
    from taps.sandbox.server import Sandbox

_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = _ROOT / "examples" / "cron"


@pytest.fixture
def folder(sandbox: Sandbox, tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(config_for(sandbox)))
    (tmp_path / "target.json").write_text(json.dumps({"destination_path": ".", "do_timestamp_file": False}))
    tap = tmp_path / "tap"
    tap.write_text(f'#!/bin/sh\nexec {command("tap-helpdesk")} "$@"\n')
    tap.chmod(0o755)
    return tmp_path


def run(folder: Path, target: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "TAP": str(folder / "tap"), "TARGET": str(target)}
    return subprocess.run(
        [_EXAMPLE / "sync", folder], env=environment, cwd="/", capture_output=True, text=True, check=False
    )


def tickets(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "tickets.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_second_run_goes_on_where_the_first_ended(sandbox: Sandbox, folder: Path, target_jsonl: Path) -> None:
    held = {ticket["id"]: ticket for ticket in sandbox.helpdesk.records("tickets")}
    for _ in range(2):
        done = run(folder, target_jsonl)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert {ticket["id"]: ticket for ticket in tickets(folder)} == held
    # The records of the bookmark's own second may come again, and no others.
    assert len(held) <= len(tickets(folder)) < 1.5 * len(held)


def test_a_target_that_fails_leaves_the_state_as_it_was(sandbox: Sandbox, folder: Path, target_jsonl: Path) -> None:
    failing = folder / "failing"
    failing.write_text(f'#!/bin/sh\n{shlex.quote(str(target_jsonl))} "$@"\necho the disk is full >&2\nexit 3\n')
    failing.chmod(0o755)
    done = run(folder, failing)
    assert done.returncode == 1
    assert "failed, state.json is as before" in done.stderr
    assert "the disk is full" in done.stderr
    assert json.loads((folder / "state.json").read_text()) == {}
    (folder / "tickets.jsonl").unlink()
    assert run(folder, target_jsonl).returncode == 0
    assert {ticket["id"] for ticket in tickets(folder)} == {t["id"] for t in sandbox.helpdesk.records("tickets")}


def test_a_tap_that_fails_says_why_and_leaves_the_state_as_it_was(folder: Path, target_jsonl: Path) -> None:
    assert run(folder, target_jsonl).returncode == 0
    state = (folder / "state.json").read_text()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "api_key": "not-the-key"}))
    done = run(folder, target_jsonl)
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "Traceback" not in done.stderr
    assert "not-the-key" not in done.stderr + (folder / "sync.log").read_text()
    assert (folder / "state.json").read_text() == state


def test_a_run_beside_another_is_left_out(folder: Path, target_jsonl: Path) -> None:
    with (folder / "sync.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(folder, target_jsonl)
    assert done.returncode == 75
    assert "the run before has not ended" in done.stderr
    assert not (folder / "state.json").exists()


def test_the_page_shows_the_files_as_they_are() -> None:
    page = (_ROOT / "docs" / "orchestrators.md").read_text(encoding="utf-8")
    assert all((_EXAMPLE / name).read_text(encoding="utf-8") in page for name in ("sync", "crontab"))
