"""The repository's own Meltano project, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import duckdb

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox

MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"
PLUGINS = ["tap-helpdesk", "target-duckdb"]


class Project:
    """The repository's Meltano project with a state and a warehouse of the test's own."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.warehouse = folder / "warehouse.duckdb"
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))
        }
        self.env |= {
            "MELTANO_DATABASE_URI": f"sqlite:///{os.path.relpath(folder / 'meltano.db', ROOT)}",
            "MELTANO_HUB_API_ROOT": "http://127.0.0.1:9/no-plugin-hub-is-asked",
            "TAP_HELPDESK_BASE_URL": sandbox.base_url,
            "TAP_HELPDESK_API_KEY": sandbox.api_key,
            "TARGET_DUCKDB_PATH": str(self.warehouse),
        }

    def meltano(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        assert MELTANO.exists(), "Meltano is not set up; run ./scripts/setup --meltano"
        command = [str(MELTANO), "--log-format=json", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.env | (env or {}), capture_output=True, text=True, check=False, timeout=600
        )

    def run(self) -> dict[str, int]:
        """Run the pipeline; give the rows that the tap read, by stream, as its metrics say."""
        done = self.meltano("run", *PLUGINS)
        assert done.returncode == 0, done.stderr + done.stdout
        assert self.env["TAP_HELPDESK_API_KEY"] not in done.stderr + done.stdout
        read: dict[str, int] = {}
        for line in (done.stderr + done.stdout).splitlines():
            point = json.loads(line).get("metric_info") or {} if line.startswith("{") else {}
            if point.get("metric") == "record_count":
                read[point["tags"]["stream"]] = read.get(point["tags"]["stream"], 0) + point["value"]
        return read

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()
