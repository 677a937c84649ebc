"""What a field becomes in a DataFrame, and what is said of a value that does not fit."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql.types import DataType, StructType

from support import ROOT
from taps.spark.columns import Columns
from taps.spark.errors import OptionError, ValueDoesNotFitError
from taps.spark.types import ACCOUNT, struct_of

pytestmark = pytest.mark.usefixtures("spark")  # it reads the names of types

TYPES = [
    ({"type": ["string", "null"]}, "string"),
    ({"type": ["string", "null"], "format": "date-time"}, "timestamp"),
    ({"type": ["string", "null"], "format": "date"}, "date"),
    ({"type": ["string", "null"], "format": "time"}, "string"),
    ({"type": ["string", "null"], "format": "email"}, "string"),
    ({"type": "string", "format": "singer.decimal"}, "decimal(38,9)"),
    ({"type": ["integer", "null"]}, "bigint"),
    ({"type": ["integer", "null"], "maximum": 2**64}, "decimal(38,0)"),
    ({"type": ["number", "null"]}, "double"),
    ({"type": "number", "multipleOf": 0.01}, "decimal(38,2)"),
    ({"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 999}, "decimal(5,2)"),
    ({"type": ["boolean", "null"]}, "boolean"),
    ({"type": ["integer", "string", "null"]}, "string"),
    ({"type": ["object", "null"]}, "string"),
    ({"type": ["object", "null"], "additionalProperties": True}, "string"),
    ({"type": ["object", "string", "null"], "properties": {"a": {"type": "string"}}}, "string"),
    ({"type": "array"}, "string"),
    ({"type": ["array", "null"], "items": {"type": ["integer", "null"]}}, "array<bigint>"),
    ({"type": ["array", "string"], "items": {"type": "string"}}, "string"),
    ({}, "string"),
    (
        {"type": ["object", "null"], "properties": {"at": {"type": "string", "format": "date-time"}, "n": {}}},
        "struct<at:timestamp,n:string>",
    ),
    (
        {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
        "array<struct<id:bigint>>",
    ),
]


@pytest.mark.parametrize(("declared", "spark_type"), TYPES)
def test_a_field_has_the_type_of_its_declaration(declared: dict[str, Any], spark_type: str) -> None:
    made = struct_of({"properties": {"field": declared}}, [])
    assert made["field"].dataType.simpleString() == spark_type
    assert made["field"].nullable


def test_a_key_is_never_null_and_a_description_is_a_comment() -> None:
    schema = {"properties": {"id": {"type": "integer", "description": "The\n  number."}, "name": {"type": "string"}}}
    made = struct_of(schema, ["id"], accounts=True)
    assert [(field.name, field.nullable) for field in made] == [("account", False), ("id", False), ("name", True)]
    assert made["id"].metadata == {"comment": "The number."}


def test_no_stream_has_a_field_that_is_called_as_the_column_for_the_account() -> None:
    for path in (ROOT / "schemas").rglob("*.json"):
        assert ACCOUNT not in json.loads(path.read_text(encoding="utf-8"))["properties"], path


def column(spark_type: str, *values: Any) -> list[Any]:
    schema = DataType.fromDDL(f"field {spark_type}")
    assert isinstance(schema, StructType)
    batch = Columns("tickets", ["id"], schema).batch([{"id": place, "field": v} for place, v in enumerate(values)])
    return batch["field"].to_pylist()  # type: ignore[no-any-return]


AT = datetime(2024, 1, 31, 8, tzinfo=timezone.utc)
VALUES = [
    ("STRING", "a", "a"),
    ("STRING", 12, "12"),
    ("STRING", Decimal("1.50"), "1.50"),
    ("STRING", True, "true"),
    ("STRING", {"b": [Decimal("0.10"), 2**70]}, '{"b":[0.10,1180591620717411303424]}'),
    ("BIGINT", 2**63 - 1, 2**63 - 1),
    ("INT", -5, -5),
    ("DOUBLE", Decimal("0.1"), 0.1),
    ("DOUBLE", 12, 12.0),
    ("FLOAT", Decimal("0.5"), 0.5),
    (
        "DECIMAL(38,18)",
        Decimal("123456789012345678.123456789012345678"),
        Decimal("123456789012345678.123456789012345678"),
    ),
    ("DECIMAL(20,0)", 2**63, Decimal(2**63)),
    ("DECIMAL(5,2)", "1.5", Decimal("1.50")),
    ("BOOLEAN", False, False),
    ("TIMESTAMP", "2024-01-31T08:00:00Z", AT),
    ("TIMESTAMP", "2024-01-31T10:30:00+02:30", AT),
    ("TIMESTAMP", "2024-01-31", AT.replace(hour=0)),
    ("TIMESTAMP", "2024-01-31T08:00:00.123456789Z", AT.replace(microsecond=123456)),
    ("TIMESTAMP_NTZ", "2024-01-31T10:30:00+02:30", AT.replace(tzinfo=None)),
    ("DATE", "2024-02-29", date(2024, 2, 29)),
    ("DATE", "2024-02-29T00:00:00Z", date(2024, 2, 29)),
    ("ARRAY<TIMESTAMP>", ["2024-01-31T08:00:00Z", None], [AT, None]),
    ("STRUCT<a: STRING, at: TIMESTAMP>", {"at": "2024-01-31T08:00:00Z", "other": 1}, {"a": None, "at": AT}),
    ("MAP<STRING, STRING>", {"a": 1, "b": None, "c": "x"}, [("a", "1"), ("b", None), ("c", "x")]),
]


@pytest.mark.parametrize(("spark_type", "value", "made"), VALUES)
def test_a_value_becomes_what_its_column_holds(spark_type: str, value: Any, made: Any) -> None:
    assert column(spark_type, None, value) == [None, made]


MISFITS = [
    ("BIGINT", 2**63),
    ("BIGINT", Decimal("1.5")),
    ("BIGINT", "1.5"),
    ("INT", 2**31),
    ("DOUBLE", "much"),
    ("DOUBLE", Decimal("1E+400")),
    ("DOUBLE", True),
    ("DECIMAL(5,2)", Decimal("1.234")),
    ("DECIMAL(5,2)", 12345),
    ("BOOLEAN", "yes"),
    ("TIMESTAMP", "yesterday"),
    ("TIMESTAMP", 1706688000),
    ("DATE", "2024-02-30"),
    ("DATE", "2024-02-29T10:00:00Z"),
    ("ARRAY<BIGINT>", ["x"]),
    ("STRUCT<a: STRING>", [1]),
    ("MAP<STRING, BIGINT>", {"a": "x"}),
]


@pytest.mark.parametrize(("spark_type", "value"), MISFITS)
def test_a_value_that_does_not_fit_is_named_with_its_record(spark_type: str, value: Any) -> None:
    with pytest.raises(ValueDoesNotFitError) as error:
        column(spark_type, None, value)
    told = str(error.value)
    assert told.startswith("Stream 'tickets', record id 1, field 'field': ")
    assert told.endswith("; read it as another one: .schema('…, field STRING, …')")
    assert "\n" not in told


def test_a_type_that_nothing_of_a_record_becomes_is_refused() -> None:
    with pytest.raises(OptionError, match="Stream 'tickets', column 'field': binary is no type"):
        column("BINARY")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(JSON, max_size=5), st.sampled_from([spark_type for _, spark_type in TYPES]))
def test_any_value_fits_or_is_named(values: list[Any], spark_type: str) -> None:
    try:
        made = column(spark_type, *values)
    except ValueDoesNotFitError:
        return
    assert [value is None for value in made] == [value is None for value in values]
