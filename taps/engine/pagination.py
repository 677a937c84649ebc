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

from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from msgspec import Struct, StructMeta
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.query import Query

__all__ = ["Pagination", "RepeatedPage", "SinglePage"]


class RepeatedPage(Exception):  # noqa: N818 - it ends a list, which is no error
    """The page just sent is the one before it once more: the list has ended, and this page is not part of it."""


class _AbstractStruct(StructMeta, ABCMeta):
    """Makes structs that cannot be made without what they must override."""


class Pagination(Struct, frozen=True, metaclass=_AbstractStruct):
    """Gives the requests that read a list to its end."""

    @abstractmethod
    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Yield the request for each page; be sent the page.

        Args:
            query: What to read.

        Raises:
            PaginationError: The pages lead nowhere.
            RepeatedPage: The API sends the same page for ever.
        """

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

    @property
    def size_param(self) -> str | None:
        """Name of the parameter that holds the page size, where there is one."""
        return None

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


class SinglePage(Pagination, frozen=True):
    """An answer that is complete: one object, or a list that is not paginated."""

    def requests(self, query: Query) -> Generator[Request, Page, None]:
        """Yield the one request."""
        yield query.first()
