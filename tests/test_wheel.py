"""The wheel alone, without the repository: it holds the schemas, and the tap in it works."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

from support import ROOT, config_for, read_messages

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_schemas_and_types_and_nothing_of_the_repository(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    schemas = {path.name for path in (ROOT / "schemas" / "helpdesk").iterdir()}
    assert {name.rpartition("/")[2] for name in names if name.startswith("taps/schemas/helpdesk/")} == schemas
    assert "taps/py.typed" in names
    assert all(name.startswith(("taps/", "frontline_taps-")) for name in names)


def test_a_tap_runs_from_the_wheel_without_the_repository(wheel: Path, shared_sandbox: Sandbox, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    constraints = ROOT / "constraints" / "dev.txt"
    subprocess.run(
        [tmp_path / "env" / "bin" / "pip", "install", "-q", "-c", constraints, wheel],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    (tmp_path / "config.json").write_text(json.dumps(config_for(shared_sandbox)))
    tap = subprocess.run(
        [tmp_path / "env" / "bin" / "tap-helpdesk", "--config", "config.json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    streams = [message["stream"] for message in read_messages(tap.stdout) if message["type"] == "RECORD"]
    counts = {name: count for name, count in shared_sandbox.helpdesk.counts().items() if count}
    assert {name: streams.count(name) for name in counts} == counts
