"""What is shown of a sync while it goes on, and at its end: a live view on a terminal, lines of the log elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taps.engine.account import accounts_of, summary_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.live import LiveView
    from taps.engine.tap import ApiTap

__all__ = ["Progress"]


class Progress:
    """Shows a tap's sync on standard error, of the process that is the tap's own.

    The live view is shown where standard error is a terminal and standard output is none, unless the setting `progress`
    says otherwise. The account of each stream at the end is a table there, and a line of the log each elsewhere; with
    structured logs, these have it as fields too, as `extra.summary`.

    Args:
        tap: The tap.
    """

    def __init__(self, tap: ApiTap) -> None:
        self._tap = tap
        self._view: LiveView | None = None
        self._ended = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the sync, and its summary at the end, however it ends."""
        terminal = sys.stderr.isatty() and not sys.stdout.isatty()
        if self._tap.config["progress"] and terminal and not os.environ.get("CI"):
            from taps.engine.live import LiveView  # noqa: PLC0415 - rich takes 50 ms to import

            self._view = LiveView.on_terminal(self._tap)
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """Take the live view away, and give the summary, unless the API has not given a page: all that is one line."""
        if self._ended:  # told by a stop already
            return
        self._ended = True
        view, self._view = self._view, None
        answered = self._tap.http_was_used and self._tap.http.answered
        if view is not None:
            view.close()
            if answered:
                view.print_summary()
            return
        for account in accounts_of(self._tap.api_streams) if answered else ():
            self._tap.logger.info("%s", summary_line(account), extra={"summary": account._asdict()})
