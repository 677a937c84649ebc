"""Records to Arrow batches, in the types that Spark has for the columns."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegralType,
    MapType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from taps.engine.timestamps import parse_timestamp, parse_timestamps
from taps.spark.errors import OptionError, ValueDoesNotFitError
from taps.spark.types import ACCOUNT, arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Columns"]

_encoder = msgspec.json.Encoder(decimal_format="number")
_LONGEST_SHOWN = 60  # characters of a value in an error
_MISFIT = (pa.ArrowException, ArithmeticError, AttributeError, TypeError, ValueError)


class Columns:
    """The columns of a stream, or of those of its fields that are wanted.

    Args:
        stream: The stream's name, for errors.
        keys: Fields that identify a record, for errors.
        schema: The columns.
        account: What the column `account` holds.

    Raises:
        OptionError: A column has a type that nothing of a record becomes.
    """

    def __init__(self, stream: str, keys: Sequence[str], schema: StructType, account: str = "") -> None:
        self._stream = stream
        self._keys = keys
        self._account = account
        self._types = {field.name: field.dataType for field in schema}
        try:
            self._schema = arrow_schema(schema)
        except TypeError as error:
            raise OptionError(f"Stream '{stream}', {error}; name another one in .schema(…)") from None

    def batch(self, records: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        """Make an Arrow batch.

        Args:
            records: As JSON has them, numbers with a fraction as `Decimal`.

        Raises:
            ValueDoesNotFitError: A value is not what its column holds.
        """
        arrays = [self._array(field, records) for field in self._schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _array(self, field: pa.Field, records: Sequence[dict[str, Any]]) -> pa.Array:
        name, kind = field.name, self._types[field.name]
        if name == ACCOUNT:
            return pa.array([self._account] * len(records), field.type)
        values = [record.get(name) for record in records]
        try:
            if isinstance(kind, TimestampType):
                return pa.array(parse_timestamps(values), field.type)
            if isinstance(kind, StringType) or type(kind) is BooleanType:
                return pa.array(values, field.type)
        except _MISFIT:
            pass  # what follows takes more forms, and says which value it is that does not fit
        convert = _converter(kind)
        try:
            return _converted(values, convert, field.type)
        except _MISFIT:
            for record, value in zip(records, values, strict=True):
                try:
                    _converted([value], convert, field.type)
                except _MISFIT:  # noqa: PERF203 - it ends here
                    raise self._misfit(name, kind, record) from None
            raise

    def _misfit(self, name: str, kind: DataType, record: dict[str, Any]) -> ValueDoesNotFitError:
        text = _json_text(record[name])
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
        key = ", ".join(f"{field} {record.get(field)}" for field in self._keys)
        return ValueDoesNotFitError(
            f"Stream '{self._stream}', record {key}, field '{name}': {shown} does not go into a column of the type "
            f"{kind.simpleString().upper()}; read it as another one: .schema('…, {name} STRING, …')"
        )


def _converted(values: Sequence[Any], convert: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    return pa.array([None if value is None else convert(value) for value in values], kind)


def _converter(kind: DataType) -> Callable[[Any], Any]:
    """Give what makes a value that Arrow takes for a type; it raises a `ValueError` or `TypeError` where it cannot."""
    if isinstance(kind, ArrayType):
        element = _converter(kind.elementType)
        return lambda values: [None if value is None else element(value) for value in _require(values, list)]
    if isinstance(kind, MapType):
        of_key, of_value = _converter(kind.keyType), _converter(kind.valueType)
        return lambda members: [
            (of_key(name), None if value is None else of_value(value))
            for name, value in _require(members, dict).items()
        ]
    if isinstance(kind, StructType):
        fields = {field.name: _converter(field.dataType) for field in kind}
        return lambda members: {
            name: None if (value := _require(members, dict).get(name)) is None else convert(value)
            for name, convert in fields.items()
        }
    return next(convert for types, convert in _CONVERTERS if isinstance(kind, types))


def _require(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else _json_text(value)


def _to_integer(value: Any) -> int:
    number = int(value)
    if isinstance(value, bool) or number != (Decimal(value) if isinstance(value, str) else value):
        raise ValueError
    return number


def _to_decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise TypeError
    return Decimal(value)


def _to_float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if number in {float("inf"), float("-inf")}:
        raise OverflowError
    return number


def _to_day(value: Any) -> Any:
    moment = parse_timestamp(_require(value, str))
    if moment.time() != time():
        raise ValueError
    return moment.date()


def _to_local(value: Any) -> datetime:
    return parse_timestamp(_require(value, str)).replace(tzinfo=None)


def _json_text(value: Any) -> str:
    return _encoder.encode(value).decode()


_CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (StringType, _to_text),
    (IntegralType, _to_integer),
    (DecimalType, _to_decimal),
    ((DoubleType, FloatType), _to_float),
    (BooleanType, lambda value: _require(value, bool)),
    (TimestampType, lambda value: parse_timestamp(_require(value, str))),
    (TimestampNTZType, _to_local),
    (DateType, _to_day),
)
