"""Where a list ends that grows as fast as it is read."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from taps.engine.clocks import IMPLAUSIBLE
from taps.engine.errors import PaginationError
from taps.engine.pacing import http_date
from taps.engine.timestamps import whole_second

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from taps.engine.page import Page
    from taps.engine.seam import Seam

__all__ = ["Tail", "pages_before", "settled_pages"]

_PAGES = 50  # of what changed since the sync began, which a list may have without anything being made of it


def settled_pages(
    pages: Generator[Page, None, None],
    seam: Seam,
    begun: Callable[[], datetime],
    recedes: Callable[[datetime], None],
) -> Generator[Page, None, None]:
    """Give the pages of a list that is sorted by its cursor, to its end; or where that recedes, to where it was.

    Args:
        pages: The pages as they come.
        seam: Takes out what was on an earlier one.
        begun: Gives the time at which the sync began, by the server's clock.
        recedes: Called with the time from which records come with the next sync only, where there is one.

    Raises:
        SyncError: A page could not be had or used. The pages before it have been given.
    """
    tail = Tail(begun)
    with closing(pages):
        try:
            for page in pages:
                fresh = seam.fresh(page)
                yield fresh
                if tail.is_passed(fresh):
                    recedes(tail.until or begun())
                    return
        except PaginationError as error:
            # Of what comes behind the sync's beginning nothing need be sure.
            if error.start is None or error.start <= begun():
                raise
            recedes(error.start)


def pages_before(pages: Iterator[Page], end: datetime, *, ordered: bool) -> Generator[Page, None, None]:
    """Give the pages of a list with those of their records that are from before a time, or have no time.

    Args:
        pages: The pages as they come.
        end: The time.
        ordered: Whether the list is sorted by its cursor, so that it need not be read beyond. A list that is not after
            all is read to its end.

    Raises:
        SyncError: A page could not be had or used. The pages before it have been given.
    """
    latest: datetime | None = None
    for page in pages:
        yield page.only([i for i, instant in enumerate(page.content.instants) if instant is None or instant < end])
        instants = [instant for instant in page.content.instants if instant is not None]
        if instants:
            earliest = whole_second(min(instants))
            ordered = ordered and (latest is None or whole_second(latest) <= earliest)
            latest = max(instants)
            if ordered and earliest >= end:
                return


class Tail:
    """The end of a list that is sorted by its cursor: what has changed since the sync began.

    On a busy account there is always one more page of it. Its records come again with the next sync, for no bookmark
    passes the sync's beginning. So it is read up to where it ended when its first page came: all that existed before
    the sync has been read then, or has changed once more.

    Args:
        begun: Gives the time at which the sync began, by the server's clock.
    """

    def __init__(self, begun: Callable[[], datetime]) -> None:
        self.until: datetime | None = None
        """The time up to which the list is read, once its tail has been reached."""
        self._begun = begun
        self._pages = 0

    def is_passed(self, page: Page) -> bool:
        """Tell whether a page is the last one to be read.

        Where anything older comes after all, what came before it was not the end; and neither are records that are
        dated ahead.

        Args:
            page: The next one, without records that were on an earlier one.
        """
        instants = [instant for instant in page.content.instants if instant is not None]
        if not instants:
            return False
        earliest, latest = whole_second(min(instants)), max(instants)
        if earliest <= self._begun():
            self._pages, self.until = 0, None
            return False
        self._pages += 1
        now = datetime.now(timezone.utc)
        told = http_date(page.headers.get("Date", ""))
        if told is not None and abs(told - now) < IMPLAUSIBLE:
            now = told
        if self.until is None:
            self.until = now
        return self._pages > _PAGES and self.until < earliest and latest < now + IMPLAUSIBLE
