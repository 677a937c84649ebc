"""Rows on their way from a tap to dlt: a page of records as an Arrow batch, or as dictionaries.

Rows come in two forms. Those of our own taps are the engine's compiled structs. Those of any other tap are dictionaries
whose values are still JSON (`msgspec.Raw`): a nested value goes on to a `json` column as it is, with every digit, and a
column of scalars is decoded in one call.
"""

from __future__ import annotations

import logging
import math
import re
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation, localcontext
from itertools import repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.wei import Wei
from msgspec import UNSET, Raw, Struct
from msgspec.structs import astuple

from taps.bridge.errors import ValueDoesNotFitError
from taps.engine.rows import attributes_of, whole_characters
from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dlt.common.schema.typing import TColumnSchema

_log = logging.getLogger(__name__)

__all__ = ["RawRow", "RowShape", "raw_rows"]

RawRow = dict[str, Raw]
"""A record whose values are JSON."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_exact = msgspec.json.Decoder(float_hook=Decimal)
_plain = msgspec.json.Decoder()
_raw_rows = msgspec.json.Decoder(list[RawRow])
_COLUMNS = {
    kind: msgspec.json.Decoder(list[python_type | None])  # type: ignore[valid-type]
    for kind, python_type in {"text": str, "bigint": int, "double": float, "bool": bool, "timestamp": str}.items()
}
_LONGEST_SHOWN = 60  # characters of a value in an error
_ARROW_TYPES = {
    "text": pa.string(),
    "json": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "wei": pa.decimal256(76, 0),
    "binary": pa.binary(),
}
_ADVICE = {
    "bigint": "a whole number of 64 bits",
    "double": "a number",
    "bool": "true or false",
    "timestamp": "a timestamp such as 2024-01-31T08:00:00Z",
    "date": "a date such as 2024-01-31",
    "time": "a time such as 08:00:00",
}
_LONG_INTEGER = re.compile(rb"\d{19}")
_WITHOUT_SECONDS = re.compile(r"(?<=[Tt ])(\d{2}:\d{2})(?!:)")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_MOST_DIGITS = 38
_DECIMAL_PRECISION = (_MOST_DIGITS, 9)  # dlt's own default


def raw_rows(records: Sequence[Mapping[str, Any]]) -> list[RawRow]:
    """Give records that are Python objects in the form in which other taps' rows come."""
    return _raw_rows.decode(_encoded(records))


