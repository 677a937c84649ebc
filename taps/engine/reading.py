"""A list while it is read: its requests, ahead of time, and its pages."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timezone
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from taps.engine.ahead import PagesAhead
from taps.engine.asking import requests_for
from taps.engine.errors import PaginationError, StatusError
from taps.engine.page import Page
from taps.engine.pagination import RepeatedPage
from taps.engine.query import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from singer_sdk.helpers.types import Context

    from taps.engine.client import Request
    from taps.engine.page import Content
    from taps.engine.query import Part
    from taps.engine.stream import ApiStream
    from taps.engine.writer import PageWriter

__all__ = ["Reading", "get_page"]

_PAGES_AHEAD = 2
_CHILD_PAGES_AHEAD = 2  # many children are under way at once, so that none need be far ahead


class _End(NamedTuple):
    """The end of a list, or of what can be read of it."""

    error: BaseException | None


class Reading:
    """A stream's list, whose first page is under way from now on.

    A worker reads ahead: it gets a page, reads it, and goes on to the next one, until as many pages are there as may be
    ahead. So no request waits until the page before it has been used.

    Args:
        stream: The stream.
        context: The parent's key, for a child stream.
        writer: Makes of the records what it writes; without one they are dictionaries.
        part: Which part of the stream.
    """

    def __init__(
        self, stream: ApiStream, context: Context | None, writer: PageWriter | None = None, part: Part = WHOLE
    ) -> None:
        self.aside = part is not WHOLE
        """Whether it is a further part of the stream, to which no bookmark moves."""
        self._stream = stream
        self._context = context
        self._fields = {**(context or {}), **part.marks}
        self._writer = writer
        most = stream.tap.config["max_concurrency"]
        self._most = _CHILD_PAGES_AHEAD if context else max(_PAGES_AHEAD, most)
        self._ahead = PagesAhead(
            stream.tap.workers, self._fetch, stream.pagination, min(most, _CHILD_PAGES_AHEAD) if context else most
        )
        self._requests = requests_for(stream, context, part)
        self._request = next(self._requests)
        self._ready: SimpleQueue[Page | _End] = SimpleQueue()
        self._lock = threading.Lock()
        self._ended = False
        self._running = True
        stream.tap.workers.submit(self._run)

    def pages(self) -> Generator[Page, None, None]:
        """Give the list page by page, to its end.

        Raises:
            SyncError: A page could not be had or used. The pages before it have been given.
        """
        begun = False
        try:
            while (page := self._next()) is not None:
                self._stream.note_answer(page)
                yield page
                begun = True
        except StatusError as error:
            if not self._stream.counts_as_empty(error, self._context, begun=begun):
                raise
        except RepeatedPage:
            message = "%s: the API gives the same page again and again; the list is taken as ended"
            self._stream.log(message, self._stream.name, level=logging.WARNING)
        finally:
            self.close()

    def close(self) -> None:
        """Ask for no more."""
        with self._lock:
            self._ended = True
        self._ahead.close()

    def _next(self) -> Page | None:
        found = self._ready.get()
        if isinstance(found, _End):
            if found.error is not None:
                raise found.error
            return None
        with self._lock:
            if not self._ended and not self._running:
                self._running = True
                self._stream.tap.workers.submit(self._run)
        return found

    def _run(self) -> None:
        """Read on, in a worker, until enough pages are there or the list ends."""
        running = True
        while running:
            page: Page | None = None
            end: _End | None = None
            try:
                try:
                    page = self._ahead.get(self._request)
                except StatusError as error:
                    self._request = self._requests.throw(error)
                    continue
                self._request = self._requests.send(page)
                page = page.cut(self._request.keep)
            except StopIteration:
                end = _End(None)
            except RepeatedPage as repeated:
                page, end = None, _End(repeated)
            except BaseException as error:  # noqa: BLE001 - it is raised where the pages are used
                self._stream.tap.redactor.cleanse(error)
                end = _End(error)
                if page is not None and isinstance(error, PaginationError):
                    page = page.cut(error.keep)
            with self._lock:
                self._ended = self._ended or end is not None
                self._running = running = not self._ended and self._ready.qsize() + 1 < self._most
            if page is not None:
                self._ready.put(page)
            if end is not None:
                self._ready.put(end)

    def _fetch(self, request: Request, headers_in: Callable[[str, Mapping[str, str]], None]) -> Page:
        page = get_page(self._stream, request, self._read, headers_in)
        return replace(page, content=self._prepared(page.content), aside=self.aside)

    def _read(self, body: bytes) -> Content:
        reader = self._stream.reader
        return (reader.rows if self._writer else reader.dictionaries)(body, self._fields)

    def _prepared(self, content: Content) -> Content:
        stream = self._stream
        if self._writer is None or not stream.selected:
            return content
        version, read_at = stream.table_version, datetime.now(timezone.utc)
        made = self._writer.prepare_records(stream.name, content.records, version=version, read_at=read_at)
        return content._replace(records=made)


def get_page(
    stream: ApiStream,
    request: Request,
    read: Callable[[bytes], Content],
    headers_in: Callable[[str, Mapping[str, str]], None] | None = None,
) -> Page:
    """Get one page; one that is too heavy for the API is asked for again with half as many records.

    Args:
        stream: The stream.
        request: What to get.
        read: Reads the body.
        headers_in: Called with the address and the headers of a success, before the body is there.

    Raises:
        SyncError: The page could not be had or read.
    """
    while True:
        size = stream.pagination.size_of(request) if stream.halves_pages_on else None
        once = stream.halves_pages_on if size and size > 1 else frozenset()
        try:
            reply = stream.tap.http.get(
                replace(request, toll=stream.tap.toll(stream.name)),
                read,
                keep=stream.shares_pages,
                once=once,
                headers_in=headers_in,
                tally=stream.tally,
            )
            return Page(reply.url, reply.headers, reply.content, request.start)
        except StatusError as error:
            if error.status not in once or not size:
                raise
            stream.log("%s; asking for pages of %d", error, size // 2, level=logging.WARNING)
            request = stream.pagination.with_size(request, size // 2)
