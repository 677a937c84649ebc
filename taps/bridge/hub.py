"""The way of a tap's rows into dlt: one run of the tap feeds all resources of the source.

A state counts only when all rows before it have been handed over. So rows are gathered until they are many, the last
state is held back meanwhile, and it is kept when dlt has asked for what comes after them.
"""

from __future__ import annotations

import gc
import logging
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dlt
import pyarrow as pa
from dlt.common.runtime.signals import raise_if_signalled
from dlt.extract.state import get_current_pipe_name

from taps.bridge.bookmarks import Bookmarks, keep_stop, without_progress
from taps.bridge.catalog import with_selection
from taps.bridge.columns import columns_of
from taps.bridge.errors import IncompleteError, UnknownStreamError
from taps.bridge.rows import RowShape
from taps.bridge.running import Rows, Schema, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dlt.common.schema.typing import TTableSchemaColumns
    from dlt.extract.resource import DltResource

    from taps.bridge.catalog import StreamEntry
    from taps.bridge.running import Runner

__all__ = ["STREAM_HINT", "Handed", "Limits", "read_tap"]

STREAM_HINT = "x-singer-stream"
"""Table hint that names the stream which a resource reads, whatever the resource is called."""

_log = logging.getLogger(__name__)

# Rows are converted some thousand at a time, for each column of a batch costs as much as a hundred values, and handed
# over some ten thousand at a time. Where they are large, both are less.
_ROWS_AT_ONCE = 2_000
_FIRST_AT_ONCE = 200
_BYTES_AT_ONCE = 4 * 1024 * 1024
_MOST_ROWS = 20_000
_MOST_BYTES = 8 * 1024 * 1024


@dataclass
class Handed:
    """Rows for one stream's resource.

    Attributes:
        stream: The stream.
        item: What dlt takes: an Arrow table, a list of dictionaries, or an empty list that makes a table.
        columns: Hints that discovery did not have.
        taken: Whether the resource has them.
    """

    stream: str
    item: Any
    columns: TTableSchemaColumns | None = None
    taken: bool = False

    def take(self, stream: str) -> Any:
        """Give the rows, if they are of this stream."""
        if stream != self.stream:
            return None
        self.taken = True
        if self.columns:
            return dlt.mark.with_hints(self.item, dlt.mark.make_hints(columns=self.columns))
        return self.item


@dataclass(frozen=True)
class Limits:
    """How much a run reads of incremental streams; what is read in full is not cut short.

    Attributes:
        max_records: Records, after which the run ends at the next state that saves work.
        max_seconds: Seconds, likewise.
    """

    max_records: int | None = None
    max_seconds: float | None = None

    def __bool__(self) -> bool:
        return self.max_records is not None or self.max_seconds is not None


def read_tap(runner: Runner, entries: Sequence[StreamEntry], limits: Limits, *, arrow: bool) -> Iterator[Handed | None]:
    """Run a tap for the selected resources of the source that dlt is extracting.

    Args:
        runner: The tap.
        entries: Its streams.
        limits: How much to read.
        arrow: Whether to hand over Arrow tables, or dictionaries.

    Yields:
        Rows; and `None` as long as these have not been taken. dlt goes on asking in turns while what it got last is on
        its way to as many resources as there are, and would have many tables in memory.

    Raises:
        BridgeError: The tap failed, or did not give everything. dlt then loads nothing of this run.
    """
    hub = get_current_pipe_name()
    resources = _resources(hub)
    selected = [entry for entry in entries if entry.name in resources]
    replaced = {entry.name for entry in selected if resources[entry.name].write_disposition == "replace"}
    names = {entry.name: resources[entry.name].name if entry.name in resources else entry.name for entry in entries}
    # A limit must not make a table of what a full read would have replaced: those come first, and whole.
    if limits and 0 < len(replaced) < len(selected):
        parts = [(replaced, Limits()), ({entry.name for entry in selected} - replaced, limits)]
    else:
        parts = [({entry.name for entry in selected}, Limits() if replaced else limits)]
    shapes = {entry.name: _shape(entry, resources[entry.name]) for entry in selected}
    run = None
    with _json_may_be_text(resource.name for resource in resources.values()), _garbage_left_alone():
        for streams, limit in parts:
            bookmarks = Bookmarks(names, streams, replaced)
            run = _Run(runner, entries, streams, bookmarks=bookmarks, shapes=shapes, replaced=replaced, arrow=arrow)
            for handed in run.events(limit):
                yield handed
                while not handed.taken:
                    yield None
        keep_stop(hub, stopped=bool(run and run.stopped))


