"""The example for Airflow: run by Airflow itself, with Meltano and DuckDB, for two accounts over HTTP."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from environments import install
from meltano_project import MELTANO, PLUGINS, Project

from support import ROOT
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EXAMPLE = ROOT / "examples" / "airflow"
_FAULT = "403:path=/v1/time_entries"
_REASON = "Stream 'time_entries' failed: GET /v1/time_entries: 403 Forbidden"


@dataclass
class Airflow:
    """An Airflow with the example's DAG, and what its two connections lead to."""

    command: Path
    folder: Path
    project: Project
    europe: Sandbox
    america: Sandbox

    def __call__(self, *arguments: str, **connection: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what is named replaces that part of Europe's connection."""
        own = {name: value for name, value in self.project.env.items() if not name.startswith(("AIRFLOW", "TAP_"))}
        america = {"conn_type": "http", "host": self.america.base_url, "password": self.america.api_key}
        europe = {"conn_type": "http", "host": self.europe.base_url, "password": self.europe.api_key, **connection}
        env = own | {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SCARF_ANALYTICS": "false",
            "AIRFLOW_CONN_HELPDESK_EUROPE": json.dumps(europe),
            "AIRFLOW_CONN_HELPDESK_AMERICA": json.dumps(america),
            "TAP_HELPDESK_BACKOFF_FACTOR": "0",
            "MELTANO": str(MELTANO),
            "MELTANO_PROJECT_ROOT": str(ROOT),
        }
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        secrets = {europe["password"], america["password"]}
        written = [done.stdout.encode(), done.stderr.encode()]
        written += [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        assert not [secret for secret in secrets if any(secret.encode() in text for text in written)]
        return done

    def run(self) -> str:
        done = self("dags", "test", "support")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def be_impatient(self, retries: int) -> None:
        """Try so often again, after a second, where the example does four times in a quarter of an hour."""
        text = (_EXAMPLE / "support.py").read_text(encoding="utf-8")
        for kept, other in (
            ('"retries": 4', f'"retries": {retries}'),
            ("timedelta(minutes=1)", "timedelta(seconds=1)"),
        ):
            assert kept in text
            text = text.replace(kept, other)
        (self.folder / "dags" / "support.py").write_text(text, encoding="utf-8")

    def assert_loaded(self) -> None:
        """Every row of either account is in the schema of its own, and the tickets have their values."""
        for schema, sandbox in (("helpdesk_europe", self.europe), ("helpdesk_america", self.america)):
            held = sandbox.helpdesk.counts()
            counts = {name: self.project.rows(f'select count(*) from {schema}."{name}"')[0][0] for name in held}
            assert counts == held
            tickets = self.project.rows(f"select id, subject, status from {schema}.tickets order by id")
            assert tickets == sorted((t["id"], t["subject"], t["status"]) for t in sandbox.helpdesk.records("tickets"))


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("airflow-environment"), _EXAMPLE) / "airflow"


@pytest.fixture(scope="module")
def airflow(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    folder, data = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("meltano")
    (folder / "dags").mkdir()
    (folder / "dags" / "support.py").write_bytes((_EXAMPLE / "support.py").read_bytes())
    with Sandbox(tickets=30, seed=5) as europe, Sandbox(tickets=20, seed=6) as america:
        project = Project(data, europe)
        project.install(*PLUGINS)
        made = Airflow(command, folder, project, europe, america)
        migrated = made("db", "migrate")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        yield made


def test_the_dag_has_no_import_errors(airflow: Airflow) -> None:
    listed = airflow("dags", "list-import-errors")
    assert listed.returncode == 0
    assert "No data found" in listed.stdout


def test_both_accounts_are_loaded_and_a_second_run_reads_what_changed(airflow: Airflow) -> None:
    airflow.run()
    airflow.assert_loaded()
    changed = airflow.europe.helpdesk.change(tickets=4, new=2)
    airflow.europe.clear_requests()
    airflow.run()
    airflow.assert_loaded()
    asked = [request.path for request in airflow.europe.requests if request.path.endswith("/conversations")]
    read = {int(path.split("/")[3]) for path in asked}
    # The tickets of the bookmark's own second may come again, and no others.
    assert {*changed["tickets"], *changed["new"]} <= read
    assert len(read) < 12


def test_a_failure_is_told_and_the_next_run_and_a_retry_complete_it(airflow: Airflow) -> None:
    airflow.be_impatient(retries=0)
    for sandbox in (airflow.europe, airflow.america):
        sandbox.helpdesk.change(tickets=3, new=2)
    airflow.europe.set_faults([_FAULT])
    failed = airflow("dags", "test", "support")
    said = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert _REASON in said
    assert "Extractor failed" in said
    assert "Traceback" not in "".join(line for line in said.splitlines(keepends=True) if "tap-helpdesk" in line)

    airflow.be_impatient(retries=1)
    # One refusal, which fails the first try; the retry has the rest.
    airflow.europe.set_faults([f"{_FAULT},times=1"])
    assert _REASON in airflow.run()
    airflow.assert_loaded()


def test_a_wrong_key_fails_the_task_and_is_not_told(airflow: Airflow) -> None:
    refused = airflow("tasks", "test", "support", "helpdesk_europe", password="made-up-and-not-to-be-seen")
    said = refused.stdout + refused.stderr  # this command ends with 0 where the task is to be tried again
    assert "GET /v1/agents: 401 Unauthorized" in said
    assert "Check 'api_key', and that it belongs to 'base_url'" in said
    assert "The command returned a non-zero exit code 1" in said


def test_the_page_shows_the_file_as_it_is() -> None:
    page = (ROOT / "docs" / "orchestrators.md").read_text(encoding="utf-8")
    assert (_EXAMPLE / "support.py").read_text(encoding="utf-8") in page
