"""The page loop: a stream and its children written a page at a time.

It takes the place of the SDK's own loop, which decodes, copies, checks, encodes, writes and flushes record by record,
and gives the same messages. Whatever needs single records goes through the SDK's loop: stream maps, flattening, dry
runs, and streams that override one of its hooks. Batch files are written here too (see `Batches`).
"""

from __future__ import annotations

from collections import defaultdict
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.exceptions import SyncError
from singer_sdk.mapper import SameRecordTransform

from taps.engine.traversal import Began, Failed, Read, traverse
from taps.engine.writer import PageWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.metrics import Counter

    from taps.engine.batches import Batches
    from taps.engine.page import Page
    from taps.engine.stream import ApiStream

__all__ = ["PageLoop", "takes_pages"]


def takes_pages(stream: ApiStream, overridable: type[ApiStream]) -> bool:
    """Tell whether a stream needs none of what the SDK does record by record.

    Args:
        stream: The stream.
        overridable: The class whose hooks it must have, for the page loop does not call them.
    """
    hooks = ("get_records", "get_child_context", "generate_child_contexts", "post_process")
    [*others, stream_map] = stream.stream_maps
    return (
        not others
        and type(stream_map) is SameRecordTransform
        and not stream_map.flattening_enabled
        and stream.ABORT_AT_RECORD_COUNT is None
        and all(getattr(type(stream), hook) is getattr(overridable, hook) for hook in hooks)
        and isinstance(stream.tap.message_writer, PageWriter)
    )


class PageLoop:
    """Syncs a stream that has no parent, and its children.

    Args:
        root: The stream; it and its descendants take pages.
        streams: It and its descendants.
    """

    def __init__(self, root: ApiStream, streams: Iterable[ApiStream]) -> None:
        self._root = root
        self._batches: Batches | None = None
        if root.batch_config:
            from taps.engine.batches import Batches  # noqa: PLC0415 - few want them

            self._batches = Batches(root, streams)
        self._writer = self._batches or cast("PageWriter", root.tap.message_writer)
        self._counters: dict[ApiStream, Counter] = {}
        self._covered: dict[str, Any] = {}
        self._failures: defaultdict[ApiStream, list[Failed]] = defaultdict(list)

    def run(self) -> None:
        """Write RECORD messages, the children's SCHEMA messages, and STATE after each page of a sorted stream.

        Raises:
            SyncError: The stream itself failed. Of its children the tap has been told.
        """
        root = self._root
        root.begin_sync()
        self._covered = dict(root.stream_state)
        try:
            self._write_pages()
        except SyncError:
            self._name_batches()  # what was read before belongs to the output
            self._writer.flush()
            raise
        self._name_batches()
        root.end_sync()
        if self._batches:
            self._batches.close()

    def _write_pages(self) -> None:
        root = self._root
        with root.get_record_counter() as counter, root.get_sync_timer() as timer:
            counter.with_context({})
            timer.with_context({})
            self._counters[root] = counter
            before = perf_counter()
            for event in traverse(root, self._writer):
                self._take(event)
                if event.stream is not root:
                    event.stream.spent(perf_counter() - before)
                before = perf_counter()

    def _take(self, event: Began | Read | Failed) -> None:
        stream = event.stream
        if isinstance(event, Began):
            if stream not in self._counters:
                self._counters[stream] = stream.get_record_counter()
                stream.announce()
        elif isinstance(event, Read):
            self._settle(stream, event.page)
        elif event.below is None:
            raise event.error
        else:
            self._failures[event.below.stream].append(event)

    def _settle(self, stream: ApiStream, page: Page) -> None:
        """Write a page; where a child failed below one of its records, the bookmark moves to the one before."""
        for failure in self._failures.pop(stream, ()):
            if not failure.stream.failed and failure.below:
                index = page.content.keys.index(failure.below.key)
                self._write(stream, page.only(range(index)))
                page = page.only(range(index, len(page.records)))
                failure.stream.fail(failure.error)
        self._write(stream, page)
        if stream is self._root:
            self._writer.flush()  # a STATE does so too, but is not written where it would say nothing new

    def _name_batches(self) -> None:
        """Name all batch files, and write the STATE that these cover; where one is lost, it goes back to the last."""
        if not self._batches:
            return
        try:
            if not self._batches.broken:
                self._batches.name_all()
        finally:
            if self._batches.broken:
                self._root.set_back(self._covered)
        if not self._batches.broken:
            self._covered = dict(self._root.stream_state)
            self._root.write_state()

    def _write(self, stream: ApiStream, page: Page) -> None:
        if not stream.selected:
            return
        if self._batches and stream is self._root and self._batches.is_full_with(len(page.records)):
            self._name_batches()
        if page.records:
            self._writer.write_records(stream.name, page.records)
        self._counters[stream].increment(len(page.records))
        stream.move_bookmark(page, state=self._batches is None)
