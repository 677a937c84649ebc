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
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from requests.utils import parse_header_links

from taps.engine.client import Request
from taps.engine.errors import PaginationError
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from datetime import datetime

__all__ = ["HeaderLink", "Page", "PageNumber", "Pagination", "Query", "SinglePage"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page as received.

    Attributes:
        url: The address that answered.
        headers: Response headers; look-ups ignore case.
        records: The stream's records on it, as emitted.
    """

    url: str
    headers: Mapping[str, str]
    records: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Query:
    """What to read, whatever its paging.

    Attributes:
        request: The list's address and its parameters, without those of paging.
        page_size: Records to ask for in a page.
        cursor: Name of the replication key, where the list is incremental.
        start_param: Name of the parameter that holds the first value of the cursor to read.
    """

    request: Request
    page_size: int
    cursor: str | None = None
    start_param: str | None = None


class Pagination(ABC):
    """Gives the requests that read a list to its end."""

    @abstractmethod
    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Yield the request for each page; be sent the page.

        Args:
            query: What to read.

        Raises:
            PaginationError: The pages lead nowhere.
        """


@dataclass(frozen=True)
class SinglePage(Pagination):
    """An answer that is complete: one object, or a list that is not paginated."""

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Yield the one request."""
        yield query.request


@dataclass(frozen=True)
class HeaderLink(Pagination):
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
        page = yield query.request.with_params({self.size_param: query.page_size})
        followed = {page.url}
        while link := _next_link(page.headers.get("Link", "")):
            url = urljoin(page.url, link)
            if url in followed:
                raise PaginationError(
                    f"GET {Request(url).path}: the next link was already followed; the API's pages form a loop"
                )
            followed.add(url)
            page = yield Request(url)


def _next_link(header: str) -> str | None:
    links = parse_header_links(header) if header else []
    return next((link.get("url") for link in links if "next" in link.get("rel", "").lower().split()), None)


@dataclass(frozen=True)
class PageNumber(Pagination):
    """Pages are counted, and the list ends at an empty one.

    Where the API gives at most `window` pages a query, the list must be sorted by its cursor: past the last page it
    is asked for again from the last cursor on. The records of that instant come twice; the stream drops the second.

    Attributes:
        page_param: Name of the parameter that holds the page's number, from 1.
        size_param: Name of the parameter that holds the page size.
        window: Most pages of a query, or `None` for no limit.
    """

    page_param: str = "page"
    size_param: str = "limit"
    window: int | None = None

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Count up; begin again from the last cursor where the window ends."""
        request = query.request.with_params({self.size_param: query.page_size})
        while True:
            cursors = _CursorRange()
            for number in itertools.count(1) if self.window is None else range(1, self.window + 1):
                page = yield request.with_params({self.page_param: number})
                if not page.records:
                    return
                if query.cursor:
                    cursors.add(page.records, query.cursor)
            request = self._next_window(query, request, cursors)

    def _next_window(self, query: Query, request: Request, cursors: _CursorRange) -> Request:
        limit = f"GET {request.path}: the API gives at most {self.window} pages a query, and"
        if query.start_param is None or cursors.first is None or cursors.last is None:
            raise PaginationError(f"{limit} the records have no cursor to go on from")
        if not cursors.ascending:
            raise PaginationError(
                f"{limit} the records are not sorted by {query.cursor}, so there is no place to go on from"
            )
        if cursors.first == cursors.last:
            raise PaginationError(
                f"{limit} all of these records have {query.cursor} {format_timestamp(cursors.last)}: "
                f"the sync cannot get past this instant"
            )
        return request.with_params({query.start_param: format_timestamp(cursors.last)})


class _CursorRange:
    """The cursors of a window's records: the first, the last, and whether they ascend, to the second."""

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.ascending = True

    def add(self, records: list[dict[str, Any]], cursor: str) -> None:
        for record in records:
            if record.get(cursor) is None:
                continue
            instant = parse_timestamp(record[cursor])
            if self.last is not None and instant.replace(microsecond=0) < self.last.replace(microsecond=0):
                self.ascending = False
            self.first = min(instant, self.first or instant)
            self.last = max(instant, self.last or instant)
