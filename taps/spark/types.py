"""JSON Schema to Spark: which type a declared field has in a DataFrame.

==============================================  ======================================================================
JSON Schema                                     Spark
==============================================  ======================================================================
`string`                                        `STRING`; of the format `date-time`: `TIMESTAMP`, `date`: `DATE`; every
                                                other format: `STRING`
`string` of the format `singer.decimal`         `DECIMAL(38, 9)`
`integer`                                       `BIGINT`; `DECIMAL(38, 0)` where `minimum` or `maximum` is beyond 64
                                                bits
`number`                                        `DOUBLE`; `DECIMAL` where `multipleOf` is a power of ten, with that
                                                scale and the precision that `minimum` and `maximum` need
`boolean`                                       `BOOLEAN`
`object` with `properties`                      `STRUCT`, with a field for each of them
`array` with `items`                            `ARRAY`
other `object`, other `array`, no type          `STRING`: their JSON, with every digit
several of `string`, `number`, `boolean`, …     `STRING`
several with an `object` or an `array`          `STRING`: their JSON
==============================================  ======================================================================

Whoever names other types with `.schema(…)` gets those: `amount DECIMAL(38, 9)` for every digit of a number,
`custom_fields MAP<STRING, STRING>` for the members of an object, `STRING` for anything as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from taps.bridge.columns import column_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["ACCOUNT", "arrow_schema", "struct_of"]

ACCOUNT = "account"
"""The column that tells of which account a row is, where several are read."""

_SCALARS: Mapping[str, DataType] = {
    "text": StringType(),
    "json": StringType(),
    "time": StringType(),
    "bigint": LongType(),
    "double": DoubleType(),
    "bool": BooleanType(),
    "timestamp": TimestampType(),
    "date": DateType(),
}
_ARROW: Mapping[type[DataType], pa.DataType] = {
    BooleanType: pa.bool_(),
    ByteType: pa.int8(),
    ShortType: pa.int16(),
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    FloatType: pa.float32(),
    DoubleType: pa.float64(),
    StringType: pa.string(),
    DateType: pa.date32(),
    TimestampType: pa.timestamp("us", tz="UTC"),
    TimestampNTZType: pa.timestamp("us"),
}


def struct_of(schema: Mapping[str, Any], keys: Collection[str], *, accounts: bool = False) -> StructType:
    """Give the type of a stream's rows.

    Args:
        schema: JSON Schema of a record.
        keys: Fields that identify a record; only they are never null.
        accounts: Whether there is a column for the account.
    """
    fields = [
        StructField(name, _type_of(declared, schema), name not in keys, _comment(declared))
        for name, declared in schema["properties"].items()
    ]
    first = [StructField(ACCOUNT, StringType(), nullable=False)] if accounts else []
    return StructType([*first, *fields])


def _type_of(declared: Mapping[str, Any], root: Mapping[str, Any]) -> DataType:
    said = declared.get("type", ())
    types = {said} if isinstance(said, str) else {*said} - {"null"}
    if types == {"object"} and declared.get("properties") and not declared.get("additionalProperties"):
        members = declared["properties"].items()
        return StructType([StructField(name, _type_of(member, root), nullable=True) for name, member in members])
    if types == {"array"} and declared.get("items"):
        return ArrayType(_type_of(declared["items"], root))
    column = column_of(declared, root)
    if column["data_type"] == "decimal":
        return DecimalType(column["precision"] or 38, column["scale"] or 0)
    return _SCALARS[column["data_type"] or "text"]


def _comment(declared: Mapping[str, Any]) -> dict[str, str]:
    description = declared.get("description")
    return {"comment": " ".join(description.split())} if isinstance(description, str) else {}


def arrow_schema(schema: StructType) -> pa.Schema:
    """Give the Arrow schema of the batches that Spark takes for a type of rows.

    Raises:
        TypeError: A column is of a type that nothing of a record becomes.
    """
    return pa.schema([_arrow_field(field) for field in schema])


def _arrow_field(field: StructField) -> pa.Field:
    try:
        return pa.field(field.name, _arrow_type(field.dataType), field.nullable)
    except TypeError as error:
        raise TypeError(f"column '{field.name}': {error}") from None


def _arrow_type(kind: DataType) -> pa.DataType:
    if isinstance(kind, DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    if isinstance(kind, ArrayType):
        return pa.list_(pa.field("element", _arrow_type(kind.elementType), kind.containsNull))
    if isinstance(kind, MapType):
        value = pa.field("value", _arrow_type(kind.valueType), kind.valueContainsNull)
        return pa.map_(pa.field("key", _arrow_type(kind.keyType), nullable=False), value)
    if isinstance(kind, StructType):
        return pa.struct(list(arrow_schema(kind)))
    if type(kind) not in _ARROW:
        raise TypeError(f"{kind.simpleString()} is no type that a field of a record becomes")
    return _ARROW[type(kind)]
