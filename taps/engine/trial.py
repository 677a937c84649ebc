"""`--test`: what can be read, what the schemas lack, and what a sync would cost, told from a page of each stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click
from singer_sdk.exceptions import SyncError

from taps.engine.asking import requests_for
from taps.engine.errors import StatusError, SyncFailedError
from taps.engine.estimates import NOTHING, of_children, of_list
from taps.engine.pagination import SinglePage
from taps.engine.query import WHOLE
from taps.engine.reading import get_page
from taps.engine.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taps.engine.client import Request
    from taps.engine.estimates import Estimate
    from taps.engine.page import Page
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["Trial"]

_MOST_PARENTS = 3  # that are asked for their children, where those before are gone


class _Parents(NamedTuple):
    stream: ApiStream
    keys: Sequence[tuple[Any, ...]]
    number: Estimate


class _First(NamedTuple):
    """A list's first page.

    Attributes:
        page: The page.
        request: What it was asked for with.
        goes_on: Whether there would be another request.
    """

    page: Page
    request: Request
    goes_on: bool


class Trial:
    """Reads one page of each stream that is selected, and tells of it on standard error, in a line.

    A child stream is read for the first record on its parent's page. The first record of each stream is written as a
    message, after its SCHEMA.

    Args:
        tap: The tap.
    """

    def __init__(self, tap: ApiTap) -> None:
        streams: Any = tap.streams.values()
        self._tap = tap
        self._roots: list[ApiStream] = [
            stream
            for stream in streams
            if not stream.parent_stream_type and (stream.selected or stream.has_selected_descendents)
        ]
        self._all = [stream for root in self._roots for stream in _family(root)]
        self._width = max((len(stream.name) for stream in self._all), default=0)
        self._lines: list[str] = []
        self._unreadable: list[str] = []
        self._untried = 0
        self._requests = NOTHING
        self._counted = NOTHING
        self._asked: set[str] = set()

    def run(self) -> None:
        """Try all streams.

        Raises:
            SyncFailedError: At least one cannot be read.
        """
        self._tell("stream", "read", "rows", "requests", "fields that the schema does not declare, or what is wrong")
        for root in self._roots:
            self._try(root, None)
        self._tap.outcome.require_an_answer()
        self._lines.append(self._summary())
        self._show()
        if self._unreadable:
            names = ", ".join(self._unreadable)
            raise SyncFailedError(
                f"{len(self._unreadable)} of {len(self._all)} streams cannot be read: {names}. The lines above say why"
            )

    def _summary(self) -> str:
        number, most = len(self._all), self._tap.requests_per_minute
        others = self._untried + len(self._unreadable)
        found = f"{number - others} of {number} streams" if others else f"All {number} streams"
        time = f", which is {self._counted.minutes(most)} at {most:,} requests a minute" if most else ""
        counted = f" that count for {self._counted}" if self._counted != self._requests else ""
        what = found if number > 1 or others else "The stream"
        return f"{what} can be read. A sync takes {self._requests} requests{counted}{time}."

    # A stream

    def _try(self, stream: ApiStream, parents: _Parents | None) -> None:
        try:
            first = self._first_page(stream, parents)
        except SyncError as error:
            self._refused(stream, error)
            return
        rows, requests = self._estimates(stream, first, parents)
        self._requests += requests
        self._counted += requests.times(self._tap.toll(stream.name).cost)
        self._tell(stream.name, "yes", str(len(first.page.records)), str(requests), _undeclared(stream))
        if stream.selected and first.page.records:
            stream.write_sample(first.page.records[0])
        for child in stream.wanted_children:
            if first.page.records:
                self._try(child, _Parents(stream, first.page.content.keys, rows))
            else:
                family = list(_family(child))
                self._untried += len(family)
                self._tell_all(family, "?", f"not tried: there is no record of '{stream.name}' to read it for")

    def _first_page(self, stream: ApiStream, parents: _Parents | None) -> _First:
        """Get a list's first page; a child's for the first of its parents that is still there."""
        if parents is None:
            stream.begin_sync()
            return self._page(stream, {})
        *others, last = parents.keys[:_MOST_PARENTS]
        for key in others:
            try:
                return self._page(stream, parents.stream.child_context(key))
            except StatusError as error:  # noqa: PERF203 - three at most, a request each
                if error.status not in stream.gone_on:
                    raise
        return self._page(stream, parents.stream.child_context(last))

    def _page(self, stream: ApiStream, context: dict[str, Any]) -> _First:
        key = stream.preprocess_context(context)
        requests = requests_for(stream, key, WHOLE)
        request, page = next(requests), None
        while page is None:
            request = request.with_params(stream.counting_params)
            try:
                page = get_page(stream, request, lambda body: stream.reader.dictionaries(body, key))
            except StatusError as error:
                request = requests.throw(error)
        stream.note_answer(page)
        try:
            requests.send(page)
        except StopIteration:
            return _First(page, request, goes_on=False)
        return _First(page, request, goes_on=True)

    def _estimates(self, stream: ApiStream, first: _First, parents: _Parents | None) -> tuple[Estimate, Estimate]:
        rows, requests = of_list(first.page, goes_on=first.goes_on)
        if parents is not None:
            paged = not isinstance(stream.pagination, SinglePage)
            rows, requests = of_children(parents.number, rows, requests, paged=paged)
        if stream.shares_pages and first.request.url in self._asked:
            requests = NOTHING
        self._asked.add(first.request.url)
        return rows, requests

    def _refused(self, stream: ApiStream, error: SyncError) -> None:
        problem = " ".join(str(error).split())
        below = [child for child in _family(stream) if child is not stream]
        if isinstance(error, StatusError) and stream.may_skip(error):
            self._tap.outcome.skipped(error)
            self._tell(stream.name, "skip", "", "", problem)
            self._tell_all(below, "skip", f"not tried: '{stream.name}' is skipped")
            return
        self._tap.outcome.failed(stream, error, announce=False)
        self._unreadable += [stream.name, *(child.name for child in below)]
        self._tell(stream.name, "no", "", "", problem)
        self._tell_all(below, "no", f"not tried: '{stream.name}' cannot be read")

    # What is shown

    def _tell_all(self, streams: Sequence[ApiStream], read: str, note: str) -> None:
        for stream in streams:
            self._tell(stream.name, read, "", "", note)

    def _tell(self, name: str, read: str, rows: str, requests: str, note: str) -> None:
        self._lines.append(f"{name:<{self._width}}  {read:<4}  {rows:>5}  {requests:<14}  {note}")
        # A wrong key or host fails every stream, and is worth one line.
        if self._tap.http_was_used and self._tap.http.answered:
            self._show()

    def _show(self) -> None:
        for line in self._lines:
            click.echo(self._tap.redactor(line), err=True)
        self._lines.clear()


def _family(stream: ApiStream) -> Iterator[ApiStream]:
    """Give a stream and those of its descendants that are wanted, each before its own."""
    yield stream
    for child in stream.wanted_children:
        yield from _family(child)


def _undeclared(stream: ApiStream) -> str:
    names = sorted(stream.reader.codec.undeclared)
    return f"{len(names)}: {listed(names)}" if names else "0"
