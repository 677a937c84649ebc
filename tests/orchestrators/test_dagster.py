"""The example for Dagster: its job run by Dagster itself, over HTTP, into DuckDB."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import duckdb
import pytest
from environments import install

from support import ROOT
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples" / "dagster"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("dagster-environment"), EXAMPLE, "-e", str(ROOT)) / "dagster"


def environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    (folder / "home").mkdir(exist_ok=True)
    (folder / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    return os.environ | {
        "HELPDESK_URL": sandbox.base_url,
        "HELPDESK_KEY": sandbox.api_key,
        "WAREHOUSE": str(folder / "warehouse.duckdb"),
        "DAGSTER_HOME": str(folder / "home"),
        "DLT_DATA_DIR": str(folder / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def run(command: Path, sandbox: Sandbox, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [command, "job", "execute", "-f", EXAMPLE / "definitions.py", "-j", "sync"],
        env=environment(sandbox, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert sandbox.api_key not in done.stdout + done.stderr
    return done


def counts(folder: Path, names: dict[str, int]) -> dict[str, int]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as warehouse:
        return {
            name: warehouse.sql(f'select count(*) from helpdesk."{name}"').fetchall()[0][0]  # one row
            for name in names
        }


def tickets(folder: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.sql("select id, subject, status, priority from helpdesk.tickets order by id").fetchall()


def test_each_stream_is_an_asset_and_a_second_run_reads_what_changed(command: Path, tmp_path: Path) -> None:
    with Sandbox(tickets=30, seed=3) as sandbox:
        first = run(command, sandbox, tmp_path)
        assert first.returncode == 0, first.stderr[-3000:]
        held = {name: count for name, count in sandbox.helpdesk.counts().items() if count}
        assert counts(tmp_path, held) == held
        assert first.stderr.count("ASSET_MATERIALIZATION - Materialized value dlt_helpdesk_") == 28
        changed = sandbox.helpdesk.change(tickets=3, new=2)
        sandbox.clear_requests()
        second = run(command, sandbox, tmp_path)
        assert second.returncode == 0, second.stderr[-3000:]
        read = {request.path.split("/")[3] for request in sandbox.requests if request.path.endswith("/conversations")}
        assert {str(ticket) for ticket in [*changed["tickets"], *changed["new"]]} <= read
        assert len(read) <= 6, "those of the tickets that changed, and of the bookmark's own second"
        assert tickets(tmp_path) == sorted(
            (each["id"], each["subject"], each["status"], each["priority"])
            for each in sandbox.helpdesk.records("tickets")
        )
        held = {name: count for name, count in sandbox.helpdesk.counts().items() if count}
        assert counts(tmp_path, held) == held


def test_a_run_that_fails_says_why_in_the_taps_own_line(command: Path, tmp_path: Path) -> None:
    definitions = (EXAMPLE / "definitions.py").read_text(encoding="utf-8")
    assert "max_retries=2, delay=300" in definitions, "Dagster would wait five minutes"
    with Sandbox(tickets=5, seed=3) as sandbox:
        sandbox.set_faults(["403:path=/v1/time_entries"])
        done = subprocess.run(
            [command.with_name("python"), "-c", ONCE, EXAMPLE / "definitions.py"],
            env=environment(sandbox, tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Stream 'time_entries' failed: GET /v1/time_entries: 403 Forbidden" in said
    assert sandbox.api_key not in said


#: The same assets, materialized in one process and once.
ONCE = """
import runpy, sys
from dagster import materialize
example = runpy.run_path(sys.argv[1])
materialize([example["helpdesk"]], resources={"loader": example["DagsterDltResource"]()})
"""


def test_the_page_shows_the_file() -> None:
    page = (ROOT / "docs" / "orchestrators.md").read_text(encoding="utf-8")
    assert (EXAMPLE / "definitions.py").read_text(encoding="utf-8") in page
