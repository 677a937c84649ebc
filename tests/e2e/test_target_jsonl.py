"""`tap-… | target-jsonl`: the real target, in an environment of its own, at the end of a real pipe."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from support import command, config_for
from taps.sandbox.apis import APIS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def rows_of(sandbox: Sandbox, target: Path, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Run the tap into the target; give the rows by stream."""
    (folder / "tap.json").write_text(json.dumps(config_for(sandbox)))
    (folder / "target.json").write_text(json.dumps({"destination_path": "rows", "do_timestamp_file": False}))
    (folder / "rows").mkdir()
    pipe = (
        f"set -o pipefail; {command(sandbox.api.tap)} --config tap.json | {target} --config target.json > state.jsonl"
    )
    done = subprocess.run(["bash", "-c", pipe], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        path.stem: [json.loads(line, parse_float=Decimal) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in (folder / "rows").iterdir()
    }


@pytest.mark.parametrize("api", APIS)
def test_every_row_arrives_in_the_files(api: str, target_jsonl: Path, tmp_path: Path) -> None:
    with Sandbox(api, size=30, seed=5) as sandbox:
        rows = rows_of(sandbox, target_jsonl, tmp_path)
        held = getattr(sandbox, api).counts()
        assert {stream: len(rows.get(stream, ())) for stream in held} == held
        assert rows.keys() <= held.keys()
    bookmarks = json.loads((tmp_path / "state.jsonl").read_text().splitlines()[-1])["bookmarks"]
    assert bookmarks.keys() <= held.keys()


def test_a_ticket_arrives_as_the_sandbox_holds_it(shared_sandbox: Sandbox, target_jsonl: Path, tmp_path: Path) -> None:
    rows = rows_of(shared_sandbox, target_jsonl, tmp_path)
    held = json.loads(json.dumps(shared_sandbox.helpdesk.records("tickets")), parse_float=Decimal)
    assert {row["id"]: row for row in rows["tickets"]} == {ticket["id"]: ticket for ticket in held}
    state = json.loads((tmp_path / "state.jsonl").read_text().splitlines()[-1])
    assert state["bookmarks"]["tickets"]["replication_key"] == "updated_at"
