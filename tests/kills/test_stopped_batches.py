"""A tap that is ended while it writes batch files: those that are named are whole, and a restart loses nothing."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from support import command, config_for
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("tickets", "conversations")


@pytest.fixture
def desk() -> Iterator[Sandbox]:
    with Sandbox(tickets=120, seed=3, page_cap=10, latency=0.01) as sandbox:
        yield sandbox


def begin(desk: Sandbox, folder: Path, state: dict[str, Any]) -> subprocess.Popen[str]:
    storage = {"root": (folder / "files").as_uri()}
    batches = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": storage, "batch_size": 15}
    (folder / "config.json").write_text(json.dumps(config_for(desk, batch_config=batches)))
    (folder / "state.json").write_text(json.dumps(state))
    line = [command("tap-helpdesk"), "--config", "config.json"]
    catalog = json.loads(subprocess.run([*line, "--discover"], cwd=folder, capture_output=True, check=True).stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["stream"] in STREAMS
    (folder / "catalog.json").write_text(json.dumps(catalog))
    line += ["--catalog", "catalog.json", "--state", "state.json"]
    return subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def take(line: str, rows: dict[str, set[int]], state: dict[str, Any]) -> dict[str, Any]:
    """Do what a target does with a message: load the files that it names, or keep the state."""
    message = json.loads(line)
    if message["type"] == "BATCH":
        for url in message["manifest"]:
            text = gzip.decompress(Path(unquote(urlsplit(url).path)).read_bytes())
            rows[message["stream"]] |= {json.loads(row)["id"] for row in text.splitlines()}
    value: dict[str, Any] = message["value"] if message["type"] == "STATE" else state
    return value


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("batches", [1, 4, 9])
def test_a_restart_from_the_last_state_has_every_row(
    desk: Sandbox, tmp_path: Path, number: signal.Signals, batches: int
) -> None:
    (tmp_path / "files").mkdir()
    rows: dict[str, set[int]] = {stream: set() for stream in STREAMS}
    state: dict[str, Any] = {}
    with begin(desk, tmp_path, state) as tap:
        assert tap.stdout is not None
        seen = 0
        for line in tap.stdout:
            if line.endswith("\n"):
                state = take(line, rows, state)
                seen += '"BATCH"' in line
            if seen == batches:
                tap.send_signal(number)
                seen += 1
    assert tap.returncode in {-number, 128 + number}
    with begin(desk, tmp_path, state) as tap:
        assert tap.stdout is not None
        for line in tap.stdout:
            state = take(line, rows, state)
    assert tap.returncode == 0
    assert rows == {stream: {record["id"] for record in desk.helpdesk.records(stream)} for stream in STREAMS}
