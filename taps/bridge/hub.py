"""The way of a tap's rows into dlt: one run of the tap feeds all resources of the source.

A state counts only when all rows before it have been handed over. So rows are gathered until they are many, the last
state is held back meanwhile, and it is kept when dlt has asked for what comes after them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dlt
from dlt.common.runtime.signals import raise_if_signalled
from dlt.extract.state import get_current_pipe_name

from taps.bridge.bookmarks import Bookmarks, keep_stop, without_progress
from taps.bridge.catalog import with_selection
from taps.bridge.columns import columns_of
from taps.bridge.errors import IncompleteError, UnknownStreamError
from taps.bridge.gathering import Gathering
from taps.bridge.meanwhile import garbage_left_alone, json_may_be_text, memory_given_back
from taps.bridge.replacing import empty_when_loading, merging_instead, replaces
from taps.bridge.rows import RowShape
from taps.bridge.running import Rows, Schema, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dlt.common.schema.typing import TTableSchemaColumns
    from dlt.extract.resource import DltResource

    from taps.bridge.catalog import StreamEntry
    from taps.bridge.running import Runner

__all__ = ["STREAM_HINT", "Handed", "Limits", "RowForm", "read_tap"]

STREAM_HINT = "x-singer-stream"
"""Table hint that names the stream which a resource reads, whatever the resource is called."""

_log = logging.getLogger(__name__)


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

    def are_reached(self, records: int, seconds: float) -> bool:
        """Tell whether a run that has come so far has read enough."""
        return (self.max_records is not None and records >= self.max_records) or (
            self.max_seconds is not None and seconds >= self.max_seconds
        )


@dataclass(frozen=True)
class RowForm:
    """In which form dlt gets the rows.

    Attributes:
        arrow: Whether as Arrow tables, or as dictionaries.
        nested: Whether dlt unnests objects and arrays, so that they have no column of their own.
    """

    arrow: bool
    nested: bool


def read_tap(
    runner: Runner, entries: Sequence[StreamEntry], limits: Limits, rows: RowForm, *, assumed: Collection[str] = ()
) -> Iterator[Handed | None]:
    """Run a tap for the selected resources of the source that dlt is extracting.

    Args:
        runner: The tap.
        entries: Its streams.
        limits: How much to read.
        rows: In which form.
        assumed: Streams for which the user has not said what becomes of the rows that are there.

    Yields:
        Rows; and `None` as long as these have not been taken. dlt goes on asking in turns while what it got last is on
        its way to as many resources as there are, and would have many tables in memory.

    Raises:
        BridgeError: The tap failed, or did not give everything. dlt then loads nothing of this run.
    """
    hub = get_current_pipe_name()
    resources = _resources(hub)
    selected = [entry for entry in entries if entry.name in resources]
    replaced = {entry.name for entry in selected if replaces(resources[entry.name])}
    by_key = {entry.name for entry in selected if entry.name in replaced and entry.keys and not rows.nested}
    names = {entry.name: resources[entry.name].name if entry.name in resources else entry.name for entry in entries}
    # A limit must not make a table of what a full read would have replaced: those come first, and whole.
    if limits and 0 < len(replaced) < len(selected):
        parts = [(replaced, Limits()), ({entry.name for entry in selected} - replaced, limits)]
    else:
        parts = [({entry.name for entry in selected}, Limits() if replaced else limits)]
    shapes = {entry.name: _shape(entry, resources[entry.name], nested=rows.nested) for entry in selected}
    run = None
    with (
        merging_instead(resources[entry.name] for entry in selected if entry.name in by_key) as merged,
        json_may_be_text(resource.name for resource in resources.values()),
        garbage_left_alone(),
        memory_given_back(),
    ):
        for streams, limit in parts:
            bookmarks = Bookmarks(names, streams, replaced)
            run = _Run(runner, entries, streams, bookmarks=bookmarks, shapes=shapes, replaced=replaced, rows=rows)
            run.assumed = replaced & set(assumed)
            for handed in run.events(limit):
                yield handed
                while not handed.taken:
                    yield None
        empty_when_loading(merged)
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
        rows: RowForm,
    ) -> None:
        self._runner = runner
        self._entries = {entry.name: entry for entry in entries}
        self._streams = streams
        self._bookmarks = bookmarks
        self._shapes = shapes
        self._replaced = replaced & streams
        self._nested = rows.nested
        self._gathering = Gathering(shapes, arrow=rows.arrow, once=self._replaced)
        self._announced: set[str] = set()
        self._with_rows: set[str] = set()
        self._state: State | None = None
        self.assumed: set[str] = set()
        """Streams that are replaced only because nobody has said otherwise."""
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
                    if event.stream in self._streams:
                        self._gathering.add(event.stream, event.rows)
                    if self._gathering.is_full:
                        yield from self._hand_over()
                else:
                    self._state = event
                    self._check_partitions(before, event.value)
                    enough = limits.are_reached(count, time.monotonic() - begun)
                    if enough and without_progress(event.value) != far:
                        yield from self._hand_over()
                        self.stopped = True
                        _log.info("%s: stopped after %d records; run again to go on", self._runner.name, count)
                        return
        yield from self._hand_over()
        yield from self._finish()

    def _check_partitions(self, before: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Refuse to replace a table by what may be a part of it.

        Taps of the Singer SDK keep a state for each parent of a child stream. Where the parents were read from a
        bookmark on, only the children of those that changed are here, and the catalog does not say which stream is a
        child.

        Raises:
            IncompleteError: That may be so.
        """
        begun, reached = before.get("bookmarks"), state.get("bookmarks")
        if not begun or not isinstance(reached, dict):
            return
        for stream in sorted(self.assumed):
            entry = reached.get(stream)
            if isinstance(entry, dict) and entry.get("partitions"):
                raise IncompleteError(
                    f"{self._runner.name} reads '{stream}' for each of its parents, of which this run may have only "
                    f"those that changed; nothing of this run is loaded, and nothing is replaced. Say what is to "
                    f"become of its rows: write_disposition={{'{stream}': 'merge'}}, or 'replace' if it always comes "
                    f"whole"
                )

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
        found = columns_of(schema.schema, entry.keys, replication_key=entry.replication_key, nested=self._nested)
        added = {name: column for name, column in found.items() if name not in known.columns}
        if added:
            yield from self._hand_over_rows()
            known.declare(added)

    def _hand_over(self) -> Iterator[Handed]:
        """Hand over what was gathered, and then keep the state that came after it."""
        state, self._state = self._state, None
        yield from self._hand_over_rows()
        if state is not None:
            self._bookmarks.keep(state.value)

    def _hand_over_rows(self) -> Iterator[Handed]:
        for stream, item, columns in self._gathering.take():
            self._with_rows.add(stream)
            yield Handed(stream, item, columns)

    def _finish(self) -> Iterator[Handed]:
        """See to the streams that gave nothing: their tables are made, and those of full reads emptied."""
        missing = sorted(self._replaced - self._announced)
        if missing:
            raise IncompleteError(
                f"{self._runner.name} ended without a SCHEMA message of {', '.join(missing)}, so nothing says that it "
                f"was read; nothing of this run is loaded, and nothing is replaced"
            )
        for stream in sorted(self._announced - self._with_rows):
            yield Handed(stream, dlt.mark.materialize_table_schema(), self._shapes[stream].added)


def _resources(hub: str) -> dict[str, DltResource]:
    """Find the resources that a hub feeds, by the streams that they read: selected ones, and those that feed others.

    `DltResource.with_name` clones the hub with the resource, so that one source may have several hubs, each of which is
    a run of the tap. Which resource hangs on which is known to dlt alone, hence the private attribute.
    """
    found: dict[str, DltResource] = {}
    for resource in dlt.current.source().resources.extracted:
        stream = resource.compute_table_schema().get(STREAM_HINT)
        if isinstance(stream, str) and resource._parent.name == hub:  # noqa: SLF001
            found[stream] = resource
    return found


def _shape(entry: StreamEntry, resource: DltResource, *, nested: bool) -> RowShape:
    """Take the columns from the resource, for the user may have changed the hints."""
    hinted = resource.compute_table_schema()["columns"]
    declared = columns_of(entry.schema, entry.keys, replication_key=entry.replication_key, nested=nested)
    columns = {name: {**column, **hinted.get(name, {})} for name, column in declared.items()}
    return RowShape(entry.name, columns, entry.keys)  # type: ignore[arg-type]
