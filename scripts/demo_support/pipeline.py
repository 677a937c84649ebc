"""Meltano, run on the project of this clone as a user runs it, but apart from the user's own state and tables."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from demo_support.processes import running
from demo_support.stage import LOGS, ROOT, DemoError, phase, shown
from demo_support.sync import Sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from demo_support.sandbox import World
    from demo_support.subjects import Subject

__all__ = ["LOADER", "Pipeline"]

LOADER = "target-duckdb"

_MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"


@dataclass(frozen=True)
class Pipeline:
    """Taps, the loader, and a state and a warehouse of their own.

    Attributes:
        home: The folder for all that comes about.
        worlds: What the taps read.
    """

    home: Path
    worlds: Sequence[World]

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.home / "warehouse.duckdb"

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment for Meltano: what the user has set for runs of their own must not get in here."""
        own = ("MELTANO_", "TAP_", "TARGET_")
        loopback = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
        env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        env |= {
            "NO_PROXY": loopback,
            "no_proxy": loopback,
            "MELTANO_DATABASE_URI": f"sqlite:///{os.path.relpath(self.home / 'meltano.db', ROOT)}",
            "TARGET_DUCKDB_PATH": str(self.warehouse),
        }
        for world in self.worlds:
            env |= {world.subject.variable(name): value for name, value in world.settings(self.home).items()}
        return env

    @property
    def column(self) -> Callable[[str], str]:
        """Tells what a field's column is called."""
        return str.lower

    def log(self, subject: Subject, number: int) -> Path:
        """Name the log of a run."""
        return LOGS / f"demo-{subject.name}-{number}.log"

    def install(self) -> None:
        """Have Meltano install the taps and the loader, but not again while nothing has changed since it did.

        Raises:
            DemoError: Meltano cannot install them.
        """
        log, stamp = LOGS / "demo-install.log", ROOT / ".cache" / "meltano-plugins"
        sources = [ROOT / "meltano.yml", ROOT / "pyproject.toml", *sorted((ROOT / "constraints").glob("*.txt"))]
        recipe = hashlib.sha256(b"\0".join([os.fsencode(ROOT), *(path.read_bytes() for path in sources)])).hexdigest()
        kept = stamp.read_text().split() if stamp.exists() and (ROOT / ".meltano").is_dir() else []
        installed = set(kept[1:]) if kept[:1] == [recipe] else set()
        plugins = [plugin for plugin in self._plugins if plugin not in installed]
        if not plugins:
            return
        sync = Sync(LOADER)
        with phase(f"Meltano installs {_listed(plugins)} (once)"):
            if self._meltano(["install", *plugins], log, sync.take) != 0:
                reason = sync.errors[0] if sync.errors else "it did not say why"
                raise DemoError(
                    f"Meltano could not install the plugins ({reason}); all that it said is in {shown(log)}"
                )
        stamp.write_text("\n".join([recipe, *sorted(installed.union(plugins))]))

    def run(self, world: World, number: int) -> Sync:
        """Run a tap into the loader.

        Args:
            world: What it reads.
            number: How many times it has run with this one.

        Returns:
            What it did.

        Raises:
            DemoError: The run failed.
        """
        tap = world.subject.name
        log = self.log(world.subject, number)
        sync = Sync(LOADER)
        with phase(f"meltano run {tap} {LOADER}{', again' if number > 1 else ''}") as tell:

            def take(line: str) -> None:
                before = sync.current
                sync.take(line)
                if sync.current != before:
                    tell(f"{sync}, reading {sync.current}")

            code = self._meltano(["run", tap, LOADER], log, take)
            if code != 0:
                reason = sync.errors[0] if sync.errors else f"exit code {code}"
                raise DemoError(f"'meltano run {tap}' failed ({reason}); all that was said is in {shown(log)}")
            tell(f"{sync} read in {sync.requests:,} requests")
        return sync

    @property
    def _plugins(self) -> list[str]:
        return [*(world.subject.name for world in self.worlds), LOADER]

    def _meltano(self, arguments: Sequence[str], log: Path, take: Callable[[str], None]) -> int:
        no_settings = self.home / "empty.env"
        no_settings.touch()
        command = [str(_MELTANO), "--log-format=json", f"--env-file={no_settings}", "--environment=dev", *arguments]
        with (
            log.open("w", encoding="utf-8") as file,
            running(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as process,
        ):
            for line in process.stdout or ():
                file.write(line)
                take(line)
            return process.wait()


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
