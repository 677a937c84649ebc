"""The repository's own Meltano project, and a copy of it that a test may write, run as a user runs them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import duckdb
import yaml
from filelock import FileLock

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from taps.sandbox.server import Sandbox

MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"
PLUGINS = ["tap-helpdesk", "target-duckdb"]
SECRETS = {"api_key", "client_secret", "refresh_token"}


def variable(plugin: str, setting: str) -> str:
    """Name the environment variable of a plugin's setting."""
    return f"{plugin}_{setting}".upper().replace("-", "_")


NO_HUB = "http://127.0.0.1:9/no-plugin-hub-is-asked"


def clean_environment() -> dict[str, str]:
    """This machine's environment, without what is said to Meltano and its plugins."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}


class Project:
    """The repository's Meltano project with a state and a warehouse of the test's own."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.tap = sandbox.api.tap
        self.warehouse = folder / "warehouse.duckdb"
        self.env = clean_environment() | {
            "MELTANO_DATABASE_URI": f"sqlite:///{os.path.relpath(folder / 'meltano.db', ROOT)}",
            "MELTANO_HUB_API_ROOT": NO_HUB,
            "TARGET_DUCKDB_PATH": str(self.warehouse),
        }
        self.env |= {variable(self.tap, name): value for name, value in sandbox.config.items()}
        if "refresh_token" in sandbox.config:
            self.env[variable(self.tap, "token_cache_path")] = str(folder / "tokens.json")
        self.secrets = [value for name, value in sandbox.config.items() if name in SECRETS]

    def meltano(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        assert MELTANO.exists(), "Meltano is not set up; run ./scripts/setup --meltano"
        command = [str(MELTANO), "--log-format=json", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.env | (env or {}), capture_output=True, text=True, check=False, timeout=600
        )

    def install(self, *plugins: str) -> None:
        """Install plugins, but not again while nothing has changed since; one process at a time, for all share them."""
        sources = [ROOT / "meltano.yml", ROOT / "pyproject.toml", *sorted((ROOT / "constraints").glob("*.txt"))]
        recipe = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        kept = ROOT / ".meltano" / "installed-for-tests"
        with FileLock(ROOT / ".cache" / "meltano-install.lock"):
            known, *names = kept.read_text().split() if kept.exists() else [""]
            installed = {*names} if known == recipe else set()
            if missing := [plugin for plugin in plugins if plugin not in installed]:
                done = self.meltano("install", *missing)
                assert done.returncode == 0, done.stderr + done.stdout
                kept.write_text("\n".join([recipe, *sorted(installed.union(missing))]))

    def run(self, loader: str = "target-duckdb") -> dict[str, int]:
        """Run the pipeline; give the rows that the tap read, by stream, as its metrics say."""
        done = self.meltano("run", self.tap, loader)
        assert done.returncode == 0, done.stderr + done.stdout
        assert not [secret for secret in self.secrets if secret in done.stderr + done.stdout]
        read: dict[str, int] = {}
        for line in (done.stderr + done.stdout).splitlines():
            point = json.loads(line).get("metric_info") or {} if line.startswith("{") else {}
            if point.get("metric") == "record_count":
                read[point["tags"]["stream"]] = read.get(point["tags"]["stream"], 0) + point["value"]
        return read

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()


class Copy:
    """A project with a copy of the repository's `meltano.yml`, in a folder of its own, whose `dev` is sandboxes.

    Commands that write `meltano.yml` may be run here. Its plugins are installed with uv, which takes seconds.
    """

    def __init__(self, folder: Path, sandboxes: Mapping[str, Sandbox]) -> None:
        """Make the folder's project.

        Args:
            folder: An empty one.
            sandboxes: What each extractor of `dev` reads.
        """
        self.folder = folder
        (folder / "output" / "sandbox").mkdir(parents=True)
        text = (ROOT / "meltano.yml").read_text(encoding="utf-8")
        for path in ("constraints/dev.txt", ""):
            text = text.replace(f"'$MELTANO_PROJECT_ROOT/{path}'".replace("/'", "'"), f"'{ROOT / path}'")
        made = yaml.safe_load(text)
        made["venv"]["backend"] = "uv"
        dev = next(environment for environment in made["environments"] if environment["name"] == "dev")
        dev["config"]["plugins"]["extractors"] = [
            {"name": tap, "config": {"base_url": sandbox.base_url, "api_key": sandbox.api_key}}
            for tap, sandbox in sandboxes.items()
        ]
        self.write(made)
        self.env = clean_environment() | {"MELTANO_HUB_API_ROOT": NO_HUB, "NO_COLOR": "1"}

    def held(self) -> dict[str, Any]:
        """What `meltano.yml` has."""
        held: dict[str, Any] = yaml.safe_load((self.folder / "meltano.yml").read_text(encoding="utf-8"))
        return held

    def write(self, made: dict[str, Any]) -> None:
        (self.folder / "meltano.yml").write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")

    def meltano(
        self, *arguments: str, fails: bool = False, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Meltano, which has to end well, or with an error where that is said."""
        done = subprocess.run(
            [str(MELTANO), *arguments],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert bool(done.returncode) == fails, f"{arguments}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done

    def rows(self, query: str, file: str = "sandbox.duckdb") -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "output" / file), read_only=True) as connection:
            return connection.execute(query).fetchall()
