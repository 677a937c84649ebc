import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from taps.engine.codec import RecordCodec, decode_json
from taps.engine.errors import RecordError
from taps.engine.selector import RecordsPath

TYPES = ["string", "integer", "number", "boolean", "object", "array"]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        **{name: {"type": [name, "null"]} for name in TYPES},
        "nested": {
            "type": ["object", "null"],
            "properties": {
                "known": {"type": ["integer", "null"]},
                "list": {"type": ["array", "null"], "items": {"type": ["integer", "null"]}},
            },
        },
    },
}

SCALARS = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text()
JSON_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


def codec() -> RecordCodec:
    return RecordCodec("things", SCHEMA, ["id"])


def convert(field: str, value: Any) -> Any:
    return codec().convert({"id": 1, field: value})[field]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("integer", "12", 12),
        ("integer", "-9007199254740993", -9007199254740993),
        ("integer", Decimal("12.0"), 12),
        ("integer", Decimal("1E+3"), 1000),
        ("integer", 2**63, 2**63),
        ("string", 12, "12"),
        ("string", Decimal("0.10"), "0.10"),
        ("string", True, "true"),
        ("string", {"a": [1, None]}, '{"a":[1,null]}'),
        ("string", ["é", Decimal("0.1")], '["é",0.1]'),
        ("number", "0.1", Decimal("0.1")),
        ("number", 5, 5),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("object", {"free": {"form": [2**70]}}, {"free": {"form": [2**70]}}),
    ],
)
def test_values_of_another_type_are_converted_where_nothing_is_lost(field: str, value: Any, expected: Any) -> None:
    converted = convert(field, value)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("integer", Decimal("12.5"), "a number: 12.5"),
        ("integer", "012", 'a string: "012"'),
        ("integer", " 12", 'a string: " 12"'),
        ("integer", "٣", 'a string: "٣"'),
        ("integer", True, "a boolean: true"),
        ("number", "1,5", 'a string: "1,5"'),
        ("number", "", 'a string: ""'),
        ("boolean", 1, "an integer: 1"),
        ("boolean", "yes", 'a string: "yes"'),
        ("object", [], "an array: []"),
        ("array", {"a": 1}, 'an object: {"a":1}'),
        ("nested", {"known": "x"}, 'a string: "x"'),
    ],
)
def test_a_value_that_would_lose_something_is_refused_with_key_field_and_types(
    field: str, value: Any, found: str
) -> None:
    with pytest.raises(RecordError, match=r"record id=1: field") as refused:
        convert(field, value)
    assert f"but is {found}" in str(refused.value)
    assert f"field '{field}" in str(refused.value)


def test_fields_that_are_not_declared_are_left_out_at_any_depth_and_named() -> None:
    reader = codec()
    record = reader.convert({"id": 1, "extra": 1, "nested": {"known": 2, "more": 3}, "object": {"any": "thing"}})
    assert record == {"id": 1, "nested": {"known": 2}, "object": {"any": "thing"}}
    assert reader.undeclared == {"extra", "nested.more"}


@pytest.mark.parametrize("record", [{}, {"id": None}, {"string": "x"}])
def test_a_record_without_its_key_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match=r"primary key 'id' is (missing|null)"):
        codec().convert(record)


def test_null_is_refused_where_the_schema_has_no_null() -> None:
    reader = RecordCodec("things", {"properties": {"id": {"type": "integer"}, "on": {"type": ["boolean"]}}}, ["id"])
    with pytest.raises(RecordError, match="field 'on' is declared boolean, but is null"):
        reader.convert({"id": 1, "on": None})


@given(st.sampled_from([*TYPES, "nested"]), JSON_VALUES)
def test_any_value_becomes_valid_or_is_refused_and_keeps_its_meaning(field: str, value: Any) -> None:
    try:
        converted = codec().convert({"id": 1, field: value})
    except RecordError:
        return
    validator = Draft202012Validator(SCHEMA)
    # jsonschema knows no Decimal; as a float it has the same type
    plain = json.loads(json.dumps(converted, default=float))
    assert not list(validator.iter_errors(plain))
    back = converted[field]
    if isinstance(value, str | bool | type(None)) or type(back) is type(value):
        assert field == "nested" or str(back).lower() == str(value).lower()
    elif isinstance(back, str):
        assert decode_json(back.encode()) == value
    else:
        assert back == value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[0.1]", [Decimal("0.1")]),
        (b"[9007199254740993, 12345678901234567890123]", [9007199254740993, 12345678901234567890123]),
        (b"[1e400]", [Decimal("1E+400")]),
        (b'\xef\xbb\xbf["bom"]', ["bom"]),
        ('["é😀"]'.encode(), ["é😀"]),
    ],
)
def test_json_is_read_with_every_digit(body: bytes, expected: Any) -> None:
    assert decode_json(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"<html>",
        b'{"a": 1',
        b"[NaN]",
        b"[Infinity]",
        b'["\xff"]',
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
    ],
)
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"it is (no JSON|empty)"):
        decode_json(body)


def test_records_are_found_by_path() -> None:
    document = {
        "data": [{"id": 1}, {"id": 2}],
        "one": {"id": 3},
        "a": [{"b": [{"id": 4}]}, {"b": []}, {"b": [{"id": 5}]}],
    }
    assert [r["id"] for r in RecordsPath("$.data[*]").select(document)] == [1, 2]
    assert RecordsPath("$.one").select(document) == [{"id": 3}]
    assert [r["id"] for r in RecordsPath("$.a[*].b[*]").select(document)] == [4, 5]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"data": {"id": 1}}, "'data' is an object where an array is due"),
        ({"data": None}, "'data' is null where an array is due"),
        ({"data": [None]}, "there is null where an object is due"),
        ({"items": []}, "it has no 'data'"),
        ([], "there is an array where an object with 'data' is due"),
        (None, "there is null where an object with 'data' is due"),
    ],
)
def test_a_document_of_another_shape_is_never_taken_for_records(document: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RecordsPath("$.data[*]").select(document)


def test_a_list_where_one_object_is_due_is_refused() -> None:
    with pytest.raises(ValueError, match="an array where an object is due"):
        RecordsPath("$.data").select({"data": [{"id": 1}]})


@pytest.mark.parametrize("path", ["data[*]", "$.data[0]", "$..id", "$.data[?(@.x)]", ""])
def test_a_path_of_more_than_fields_and_stars_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a JSONPath of fields"):
        RecordsPath(path)


@given(st.binary())
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(RecordsPath("$.data[*]").select(decode_json(body)), list)
