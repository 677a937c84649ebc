"""What reading each stream took, and how far it came: what a summary and a live view tell."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taps.engine.stream import ApiStream

__all__ = ["Account", "Tally", "accounts_of", "summary_line", "way"]


class Tally:
    """What a stream's requests took; safe for threads.

    Attributes:
        requests: How many pages were asked for.
        retries: How often one of them was asked for again.
        waited: Seconds in which some were held back: by waits before a retry, by what the API says of its limits, and
            by `requests_per_minute`. Those that waited side by side count once.
        begun: When the first one began, in seconds of a clock that never goes back; `None` before.
        ended: When the stream had been read, whether it was to its end or not; `None` before.
        skipped: Whether the stream was left out, as the plan or the key does not include it.
        bookmark: The bookmark at the start.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.retries = 0
        self.waited = 0.0
        self.begun: float | None = None
        self.skipped = False
        self.bookmark: str | None = None
        self.ended: float | None = None
        self._waited_until = 0.0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Take note that a page is asked for."""
        with self._lock:
            if self.begun is None:
                self.begun = time.monotonic()
            self.requests += 1

    def end(self) -> None:
        """Take note that the stream has been read."""
        self.ended = time.monotonic()

    def add(self, *, retries: int, waited: float) -> None:
        """Take note of what a page took, when it is there or cannot be had."""
        with self._lock:
            self.retries += retries
            if waited:
                now = time.monotonic()
                self.waited += min(waited, now - self._waited_until)
                self._waited_until = now


class Account(NamedTuple):
    """How a stream came out, or stands.

    Attributes:
        stream: Its name.
        outcome: `read`, `failed`, `skipped` (the plan or the key does not include it), `stopped` (before its end), or
            `not begun`.
        rows: Records written.
        requests: As of `Tally`.
        retries: As of `Tally`.
        waited: As of `Tally`.
        parent: The stream for whose records it is read, if it is a child.
        replication_key: Where it has one; other streams are read in full each time.
        bookmark_from: The bookmark at the start.
        bookmark_to: The bookmark now.
    """

    stream: str
    outcome: str
    rows: int
    requests: int
    retries: int
    waited: float
    parent: str | None
    replication_key: str | None
    bookmark_from: str | None
    bookmark_to: str | None


def accounts_of(streams: Iterable[ApiStream]) -> Iterator[Account]:
    """Give the accounts of those streams that are selected, or read for the sake of their children."""
    for stream in streams:
        tally = stream.tally
        if not stream.selected and not tally.requests:
            continue
        outcomes = {
            "failed": stream.failed,
            "skipped": tally.skipped,
            "read": tally.ended is not None,
            "stopped": tally.requests > 0,
        }
        incremental = stream.replication_key is not None
        yield Account(
            stream=stream.name,
            outcome=next((outcome for outcome, holds in outcomes.items() if holds), "not begun"),
            rows=stream.rows_written,
            requests=tally.requests,
            retries=tally.retries,
            waited=round(tally.waited, 1),
            parent=stream.parent_name,
            replication_key=stream.replication_key,
            bookmark_from=tally.bookmark if incremental else None,
            bookmark_to=stream.stream_state.get("replication_key_value") if incremental else None,
        )


def summary_line(account: Account) -> str:
    """Tell it in a line: `tickets: 150 rows, 3 requests, 0 retries, 0.0 s waited, bookmark … → …`."""
    if account.outcome == "not begun":
        return f"{account.stream}: not begun"
    outcome = [] if account.outcome == "read" else [account.outcome]
    counts = [_counted(account.rows, "row"), _counted(account.requests, "request"), _counted(account.retries, "retry")]
    parts = [*outcome, *counts, f"{account.waited:.1f} s waited", way(account)]
    return f"{account.stream}: {', '.join(filter(None, parts))}"


def way(account: Account) -> str:
    """Say from where to where the bookmark moved, or how else it was read; nothing where it was not."""
    if account.replication_key is None:
        if account.outcome != "read":
            return ""
        return f"below {account.parent}" if account.parent else "read in full"
    before, after = account.bookmark_from or "none", account.bookmark_to or "none"
    return f"bookmark {before} → {after}"


def _counted(number: int, noun: str) -> str:
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
