"""Taps of a few lines, written by a test and run as processes, and what they leave behind."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from taps.bridge import singer_source
from taps.bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dlt.common.pipeline import LoadInfo
    from dlt.extract import DltSource

# It imports little: each test starts it once or twice.
_PRELUDE = '''
import json, os, signal, sys, time

if "--discover" in sys.argv:
    given = {"--config": sys.argv[sys.argv.index("--config") + 1]}
else:
    given = dict(zip(sys.argv[1::2], sys.argv[2::2]))


def read(option):
    if option in given:
        with open(given[option]) as file:
            return json.load(file)


config, state = read("--config"), read("--state")


def write(message):
    sys.stdout.write(json.dumps(message) + "\\n")


def schema(stream="tickets", keys=("id",)):
    fields = {"id": {"type": "integer"}, "word": {"type": ["string", "null"]}}
    write({"type": "SCHEMA", "stream": stream, "schema": {"type": "object", "properties": fields},
           "key_properties": list(keys)})


def record(number, word=None, stream="tickets"):
    write({"type": "RECORD", "stream": stream, "record": {"id": number, "word": word}})


def bookmark(value):
    write({"type": "STATE", "value": value})


def raw(data):
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def log(line):
    sys.stderr.write(line + "\\n")
    sys.stderr.flush()


def note(**what):
    """Leave something for the test to find, whole or not at all."""
    path = os.path.join(config["notes"], "notes.json")
    with open(path + ".new", "w") as file:
        json.dump(what, file)
    os.replace(path + ".new", path)


def start_child():
    import subprocess

    return subprocess.Popen(["sleep", "600"]).pid


def wait_long():
    sys.stdout.flush()
    time.sleep(600)


'''


def entry(stream: str = "tickets", *, full: bool = False, **more: Any) -> dict[str, Any]:
    """Make a stream's entry of a catalog, as the Singer SDK writes it."""
    fields = {"id": {"type": "integer"}, "word": {"type": ["string", "null"]}}
    method = {"replication_method": "FULL_TABLE"} if full else {"replication_key": "id"}
    return {
        "tap_stream_id": stream,
        "stream": stream,
        "key_properties": ["id"],
        "schema": {"type": "object", "properties": fields},
        **method,
        **more,
    }


def catalog_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"streams": list(entries)}


TICKETS = catalog_of(entry())
FULL = catalog_of(entry(full=True))


class Desk:
    """A folder with a tap, its notes, a database and dlt's own files.

    Attributes:
        folder: The folder.
        config: The tap's settings.
        command: Runs the tap that was written last.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: dict[str, Any] = {"notes": str(folder)}
        # Without -S, an interpreter in an environment looks through all that is installed there.
        self.command = [sys.executable, "-I", "-S", str(folder / "tap.py")]

    def tap(self, body: str, *, discovery: str = "sys.exit('nobody should ask')") -> list[str]:
        """Write a tap; give the command that runs it.

        Args:
            body: Python for its run: `schema()`, `record(1)`, `bookmark({…})` write messages.
            discovery: Python for `--discover`.
        """
        asked = f'if "--discover" in sys.argv:\n{textwrap.indent(textwrap.dedent(discovery), "    ")}\n    sys.exit()\n'
        (self.folder / "tap.py").write_text(_PRELUDE + asked + textwrap.dedent(body), encoding="utf-8")
        (self.folder / "notes.json").unlink(missing_ok=True)
        return self.command

    def source(self, tap: Any, catalog: Any = TICKETS, **options: Any) -> DltSource:
        """Make a source of the tap; unless `catalog` is `None`, it is not asked for its streams."""
        return singer_source(tap, self.config, catalog=catalog, **{"name": "desk", **options})

    def pipeline(self) -> dlt.Pipeline:
        return dlt.pipeline(
            "desk",
            destination=dlt.destinations.duckdb(str(self.folder / "warehouse.duckdb")),
            dataset_name="rows",
            pipelines_dir=str(self.folder / "pipelines"),
        )

    def load(self, tap: Any, catalog: Any = TICKETS, **options: Any) -> LoadInfo:
        """Load all that the tap gives."""
        return self.pipeline().run(self.source(tap, catalog, **options))

    def failure(self, tap: Any, catalog: Any = TICKETS, **options: Any) -> BridgeError:
        """Run the tap, which must fail with an error for the user to read."""
        source = self.source(tap, catalog, **options)
        with pytest.raises(PipelineStepFailed) as caught:
            self.pipeline().run(source)
        error = caught.value.__cause__
        assert isinstance(error, BridgeError), repr(error)
        assert len(str(error).splitlines()) == 1, str(error)
        return error

    def rows(self, query: str = "SELECT id, word FROM tickets ORDER BY id") -> list[tuple[Any, ...]]:
        """Ask the database, apart from dlt; a table that is not there has no rows."""
        path = self.folder / "warehouse.duckdb"
        if not path.exists():
            return []
        with closing(duckdb.connect(str(path))) as connection:
            try:
                connection.execute("SET schema = 'rows'")
                return connection.execute(query).fetchall()
            except duckdb.CatalogException:
                return []

    def bookmark(self, stream: str = "tickets") -> Any:
        """Give what dlt keeps for a stream."""
        kept: Any = self.pipeline().state.get("sources", {}).get("desk", {}).get("resources", {})
        return kept.get(stream, {}).get("bookmark")

    def notes(self, seconds: float = 30) -> dict[str, Any]:
        """Wait for what the tap notes."""
        path = self.folder / "notes.json"
        wait_for(path.exists, seconds)
        found: dict[str, Any] = json.loads(path.read_text())
        return found


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} seconds in vain"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Tell whether a process runs; one that has ended, and that nobody has asked about yet, does not."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")
