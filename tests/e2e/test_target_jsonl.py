"""`tap-helpdesk | target-jsonl`: the real target, in an environment of its own, at the end of a real pipe."""

from __future__ import annotations

import json
import subprocess
import venv
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from support import command, config_for

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox


@pytest.fixture(scope="session")
def target_jsonl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the target apart from the tap: it pins a version of jsonschema that the SDK cannot use."""
    folder = tmp_path_factory.mktemp("target-jsonl")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", "target-jsonl==0.1.4"], check=True, capture_output=True)
    return folder / "bin" / "target-jsonl"


def test_every_row_arrives_in_the_files_as_the_sandbox_holds_it(
    shared_sandbox: Sandbox, target_jsonl: Path, tmp_path: Path
) -> None:
    (tmp_path / "tap.json").write_text(json.dumps(config_for(shared_sandbox)))
    (tmp_path / "target.json").write_text(json.dumps({"destination_path": "rows", "do_timestamp_file": False}))
    (tmp_path / "rows").mkdir()
    pipe = f"set -o pipefail; {command('tap-helpdesk')} --config tap.json | {target_jsonl} --config target.json > state.jsonl"
    done = subprocess.run(["bash", "-c", pipe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    for stream, count in shared_sandbox.helpdesk.counts().items():
        path = tmp_path / "rows" / f"{stream}.jsonl"
        rows = (
            [json.loads(line, parse_float=Decimal) for line in path.read_text(encoding="utf-8").splitlines()]
            if count
            else []
        )
        assert len(rows) == count, stream

    held = {ticket["id"]: ticket for ticket in shared_sandbox.helpdesk.records("tickets")}
    loaded = {
        row["id"]: row
        for row in map(json.loads, (tmp_path / "rows" / "tickets.jsonl").read_text(encoding="utf-8").splitlines())
    }
    assert loaded == held
    state = json.loads((tmp_path / "state.jsonl").read_text().splitlines()[-1])
    assert state["bookmarks"]["tickets"]["replication_key"] == "updated_at"
