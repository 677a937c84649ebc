"""Rows gathered until they are many: dlt takes some ten thousand at once far faster than page by page."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dlt.common.schema.typing import TTableSchemaColumns

    from taps.bridge.rows import RowShape

__all__ = ["Gathering"]

# Rows are converted some thousand at a time, for each column of a batch costs as much as a hundred values, and handed
# over some ten thousand at a time. Where they are large, both are less.
_ROWS_AT_ONCE = 2_000
_FIRST_AT_ONCE = 200
_BYTES_AT_ONCE = 4 * 1024 * 1024
_MOST_ROWS = 20_000
_MOST_BYTES = 16 * 1024 * 1024


class Gathering:
    """The rows of all streams that wait to be handed over.

    Args:
        shapes: How the rows of each stream fill its columns.
        arrow: Whether Arrow tables are made of them, or dictionaries.
        once: Streams of which no row is handed over twice. Where dlt replaces a table, it does not look for keys that
            come twice, as they do when a list moves while it is read.
    """

    def __init__(self, shapes: Mapping[str, RowShape], *, arrow: bool, once: Collection[str]) -> None:
        self._shapes = shapes
        self._arrow = arrow
        self._seen: dict[str, set[Any]] = {name: set() for name in once}
        self._waiting: defaultdict[str, list[Any]] = defaultdict(list)  # rows as they came
        self._made: defaultdict[str, list[Any]] = defaultdict(list)  # what dlt takes
        self._at_once = dict.fromkeys(shapes, _FIRST_AT_ONCE)
        self._rows = self._bytes = 0

    def add(self, stream: str, rows: Sequence[Any]) -> None:
        """Take rows of a stream.

        Raises:
            ValueDoesNotFitError: A value is not what its column holds.
        """
        waiting = self._waiting[stream]
        if waiting and type(waiting[0]) is not type(rows[0]):
            self._make(stream)
        waiting.extend(rows)
        if len(waiting) >= self._at_once[stream]:
            self._make(stream)

    @property
    def is_full(self) -> bool:
        """Whether it is time to hand over."""
        return self._rows >= _MOST_ROWS or self._bytes >= _MOST_BYTES

    def take(self) -> Iterator[tuple[str, Any, TTableSchemaColumns]]:
        """Give, for each stream that has rows, what dlt takes, and columns that discovery did not have.

        Raises:
            ValueDoesNotFitError: A value is not what its column holds.
        """
        for stream in list(self._waiting):
            self._make(stream)
        made, self._made = self._made, defaultdict(list)
        self._rows = self._bytes = 0
        for stream, parts in made.items():
            yield stream, _table(parts) if self._arrow else parts, self._shapes[stream].added

    def _make(self, stream: str) -> None:
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
                self._made[stream].append(batch)
            else:
                dictionaries, size = shape.dictionaries(rows)
                self._made[stream].extend(dictionaries)
            self._rows += len(rows)
            self._bytes += size
            self._at_once[stream] = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE * len(rows) // (size + 1)))
        waiting.clear()

    def _unseen(self, stream: str, rows: Sequence[Any]) -> Sequence[Any]:
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


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    """Put batches together; a column that a later one has more is null in the earlier ones."""
    if all(batch.schema.equals(batches[0].schema) for batch in batches):
        return pa.Table.from_batches(batches)
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in batches], promote_options="default")
