"""What batch files cost: written by the taps' page loop, by the SDK's own loop, and RECORD messages beside them.

`.venv/bin/python -m benchmarks.batches [TICKETS] [TURNS]` reads the tickets of a sandbox on this machine, each way in
turn, and prints the least time of each, as a ratio to the first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from taps.sandbox.server import Sandbox

TAP = [str(Path(sysconfig.get_path("scripts")) / "tap-helpdesk")]
SDKS_LOOP = """
from taps.engine.stream import ApiStream
from taps.helpdesk import TapHelpdesk
ApiStream._takes_pages = lambda self: False
TapHelpdesk.cli()
"""
SDK = [sys.executable, "-c", SDKS_LOOP]
WAYS: dict[str, tuple[list[str], str | None]] = {
    "batches, JSON lines with gzip": (TAP, "jsonl"),
    "batches, JSON lines with gzip, by the SDK's loop": (SDK, "jsonl"),
    "batches, Parquet": (TAP, "parquet"),
    "RECORD messages": (TAP, None),
}


def seconds(command: list[str], config: dict[str, Any], catalog: Path, kind: str | None) -> float:
    """Run a tap, and give the seconds that it took, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        if kind:
            encoding = {"format": kind, "compression": "gzip"}
            config = {**config, "batch_config": {"encoding": encoding, "storage": {"root": Path(folder).as_uri()}}}
        settings = catalog.with_name("config.json")
        settings.write_text(json.dumps(config))
        begun = time.perf_counter()
        subprocess.run(
            [*command, "--config", str(settings), "--catalog", str(catalog)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - begun


def main(tickets: int = 20_000, turns: int = 3) -> None:
    """Measure and print."""
    took: defaultdict[str, list[float]] = defaultdict(list)
    with Sandbox(tickets=tickets, seed=3, huge_numbers=False) as sandbox, tempfile.TemporaryDirectory() as folder:
        settings, catalog = Path(folder) / "config.json", Path(folder) / "catalog.json"
        settings.write_text(json.dumps(sandbox.config))
        found = subprocess.run([*TAP, "--config", str(settings), "--discover"], check=True, capture_output=True)
        streams = json.loads(found.stdout)
        for stream in streams["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["stream"] == "tickets"
        catalog.write_text(json.dumps(streams))
        for _ in range(turns):
            for way, (command, kind) in WAYS.items():
                took[way].append(seconds(command, sandbox.config, catalog, kind))
    least = min(took[next(iter(WAYS))])
    print(f"{tickets:,} tickets, the least of {turns} turns; {least:.2f} s is 1")
    for way, times in took.items():
        print(f"{min(times) / least:6.2f}  {way}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
