"""Runs taps as their users do, and reads what they write."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import subprocess
import sysconfig
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taps.engine.errors import SyncFailedError

if TYPE_CHECKING:
    from taps.engine.tap import ApiTap
    from taps.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))


@dataclass
class Output:
    """What a tap wrote: its Singer messages in order, its log, and how it ended."""

    text: str
    log: str
    exit_code: int = 0
    errors: list[str] = field(default_factory=list)

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        return read_messages(self.text)

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    @property
    def counts(self) -> Counter[str]:
        return Counter(message["stream"] for message in self.messages if message["type"] == "RECORD")

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    def bookmark(self, stream: str) -> str | None:
        value: str | None = self.state["bookmarks"].get(stream, {}).get("replication_key_value")
        return value

    def schema(self, stream: str) -> dict[str, Any]:
        found = [message for message in self.messages if message["type"] == "SCHEMA" and message["stream"] == stream]
        assert len(found) == 1, f"{len(found)} SCHEMA messages of {stream}"
        return found[0]


def read_messages(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in text.split("\n") if line]  # U+2028 begins no line here


def config_for(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    return {**sandbox.config, "backoff_factor": 0, **settings}


def sync(
    tap_class: type[ApiTap],
    config: dict[str, Any],
    *,
    streams: list[str] | None = None,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Output:
    """Run a tap in this process, over real HTTP; select only these streams where some are named."""
    stdout, log = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with contextlib.redirect_stdout(stdout):
            tap = tap_class(
                config=dict(config), state=json.loads(json.dumps(state)) if state else None, catalog=catalog
            )
            for name, stream in tap.streams.items():
                if streams is not None:
                    stream.selected = name in streams
            output = Output("", "")
            try:
                tap.sync_all()
            except SyncFailedError as error:
                output.exit_code, output.errors = 1, [str(error)]
            finally:
                tap.close()  # or else what was asked for ahead goes on, which the end of a process stops
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    output.text, output.log = stdout.getvalue(), log.getvalue()
    output.errors = [line for line in output.log.splitlines() if line.startswith("ERROR")] + output.errors
    return output


def command(name: str) -> str:
    return str(SCRIPTS / name)


def run_tap(
    name: str,
    *arguments: str,
    config: dict[str, Any] | None = None,
    files: Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 120,
) -> Output:
    """Run a tap's command in a process of its own."""
    line = [command(name)]
    if config is not None:
        assert files is not None
        (files / "config.json").write_text(json.dumps(config))
        line += ["--config", str(files / "config.json")]
    process = subprocess.run(
        [*line, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=env,
        cwd=files,
        encoding="utf-8",
    )
    output = Output(process.stdout, process.stderr, process.returncode)
    output.errors = [line for line in process.stderr.splitlines() if "| ERROR" in line]
    return output


def selected_catalog(tap_class: type[ApiTap], config: dict[str, Any], streams: list[str]) -> dict[str, Any]:
    """Make the catalog of discovery with these streams selected, as a file of `--catalog` has it."""
    catalog: dict[str, Any] = json.loads(tap_class(config=dict(config)).catalog_json_text)
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog
