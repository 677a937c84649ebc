"""A target that loads into SQLite, and prints a STATE only when all rows before it are committed.

    small_target.py SETTINGS

SETTINGS is JSON:
    database: The file.
    batch: Rows to hold before they are loaded, all streams together. What is left is loaded at the end of the input.
    pause: Seconds to take for each line.
    marker: A file to make when a line has come...
    line: ...how many lines are before it; null for none.
    stalls: Whether nothing more is read from then on.

It needs nothing but the standard library, for it is started some hundred times. A row that comes again replaces what was
there; the table itself would take a key twice, so that it can be seen whether it did.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

_TABLE = "create table if not exists rows (stream text, key text, record text)"


class Loader:
    """Holds rows until there are enough of them, and the STATE that covers them and those before."""

    def __init__(self, database: str, batch: int) -> None:
        self._connection = sqlite3.connect(database)
        self._connection.execute(_TABLE)
        self._connection.execute("create index if not exists by_key on rows (stream, key)")
        self._connection.commit()
        self._batch = batch
        self._keys: dict[str, list[str]] = {}
        self._held: dict[tuple[str, str], str] = {}
        self._state: Any = None

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "SCHEMA":
            self._keys[message["stream"]] = message["key_properties"]
        elif message["type"] == "STATE":
            self._state = message["value"]
        elif message["type"] == "RECORD":
            record = message["record"]
            key = json.dumps([record[name] for name in self._keys[message["stream"]]])
            self._held[message["stream"], key] = json.dumps(record)
            if len(self._held) >= self._batch:
                self.load()

    def load(self) -> None:
        with self._connection:
            self._connection.executemany("delete from rows where stream = ? and key = ?", self._held)
            rows = [(*place, record) for place, record in self._held.items()]
            self._connection.executemany("insert into rows values (?, ?, ?)", rows)
        self._held.clear()
        if self._state is not None:
            sys.stdout.write(json.dumps(self._state) + "\n")
            sys.stdout.flush()


def main(settings: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever starts a job in the background may have had it ignored
    loader = Loader(settings["database"], settings["batch"])
    for number, line in enumerate(sys.stdin.buffer):
        if number == settings["line"]:
            Path(settings["marker"]).touch()
            if settings["stalls"]:
                time.sleep(120)
        if not line.endswith(b"\n"):
            sys.stderr.write("the last line is not whole\n")
            break
        loader.take(json.loads(line))
        time.sleep(settings["pause"])
    loader.load()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
