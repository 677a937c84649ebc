"""Lists whose pages or records are counted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from msgspec.structs import replace

from taps.engine.links import link_to
from taps.engine.pagination import Pagination, RepeatedPage
from taps.engine.timestamps import whole_second
from taps.engine.window import Walk, read_windows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.query import Query
    from taps.engine.window import Way

__all__ = ["Offset", "PageNumber"]

# Records that a page shares with the one before, at least. Where all are of one second, an API that gives them in
# another order than before is the more likely to be noticed the more they are.
_SHARED = 2
_SHARED_IN_A_SECOND = 3


class PageNumber(Pagination, frozen=True):
    """Pages are counted, and the list ends at an empty one. An API that ignores the number gives one page for ever.

    Where the API gives at most `window` pages a query, the list must be sorted by its cursor, and is asked for again
    from the last one on (see `Window`) every few pages. Until then each page is a little smaller than the one before,
    so that it begins with that one's last records::

        limit=100&page=1    records 1 to 100
        limit=98&page=2            99 to 196
        limit=97&page=3           195 to 291

    Attributes:
        page_param: Name of the parameter that holds the page's number, from 1.
        size_param: Name of the parameter that holds the page size.
        window: Most pages of a query, or `None` for no limit.
        linked: Whether the header has a link to the next page as well, so that an empty one that has it is not the end.
    """

    page_param: str = "page"
    size_param: str = "limit"
    window: int | None = None
    linked: bool = False

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Count up; begin again from the last cursor where the list is windowed."""
        yield from read_windows(self._walk, query, self.window, "pages")

    def _walk(self, way: Way) -> Generator[Request, Page, Walk]:
        query, window = way.query, way.window
        first, size, shared, longest = query.first(), query.page_size, 0, 0
        before: Page | None = None  # with which this one must share records
        keys: Sequence[object] = ()
        for number in itertools.count(1):
            request = self._request(first, number, size)
            page = yield request
            length = len(page.records)
            longest = max(longest, length)
            if before is not None and not _follows(page, before, shared):
                return Walk(number - 1, ended=False, longest=longest, broken=True)
            if not length and not (self.linked and link_to("next", page.headers.get("Link", ""))):
                return Walk(number, ended=True, longest=longest, sure=before is not None)
            if window is None:
                if page.content.keys == keys:
                    raise RepeatedPage
                keys = page.content.keys
                continue
            window.add(page, shared)
            shares = way.shares and length == size
            goes_on = shares and _goes_on(page, number, size)
            if number in {way.most, self.window} or (window.can_move and not goes_on):
                window.cut_off()
                return Walk(number, ended=False, longest=longest, sure=before is not None)
            if shares:
                following = _size_after(number, size, _SHARED if goes_on else _SHARED_IN_A_SECOND)
                if following * 2 <= query.page_size:
                    return Walk(number, ended=False, longest=longest, gave_up=True)
                shared, size, before = number * (size - following), following, page
            elif before is not None:
                shared = 0
        raise AssertionError  # pages are counted without end

    def likely_after(self, request: Request, page: Page) -> Iterator[Request]:
        """Count on, as long as pages are full."""
        number, size = int(request.params[self.page_param]), int(request.params[self.size_param])
        while len(page.records) == int(request.params[self.size_param]):
            if self.window is not None:
                if number == self.window or not _goes_on(page, number, size):
                    return
                size = _size_after(number, size, _SHARED)
            number += 1
            yield self._request(request, number, size)

    def _request(self, request: Request, number: int, size: int) -> Request:
        return replace(request.with_params({self.size_param: size, self.page_param: number}), keep=None)


def _size_after(number: int, size: int, shared: int) -> int:
    """Give the size by which the page after this one begins with so many of its last records, or some more."""
    return size - -(-shared // number)


def _goes_on(page: Page, number: int, size: int) -> bool:
    """Whether the next page does better than a new query, and is seen to follow.

    It does better where few of its records are on those before it. It is seen to follow where the records that it
    shares are not all of one second that begins before them: an API may give those of a second in any order.
    """
    following = _size_after(number, size, _SHARED)
    instants = page.content.instants[-number * (size - following) - 1 :]
    first, last = instants[0], instants[-1]
    return (
        following >= 16 * (number + 1)
        and first is not None
        and last is not None
        and whole_second(first) < whole_second(last)
    )


def _follows(page: Page, before: Page, shared: int) -> bool:
    """Whether a page begins with the last records of another one; without such, whether the list had ended."""
    if not shared:
        return not page.records
    content, last = page.content, before.content
    return content.keys[:shared] == last.keys[-shared:] and content.instants[:shared] == last.instants[-shared:]


class Offset(Pagination, frozen=True):
    """Records are counted, and the list ends at an empty page.

    The offset moves by the records received, for a page may be shorter than asked. An API that ignores the offset
    gives the same page for ever.

    Attributes:
        offset_param: Name of the parameter that holds the number of records to pass over.
        size_param: Name of the parameter that holds the page size.
    """

    offset_param: str = "offset"
    size_param: str = "limit"

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Move on by what was received."""
        request = query.first().with_params({self.size_param: query.page_size})
        offset, before = 0, None
        while True:
            page = yield request.with_params({self.offset_param: offset})
            if not page.records:
                return
            keys = page.content.keys
            if keys == before:
                raise RepeatedPage
            offset, before = offset + len(keys), keys

    def likely_after(self, request: Request, page: Page) -> Iterator[Request]:
        """Count on, as long as pages are full."""
        offset, size = int(request.params[self.offset_param]), int(request.params[self.size_param])
        while len(page.records) == size:
            offset += size
            yield request.with_params({self.offset_param: offset})
