"""Runs a pipeline as a user's script does, and is killed, or kills its tap, where the command line says.

    killed.py SETTINGS

SETTINGS is JSON: the arguments of `run`, and `at`: the point out of `POINTS`, how many times it is passed before, and
who is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
from dlt.common.destination.client import RunnableLoadJob
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.extract.extract import Extract
from dlt.extract.extractors import Extractor
from dlt.load.load import Load
from dlt.normalize.normalize import Normalize

from taps.bridge import gathering, hub, singer_source
from taps.bridge.bookmarks import Bookmarks

if TYPE_CHECKING:
    from collections.abc import Callable

# Class and method: the point is passed whenever the method is called.
POINTS: dict[str, tuple[type, str]] = {
    "tap run": (Bookmarks, "state"),
    "rows taken": (gathering.Gathering, "add"),
    "rows handed over": (hub.Handed, "take"),
    "state kept": (Bookmarks, "keep"),
    "rows written": (Extractor, "write_items"),
    "extracted": (Extract, "commit_packages"),
    "normalizing": (Normalize, "run"),
    "loading": (Load, "initialize_package"),
    "job submitted": (Load, "submit_job"),
    "job committed": (RunnableLoadJob, "_release"),  # the rows are there, and dlt has not noted it
    "jobs completed": (Load, "complete_jobs"),
    "query": (DuckDbSqlClient, "execute_query"),
    "package loaded": (Load, "complete_package"),
}


def taps_below(process: int) -> list[int]:
    """Find the taps' processes: the children of the supervisors, which are children of this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    supervisors = {child for child, parent in parents.items() if parent == process}
    return [child for child, parent in parents.items() if parent in supervisors]


def main(settings: dict[str, Any]) -> None:
    gathering._MOST_ROWS, gathering._FIRST_AT_ONCE, gathering._ROWS_AT_ONCE = 20, 7, 7
    _arm(**settings.pop("at"))
    run(**settings)


def run(tap: str, config: dict[str, Any], streams: list[str], folder: str) -> None:
    pipeline = dlt.pipeline(
        "killed",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.duckdb(f"{folder}/rows.duckdb"),
        dataset_name="killed",
    )
    pipeline.run(singer_source(tap, config, streams=streams, name="helpdesk"))


def _arm(point: str, count: int, who: str, sent: str = "SIGKILL") -> None:
    owner, name = POINTS[point]
    original: Callable[..., Any] = getattr(owner, name)
    passed = 0

    def passing(*arguments: Any, **options: Any) -> Any:
        nonlocal passed
        passed += 1
        if passed == count + 1:
            _kill(who, signal.Signals[sent])
        return original(*arguments, **options)

    setattr(owner, name, passing)


def _kill(who: str, sent: signal.Signals) -> None:
    if who in {"tap", "both"}:
        taps = taps_below(os.getpid())
        assert taps or who == "both", "no tap runs as a process any more"
        for process in taps:
            os.kill(process, sent)
    if who in {"dlt", "both"}:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
