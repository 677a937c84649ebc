"""The pages of a stream and its children, read concurrently and given in one order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from singer_sdk.exceptions import SyncError

from taps.engine.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from taps.engine.page import Page
    from taps.engine.stream import ApiStream
    from taps.engine.writer import PageWriter

__all__ = ["Began", "Below", "Failed", "Read", "traverse"]

_WINDOW = 4  # lists of children ahead on each level, for each that is under way: answers come in any order


class Began(Struct, frozen=True):
    """A stream's list begins; a child's does so for each parent."""

    stream: ApiStream


class Read(Struct, frozen=True):
    """A page has been read, and all that is below its records has been given."""

    stream: ApiStream
    page: Page


class Failed(Struct, frozen=True):
    """A stream ends in an error, and gives nothing more; a child's does so below a record of its parent."""

    stream: ApiStream
    error: SyncError
    below: Below | None


class Below(Struct, frozen=True):
    """A record whose children are to be read."""

    stream: ApiStream
    key: tuple[Any, ...]


class _Opened(Struct, frozen=True):
    """A child's list whose first page is under way."""

    stream: ApiStream
    reading: Reading
    below: Below


_Event = Began | Read | Failed | Below | _Opened


def traverse(root: ApiStream, writer: PageWriter) -> Generator[Began | Read | Failed, None, None]:
    """Read a stream and those of its descendants that are wanted.

    The order is the one in which they would be read one after another: what is below a page's records, record by
    record, and then the page. It does not depend on which answer comes first. Each level of children is read ahead
    across the pages of their parents, in a window, so that the memory does not grow with the number of parents.

    Args:
        root: A stream without a parent.
        writer: Makes of the records what the pages then have.
    """
    return _Traversal(writer, _WINDOW * root.tap.config["max_concurrency"]).events(root)


class _Traversal:
    def __init__(self, writer: PageWriter, window: int) -> None:
        self._writer = writer
        self._window = window
        self._failed: set[ApiStream] = set()

    def events(self, root: ApiStream) -> Generator[Began | Read | Failed, None, None]:
        flow = self._lists(root)
        parents = [root]
        while children := [child for parent in parents for child in parent.wanted_children]:
            flow = self._with_children(flow, frozenset(parents))
            parents = children
        for event in flow:
            if isinstance(event, Began | Read | Failed):
                yield event

    def _lists(self, root: ApiStream) -> Generator[_Event, None, None]:
        for reading in root.readings(self._writer):
            if root not in self._failed:
                yield from self._list(root, reading, None)

    def _list(self, stream: ApiStream, reading: Reading, below: Below | None) -> Generator[_Event, None, None]:
        """Give one list: its pages, each after those of its records that have children."""
        yield Began(stream)
        try:
            for fresh in stream.fresh_pages(reading):
                if stream.wanted_children:
                    for key in fresh.content.keys:
                        yield Below(stream, key)
                yield Read(stream, fresh)
        except SyncError as error:
            self._failed.add(stream)
            yield Failed(stream, error, below)

    def _with_children(self, flow: Iterator[_Event], parents: frozenset[ApiStream]) -> Generator[_Event, None, None]:
        """Put the lists of the children in the place of their parents, opened before their turn comes."""
        waiting: deque[_Event] = deque()
        opened = 0
        try:
            for event in flow:
                if isinstance(event, Below) and event.stream in parents:
                    lists = self._open(event)
                    waiting.extend(lists)
                    opened += len(lists)
                else:
                    waiting.append(event)
                while waiting and (
                    opened >= self._window or not isinstance(waiting[0], _Opened) or len(waiting) > 4 * self._window
                ):
                    opened -= isinstance(waiting[0], _Opened)
                    yield from self._given(waiting.popleft())
            while waiting:
                yield from self._given(waiting.popleft())
        finally:
            for event in waiting:
                if isinstance(event, _Opened):
                    event.reading.close()

    def _open(self, below: Below) -> list[_Opened]:
        context = below.stream.child_context(below.key)
        return [
            _Opened(child, Reading(child, child.preprocess_context(context), self._writer), below)
            for child in below.stream.wanted_children
            if child not in self._failed
        ]

    def _given(self, event: _Event) -> Iterator[_Event]:
        if not isinstance(event, _Opened):
            yield event
        elif event.stream in self._failed:
            event.reading.close()
        else:
            yield from self._list(event.stream, event.reading, event.below)
