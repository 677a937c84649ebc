"""The bridge: no secret in dlt's folders, in the host's log and exceptions, or in the process list."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import dlt
import pytest
from echoing import Echo, status
from hunting import Log, ProcessList, texts_of
from logins import LOGINS, Login, Opened

from support import command
from taps.bridge import singer_source

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["secret_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_known_yet")


def _load(login: Login, tap: str, config: dict[str, Any], folder: Path) -> dict[str, str]:
    """Load two streams with dlt; give all texts of it, and the process list meanwhile."""
    pipeline = dlt.pipeline(
        "secrets_kept",
        destination=dlt.destinations.duckdb(str(folder / "warehouse.duckdb")),
        dataset_name="loaded",
        pipelines_dir=str(folder / "pipelines"),
    )
    texts = {}
    with Log() as log, ProcessList() as processes:
        try:
            source = singer_source(tap, config, streams=list(login.streams), name="kept")
            texts["source"] = f"{source!r} {source} {source.schema.to_pretty_yaml()}"
            texts["information"] = str(pipeline.run(source))
        except Exception as error:  # noqa: BLE001 - its texts are what is looked at
            texts |= texts_of(error)
        texts["state"] = str(pipeline.state)
        texts["trace"] = f"{pipeline.last_trace!r}"
    return {**texts, **log.texts, "process list": processes.text}


def _findings(opened: Opened, texts: dict[str, str], folder: Path) -> list[str]:
    return opened.hunt.finds(texts) + opened.hunt.finds_in_files(folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _taps(login: Login) -> dict[str, str]:
    name = login.tap_class.name
    return {"in this process": name, "as a process": command(name)}


RUNS = [(login, way) for login in LOGINS for way in _taps(login)]


@pytest.mark.parametrize(("login", "way"), RUNS, ids=str)
def test_a_load_leaves_no_secret(login: Login, way: str, folder: Path, echo: Echo) -> None:
    rotating = {"rotate": True} if "refresh_token" in login.names and "process" in way else {}
    tap = _taps(login)[way]
    with login.opened(latency=0.02, **rotating) as opened:
        texts = _load(login, tap, opened.config, folder)
        assert "1 load package(s) were loaded" in texts.get("information", ""), texts.get("traceback")
        assert (folder / "pipelines").is_dir()
        if way == "as a process":
            assert str(folder) in texts["process list"], "the process was not seen"
        else:
            assert "urllib3.connectionpool" in texts["log"]
        assert sys.executable in texts["process list"]
        assert _findings(opened, texts, folder) == []
        if rotating:
            return  # the token that it was begun with is void now, as there is no file to keep the next one
        echo.aim(opened.sandbox, status(500), key=opened.key)
        texts = _load(login, tap, opened.config_at(echo.url), folder)
        assert "PipelineStepFailed" in texts["traceback"]
        assert "I do not take" in texts["traceback"]
        assert _findings(opened, texts, folder) == []