class _Run:
    """One run of the tap."""

    def __init__(
        self,
        runner: Runner,
        entries: Sequence[StreamEntry],
        streams: set[str],
        *,
        bookmarks: Bookmarks,
        shapes: Mapping[str, RowShape],
        replaced: set[str],
        arrow: bool,
    ) -> None:
        self._runner = runner
        self._entries = {entry.name: entry for entry in entries}
        self._streams = streams
        self._bookmarks = bookmarks
        self._shapes = dict(shapes)
        self._replaced = replaced
        self._arrow = arrow
        self._waiting: defaultdict[str, list[Any]] = defaultdict(list)  # rows as they came
        self._gathered: defaultdict[str, list[Any]] = defaultdict(list)  # what was made of them
        self._at_once = dict.fromkeys(streams, _FIRST_AT_ONCE)
        self._rows = self._bytes = 0
        self._seen: dict[str, set[Any]] = {name: set() for name in streams & replaced}
        self._announced: set[str] = set()
        self._hints: dict[str, TTableSchemaColumns] = {}
        self._with_rows: set[str] = set()
        self._state: State | None = None
        self.stopped = False
        """Whether a limit ended the run before the tap came to its end."""

    def events(self, limits: Limits) -> Iterator[Handed]:
        before = self._bookmarks.state()
        begun, count = time.monotonic(), 0
        far = without_progress(before)
        catalog = with_selection(self._entries.values(), self._streams)
        with self._runner.run(catalog, before, loaded=self._bookmarks.loaded) as events:
            for event in events:
                raise_if_signalled()
                if isinstance(event, Schema):
                    yield from self._announce(event)
                elif isinstance(event, Rows):
                    count += len(event.rows)
                    yield from self._take(event)
                else:
                    self._state = event
                    enough = limits and (
                        count >= (limits.max_records or float("inf"))
                        or time.monotonic() - begun >= (limits.max_seconds or float("inf"))
                    )
                    if enough and without_progress(event.value) != far:
                        yield from self._hand_over()
                        self.stopped = True
                        _log.info("%s: stopped after %d records; run again to go on", self._runner.name, count)
                        return
        yield from self._hand_over()
        yield from self._finish()

    def _announce(self, schema: Schema) -> Iterator[Handed]:
        if schema.stream not in self._entries:
            raise UnknownStreamError(
                f"{self._runner.name} writes a stream '{schema.stream}' that it does not list in its discovery. Where "
                f"stream maps rename it or copy it, take 'stream_maps' out of the tap's settings, and rename the table "
                f"with apply_hints(table_name=…)"
            )
        if schema.stream not in self._streams:
            return  # some taps write what nobody asked for
        entry = self._entries[schema.stream]
        self._announced.add(schema.stream)
        known = self._shapes[schema.stream]
        found = columns_of(schema.schema, entry.keys, replication_key=entry.replication_key, nested=not self._arrow)
        added = {name: column for name, column in found.items() if name not in known.columns}
        if added:
            yield from self._hand_over_rows()
            self._hints[schema.stream] = {**self._hints.get(schema.stream, {}), **added}
            known.declare(added)

    def _take(self, event: Rows) -> Iterator[Handed]:
        stream = event.stream
        if stream not in self._streams:
            return
        waiting = self._waiting[stream]
        if waiting and type(waiting[0]) is not type(event.rows[0]):
            self._convert(stream)
        waiting.extend(event.rows)
        if len(waiting) >= self._at_once[stream]:
            self._convert(stream)
            if self._rows >= _MOST_ROWS or self._bytes >= _MOST_BYTES:
                yield from self._hand_over()

    def _convert(self, stream: str) -> None:
        """Make of the rows that wait what dlt takes."""
        waiting = self._waiting[stream]
        shape = self._shapes[stream]
        at_once = self._at_once[stream]
        for begin in range(0, len(waiting), at_once):
            rows = self._unseen(stream, waiting[begin : begin + at_once])
            if not rows:
                continue
            if self._arrow:
                batch = shape.batch(rows)
                size = batch.nbytes
                self._gathered[stream].append(batch)
            else:
                dictionaries, size = shape.dictionaries(rows)
                self._gathered[stream].extend(dictionaries)
            self._rows += len(rows)
            self._bytes += size
            self._at_once[stream] = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE * len(rows) // (size + 1)))
        waiting.clear()

    def _unseen(self, stream: str, rows: Sequence[Any]) -> Sequence[Any]:
        """Leave out what was there before: where dlt replaces a table, it does not look for keys that come twice."""
        keys = self._shapes[stream].keys(rows) if stream in self._seen else None
        if keys is None:
            return rows
        seen = self._seen[stream]
        fresh = []
        for key, row in zip(keys, rows, strict=True):
            if key not in seen:
                seen.add(key)
                fresh.append(row)
        return fresh

    def _hand_over(self) -> Iterator[Handed]:
        """Hand over what was gathered, and then keep the state that came after it."""
        state, self._state = self._state, None
        yield from self._hand_over_rows()
        if state is not None:
            self._bookmarks.keep(state.value)

    def _hand_over_rows(self) -> Iterator[Handed]:
        for stream in list(self._waiting):
            self._convert(stream)
        gathered, self._gathered = self._gathered, defaultdict(list)
        self._rows = self._bytes = 0
        for stream, parts in gathered.items():
            self._with_rows.add(stream)
            columns = {**self._hints.get(stream, {}), **self._shapes[stream].undeclared} or None
            yield Handed(stream, _table(parts) if self._arrow else parts, columns)

    def _finish(self) -> Iterator[Handed]:
        """See to the streams that gave nothing: their tables are made, and those of full reads emptied."""
        missing = sorted(self._replaced & self._streams - self._announced)
        if missing:
            raise IncompleteError(
                f"{self._runner.name} ended without a SCHEMA message of {', '.join(missing)}, so nothing says that it "
                f"was read; nothing of this run is loaded, and nothing is replaced"
            )
        for stream in sorted(self._announced - self._with_rows):
            yield Handed(stream, dlt.mark.materialize_table_schema(), self._hints.get(stream))


