"""What a run of a tap did, as Meltano's log tells it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Sync"]

_BEGINS = re.compile(r"Beginning .*sync of '([^']+)'")


@dataclass
class Sync:
    """What a run of a tap did, by the metrics that it logs.

    Attributes:
        loader: The plugin at the other end of the pipe.
        rows: Records emitted, by stream.
        seconds: Time taken, by stream; a parent's has its children's in it.
        requests: HTTP requests sent.
        errors: What went wrong, as the tap, the loader or Meltano put it.
        current: The stream that is being read.
    """

    loader: str
    rows: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    requests: int = 0
    errors: list[str] = field(default_factory=list)
    current: str = ""
    _of_loader: str = field(default="", repr=False)

    def take(self, line: str) -> None:
        """Read a line of Meltano's log."""
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if not isinstance(entry, dict):
            return
        event, name = str(entry.get("event")).strip(), entry.get("name", "meltano")
        if name == self.loader:
            self._of_loader = event or self._of_loader
        if entry.get("level") in {"error", "critical"}:
            self._take_error(entry, name, event)
        if begins := _BEGINS.match(event):
            self.current = begins[1]
        self._take_point(entry.get("metric_info") or {})

    def _take_error(self, entry: dict[str, Any], name: str, event: str) -> None:
        # Of a loader that ended in a traceback, and of pip, the last line says most.
        details = (entry.get("install_state") or {}).get("details") or ""
        lines = [line for line in details.splitlines() if line.strip()]
        if event == "Loader failed" and self._of_loader:
            name, event = self.loader, self._of_loader
        self.errors.append(f"{name}: {lines[-1] if lines else event}")

    def _take_point(self, point: dict[str, Any]) -> None:
        metric = point.get("metric")
        if metric == "record_count":
            self.rows[point["tags"]["stream"]] += point["value"]
        elif metric == "sync_duration":
            self.seconds[point["tags"]["stream"]] += point["value"]
        elif metric == "http_request_count":
            self.requests += point["value"]

    def __str__(self) -> str:
        """What was read so far."""
        return f"{self.rows.total():,} rows of {len(self.rows)} streams"
