"""Compiled pages against the plain way: the same records, or the same refusal, whatever an API sends."""

from __future__ import annotations

import json
from datetime import timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from taps.engine.errors import RecordError
from taps.engine.reader import PageReader
from taps.engine.rows import MisfitError, RowType, encode_lines
from taps.engine.stream import ApiStream
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from taps.engine.page import Content

TYPES = ["string", "integer", "number", "boolean", "object", "array"]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        **{name: {"type": [name, "null"]} for name in TYPES},
        "integer or text": {"type": ["integer", "string", "null"]},
        "list or number": {"type": ["array", "integer", "null"]},
        "list or object": {"type": ["array", "object", "null"]},
        "anything": {},
        "class": {"type": ["string", "null"]},
        "nested": {
            "type": ["object", "null"],
            "properties": {
                "known": {"type": ["integer", "null"]},
                "list": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
                "deeper": {
                    "type": ["array", "null"],
                    "items": {"type": ["object", "null"], "properties": {"text": {"type": ["string", "null"]}}},
                },
            },
        },
        "at": {"type": ["string", "null"], "format": "date-time"},
    },
}

SCALARS = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text()
JSON_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
NESTED = st.fixed_dictionaries(
    {},
    optional={
        "known": st.integers() | st.none() | JSON_VALUES,
        "list": st.lists(st.text() | st.none() | JSON_VALUES, max_size=3) | JSON_VALUES,
        "deeper": st.lists(st.fixed_dictionaries({"text": JSON_VALUES}) | JSON_VALUES, max_size=2),
        "unknown": JSON_VALUES,
    },
)
FITTING: dict[str, Any] = {
    "string": st.text(),
    "integer": st.integers(),
    "number": st.integers() | st.decimals(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "object": st.dictionaries(st.text(), JSON_VALUES, max_size=3),
    "array": st.lists(JSON_VALUES, max_size=3),
    "integer or text": st.integers() | st.text(),
    "list or number": st.integers() | st.lists(JSON_VALUES, max_size=3),
    "list or object": st.lists(JSON_VALUES, max_size=3) | st.dictionaries(st.text(), JSON_VALUES, max_size=3),
    "anything": JSON_VALUES,
    "class": st.text(),
    "nested": NESTED,
    "at": st.datetimes(timezones=st.just(timezone.utc)).map(lambda moment: moment.isoformat()),
}
RECORDS = st.fixed_dictionaries(
    {"id": st.integers() | st.integers().map(str)},
    optional={
        **{name: st.one_of(values, st.none()) for name, values in FITTING.items()},
        "new": JSON_VALUES,
        "a.b": JSON_VALUES,
    },
) | st.fixed_dictionaries({"id": st.integers() | st.none()}, optional=dict.fromkeys([*FITTING, "new"], JSON_VALUES))
BODIES = st.builds(
    lambda records, ascii_only, indent: simplejson.dumps(
        {"data": records}, use_decimal=True, ensure_ascii=ascii_only, indent=indent
    ).encode(),
    st.lists(RECORDS, max_size=4),
    st.booleans(),
    st.sampled_from([None, 2]),
)


class Things(ApiStream):
    """Things of any kind."""

    name = "things"
    path = "/v1/things"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    replication_key = "at"


def reader() -> PageReader:
    return PageReader(Things(TapHelpdesk(config={"base_url": "http://localhost", "api_key": "key"})))


def written(records: Any) -> list[Any]:
    lines = encode_lines("things", records, version=None, time_extracted="now")
    assert b"\r" not in lines
    assert lines.count(b"\n") == len(records)
    messages = [json.loads(line, parse_float=Decimal) for line in lines.split(b"\n")[:-1]]
    assert all(list(message) == ["type", "stream", "record", "time_extracted"] for message in messages)
    return [message["record"] for message in messages]


def outcome(read: Callable[[bytes, dict[str, Any]], Content], body: bytes) -> Content | str:
    try:
        return read(body, {})
    except RecordError as refusal:
        return str(refusal)


SHARED = reader()


@given(BODIES)
def test_both_ways_give_the_same_records_or_the_same_refusal(body: bytes) -> None:
    expected = outcome(SHARED.dictionaries, body)
    content = outcome(SHARED.rows, body)
    if isinstance(expected, str) or isinstance(content, str):
        assert content == expected
        return
    assert written(content.records) == written(expected.records)
    assert list(content.keys) == list(expected.keys)
    assert list(content.instants) == list(expected.instants)
    validator = Draft202012Validator(SCHEMA)
    for record in written(content.records):
        assert not list(validator.iter_errors(json.loads(json.dumps(record, default=float))))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"number": 1.50}', '"number":1.50'),
        ('{"number": 12345678901234567890123.5}', '"number":12345678901234567890123.5'),
        ('{"integer": 9223372036854775808}', '"integer":9223372036854775808'),
        ('{"integer": 123456789012345678901234567890}', '"integer":123456789012345678901234567890'),
        ('{"object": {"b": 1.0, "a": [1e400]}}', '"object":{"b": 1.0, "a": [1e400]}'),
        ('{"string": "\\u00e9 \\u2028"}', '"string":"é \u2028"'),
        ('{"string": "\\ud800"}', '"string":"\\ud800"'),
    ],
)
def test_no_digit_and_no_character_is_lost(value: str, expected: str) -> None:
    body = '{"data": [{"id": 1, ' + value[1:] + "]}"
    lines = encode_lines("things", reader().rows(body.encode(), {}).records, version=3, time_extracted="now")
    assert expected in lines.decode()
    assert '"version":3,"time_extracted":"now"}\n' in lines.decode()


