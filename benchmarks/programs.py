"""The programs that are measured, and how each is told what to read."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.environments import ENVIRONMENTS
from benchmarks.places import CACHE, PEERS, BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.environments import Environment

__all__ = ["BOTH", "PROGRAMS", "TICKETS", "Job", "Program"]

TICKETS = ("tickets",)
BOTH = ("tickets", "conversations")

_KEY = "sandbox-key"
_VENDOR = "benchmark.freshdesk.com"


@dataclass(frozen=True)
class Job:
    """What a program is to read.

    Attributes:
        url: The server's root.
        streams: The streams.
        folder: An empty folder for what the program needs or leaves.
        first_only: Whether only the time of the first record is wanted.
    """

    url: str
    streams: tuple[str, ...]
    folder: Path
    first_only: bool = False

    def write(self, name: str, content: Any) -> str:
        """Leave a JSON file for the program, and give its path."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)


@dataclass(frozen=True)
class Program:
    """A program that reads the help desk.

    Attributes:
        name: Its name in the results' data and on the command line.
        title: Its name in tables.
        environment: Where it is installed.
        command: Makes the command line for a job.
        at_once: How many requests for children it has under way at once.
        starts_like: Of a program that writes no records: the name of one that starts as it does.
    """

    name: str
    title: str
    environment: Environment
    command: Callable[[Environment, Job], list[str]]
    at_once: int = 1
    starts_like: str | None = None


def _ours(**settings: Any) -> Callable[[Environment, Job], list[str]]:
    def command(environment: Environment, job: Job) -> list[str]:
        tap = [str(environment.folder / "bin" / "tap-helpdesk")]
        return _singer(environment, tap, job, {"base_url": job.url, "api_key": _KEY, **settings})

    return command


def _plain(environment: Environment, job: Job) -> list[str]:
    tap = [str(environment.python), str(PEERS / "plain_sdk" / "tap.py")]
    return _singer(environment, tap, job, {"base_url": job.url, "api_key": _KEY})


def _freshdesk(environment: Environment, job: Job) -> list[str]:
    config = {
        "api_key": _KEY,
        "domain": _VENDOR.partition(".")[0],
        "start_date": "2010-01-01T00:00:00Z",
        "user_agent": "benchmark",
    }
    return _singer(environment, _redirected(environment, job, "tap_freshdesk:main"), job, config)


def _airbyte(environment: Environment, job: Job) -> list[str]:
    source = _redirected(environment, job, "source_freshdesk.run:run")
    config = job.write("config.json", {"api_key": _KEY, "domain": _VENDOR, "start_date": "2010-01-01T00:00:00Z"})
    lines = _discovered(environment, [*source, "discover", "--config", config]).splitlines()
    catalog = next(message["catalog"] for line in lines if (message := json.loads(line))["type"] == "CATALOG")
    chosen = [
        {
            "stream": stream,
            "sync_mode": stream["supported_sync_modes"][-1],
            "cursor_field": stream.get("default_cursor_field", []),
            "destination_sync_mode": "append",
        }
        for stream in catalog["streams"]
        if stream["name"] in job.streams
    ]
    return [*source, "read", "--config", config, "--catalog", job.write("catalog.json", {"streams": chosen})]


def _dlt(workers: int | None = None) -> Callable[[Environment, Job], list[str]]:
    def command(environment: Environment, job: Job) -> list[str]:
        command = [str(environment.python), str(PEERS / "dlt_rest.py"), job.url, "--folder", str(job.folder)]
        if job.streams == BOTH:
            command.append("--conversations")
        if workers:
            command += ["--workers", str(workers)]
        if job.first_only:
            command.append("--tell-first")
        return command

    return command


def _load(
    source: str, *, loader_format: str = "", nested: bool = False, kept: bool = False, settings: Sequence[str] = ()
) -> Callable[[Environment, Job], list[str]]:
    def command(environment: Environment, job: Job) -> list[str]:
        command = [str(environment.python), str(PEERS / "dlt_load.py"), job.url, source, "--folder", str(job.folder)]
        if loader_format:
            command += ["--format", loader_format]
        if not nested:
            command.append("--one-table")
        if kept:
            command.append("--kept")
        for setting in settings:
            command += ["--set", setting]
        return command

    return command


def _loop(library: str, work: str) -> Callable[[Environment, Job], list[str]]:
    return lambda environment, job: [str(environment.python), str(PEERS / "loops.py"), library, work, job.url]


def _redirected(environment: Environment, job: Job, entry: str) -> list[str]:
    return [str(environment.python), str(PEERS / "redirected.py"), job.url, entry]


def _singer(environment: Environment, tap: Sequence[str], job: Job, config: dict[str, Any]) -> list[str]:
    command = [*tap, "--config", job.write("config.json", config)]
    catalog = json.loads(_discovered(environment, [*command, "--discover"]))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in job.streams
    return [*command, "--catalog", job.write("catalog.json", catalog)]