def _resources(hub: str) -> dict[str, DltResource]:
    """Find the selected resources that a hub feeds, by the streams that they read.

    `DltResource.with_name` clones the hub with the resource, so that one source may have several hubs, each of which is
    a run of the tap. Which resource hangs on which is known to dlt alone, hence the private attribute.
    """
    found: dict[str, DltResource] = {}
    for resource in dlt.current.source().selected_resources.values():
        stream = resource.compute_table_schema().get(STREAM_HINT)
        if isinstance(stream, str) and resource._parent.name == hub:  # noqa: SLF001
            found[stream] = resource
    return found


def _shape(entry: StreamEntry, resource: DltResource) -> RowShape:
    """Take the columns from the resource, for the user may have changed the hints."""
    hinted = resource.compute_table_schema()["columns"]
    columns = {
        name: {**column, **hinted.get(name, {})}
        for name, column in columns_of(entry.schema, entry.keys, replication_key=entry.replication_key).items()
    }
    return RowShape(entry.name, columns, entry.keys)  # type: ignore[arg-type]


@contextmanager
def _json_may_be_text(resources: Iterable[str]) -> Iterator[None]:
    """Keep dlt from warning, at each table, that a column which Arrow calls text has the hint `json`.

    Arrow has no type for JSON that dlt takes, and the destination makes of the text what the hint says.
    """
    begins = tuple(f"In resource: {name}, when merging arrow schema" for name in resources)

    def is_news(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(begins)

    logger = logging.getLogger("dlt")
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Have the garbage collector pass over what was there before: dlt and what it imports are some 100,000 objects.

    It would look through all of them again and again, because many objects come and go meanwhile: a fifth of the time.
    """
    if gc.get_freeze_count():  # somebody else's, who would not want them back
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    """Put batches together; a column that a later one has more is null in the earlier ones."""
    if all(batch.schema.equals(batches[0].schema) for batch in batches):
        return pa.Table.from_batches(batches)
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in batches], promote_options="default")
