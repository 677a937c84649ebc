"""What is published: the wheel alone, without the repository, holds the schemas and its commands work; and the sdist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

from support import ROOT, config_for, read_messages

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist, and the wheel that is made of it."""
    folder = tmp_path_factory.mktemp("built")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, capture_output=True, text=True
    )
    assert "warning" not in (done.stdout + done.stderr).lower()
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_the_sdist_has_what_it_is_made_of(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "taps/py.typed"} <= names
    assert {f"schemas/helpdesk/{path.name}" for path in (ROOT / "schemas" / "helpdesk").iterdir()} <= names
    assert not [name for name in names if name.startswith(("tests/", ".github/"))]


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
    scripts = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.scripts]")[2].partition("[")[0]
    commands = re.findall(r"^(\S+) = ", scripts, re.MULTILINE)
    assert len(commands) == 7
    for name in commands:
        told = subprocess.run([tmp_path / "env" / "bin" / name, "--help"], capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        assert told.stdout.startswith("Usage: ")
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
