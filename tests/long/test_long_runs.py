"""Syncs that go on and on, of a desk that changes all the time: nothing grows, and the rows are right in the end."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from support import config_for
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CHURN = "tickets=3,new=1,delete=1,contacts=1,every=25"
FAULTS = ["503:every=41", "429:every=67,retry_after=0", "reset:every=89", "truncated:every=113"]
MOST_GROWTH = 0.03  # of the memory, between the second quarter of the run and the last
MINUTES = 60


@pytest.fixture
def desk() -> Iterator[Sandbox]:
    with Sandbox(size=100, seed=11, page_cap=10, churn=CHURN, faults=FAULTS) as sandbox:
        yield sandbox


def loaded(database: Path, stream: str) -> dict[Any, dict[str, Any]]:
    with closing(sqlite3.connect(database)) as connection:
        records = [json.loads(text) for (text,) in connection.execute(f"SELECT record FROM {stream}")]
    return {record["id"]: record for record in records}


@pytest.mark.parametrize(
    ("seconds", "growth"),
    [
        pytest.param(15, 0.3, id="a quarter of a minute"),
        pytest.param(
            MINUTES * 60, MOST_GROWTH, id="an hour", marks=[pytest.mark.nightly, pytest.mark.timeout(2 * MINUTES * 60)]
        ),
    ],
)
def test_nothing_grows_and_the_rows_are_right_in_the_end(
    desk: Sandbox, tmp_path: Path, seconds: float, growth: float
) -> None:
    database = tmp_path / "desk.sqlite"
    with subprocess.Popen(
        [sys.executable, str(HERE / "syncing.py"), str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(config_for(desk)) + "\n")

        def once_more() -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            told: dict[str, Any] = json.loads(process.stdout.readline())
            assert not told["errors"]
            return told

        seen = [once_more()]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen.append(once_more())
        desk.set_churn(None)
        once_more()
    assert process.returncode == 0

    quarter = len(seen) // 4
    early, late = seen[quarter : 2 * quarter], seen[-quarter:]
    assert quarter >= 2, "the syncs are too slow to tell"
    for what in ("descriptors", "threads"):  # a worker may still be ending when one sync is looked at, not at each
        assert median(each[what] for each in late) <= median(each[what] for each in early), what
    before, after = (median(each["bytes"] for each in part) for part in (early, late))
    assert after <= before * (1 + growth), f"{before / 1e6:.1f} MB became {after / 1e6:.1f} MB in {len(seen)} syncs"
    print(f"{len(seen)} syncs, {sum(each['rows'] for each in seen)} rows, {before / 1e6:.1f} to {after / 1e6:.1f} MB")  # noqa: T201

    for stream in ("tickets", "conversations", "contacts", "agents"):
        held = {record["id"]: record for record in desk.helpdesk.records(stream)}
        got = loaded(database, stream)
        assert held.keys() <= got.keys(), stream
        for key, record in held.items():
            assert got[key].get("updated_at") == record.get("updated_at"), f"{stream} {key}"
