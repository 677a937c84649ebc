"""How an API hands out a list in pages.

A `Pagination` is declared once on a stream class and owns both halves: what it reads from a page and what it writes
into the next request. Its `requests` is a generator that is sent each page and yields the request for the next one::

    requests = pagination.requests(query)
    request = next(requests)
    while True:
        page = get(request)
        request = requests.send(page)      # StopIteration: that was the last page
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from taps.engine.client import Request
from taps.engine.errors import PaginationError
from taps.engine.window import Walk, read_windows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from taps.engine.page import Page
    from taps.engine.query import Query
    from taps.engine.window import Way

__all__ = [
    "BodyLink",
    "Export",
    "HeaderLink",
    "Offset",
    "PageNumber",
    "Pagination",
    "RepeatedPage",
    "SinglePage",
]


class RepeatedPage(Exception):  # noqa: N818 - it ends a list, which is no error
    """The page just sent is the one before it once more: the list has ended, and this page is not part of it."""


class Pagination:
    """Gives the requests that read a list to its end."""

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Yield the request for each page; be sent the page.

        Args:
            query: What to read.

        Raises:
            PaginationError: The pages lead nowhere.
            RepeatedPage: The API sends the same page for ever.
        """
        raise NotImplementedError

    def told_by(self, url: str, headers: Mapping[str, str]) -> Request | None:  # noqa: ARG002
        """Give the request for the next page where an answer's headers tell it, before its body is there.

        Args:
            url: The address that answered.
            headers: Response headers; look-ups ignore case.
        """
        return None

    def likely_after(self, request: Request, page: Page) -> Iterator[Request]:  # noqa: ARG002
        """Give the requests that will come after this one if the list goes on as it did; none where that is unknown."""
        return iter(())

    size_param: str | None = None
    """Name of the parameter that holds the page size, where there is one."""

    @property
    def document_field(self) -> str | None:
        """Field of the document, beside the records, that is read here."""
        return None

    def size_of(self, request: Request) -> int | None:
        """Read the page size that a request asks for, whether in its parameters or in a link's query."""
        name = self.size_param or ""
        values = parse_qs(urlsplit(request.url).query).get(name, [""])
        text = str(request.params.get(name, values[0]))
        return int(text) if text.isascii() and text.isdigit() else None

    def with_size(self, request: Request, size: int) -> Request:
        """Copy a request with another page size."""
        name = self.size_param or ""
        parts = urlsplit(request.url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if name not in dict(pairs):
            return request.with_params({name: size})
        query = urlencode([(key, str(size) if key == name else value) for key, value in pairs])
        return replace(request, url=parts._replace(query=query).geturl())


class SinglePage(Struct, Pagination, frozen=True):
    """An answer that is complete: one object, or a list that is not paginated."""

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Yield the one request."""
        yield query.first()


def _resolved(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        path = Request(base).path
        raise PaginationError(f"GET {path}: the next link is no address: {link!r:.200}") from None


class _Links:
    """The next links that a list has led through."""

    def __init__(self, page: Page) -> None:
        self._followed = {page.url}

    def follow(self, page: Page, link: str) -> Request:
        """Make the request for a link's address."""
        url = _resolved(page.url, link)
        self.check(url, url)
        return Request(url)

    def check(self, link: str, url: str) -> None:
        """Make sure that a link is new."""
        if link in self._followed:
            path = Request(url).path
            raise PaginationError(f"GET {path}: the next link was already followed; the API's pages form a loop")
        self._followed.add(link)


class HeaderLink(Struct, Pagination, frozen=True):
    """The next page's address is in the `Link` header (RFC 8288).

    ::

        Link: <https://api.example.com/v1/agents?cursor=b2Zmc2V0>; rel="next"

    The list ends where no next link is given; an empty page with a next link is not its end.

    Attributes:
        size_param: Name of the parameter that holds the page size.
    """

    size_param: str = "limit"

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Follow the links, untouched."""
        page = yield query.first().with_params({self.size_param: query.page_size})
        links = _Links(page)
        while (link := _next_link(page.headers.get("Link", ""))) is not None:
            page = yield links.follow(page, link)

    def told_by(self, url: str, headers: Mapping[str, str]) -> Request | None:
        """Give the request for the next link."""
        link = _next_link(headers.get("Link", ""))
        try:
            return None if link is None else Request(_resolved(url, link))
        except PaginationError:  # it is raised where the page is read
            return None


_LINK = re.compile(r'<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)')
_PARAM = re.compile(r';\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))')


def _next_link(header: str) -> str | None:
    """Find the target of `rel="next"`; `requests` reads semicolons and commas inside of URLs and quotes wrongly."""
    for target, parameters in _LINK.findall(header):
        rels = [quoted or plain for name, quoted, plain in _PARAM.findall(parameters) if name.lower() == "rel"]
        if rels and "next" in rels[0].lower().split():
            return str(target).strip()
    return None


class BodyLink(Struct, Pagination, frozen=True):
    """The next page's address is in the body.

    ::

        {"data": [...], "paging": {"next": "https://api.example.com/v2/users?offset=100&limit=100"}}

    The list ends where no next link is given; an empty page with a next link is not its end. Where the API gives at
    most `window` records a query, the links count records; the list must be sorted by its cursor, and is asked for
    again from the last one on (see `Window`).

    Attributes:
        path: Fields that lead to the link, as `paging.next`.
        size_param: Name of the parameter that holds the page size.
        opaque_param: Name of the parameter that takes what is no address but an opaque string.
        window: Most records of a query, or `None` for no limit.
    """

    path: str
    size_param: str = "limit"
    opaque_param: str | None = None
    window: int | None = None

    @property
    def document_field(self) -> str:
        """The first field on the way to the link."""
        return self.path.partition(".")[0]

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Follow the links, untouched; begin again from the last cursor where the list is windowed."""
        yield from read_windows(self._walk, query, self.window, "records")

    def _walk(self, way: Way) -> Generator[Request, Page, Walk]:
        query, window = way.query, way.window
        received = pages = 0
        request = query.first().with_params({self.size_param: query.page_size})
        page = yield request
        links = _Links(page)
        while True:
            received, pages = received + len(page.records), pages + 1
            link = self._next(page)
            if window is not None and self.window is not None:
                window.add(page)
                # The next page, were it full, would pass the limit, and the API refuses such a request.
                exhausted = received + query.page_size > self.window
                if exhausted:
                    window.cut_off()
                if exhausted or pages == way.most or (link is not None and window.can_move):
                    return Walk(pages, ended=False)
            if link is None:
                return Walk(pages, ended=True)
            if self.opaque_param is None or link.startswith(("http://", "https://")):
                page = yield links.follow(page, link)
            else:
                links.check(link, page.url)
                page = yield request.with_params({self.opaque_param: link})

    def _next(self, page: Page) -> str | None:
        found = page.content.document
        for name in self.path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None and not isinstance(found, str):
            path = Request(page.url).path
            raise PaginationError(f"GET {path}: the next link at '{self.path}' is no text but {found!r:.60}")
        return found or None


class PageNumber(Struct, Pagination, frozen=True):
    """Pages are counted, and the list ends at an empty one.

    Where the API gives at most `window` pages a query, the list must be sorted by its cursor, and is asked for again
    from the last one on (see `Window`) every few pages. Until then each page is a little smaller than the one before,
    so that it begins with that one's last records::

        limit=100&page=1    records 1 to 100
        limit=97&page=2             98 to 194
        limit=95&page=3            191 to 285

    Attributes:
        page_param: Name of the parameter that holds the page's number, from 1.
        size_param: Name of the parameter that holds the page size.
        window: Most pages of a query, or `None` for no limit.
    """

    page_param: str = "page"
    size_param: str = "limit"
    window: int | None = None

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Count up; begin again from the last cursor where the list is windowed."""
        yield from read_windows(self._walk, query, self.window, "pages")

    def _walk(self, way: Way) -> Generator[Request, Page, Walk]:
        query, window = way.query, way.window
        first, size, shared, longest = query.first(), query.page_size, None, 0
        before: Page | None = None
        for number in itertools.count(1):
            request = self._request(first, number, size)
            page = yield replace(request, instead=way.instead) if number == 1 else request
            length = len(page.records)
            longest = max(longest, length)
            if before is not None and shared is not None and not _follows(page, before, shared):
                return Walk(number - 1, ended=False, longest=longest, broken=True)
            if not length:
                return Walk(number, ended=True, longest=longest, sure=shared is not None)
            if window is None:
                continue
            window.add(page, shared or 0)
            following = _size_after(number, size) if way.shares and length == size else None
            on_the_way = following is not None and _is_worth_it(number + 1, following)
            if number in {way.most, self.window} or (window.can_move and not on_the_way):
                window.cut_off()
                return Walk(number, ended=False, longest=longest, sure=shared is not None)
            if following is not None and (on_the_way or following * 2 > query.page_size):
                shared, size, before = number * (size - following), following, page
            elif shared is not None:
                shared, before = 0, page
        raise AssertionError  # pages are counted without end

    def likely_after(self, request: Request, page: Page) -> Iterator[Request]:
        """Count on, as long as pages are full."""
        number, size = int(request.params[self.page_param]), int(request.params[self.size_param])
        while len(page.records) == int(request.params[self.size_param]):
            if self.window is not None:
                size = _size_after(number, size)
                if number == self.window or not _is_worth_it(number + 1, size):
                    return
            number += 1
            yield self._request(request, number, size)

    def _request(self, request: Request, number: int, size: int) -> Request:
        return replace(request.with_params({self.size_param: size, self.page_param: number}), instead=False)


_SHARED = 3


def _size_after(number: int, size: int) -> int:
    """Give the size by which the next page begins with the last three records, or some more, of this one.

    Pages of a size count from the list's beginning: the second of 97 begins with record 98, where one of 100 ended with
    100. With less than three, records of one second in another order than before could look as if all was well.
    """
    return size - -(-_SHARED // number)


def _is_worth_it(number: int, size: int) -> bool:
    """Whether so few of a page's records were on those before it that it does better than a new query."""
    return size >= 16 * number


def _follows(page: Page, before: Page, shared: int) -> bool:
    """Whether a page begins with the last records of another one; without such, whether the list had ended."""
    if not shared:
        return not page.records
    content, last = page.content, before.content
    return content.keys[:shared] == last.keys[-shared:] and content.instants[:shared] == last.instants[-shared:]


class Offset(Struct, Pagination, frozen=True):
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


class Export(Struct, Pagination, frozen=True):
    """An export sorted by its cursor, whose next page begins at the last record's second, and which never says it ends.

    ::

        {"calls": [...], "count": 1000, "next_page": "https://api.example.com/v1/stats/incremental/calls?start_time=17..."}

    It ends at an empty page, where no next link is given, and where the next link does not lead forward in time. But if
    the page before such a link was full, there are more records in that second than the API can give, and that is an
    error. The records of the second come twice; `Seam` drops the second.

    Attributes:
        path: Name of the field with the link.
        time_param: Name of the parameter that holds the time, in seconds since 1970.
        full_page: Records on a full page.
    """

    path: str = "next_page"
    time_param: str = "start_time"
    full_page: int = 1000

    @property
    def document_field(self) -> str:
        """The field with the link."""
        return self.path

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Follow the links as long as they lead forward."""
        page = yield query.first()
        links, time = _Links(page), self._time(page.url)
        before: set[tuple[Any, ...]] = set()
        while page.records and (link := page.content.document.get(self.path)):
            following = self._time(str(link))
            keys = set(page.content.keys)
            if time is not None and following is not None and following <= time:
                # What the page before did not have room for shows that a page is full with less than full_page.
                capped = bool(before) and not keys <= before and len(keys) >= len(before)
                if capped or len(page.records) >= self.full_page:
                    raise PaginationError(
                        f"GET {query.request.path}: {len(page.records)} records or more share the second {time} "
                        f"({query.cursor}), and the API gives no more of them: the sync cannot get past it"
                    )
                return
            before = keys
            request = links.follow(page, str(link))
            if following is not None:
                request = replace(request, start=datetime.fromtimestamp(following, timezone.utc))
            page, time = (yield request), following

    def _time(self, url: str) -> int | None:
        values = parse_qs(url.partition("?")[2]).get(self.time_param, [""])
        return int(values[0]) if values[0].isascii() and values[0].isdigit() else None
