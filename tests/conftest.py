from __future__ import annotations

import importlib
import logging
import subprocess
import venv
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres_server import Postgres
    from pyspark.sql import SparkSession

# The same examples in every run, however slow the machine: who wants others asks for them, as tests/properties does.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small help desk of its own for one test."""
    with Sandbox(tickets=30, seed=5) as running:
        yield running


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """A help desk that several tests read, and none changes."""
    with Sandbox(tickets=30, seed=5) as running:
        yield running


@pytest.fixture(scope="session")
def target_jsonl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the target apart from the tap: it pins a version of jsonschema that the SDK cannot use."""
    folder = tmp_path_factory.mktemp("target-jsonl")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", "target-jsonl==0.1.4"], check=True, capture_output=True)
    return folder / "bin" / "target-jsonl"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; each test that uses it makes databases of its own."""
    servers = importlib.import_module("postgres_server")  # with its driver, which only these tests need
    binaries = servers.programs()
    if binaries is None:
        pytest.skip(servers.NEEDED)
    with servers.running(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Spark in this process, with two threads and the data source."""
    sessions = importlib.import_module("spark_session")  # with Spark, which only these tests need
    if not sessions.java_is_there():
        pytest.skip(sessions.NEEDED)
    with sessions.spark_session() as session:
        yield session


@pytest.fixture(autouse=True)
def _no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have dlt report nothing of what the tests do."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """Undo what a tap's command does to the process's logging, so that tests do not depend on their order."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
