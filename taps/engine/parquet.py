"""Batch files in Parquet."""

from __future__ import annotations

import logging
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from taps.engine.rows import plain_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taps.engine.stream import ApiStream

__all__ = ["Parquet"]

_encoder = msgspec.json.Encoder(decimal_format="number")
_SCALARS = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}


class Parquet:
    """A table with a column for each field that the stream declares, in the types of its JSON.

    Texts, timestamps among them, stay texts, and numbers decimals with every digit, so that whoever loads the file has
    the values that a RECORD message would have. A field that a record lacks is null. Nested values are structs and
    lists; where those of a field do not go into one type, the column has their JSON as text, which is told once.

    Args:
        compression: `gzip`, or nothing for Parquet's own.
        stream: Declares the fields.
        texts: Names of fields of which it has been told that they go into the files as text.
    """

    ending = ".parquet"

    def __init__(self, compression: str | None, stream: ApiStream, texts: set[str]) -> None:
        self._compression = "gzip" if compression == "gzip" else "snappy"
        self._stream = stream
        self._texts = texts
        self._records: list[dict[str, Any]] = []

    @staticmethod
    def prepare(records: Sequence[Any]) -> list[dict[str, Any]]:
        """See `BatchFile`."""
        return plain_records(records)

    def add(self, records: Sequence[dict[str, Any]]) -> None:
        """See `BatchFile`."""
        self._records += records

    def finish(self) -> bytes:
        """See `BatchFile`."""
        declared: Mapping[str, Any] = self._stream.effective_schema["properties"]
        found = {name for record in self._records for name in record}
        columns = {
            name: self._column(name, schema, [record.get(name) for record in self._records])
            for name, schema in declared.items()
            if name in found
        }
        file = BytesIO()
        pq.write_table(pa.table(columns), file, compression=self._compression)
        return file.getvalue()

    def _column(self, name: str, schema: Mapping[str, Any], values: list[Any]) -> pa.Array:
        types = schema.get("type", ())
        kinds = {types} if isinstance(types, str) else {*types} - {"null"}
        [kind] = kinds if len(kinds) == 1 else [""]
        if kind in {"number", "integer"} and any(map(_is_wide, values)):
            values = [None if value is None else Decimal(value) for value in values]
            kind = "number"
        elif kind == "number":
            values = [None if value is None else Decimal(value) for value in values]
        try:
            column = pa.array(values, _SCALARS.get(kind))
            if not _is_hollow(column.type):
                return column
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            pass
        if name not in self._texts:
            self._texts.add(name)
            message = "%s: the values of '%s' do not go into one Parquet type; their JSON is written as text"
            self._stream.log(message, self._stream.name, name, level=logging.WARNING)
        return pa.array([None if value is None else _encoder.encode(value).decode() for value in values], pa.string())


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _is_hollow(kind: pa.DataType) -> bool:
    """Whether a struct without a member is in a type, which Parquet does not have."""
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_is_hollow(kind.field(number).type) for number in range(kind.num_fields))
    return pa.types.is_list(kind) and _is_hollow(kind.value_type)
