"""The tables in DuckDB, held against the records that they were made of."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from taps.engine.stream import ApiStream

__all__ = ["adds_rows", "differences", "row_counts"]

_Row = dict[str, Any]


def adds_rows(stream: type[ApiStream]) -> bool:
    """Whether each sync adds rows to the stream's table, because its key is the time of reading."""
    return stream.snapshot_field in stream.primary_keys


def row_counts(file: Path, schema: str, streams: Sequence[type[ApiStream]]) -> dict[str, int]:
    """Count the rows by stream."""
    with duckdb.connect(str(file), read_only=True) as warehouse:
        return {stream.name: len(_rows(warehouse, schema, stream.name)) for stream in streams}


def differences(
    file: Path,
    schema: str,
    streams: Sequence[type[ApiStream]],
    held: Mapping[str, Sequence[_Row]],
    *,
    syncs: int,
    column: Callable[[str], str] = str.lower,
) -> list[str]:
    """Compare the tables with the records, value by value.

    Args:
        file: The DuckDB file.
        schema: The schema of the tables.
        streams: The streams.
        held: The records by stream.
        syncs: How many syncs have filled the tables.
        column: Tells what a field's column is called.

    Returns:
        A line for each stream whose table differs.
    """
    lines = []
    with duckdb.connect(str(file), read_only=True) as warehouse:
        for stream in streams:
            rows, records = _rows(warehouse, schema, stream.name), held[stream.name]
            times = syncs if adds_rows(stream) else 1
            if len(rows) != times * len(records):
                lines.append(f"{stream.name} has {len(rows):,} rows, though {times * len(records):,} are due")
            elif wrong := next(_differing(stream, rows, records, column), None):
                lines.append(f"{stream.name} {wrong}")
    return lines


def _rows(warehouse: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[_Row]:
    known = "select 1 from information_schema.tables where table_schema = ? and table_name = ?"
    if not warehouse.execute(known, [schema, table]).fetchall():
        return []
    found = warehouse.execute(f'select * from "{schema}"."{table}"')  # noqa: S608 - names of ours
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


def _differing(
    stream: type[ApiStream], rows: Sequence[_Row], records: Sequence[_Row], column_of: Callable[[str], str]
) -> Iterator[str]:
    # The time of reading is not in the record, so each row of a snapshot is held against the one record of now.
    keys = [column_of(key) for key in stream.primary_keys if key != stream.snapshot_field]
    by_key = {_key(record, stream.primary_keys if keys else ()): record for record in records}
    for row in rows:
        key = _key(row, keys)
        named = f"row {', '.join(key)}" if key else "a row"
        if key not in by_key:
            yield f"has {named}, which is no record"
            continue
        # DuckDB does not tell fields apart that differ in case alone: it has the first of them.
        fields = {column_of(name): name for name in reversed(by_key[key])}
        for column, name in fields.items():
            if column not in row or not _same(row[column], by_key[key][name]):
                yield f"has in {named} another {name} than the record"


def _key(fields: _Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(fields[name]) for name in names)


def _same(stored: Any, value: Any) -> bool:
    """Whether DuckDB has a value as it can: no empty text, timestamps without a zone, decimals as doubles."""
    if stored is None:
        return value in (None, "")
    if isinstance(stored, float):
        return isinstance(value, int | float) and stored == float(value)
    if isinstance(stored, datetime):
        instant = stored if stored.tzinfo else stored.replace(tzinfo=timezone.utc)
        return isinstance(value, str) and instant == parse_timestamp(value)
    return bool(_plain(stored) == _plain(value))


def _plain(value: Any) -> Any:
    """Make values alike that differ in their JSON type alone, as a schema settles it: 12 and "12", a list as text."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        value = _decoded(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        return str(int(value)) if value == int(value) else str(float(value))
    return value if value is None else str(value)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
