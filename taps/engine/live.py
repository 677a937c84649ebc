"""The live view of a sync on a terminal."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from taps.engine.account import accounts_of, summary_line, way
from taps.engine.screen import RELEASE, Screen
from taps.engine.stopping import stopping

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.segment import Segment

    from taps.engine.account import Account
    from taps.engine.tap import ApiTap

__all__ = ["LiveView"]

_REFRESHES = 4  # a second
_WORTH_SHOWING = 1.0  # seconds of waiting
_STYLES = {"failed": "bold red", "skipped": "yellow", "stopped": "yellow"}
_GOING = {"stopped", "not begun"}  # or still to come
_NARROW = 72  # columns of a terminal, below which some of the table's are left out
_WIDE = 100  # from which on the summary is a table


class LiveView:
    """Streams with their rows, requests, rates, waits and retries, kept below the lines of the log.

    Args:
        tap: Whose sync is shown.
        console: On standard error.
    """

    def __init__(self, tap: ApiTap, console: Console) -> None:
        self._tap = tap
        self._console = console
        self._begun = time.monotonic()
        self._screen = Screen(sys.stderr.fileno())
        self._over = threading.Event()
        self._filtered = [handler for handler in _handlers() if handler.stream is sys.stderr]
        for handler in self._filtered:
            handler.addFilter(_is_not_in_view)
        stopping.last_words = RELEASE
        threading.Thread(target=self._draw, name="tap-progress", daemon=True).start()

    @classmethod
    def on_terminal(cls, tap: ApiTap) -> LiveView | None:
        """Show it; `None` where the terminal cannot move its cursor."""
        console = Console(stderr=True)
        return cls(tap, console) if console.is_terminal and not console.is_dumb_terminal else None

    def close(self) -> None:
        """Take it away, and give the log its place back."""
        self._over.set()
        self._screen.close()
        for handler in self._filtered:
            handler.removeFilter(_is_not_in_view)
        stopping.last_words = b""

    def print_summary(self) -> None:
        """Print the account of each stream."""
        accounts = list(accounts_of(self._tap.api_streams))
        if self._console.width < _WIDE:
            for account in accounts:
                self._console.print(Text(summary_line(account)), soft_wrap=True)
            self._console.print(self._headline(accounts))
            return
        table = _table("stream", "rows", "requests", "retries", "waited", "bookmark")
        for account in accounts:
            begun = account.outcome != "not begun"
            name = Text(account.stream if account.outcome == "read" else f"{account.stream} ({account.outcome})")
            name.stylize(_STYLES.get(account.outcome, ""))
            figures = [*_figures(account), way(account).removeprefix("bookmark ")] if begun else []
            table.add_row(name, *figures)
        self._console.print(table, self._headline(accounts))

    def _draw(self) -> None:
        while not self._over.is_set():
            size = self._screen.size
            if size.columns > 1:
                # The last column stays free: what is written there makes some terminals begin a new line.
                options = self._console.options.update(width=size.columns - 1, height=None, no_wrap=True)
                drawn = self._console.render_lines(self._render(size), options, pad=False)
                self._screen.draw(["".join(map(self._styled, line)) for line in drawn])
            self._over.wait(1 / _REFRESHES)

    def _styled(self, segment: Segment) -> str:
        if segment.style is None or self._console.color_system is None:
            return segment.text
        style = segment.style.without_color if self._console.no_color else segment.style
        return style.render(segment.text)

    def _render(self, size: os.terminal_size) -> RenderableType:
        accounts = list(accounts_of(self._tap.api_streams))
        streams = {stream.name: stream for stream in self._tap.api_streams}
        now = time.monotonic()
        going = [account for account in accounts if account.outcome == "stopped"]
        done = [account for account in accounts if account.outcome not in _GOING]
        room = max(1, size.lines // 2 - 3)  # the other half is the log's
        narrow = size.columns < _NARROW
        table = _table("stream", "rows", "requests", *(() if narrow else ("retries", "waited", "rows/s")))
        for account in [*done, *going][-room:]:
            begun = streams[account.stream].tally.begun
            seconds = (streams[account.stream].tally.ended or now) - (begun or now)
            name = Text(account.stream, style="" if account in going else _STYLES.get(account.outcome, "green"))
            figures = [*_figures(account), f"{account.rows / seconds:,.0f}" if seconds > 0 else ""]
            table.add_row(name, *(figures[:2] if narrow else figures))
        parts: list[RenderableType] = [table, self._headline(accounts)]
        wait = self._tap.http.waiting() if self._tap.http_was_used else None
        if wait is not None and wait.seconds >= _WORTH_SHOWING:
            parts.append(Text(f"waiting {wait.seconds:.0f} s: {wait.reason}", style="yellow"))
        return Group(*parts)

    def _headline(self, accounts: Iterable[Account]) -> Text:
        accounts = list(accounts)
        seconds = time.monotonic() - self._begun
        rows = sum(account.rows for account in accounts)
        ended = sum(account.outcome not in _GOING for account in accounts)
        requests = sum(account.requests for account in accounts)
        streams = f"{self._tap.name}: {ended} of {len(accounts)} streams"
        return Text(f"{streams}, {rows:,} rows, {requests:,} requests, {seconds:.0f} s", style="bold")


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="left" if name == "bookmark" else "right", no_wrap=name != "bookmark")
    return table


def _figures(account: Account) -> list[str]:
    return [f"{account.rows:,}", f"{account.requests:,}", f"{account.retries:,}", f"{account.waited:.1f} s"]


def _handlers() -> list[logging.StreamHandler[Any]]:
    """List the handlers of all loggers that write to a stream."""
    loggers: list[Any] = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    return [handler for handler in handlers if type(handler) is logging.StreamHandler]


def _is_not_in_view(record: logging.LogRecord) -> bool:
    """Leave out what the view shows better, such as metrics, unless somebody wants to see all."""
    return record.levelno != logging.INFO or logging.root.isEnabledFor(logging.DEBUG)
