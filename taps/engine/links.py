"""Lists whose next page is given by a link, in a header or in the body."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

from msgspec.structs import replace

from taps.engine.client import Request
from taps.engine.errors import PaginationError
from taps.engine.pagination import Pagination
from taps.engine.window import Walk, read_windows

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from taps.engine.page import Page
    from taps.engine.query import Query
    from taps.engine.window import Way

__all__ = ["BodyLink", "Export", "HeaderLink", "link_to"]

_TIME_DIGITS = 11  # seconds since 1970; a time of more digits is beyond the calendar


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


class HeaderLink(Pagination, frozen=True):
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
        while (link := link_to("next", page.headers.get("Link", ""))) is not None:
            page = yield links.follow(page, link)

    def told_by(self, url: str, headers: Mapping[str, str]) -> Request | None:
        """Give the request for the next link."""
        link = link_to("next", headers.get("Link", ""))
        try:
            return None if link is None else Request(_resolved(url, link))
        except PaginationError:  # it is raised where the page is read
            return None


_LINK = re.compile(r'<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)')
_PARAM = re.compile(r';\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))')


def link_to(relation: str, header: str) -> str | None:
    """Find the target of a relation such as `next` in a `Link` header.

    `requests` has such a function, which reads semicolons and commas inside of URLs and quotes wrongly.
    """
    for target, parameters in _LINK.findall(header):
        rels = [quoted or plain for name, quoted, plain in _PARAM.findall(parameters) if name.lower() == "rel"]
        if rels and relation in rels[0].lower().split():
            return str(target).strip()
    return None


class BodyLink(Pagination, frozen=True):
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


class Export(Pagination, frozen=True):
    """An export sorted by its cursor, whose next page begins at the last record's second, and which never says it ends.

    ::

        {"calls": [...], "count": 1000, "next_page": "https://api.example.com/v1/stats/incremental/calls?start_time=17..."}

    It ends at an empty page, where no next link is given, and where the next link does not lead forward in time. But if
    the page before such a link was full, there are more records in that second than the API can give, and that is an
    error; and so it is if that page goes on in time, for then the link is not the one that belongs to it. The records
    of the second come twice; `Seam` drops the second.

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
            if time is not None and following is not None and following <= time and not _leads_away(page, str(link)):
                if (last := _last_second(page)) is not None and last > time:
                    raise PaginationError(
                        f"GET {query.request.path}: the next link leads back to the second {following}, but the page "
                        f"goes on to the second {last} ({query.cursor}); the API's pages form a loop"
                    )
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
        text = parse_qs(url.partition("?")[2]).get(self.time_param, [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _TIME_DIGITS else None


def _last_second(page: Page) -> int | None:
    """Give the second of the latest record, in seconds since 1970."""
    instants = [instant for instant in page.content.instants if instant is not None]
    return int(max(instants).timestamp()) if instants else None


def _leads_away(page: Page, link: str) -> bool:
    """Whether a link leads to another origin; to follow it is then refused, and for that reason."""
    return urlsplit(_resolved(page.url, link))[:2] != urlsplit(page.url)[:2]