class RowShape:
    """The columns of a stream, and how its rows fill them.

    Args:
        stream: The stream's name, for errors.
        columns: The columns by the names of the fields, each with a `data_type`.
        keys: Fields that identify a record.
    """

    def __init__(self, stream: str, columns: Mapping[str, TColumnSchema], keys: Sequence[str] = ()) -> None:
        self._stream = stream
        self._keys = [name for name in keys if name in columns]
        self.added: dict[str, TColumnSchema] = {}
        """Columns that discovery did not have, as they turned up."""
        self.columns = dict(columns)
        self._fields = {name: _field(name, column) for name, column in columns.items()}

    def declare(self, columns: Mapping[str, TColumnSchema]) -> None:
        """Take further columns, which the tap announced only when it ran, or not even then."""
        self.added |= columns
        self.columns |= columns
        self._fields |= {name: _field(name, column) for name, column in columns.items()}

    def batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        """Make an Arrow batch.

        Args:
            rows: All structs of one type, or all `RawRow`.

        Raises:
            ValueDoesNotFitError: A value is not what its column holds.
        """
        arrays = []
        fields = []
        for name, cells in self._cells(rows):
            field, array = self._fields[name], self._array(name, cells)
            if array.null_count and not field.nullable:
                raise self._missing(name)
            fields.append(field)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

    def dictionaries(self, rows: Sequence[Any]) -> tuple[list[dict[str, Any]], int]:
        """Make dictionaries of plain Python values, for dlt's own normaliser, and tell how many bytes of JSON they are.

        Decimals are exact. So is an integer of more than 64 bits, as `Wei`, or as text beyond 38 digits: dlt cannot
        write it otherwise.
        """
        text = _encoded(rows)
        made: list[dict[str, Any]]
        converted = {"decimal", "wei"}
        try:
            made = _plain.decode(text)
        except msgspec.ValidationError:  # a number is too large for a float
            made = _plain_or_exact.decode(text)
            converted |= {"double", "bigint"}
        if _LONG_INTEGER.search(text):
            made = [_with_long_integers(row) for row in made]
            converted.add("bigint")
        self._check_keys(made)
        for name in [name for name, column in self.columns.items() if _kind(column) == "json"]:
            for row in made:
                # dlt takes objects and arrays for JSON, and text that it parses; other scalars it puts elsewhere. A
                # text that it finds by parsing is JSON to the destination once more, be it a number that is too long.
                if (value := row.get(name)) is not None and not isinstance(value, dict | list):
                    plain = Decimal(value) if isinstance(value, Decimal) else value
                    row[name] = _json_text(_json_text(plain) if isinstance(value, str | Decimal) else value)
        exact = [
            name
            for name, column in self.columns.items()
            if _kind(column) in converted or (_kind(column) == "text" and not _all_texts(made, name))
        ]
        if exact:
            for name, cells in self._cells(rows, exact):
                for row, value in zip(made, self._converted(name, cells), strict=True):
                    if value is not None:
                        row[name] = value
        return made, len(text)

    def _check_keys(self, made: list[dict[str, Any]]) -> None:
        for name, field in self._fields.items():
            if not field.nullable and any(row.get(name) is None for row in made):
                raise self._missing(name)

    def keys(self, rows: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Give what identifies each row; `None` where the stream has no key."""
        if not self._keys:
            return None
        return list(zip(*(map(_hashable, cells) for _, cells in self._cells(rows, self._keys)), strict=True))

    def _cells(self, rows: Sequence[Any], only: Sequence[str] | None = None) -> Iterator[tuple[str, Sequence[Any]]]:
        """Go through the columns, each with a value for each row: `None`, `UNSET`, a scalar, JSON, something nested."""
        if isinstance(rows[0], Struct):
            attributes = attributes_of(type(rows[0]))
            nothing = (None,) * len(rows)
            if only is not None:
                for name in only:
                    yield name, list(map(attrgetter(attributes[name]), rows)) if name in attributes else nothing
                return
            fields = dict(zip(attributes, zip(*map(astuple, rows), strict=True), strict=True))
            for name in self.columns:
                yield name, fields.get(name, nothing)
            return
        if only is None:
            self._declare_all(rows)
        for name in list(only or self.columns):
            yield name, [row.get(name) for row in rows]

    def _declare_all(self, rows: Sequence[RawRow]) -> None:
        known = self.columns.keys()
        for row in rows:
            if not row.keys() <= known:
                for name in [name for name in row if name not in known]:
                    _log.warning(
                        "Stream '%s' has a field '%s' that its schema does not: it becomes JSON", self._stream, name
                    )
                    self.declare({name: {"name": name, "data_type": "json", "nullable": True}})

    def _array(self, name: str, cells: Sequence[Any]) -> pa.Array:
        kind = _kind(self.columns[name])
        arrow_type = self._fields[name].type
        # Of a record's fields many are empty in every record.
        if (cells[0] is None or cells[0] is UNSET) and all(map(is_, cells, repeat(cells[0]))):
            return pa.nulls(len(cells), arrow_type)
        try:
            if kind == "json":
                return _json_array(cells)
            values = _decoded(kind, cells)
            if kind == "timestamp":
                return pa.array(values, pa.string()).cast(arrow_type)
            if kind in _COLUMNS:
                return pa.array(values, arrow_type)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            if UNSET in cells:  # it is not looked for before, because that takes longer than many a column
                return self._array(name, [None if cell is UNSET else cell for cell in cells])
            # What follows takes more forms, and says which value it is that does not fit.
        return pa.array(self._converted(name, cells), arrow_type)

    def _converted(self, name: str, cells: Sequence[Any]) -> list[Any]:
        column = self.columns[name]
        kind = _kind(column)
        convert: Callable[[Any, TColumnSchema], Any] = _CONVERSIONS.get(kind, _to_text)
        values = []
        for cell in cells:
            value = cell
            try:
                if isinstance(cell, Raw):
                    value = _exact.decode(cell)
                values.append(None if value is None or value is UNSET else convert(value, column))
            except (ValueError, TypeError, LookupError, OverflowError, InvalidOperation):
                raise self._misfit(name, column, value) from None
        return values

    def _missing(self, name: str) -> ValueDoesNotFitError:
        return ValueDoesNotFitError(
            f"Stream '{self._stream}', field '{name}': a record has none, though it is a key. Name the right key: "
            f"primary_key={{'{self._stream}': …}}, or [] for none"
        )

    def _misfit(self, name: str, column: TColumnSchema, value: Any) -> ValueDoesNotFitError:
        text = _json_text(value) or ""
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
        kind = _kind(column)
        wanted = _ADVICE.get(kind)
        if kind == "decimal":
            wanted = "a number of {} digits, {} of them behind the point".format(*_precision(column))
        return ValueDoesNotFitError(
            f"Stream '{self._stream}', field '{name}': {shown} is not {wanted or kind}, as a column of the type {kind} "
            f"needs it. Give the column another type: "
            f"source.{self._stream}.apply_hints(columns={{'{name}': {{'data_type': 'text'}}}})"
        )


def _field(name: str, column: TColumnSchema) -> pa.Field:
    kind = _kind(column)
    if kind == "decimal":
        precision, scale = _precision(column)
        arrow_type = (pa.decimal128 if precision <= _MOST_DIGITS else pa.decimal256)(precision, scale)
    else:
        arrow_type = _ARROW_TYPES[kind]
    return pa.field(name, arrow_type, nullable=column.get("nullable", True))


def _kind(column: TColumnSchema) -> str:
    return column.get("data_type") or "text"


def _precision(column: TColumnSchema) -> tuple[int, int]:
    if column.get("precision") is None:
        return _DECIMAL_PRECISION
    return int(column["precision"] or 0), int(column.get("scale") or 0)


def _decoded(kind: str, cells: Sequence[Any]) -> Sequence[Any]:
    """Decode a column whose values are JSON; others are what they should be."""
    if kind in _COLUMNS and type(next(filter(_is_there, cells), None)) is Raw:
        decoded: list[Any] = _COLUMNS[kind].decode(_encoder.encode(cells))
        return decoded
    return cells


def _is_there(cell: Any) -> bool:
    return cell is not None


def _json_array(cells: Sequence[Any]) -> pa.Array:
    """Give the JSON of each value of a column; all come out of one call, without an object for each."""
    try:
        lines = _encoder.encode_lines(cells)
    except UnicodeEncodeError:
        lines = b""
    texts = pc.split_pattern(pa.array([lines], pa.string()), "\n").values
    # A value that came as JSON may have line ends in it.
    if len(texts) != len(cells) + 1:
        return pa.array([_json_text(cell) for cell in cells], pa.string())
    texts = texts.slice(0, len(cells))
    return pc.if_else(pc.equal(texts, "null"), None, texts) if b"null" in lines else texts


def _json_text(value: Any) -> str | None:
    if value is None:
        return None
    text = bytes(value) if type(value) is Raw else _encoded(value)
    return None if text == b"null" else text.decode()


def _encoded(value: Any) -> bytes:
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(whole_characters(msgspec.to_builtins(value, builtin_types=(Decimal,))))


def _with_long_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_long_integers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_long_integers(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return Wei(value) if abs(value) < 10**_MOST_DIGITS else str(value)
    return value


def _hashable(cell: Any) -> Any:
    """Give a key's value, the same in whichever form its page came."""
    value = _exact.decode(cell) if type(cell) is Raw else None if cell is UNSET else cell
    return _json_text(value) if isinstance(value, dict | list) else value


def _all_texts(rows: list[dict[str, Any]], name: str) -> bool:
    return all(value is None or isinstance(value, str) for value in (row.get(name) for row in rows))


def _float_of(digits: str) -> float | Decimal:
    number = float(digits)
    return number if math.isfinite(number) else Decimal(digits)


_plain_or_exact = msgspec.json.Decoder(float_hook=_float_of)


def _as_json_has_it(value: Any) -> Any:
    """Refuse what Python takes for a number, be it `1_000`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError
    if isinstance(value, str) and "_" in value:
        raise ValueError
    return value


def _timestamp_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return _WITHOUT_SECONDS.sub(r"\1:00", value)


def _to_text(value: Any, _: TColumnSchema) -> str:
    return whole_characters(value) if isinstance(value, str) else _json_text(value) or ""


def _to_integer(value: Any, _: TColumnSchema) -> int:
    number = Decimal(_as_json_has_it(value))
    # First the size: an integer is made of all digits of 1e999999999.
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    if number != int(number):
        raise ValueError
    return int(number)


def _to_number(value: Any, _: TColumnSchema) -> float:
    number = float(_as_json_has_it(value))
    if not math.isfinite(number):
        raise OverflowError
    return number


def _to_boolean(value: Any, _: TColumnSchema) -> bool:
    return _BOOLEANS[str(value).lower()]


def _to_timestamp(value: Any, _: TColumnSchema) -> datetime:
    return value if isinstance(value, datetime) else parse_timestamp(_timestamp_text(value))


def _to_date(value: Any, _: TColumnSchema) -> date:
    return value if isinstance(value, date) else parse_timestamp(_timestamp_text(value)).date()


def _to_time(value: Any, _: TColumnSchema) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str):
        raise TypeError
    return parse_timestamp(_timestamp_text(f"2000-01-01T{value}")).time()  # in UTC, as a timestamp is


def _to_decimal(value: Any, column: TColumnSchema) -> Decimal:
    value = _as_json_has_it(value)
    precision, scale = _precision(column) if column["data_type"] == "decimal" else (76, 0)
    with localcontext() as context:
        context.prec = precision
        number = Decimal(str(value))
        exact = number.quantize(Decimal(1).scaleb(-scale))
    if exact != number:
        raise ValueError
    return exact


def _to_binary(value: Any, column: TColumnSchema) -> bytes:
    return _to_text(value, column).encode()


_CONVERSIONS: Mapping[str, Callable[[Any, TColumnSchema], Any]] = {
    "text": _to_text,
    "bigint": _to_integer,
    "double": _to_number,
    "bool": _to_boolean,
    "timestamp": _to_timestamp,
    "date": _to_date,
    "time": _to_time,
    "decimal": _to_decimal,
    "wei": _to_decimal,
    "binary": _to_binary,
}
