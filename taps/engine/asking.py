"""The requests for a list: the other ways to ask for it where the API refuses the first, and the lists below it."""

from __future__ import annotations

import logging
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from taps.engine.errors import StatusError
from taps.engine.query import path_segment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from singer_sdk.helpers.types import Context

    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.query import Part, Query
    from taps.engine.stream import ApiStream

__all__ = ["requests_for"]


def requests_for(stream: ApiStream, context: Context | None, part: Part) -> Generator[Request, Page, None]:
    """Yield the request for each page of a list, as a `Pagination` does, and of those below it.

    The generator is sent each page; a refusal is thrown into it, and it raises it again where there is no other way.

    Args:
        stream: The stream.
        context: The parent's key, for a child stream.
        part: Which part of it.

    Raises:
        StatusError: That was thrown in.
        PaginationError: As of the pagination.
        RepeatedPage: Likewise.
    """
    return _Asking(stream, context, part).requests()


class _Asking:
    def __init__(self, stream: ApiStream, context: Context | None, part: Part) -> None:
        self._stream = stream
        self._context = context
        self._query = stream.query(context, part)
        self._branches: deque[object] = deque()
        self._begun = False

    def requests(self) -> Generator[Request, Page, None]:
        yield from self._first_list()
        while self._branches:
            query = self._below(self._branches.popleft())
            try:
                yield from self._list(query)
            except StatusError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                self._say("%s; taken as one that was deleted meanwhile", error)

    def _first_list(self) -> Generator[Request, Page, None]:
        refusals: list[StatusError] = []
        fallbacks = self._fallbacks()
        query: Query | None = self._query
        while query is not None:
            try:
                yield from self._list(query)
            except StatusError as error:  # noqa: PERF203 - a list has three ways at most
                if self._begun:
                    if error.status not in self._stream.too_recent_on:
                        raise
                    self._say("%s; what is so recent comes with the next sync", error)
                    return
                refusals.append(error)
                query = next((other for statuses, other in fallbacks if error.status in statuses), None)
            else:
                return
        # Of several, one that says that there is nothing says least.
        raise next((error for error in reversed(refusals) if error.status != HTTPStatus.NOT_FOUND), refusals[-1])

    def _fallbacks(self) -> Iterator[tuple[frozenset[int], Query]]:
        query = self._query
        for fallback in self._stream.fallbacks:
            if fallback.setting and not self._stream.config.get(fallback.setting):
                continue
            if fallback.path is not UNSET:
                query = replace(query, request=replace(query.request, url=self._url(fallback.path)))
            if fallback.start_param is not UNSET:
                query = replace(query, start_param=fallback.start_param)
            yield fallback.statuses, query

    def _list(self, query: Query) -> Generator[Request, Page, None]:
        walk = self._stream.pagination.requests(query)
        request = next(walk)
        while True:
            page = yield request
            self._begun = True
            self._branches.extend(page.content.branches)
            try:
                request = walk.send(page)
            except StopIteration:
                return

    def _below(self, key: object) -> Query:
        sublists = self._stream.sublists
        path = sublists.path.format(id=path_segment(key)) if sublists else ""
        return replace(self._query, request=replace(self._query.request, url=self._url(path)))

    def _url(self, path: str) -> str:
        return self._stream.url(path, self._context)

    def _say(self, message: str, error: StatusError) -> None:
        self._stream.log(message, error, level=logging.WARNING)
