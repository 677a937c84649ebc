"""The bridge: dlt reads a tap as a source, in this process, with a state and a warehouse of its own."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import dlt
from dlt.common.exceptions import DltException
from singer_sdk.metrics import Point

from demo_support.stage import LOGS, DemoError, phase, shown
from demo_support.sync import Sync
from taps.bridge import singer_source
from taps.bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dlt.pipeline.pipeline import Pipeline as DltPipeline

    from demo_support.sandbox import World
    from demo_support.subjects import Subject

__all__ = ["Bridge"]

_LOADER = "dlt"


@dataclass(frozen=True)
class Bridge:
    """Taps as sources of dlt, a pipeline for each, and a DuckDB file for all.

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

    @property
    def column(self) -> Callable[[str], str]:
        """Tells what a field's column is called."""
        return cache(dlt.Schema("any").naming.normalize_identifier)

    def install(self) -> None:
        """Let nothing but the sandbox be asked; there is nothing to install."""
        os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    def log(self, subject: Subject, number: int) -> Path:
        """Name the log of a run."""
        return LOGS / f"demo-dlt-{subject.name}-{number}.log"

    def run(self, world: World, number: int) -> Sync:
        """Run a tap into DuckDB.

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
        sync = Sync(_LOADER)
        title = f"dlt.pipeline(…).run(singer_source({tap!r}, …)){', again' if number > 1 else ''}"
        with phase(title) as tell, _logged(log, tap, sync, tell):
            try:
                self._pipeline(world).run(singer_source(tap, world.settings(self.home)))
            except (DltException, BridgeError) as error:
                cause = _cause(error)
                if isinstance(cause, KeyboardInterrupt):
                    raise cause from None
                reason = " ".join(str(cause).split())
                raise DemoError(f"dlt could not load {tap} ({reason}); all that was said is in {shown(log)}") from None
            tell(f"{sync} read in {sync.requests:,} requests")
        return sync

    def _pipeline(self, world: World) -> DltPipeline:
        return dlt.pipeline(
            world.subject.api,
            destination=dlt.destinations.duckdb(str(self.warehouse)),
            dataset_name=world.subject.api,
            pipelines_dir=str(self.home / "pipelines"),
        )


@contextmanager
def _logged(file: Path, tap: str, sync: Sync, tell: Callable[[str], None]) -> Iterator[None]:
    """Have what is logged in a file, in the form that Meltano gives it, and take the metrics out of it."""
    with file.open("w", encoding="utf-8") as lines:

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                entry = {"event": record.getMessage(), "name": tap, "level": record.levelname.lower()}
                points = [point.to_dict() for point in record.args or () if isinstance(point, Point)]
                line = json.dumps({**entry, "metric_info": points[0]} if points else entry)
                lines.write(f"{line}\n")
                before = sync.current
                sync.take(line)
                if sync.current != before:
                    tell(f"{sync}, reading {sync.current}")

        root, handler = logging.getLogger(), Handler()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)


def _cause(error: BaseException) -> BaseException:
    """Find what the bridge said, or what stopped it; dlt wraps that several times."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, BridgeError | KeyboardInterrupt):
        found = found.__cause__ or found.__context__
    return found or error
