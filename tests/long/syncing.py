"""Syncs again and again in one process, and tells after each sync what the process holds.

    python syncing.py DATABASE

On standard input come the tap's settings as JSON, on a line; then a line for each sync that is wanted. For each of them
one line of JSON goes out. The rows go into a table a stream of a SQLite database, merged by key.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from support import sync
from taps.helpdesk.tap import TapHelpdesk

STREAMS = {"tickets": ["id"], "conversations": ["id"], "contacts": ["id"], "agents": ["id"]}


def main(database: str) -> None:
    """Sync as often as a line comes in."""
    config = json.loads(sys.stdin.readline())
    state: dict[str, Any] | None = None
    with closing(sqlite3.connect(database)) as connection:
        for stream in STREAMS:
            connection.execute(f"CREATE TABLE {stream} (key TEXT PRIMARY KEY, record TEXT)")
        for _ in sys.stdin:
            output = sync(TapHelpdesk, config, streams=list(STREAMS), state=state)
            rows = [
                (message["stream"], json.dumps([message["record"][key] for key in STREAMS[message["stream"]]]), record)
                for message in output.messages
                if message["type"] == "RECORD"
                for record in [json.dumps(message["record"], default=str)]
            ]
            for stream, key, record in rows:
                connection.execute(f"INSERT OR REPLACE INTO {stream} VALUES (?, ?)", (key, record))
            connection.commit()
            state = output.state if output.states else state
            errors, count = output.errors, len(rows)
            del output, rows
            gc.collect()
            _give_back()
            held = {
                "rows": count,
                "errors": errors,
                "bytes": _resident(),
                "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
                "threads": threading.active_count(),
            }
            sys.stdout.write(json.dumps(held) + "\n")
            sys.stdout.flush()


def _give_back() -> None:
    """Have the allocator give back what is free: in an hour the gaps between what is in use come to some megabytes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(sys.argv[1])
