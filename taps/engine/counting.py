"""Lists whose pages or records are counted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

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

# Records that a page shares with the one before, at least. Within a second they are more: where an earlier record has
# gone, those behind it have shifted, and fewer are shared. So many are enough then, side by side and in their order; an
# API that gives a second's records in another order each time is noticed by them.
_SHARED = 2
_SHARED_IN_A_SECOND = 8
_ENOUGH = 3
_STEPS_BACK = (20, 60)  # records to go back by, where fewer are shared
_LEAST_GAIN = 8  # a page that brings less than this part of its records is not worth its request


class _Place(NamedTuple):
    """Where a page is in a list, by the parameters that ask for it."""

    number: int
    size: int

    @property
    def begin(self) -> int:
        """How many records are before it."""
        return (self.number - 1) * self.size

    @property
    def end(self) -> int:
        """How many records there are up to its last, if it is full."""
        return self.number * self.size

    def sharing(self, shared: int) -> _Place:
        """Give the page after this one that begins with so many of its last records, or some more."""
        return _Place(self.number + 1, self.size - -(-shared // self.number))


class PageNumber(Pagination, frozen=True):
    """Pages are counted, and the list ends at an empty one. An API that ignores the number gives one page for ever.

    Where the API gives at most `window` pages a query, the list must be sorted by its cursor, and is asked for again
    from the last one on (see `Window`) every few pages. Until then each page is a little smaller than the one before,
    so that it begins with that one's last records::

        limit=100&page=1    records 1 to 100
        limit=98&page=2            99 to 196
        limit=97&page=3           195 to 291

    No query can begin within a second. Where one has more records than a page, its pages have whatever size lets them
    begin shortly before the end of the one before. One that does not, for earlier records have gone, is asked for again
    from further back. So a second that is worked on while it is read is got past, without beginning it anew.

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
        if way.window is None:
            return (yield from self._count(way.query))
        query, window = way.query, way.window
        place, end, shared, longest = _Place(1, query.page_size), 0, 0, 0
        before: Page | None = None  # with which this one must share records
        for pages in itertools.count():
            page = yield self._request(query.first(), place)
            longest = max(longest, len(page.records))
            if before is not None and not _follows(page, before, shared):
                # One page is read again as soon as another one from further back; and an API that has sizes of its own
                # is known by the second.
                within_a_second = pages > 1 and not window.can_move
                joined = (yield from self._step_back(query, place, page, before, end)) if within_a_second else None
                if joined is None:
                    return Walk(pages, ended=False, longest=longest, broken=True)
                place, page, shared = joined
            if self._is_the_end(page):
                return Walk(pages + 1, ended=True, longest=longest, sure=before is not None)
            window.add(page, shared)
            end = place.begin + len(page.records)
            shares = way.shares and end == place.end
            goes_on = shares and _goes_on(page, place)
            if way.most == pages + 1 or place.number == self.window or (window.can_move and not goes_on):
                window.cut_off()
                return Walk(pages + 1, ended=False, longest=longest, sure=before is not None)
            place = self._place_after(place, query.page_size, shares=shares, goes_on=goes_on)
            if shares and place.end - end < max(1, query.page_size // _LEAST_GAIN):
                return Walk(pages + 1, ended=False, longest=longest, gave_up=True)
            before = page if shares or before is not None else None
            shared = max(0, end - place.begin)
        raise AssertionError  # pages are counted without end

    def _count(self, query: Query) -> Generator[Request, Page, Walk]:
        keys: Sequence[object] = ()
        for number in itertools.count(1):
            page = yield self._request(query.first(), _Place(number, query.page_size))
            if self._is_the_end(page):
                return Walk(number, ended=True)
            if page.content.keys == keys:
                raise RepeatedPage
            keys = page.content.keys
        raise AssertionError  # pages are counted without end

    def _is_the_end(self, page: Page) -> bool:
        return not page.records and not (self.linked and link_to("next", page.headers.get("Link", "")))

    def _step_back(
        self, query: Query, place: _Place, page: Page, before: Page, end: int
    ) -> Generator[Request, Page, tuple[_Place, Page, int] | None]:
        """Ask for a page that does not follow on another one from further back, until it does.

        Returns:
            Its place, the page, and how many of its first records are up to the last of those that the other one has
            too; `None` where it never does.
        """
        for back in (0, *_STEPS_BACK):
            if back:
                place = self._place_from(end - back, query.page_size)
                page = yield replace(self._request(query.first(), place), keep=0)
            shared = _joint(page, before)
            if shared:
                return place, page, shared
        return None

    def _place_after(self, place: _Place, most: int, *, shares: bool, goes_on: bool) -> _Place:
        if not shares:
            return _Place(place.number + 1, place.size)
        return place.sharing(_SHARED) if goes_on else self._place_from(place.end - _SHARED_IN_A_SECOND, most)

    def _place_from(self, begin: int, most: int) -> _Place:
        """Give the page that begins there or before and reaches furthest, with half of `most` records at least."""
        places = (_Place(max(0, begin) // size + 1, size) for size in range(most, most // 2, -1))
        return max((place for place in places if place.number <= (self.window or 1)), key=lambda place: place.end)

    def likely_after(self, request: Request, page: Page) -> Iterator[Request]:
        """Count on, as long as pages are full."""
        place = _Place(int(request.params[self.page_param]), int(request.params[self.size_param]))
        while len(page.records) == int(request.params[self.size_param]):
            if self.window is None:
                place = _Place(place.number + 1, place.size)
            elif place.number == self.window or not _goes_on(page, place):
                return
            else:
                place = place.sharing(_SHARED)
            yield self._request(request, place)

    def _request(self, request: Request, place: _Place) -> Request:
        return replace(request.with_params({self.size_param: place.size, self.page_param: place.number}), keep=None)


def _goes_on(page: Page, place: _Place) -> bool:
    """Whether the next page does better than a new query, and is seen to follow.

    It does better where few of its records are on those before it. It is seen to follow where the records that it
    shares are not all of one second that begins before them: an API may give those of a second in any order.
    """
    following = place.sharing(_SHARED)
    instants = page.content.instants[following.begin - place.end - 1 :]
    first, last = instants[0], instants[-1]
    return (
        following.size >= 16 * following.number
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


def _joint(page: Page, before: Page) -> int:
    """Tell how many of a page's first records are up to the last of those that another one has too.

    It is 0 where these are too few, or not side by side and in the same order.
    """
    places = {version: place for place, version in enumerate(_versions(page))}
    common = [places[version] for version in _versions(before) if version in places]
    if len(common) < _ENOUGH or common != list(range(common[0], common[0] + len(common))):
        return 0
    return common[-1] + 1


def _versions(page: Page) -> Iterator[object]:
    return zip(page.content.keys, page.content.instants, strict=True)


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