_catalogs: dict[str, str] = {}


def _discovered(environment: Environment, command: Sequence[str]) -> str:
    """Have a program tell its streams, once for all jobs.

    Raises:
        BenchmarkError: It cannot.
    """
    if environment.name not in _catalogs:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CACHE)
        if ended.returncode:
            said = (ended.stderr or ended.stdout).strip().splitlines()
            raise BenchmarkError(f"it cannot tell its streams: {said[-1] if said else 'it did not say why'}")
        _catalogs[environment.name] = ended.stdout
    return _catalogs[environment.name]


_ENV = ENVIRONMENTS
_TAP = "tap-helpdesk (ours)"
_DLT = "dlt, REST source"
_UNCOMPRESSED = ("DATA_WRITER__DISABLE_COMPRESSION=true", "DATA_WRITER__COMPRESSION=none")
#: Several files a table, so that DuckDB takes them one after the other: as fast, in 100 MB less.
_SEVERAL_FILES = (
    *_UNCOMPRESSED,
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS=30000",
)
#: Several files here too, for a worker takes whole ones.
_TWO_WORKERS = (*_UNCOMPRESSED, "NORMALIZE__WORKERS=2", "SOURCES__DATA_WRITER__FILE_MAX_ITEMS=10000")
_KEPT = "connection kept"
_WAYS = {"requests": "requests", "urllib3": "urllib3", "plain": "urllib3 without gzip"}

#: All programs by name, ours first.
PROGRAMS = {
    program.name: program
    for program in (
        Program("ours", _TAP, _ENV["ours"], _ours()),
        Program("ours-1", f"{_TAP}, max_concurrency 1", _ENV["ours"], _ours(max_concurrency=1)),
        Program("ours-4", f"{_TAP}, max_concurrency 4", _ENV["ours"], _ours(max_concurrency=4), 4),
        Program("ours-8", f"{_TAP}, max_concurrency 8", _ENV["ours"], _ours(max_concurrency=8), 8),
        Program("ours-16", f"{_TAP}, max_concurrency 16", _ENV["ours"], _ours(max_concurrency=16), 16),
        Program("plain-sdk", "plain Singer SDK tap", _ENV["plain-sdk"], _plain),
        Program("tap-freshdesk", "singer-io tap-freshdesk", _ENV["tap-freshdesk"], _freshdesk),
        Program("airbyte", "Airbyte source-freshdesk", _ENV["airbyte"], _airbyte),
        Program("dlt", _DLT, _ENV["dlt"], _dlt()),
        Program("dlt-4", f"{_DLT}, parallelized, 4 workers", _ENV["dlt"], _dlt(4), 4),
        Program("dlt-8", f"{_DLT}, parallelized, 8 workers", _ENV["dlt"], _dlt(8), 8),
        Program("dlt-16", f"{_DLT}, parallelized, 16 workers", _ENV["dlt"], _dlt(16), 16),
        *(
            Program(f"loop-{way}", f"bare loop: {title}, orjson", _ENV["loops"], _loop(way, "loop"))
            for way, title in _WAYS.items()
        ),
        *(
            Program(
                f"download-{way}",
                f"bare download: {title}",
                _ENV["loops"],
                _loop(way, "download"),
                starts_like=f"loop-{way}",
            )
            for way, title in _WAYS.items()
        ),
        Program("bridge", "our bridge", _ENV["bridge"], _load("bridge", nested=True, settings=_SEVERAL_FILES)),
        Program(
            "bridge-kept",
            f"our bridge, {_KEPT}",
            _ENV["bridge"],
            _load("bridge", nested=True, kept=True, settings=_SEVERAL_FILES),
        ),
        Program("rest", f"{_DLT}, defaults: insert_values, child tables", _ENV["bridge"], _load("rest", nested=True)),
        *(
            Program(
                f"rest-{loader_format}{mark}",
                f"{_DLT}, {loader_format}, one table, {workers}",
                _ENV["bridge"],
                _load("rest", loader_format=loader_format, settings=settings),
            )
            for loader_format in ("parquet", "jsonl")
            for mark, workers, settings in (
                ("", "1 normalize worker", _UNCOMPRESSED),
                ("-2", "2 normalize workers", _TWO_WORKERS),
            )
        ),
        *(
            Program(
                f"rest-{loader_format}-2-kept",
                f"{_DLT}, {loader_format}, one table, 2 normalize workers, {_KEPT}",
                _ENV["bridge"],
                _load("rest", loader_format=loader_format, kept=True, settings=_TWO_WORKERS),
            )
            for loader_format in ("parquet", "jsonl")
        ),
    )
}