@pytest.mark.parametrize(
    "body", [b'{"data": [{"id": 1, "object": {"a": "\xff"}}]}', b'{"data": [{"id": 1, "new": "\xff']
)
def test_what_is_not_utf_8_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match="it is no JSON"):
        reader().rows(body, {})


def test_what_is_left_out_is_named_and_then_known() -> None:
    things = reader()
    body = b'{"data": [{"id": 1, "new": 1, "nested": {"known": 1, "extra": {}}}]}'
    first, second = (written(things.rows(body, {}).records) for _ in range(2))
    assert first == second == [{"id": 1, "nested": {"known": 1}}]
    assert things.codec.undeclared == {"new", "nested.extra"}
    assert not isinstance(things.rows(body, {}).records[0], dict), "the page goes the slow way for ever"


def test_what_comes_in_another_type_is_converted_in_compiled_pages_too() -> None:
    things = reader()
    body = b'{"data": [{"id": "12", "string": 5, "nested": {"list": [1, "a"]}, "number": "0.10", "boolean": "true"}]}'
    things.rows(body, {})
    content = things.rows(body, {})
    assert not isinstance(content.records[0], dict)
    expected = {"id": 12, "string": "5", "number": Decimal("0.10"), "boolean": True, "nested": {"list": ["1", "a"]}}
    assert written(content.records) == [expected]
    assert content.keys == [(12,)]


def test_schemas_that_structs_cannot_express_are_read_all_the_same() -> None:
    odd = {"type": "object", "properties": {"id": {"type": "integer"}, 'a"b': {"type": ["string", "null"]}}}
    with pytest.raises(MisfitError):
        RowType(odd)

    class Quoted(ApiStream):
        """Things with an odd name in them."""

        name = "quoted"
        path = "/v1/quoted"
        schema: ClassVar[dict[str, Any]] = odd

    things = PageReader(Quoted(TapHelpdesk(config={"base_url": "http://localhost", "api_key": "key"})))
    assert written(things.rows(b'{"data": [{"id": 1, "a\\"b": "x"}]}', {}).records) == [{"id": 1, 'a"b': "x"}]


def test_numbers_of_two_records_are_not_taken_for_one() -> None:
    """An exponent at the end of one value, and the digits of the next."""
    body = b'{"data": [{"id": 1, "number": 1.0000000000000002e+100}, {"id": 2, "number": 100000000000000}]}'
    assert not any(isinstance(record, dict) for record in reader().rows(body, {}).records)
