"""Which column a declared field becomes: the table of `taps.bridge.columns`, row by row, and whatever a tap declares."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from dlt.common.data_types import TDataType
from hypothesis import given
from hypothesis import strategies as st

from taps.bridge.columns import column_of, columns_of

TEXT, JSON, BIGINT, DOUBLE = ({"data_type": kind} for kind in ("text", "json", "bigint", "double"))
LONG = {"data_type": "decimal", "precision": 38, "scale": 0}
ROOT: dict[str, Any] = {
    "definitions": {
        "day": {"type": "string", "format": "date"},
        "long": {"type": "integer", "maximum": 2**80},
        "person": {"properties": {"name": {"type": "string"}}},
        "loop": {"$ref": "#/definitions/loop"},
        "either": {"anyOf": [{"$ref": "#/definitions/either"}, {"$ref": "#/definitions/other"}]},
        "other": {"allOf": [{"$ref": "#/definitions/either"}, {"$ref": "#/definitions/other"}]},
        "a/b~c": {"type": "boolean"},
    }
}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"data_type": "decimal", "precision": precision, "scale": scale}


def steps(step: float, **bounds: Any) -> dict[str, Any]:
    return {"type": ["number", "null"], "multipleOf": step, **bounds}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"type": "string"}, TEXT),
        ({"type": ["null", "string"]}, TEXT),
        ({"type": ["string", "null"], "format": "date-time"}, {"data_type": "timestamp"}),
        ({"type": "string", "format": "date"}, {"data_type": "date"}),
        ({"type": "string", "format": "time"}, {"data_type": "time"}),
        ({"type": "string", "format": "uuid"}, TEXT),
        ({"type": "string", "format": "duration"}, TEXT),
        ({"type": ["string", "null"], "format": "singer.decimal"}, decimal(38, 9)),
        ({"type": "integer"}, BIGINT),
        ({"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1}, BIGINT),
        ({"type": "number"}, DOUBLE),
        ({"type": ["integer", "number", "null"]}, DOUBLE),
        ({"type": ["boolean", "null"]}, {"data_type": "bool"}),
        ({"type": "object"}, JSON),
        ({"properties": {"a": {"type": "string"}}}, JSON),
        ({"type": ["array", "null"]}, JSON),
        ({"type": ["string", "integer"]}, TEXT),
        ({"type": ["integer", "string", "null"], "format": "date-time"}, TEXT),
        ({"type": ["boolean", "number"]}, TEXT),
        ({"type": ["string", "object"]}, JSON),
        ({"type": ["array", "integer", "null"]}, JSON),
        ({}, JSON),
        ({"description": "Anything."}, JSON),
        ({"type": "null"}, TEXT),
        ({"type": ["null"]}, TEXT),
        ({"const": None}, TEXT),
    ],
)
def test_a_field_becomes_the_column_of_its_type(declared: Any, expected: Any) -> None:
    assert column_of(declared, {}) == expected


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"type": "integer", "maximum": 2**63}, LONG),
        ({"type": ["null", "integer"], "minimum": -(2**63) - 1}, LONG),
        ({"type": "integer", "maximum": 1e30}, LONG),
        ({"type": "integer", "exclusiveMaximum": 2**70}, LONG),
        ({"type": "integer", "minimum": False, "maximum": 100}, BIGINT),
        # A schema library writes "a long integer, or null" in two branches.
        ({"anyOf": [{"type": "integer", "maximum": 2**70}, {"type": "null"}]}, LONG),
        ({"anyOf": [{"$ref": "#/definitions/long"}, {"type": "null"}]}, LONG),
        ({"type": "integer", "allOf": [{"maximum": 2**70}]}, LONG),
    ],
)
def test_an_integer_beyond_64_bits_is_a_decimal(declared: Any, expected: Any) -> None:
    assert column_of(declared, ROOT) == expected


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (steps(0.01), decimal(38, 2)),
        (steps(1), decimal(38, 0)),
        (steps(1e-9, minimum=-999, maximum=99), decimal(12, 9)),
        (steps(0.01, minimum=0, maximum=0.5), decimal(3, 2)),
        # Nothing is above a price of zero; that does not make it one of a single digit.
        (steps(0.01, minimum=0), decimal(38, 2)),
        (steps(0.01, maximum=100), decimal(38, 2)),
        (steps(0.01, minimum="0", maximum=None), decimal(38, 2)),
        # Databases' taps declare NUMERIC(38, 9) so, in both of the ways in which bounds can be left out.
        (
            steps(1e-9, minimum=-(10**29), exclusiveMinimum=True, maximum=10**29, exclusiveMaximum=True),
            decimal(38, 9),
        ),
        (steps(1e-9, exclusiveMinimum=-(10**29), exclusiveMaximum=10**29), decimal(38, 9)),
        (steps(1e-9, minimum=-(10**29), maximum=10**29), DOUBLE),
        (steps(0.5), DOUBLE),
        (steps(10), DOUBLE),
        (steps(0), DOUBLE),
        (steps(-0.01), DOUBLE),
        ({"type": "number", "multipleOf": True}, DOUBLE),
        (steps(1e-38), decimal(38, 38)),
        (steps(1e-39), DOUBLE),
        (steps(float("inf")), DOUBLE),
        (steps(float("nan")), DOUBLE),
        ({"anyOf": [{"type": "number", "multipleOf": 0.01}, {"type": "null"}]}, decimal(38, 2)),
        ({"anyOf": [{"type": "number", "multipleOf": 0.01}, {"type": "number"}]}, DOUBLE),
        ({"anyOf": [{"type": "number", "multipleOf": 0.01}, {"type": "number", "multipleOf": 0.1}]}, DOUBLE),
    ],
)
def test_a_number_in_steps_of_a_power_of_ten_is_a_decimal_that_holds_it(declared: Any, expected: Any) -> None:
    assert column_of(declared, ROOT) == expected


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, {"data_type": "timestamp"}),
        # The SDK of old: what is no timestamp is any text.
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]}, TEXT),
        ({"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}, TEXT),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, TEXT),
        ({"oneOf": [{"type": "integer"}, {"type": "object"}]}, JSON),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, DOUBLE),
        ({"anyOf": [{"type": "string"}, {}]}, JSON),
        ({"type": "string", "anyOf": [{"minLength": 1}, {"pattern": "a"}]}, TEXT),
        ({"allOf": [{"type": "string"}, {"maxLength": 5}]}, TEXT),
        ({"allOf": [{"$ref": "#/definitions/day"}], "description": "A day."}, {"data_type": "date"}),
        ({"$ref": "#/definitions/day"}, {"data_type": "date"}),
        ({"$ref": "#/definitions/a~1b~0c"}, {"data_type": "bool"}),
        ({"$ref": "#/definitions/person"}, JSON),
        ({"$ref": "#/definitions/missing"}, JSON),
        ({"$ref": "https://example.com/schema"}, JSON),
        ({"$ref": "#/definitions/loop"}, JSON),
        ({"$ref": "#/definitions/either"}, JSON),
        ({"enum": ["open", "closed", None]}, TEXT),
        ({"enum": [1, 2]}, BIGINT),
        ({"enum": [1, 2.5]}, DOUBLE),
        ({"enum": [1, "one"]}, TEXT),
        ({"enum": [[1], "one"]}, JSON),
        ({"const": True}, {"data_type": "bool"}),
        ({"const": {"a": 1}}, JSON),
    ],
)
def test_branches_references_and_values_count_as_the_types_that_they_have(declared: Any, expected: Any) -> None:
    assert column_of(declared, ROOT) == expected


@pytest.mark.parametrize(
    "declared",
    [
        True,
        False,
        None,
        "string",
        [],
        {"type": []},
        {"type": None},
        {"type": 3},
        {"type": [["string"], 1]},
        {"type": {"string": 1}},
        {"anyOf": 3},
        {"anyOf": None},
        {"oneOf": {"type": "string"}},
        {"allOf": [True, 1]},
        {"enum": None},
        {"enum": 3},
        {"enum": []},
        {"$ref": 3},
        {"$ref": "#"},
        {"properties": 3},
    ],
)
def test_what_is_no_schema_says_nothing_of_the_field(declared: Any) -> None:
    assert columns_of({"properties": {"field": declared}}, ["field"]) == {
        "field": {"name": "field", "data_type": "json", "nullable": False}
    }


@pytest.mark.parametrize("said", [3, ["date"], {"date": 1}])
def test_a_format_that_is_no_name_is_none(said: Any) -> None:
    assert column_of({"type": "string", "format": said}, {}) == TEXT


@pytest.mark.parametrize("schema", [{}, {"properties": None}, {"properties": ["id"]}, {"properties": {}}])
def test_a_schema_without_properties_has_no_columns(schema: dict[str, Any]) -> None:
    assert columns_of(schema, ["id"], replication_key="at") == {}


SCHEMA: dict[str, Any] = {
    "properties": {
        "id": {"type": ["integer", "null"], "description": " The\n  number. "},
        "at": {"type": "string", "format": "date-time", "description": 5},
        "tags": {"type": ["array", "null"]},
        "owner": {"$ref": "#/definitions/person"},
        "anything": {},
    },
    "definitions": ROOT["definitions"],
}


def test_only_keys_cannot_be_null_and_only_the_replication_key_decides() -> None:
    columns = columns_of(SCHEMA, ["id"], replication_key="at")
    assert columns["id"] == {"name": "id", "data_type": "bigint", "nullable": False, "description": "The number."}
    assert columns["at"] == {"name": "at", "data_type": "timestamp", "nullable": True, "dedup_sort": "desc"}
    assert [name for name, column in columns.items() if column["nullable"]] == ["at", "tags", "owner", "anything"]
    assert not any("dedup_sort" in column for column in columns_of(SCHEMA, ["id"]).values())


def test_what_dlt_unnests_has_no_column_and_what_may_be_anything_has_one() -> None:
    assert list(columns_of(SCHEMA, ["id"], nested=True)) == ["id", "at", "anything"]
    assert list(columns_of(SCHEMA, ["id"])) == list(SCHEMA["properties"])


TYPES = ["string", "integer", "number", "boolean", "object", "array", "null", "any"]
NUMBERS = st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=3)
ANYTHING = NUMBERS | st.lists(st.text(max_size=2), max_size=2) | st.dictionaries(st.text(max_size=2), st.none())
REFERENCES = st.sampled_from([f"#/definitions/{name}" for name in ("one", "two", "day", "missing")] + ["#", "x"])
FORMATS = st.sampled_from(["date-time", "date", "time", "uuid", "singer.decimal"])


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    branches = st.lists(inner, max_size=3) | ANYTHING
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), max_size=3) | ANYTHING,
            "format": FORMATS | ANYTHING,
            "multipleOf": st.integers(-45, 3).map(lambda power: 10.0**power) | NUMBERS,
            **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], NUMBERS),
            **dict.fromkeys(["anyOf", "oneOf", "allOf"], branches),
            "enum": st.lists(ANYTHING, max_size=3) | ANYTHING,
            "const": ANYTHING,
            "properties": st.dictionaries(st.text(max_size=2), inner, max_size=2) | ANYTHING,
            "description": ANYTHING,
        },
    )


DECLARED = st.recursive(st.fixed_dictionaries({"$ref": REFERENCES}) | ANYTHING, objects, max_leaves=8)


@given(
    properties=st.dictionaries(st.text(max_size=3), DECLARED, max_size=2),
    one=DECLARED,
    two=DECLARED,
    nested=st.booleans(),
)
def test_whatever_is_declared_has_a_column_that_destinations_can_make(
    *, properties: dict[str, Any], one: Any, two: Any, nested: bool
) -> None:
    definitions = {"one": one, "two": two, "day": {"type": "string", "format": "date"}}
    columns = columns_of({"properties": properties, "definitions": definitions}, ["id"], nested=nested)
    assert columns.keys() == properties.keys() or nested
    for column in columns.values():
        assert column["data_type"] in get_args(TDataType)
        if column["data_type"] == "decimal":
            precision, scale = column["precision"], column["scale"]
            assert precision is not None
            assert scale is not None
            assert 0 <= scale <= precision <= 38
            assert precision > 0
