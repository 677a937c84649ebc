"""The changes that `docs/add-a-stream.md` shows, made to a copy of the tree: what it says of them holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COPIED = ("taps", "schemas", "tests", "scripts", "docs", "README.md", "meltano.yml", "pyproject.toml")


@pytest.fixture(scope="module")
def diffs() -> list[str]:
    """The stream, its schema, and what the sandbox needs."""
    text = (ROOT / "docs" / "add-a-stream.md").read_text(encoding="utf-8")
    return re.findall(r"^```diff\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def apply(diff: str, tree: Path) -> None:
    done = subprocess.run(["git", "apply", "-"], cwd=tree, input=diff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docs/add-a-stream.md no longer fits the tree: {done.stderr}"


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False, timeout=300)


def contract_tests(tree: Path) -> subprocess.CompletedProcess[str]:
    return python(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "tap-oncall", "tests/contract")


def test_a_class_an_entry_and_a_schema_are_a_stream_that_is_documented_and_tested(tree: Path, diffs: list[str]) -> None:
    stream, schema, _ = diffs
    apply(stream, tree)
    apply(schema, tree)
    added = [line for line in stream.splitlines() if re.match(r"\+(?!\+)\s*\S", line)]
    assert len(added) == 5, "one class of four lines and one entry"

    checked = python(tree, "scripts/generate_metadata.py", "--check")
    assert checked.returncode == 1
    assert "tap-oncall.md differs from what the taps say" in checked.stderr
    assert python(tree, "scripts/generate_metadata.py").returncode == 0
    assert "| `schedules` | `/v2/schedules` | `id` |" in (tree / "docs" / "tap-oncall.md").read_text(encoding="utf-8")

    tested = contract_tests(tree)
    assert "taps/sandbox/oncall does not serve these streams" in tested.stdout
    assert re.search(r"^2 failed, \d+ passed", tested.stdout, re.MULTILINE), tested.stdout


def test_with_two_lines_more_the_sandbox_serves_it_and_the_contract_tests_read_it(tree: Path, diffs: list[str]) -> None:
    for diff in diffs:
        apply(diff, tree)
    tested = contract_tests(tree)
    assert tested.returncode == 0, tested.stdout
