"""Rows of either form, as an Arrow batch and as dictionaries: what the tap sent, or an error that names the value."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import msgspec
import pyarrow as pa
import pytest
from dlt.common.wei import Wei
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from taps.bridge.columns import columns_of
from taps.bridge.errors import ValueDoesNotFitError
from taps.bridge.rows import RawRow, RowShape, raw_rows
from taps.engine.rows import RowType

if TYPE_CHECKING:
    from pathlib import Path

LONGEST, SHORTEST = 2**63 - 1, -(2**63)
UTC = timezone.utc


def shape(kind: str, **hints: Any) -> RowShape:
    column: Any = {"name": "field", "data_type": kind, "nullable": True, **hints}
    return RowShape("things", {"field": column})


def rows_of(*values: str | None) -> list[RawRow]:
    """Make rows of JSON values; of one that is missing, where there is none."""
    text = ",".join("{}" if value is None else f'{{"field":{value}}}' for value in values)
    return msgspec.json.decode(f"[{text}]", type=list[RawRow])


def column(kind: str, *values: str | None, **hints: Any) -> list[Any]:
    return [row["field"] for row in shape(kind, **hints).batch(rows_of(*values)).to_pylist()]


def dictionaries(kind: str, *values: str | None, **hints: Any) -> list[Any]:
    return [row.get("field") for row in shape(kind, **hints).dictionaries(rows_of(*values))[0]]


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


EIGHT = moment(2024, 1, 31, 8)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("text", ['"x"', '""', "null", None], ["x", "", None, None]),
        (
            "text",
            ["1.50", "true", "12345678901234567890123", "0.1"],
            ["1.50", "true", "12345678901234567890123", "0.1"],
        ),
        ("text", ['{"a": [1.50, null]}', "[]"], ['{"a":[1.50,null]}', "[]"]),
        ("text", [r'"a\u0000b"', r'"\ud83d\ude00 \u2028"'], ["a\0b", "\U0001f600 \u2028"]),
        ("bigint", [str(LONGEST), str(SHORTEST), "null", None], [LONGEST, SHORTEST, None, None]),
        ("bigint", ["1.0", '"12"', "1e3", "0"], [1, 12, 1000, 0]),
        ("double", ["1", "1.5", '"2.5"', "1e300", None], [1.0, 1.5, 2.5, 1e300, None]),
        ("double", ["12345678901234567890123"], [1.2345678901234568e22]),
        ("bool", ["true", "false", "null", None], [True, False, None, None]),
        ("bool", ["true", '"true"', '"False"', "1", "0"], [True, True, False, True, False]),
        ("date", ['"2024-01-31"', '"2024-01-31T08:00:00Z"', None], [date(2024, 1, 31), date(2024, 1, 31), None]),
        ("time", ['"08:00:00"', '"08:00:00Z"', '"08:00"', "null"], [time(8), time(8), time(8), None]),
        ("time", ['"08:00:00.123456789"', '"08:00:00.5"'], [time(8, 0, 0, 123456), time(8, 0, 0, 500_000)]),
        ("time", ['"08:00:00+02:00"', '"23:30-01:00"'], [time(6), time(0, 30)]),
        ("wei", ["1" + "0" * 70, '"5"', None], [Decimal(10**70), Decimal(5), None]),
        ("binary", ['"é"', None], ["é".encode(), None]),
    ],
)
def test_a_value_becomes_what_its_column_holds(kind: str, values: list[str | None], expected: list[Any]) -> None:
    assert column(kind, *values) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31T08:00:00Z", EIGHT),
        ("2024-01-31T10:00:00+02:00", EIGHT),
        ("2024-01-31T03:00:00-0500", EIGHT),
        ("2024-01-31T08:00:00", EIGHT),
        ("2024-01-31 08:00:00", EIGHT),
        ("2024-01-31T08:00Z", EIGHT),
        ("2024-01-31 10:00+02:00", EIGHT),
        ("2024-01-31", moment(2024, 1, 31)),
        ("2024-01-31T08:00:00.5Z", moment(2024, 1, 31, 8, 0, 0, 500_000)),
        ("2024-01-31T08:00:00.123456Z", moment(2024, 1, 31, 8, 0, 0, 123_456)),
        ("2024-01-31T08:00:00.123456789Z", moment(2024, 1, 31, 8, 0, 0, 123_456)),
        ("2024-01-31T08:00:00.999999999+00:00", moment(2024, 1, 31, 8, 0, 0, 999_999)),
    ],
)
@pytest.mark.parametrize("beside", [[], ["2024-01-31T00:00:00Z"], ["2024-01-31"], ["2024-01-31T08:00:00.123456789Z"]])
def test_a_timestamp_is_the_same_whatever_is_beside_it(text: str, expected: datetime, beside: list[str]) -> None:
    values = [f'"{each}"' for each in (text, *beside)]
    assert column("timestamp", *values)[0] == expected
    assert column("timestamp", None, *values, "null")[:2] == [None, expected]


@pytest.mark.parametrize("make", [column, dictionaries])
def test_decimals_keep_every_digit(make: Any) -> None:
    longest = "9" * 29 + ".123456789"
    assert make("decimal", longest, "0.10", '"0.1"', "5", "null", None) == [
        *map(Decimal, (longest, "0.1", "0.1", "5")),
        None,
        None,
    ]
    assert make("decimal", "1.23", precision=3, scale=2) == [Decimal("1.23")]
    assert make("decimal", "123", precision=3) == [Decimal(123)]
    assert make("decimal", "9" * 50 + ".5", precision=60, scale=5) == [Decimal("9" * 50 + ".5")]


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (
            "bigint",
            str(LONGEST + 1),
            "9223372036854775808 is not a whole number of 64 bits, as a column of the type bigint",
        ),
        ("bigint", str(SHORTEST - 1), "-9223372036854775809 is not a whole number of 64 bits"),
        ("bigint", "1.5", "1.5 is not a whole number of 64 bits"),
        ("bigint", "1e999999999", "1E+999999999 is not a whole number"),
        ("bigint", '"1_000"', '"1_000" is not a whole number'),
        ("bigint", "true", "true is not a whole number"),
        ("bigint", '{"a": 1.50}', '{"a":1.50} is not a whole number'),
        ("double", "1e400", "1E+400 is not a number"),
        ("double", '"NaN"', '"NaN" is not a number'),
        ("double", "[]", "[] is not a number"),
        ("double", "false", "false is not a number"),
        ("bool", '"yes"', '"yes" is not true or false'),
        ("bool", "2", "2 is not true or false"),
        ("timestamp", '""', '"" is not a timestamp such as 2024-01-31T08:00:00Z'),
        ("timestamp", "1706688000", "1706688000 is not a timestamp"),
        ("timestamp", '"2024-02-30T08:00:00Z"', '"2024-02-30T08:00:00Z" is not a timestamp'),
        ("date", "20240131", "20240131 is not a date such as 2024-01-31"),
        ("time", "8", "8 is not a time such as 08:00:00"),
        ("time", '"soon"', '"soon" is not a time'),
        ("decimal", "0.0123456789", "0.0123456789 is not a number of 38 digits, 9 of them behind the point"),
        ("decimal", "1" + "0" * 29, "100000000000000000000000000000 is not a number of 38 digits"),
        ("decimal", "1e99999999999999999999", "1e99999999999999999999 is not a number"),
        ("decimal", '"NaN"', '"NaN" is not a number'),
        ("decimal", "true", "true is not a number"),
        ("wei", "1.5", "1.5 is not wei"),
        ("bigint", f'"{"x" * 100}"', f'"{"x" * 59}… is not a whole number'),
    ],
)
@pytest.mark.parametrize("beside", [[], ["null", None]])
def test_a_value_that_does_not_fit_is_an_error_with_stream_field_value_and_advice(
    kind: str, value: str, said: str, beside: list[str | None]
) -> None:
    with pytest.raises(ValueDoesNotFitError) as caught:
        column(kind, *beside, value)
    text = str(caught.value)
    assert text.startswith(f"Stream 'things', field 'field': {said}")
    assert text.endswith("source.things.apply_hints(columns={'field': {'data_type': 'text'}})")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bigint", str(LONGEST + 1)), ("bigint", "1e400"), ("double", "1e400"), ("decimal", "1e-10"), ("wei", "0.5")],
)
def test_what_dlt_would_cut_does_not_fit_in_dictionaries_either(kind: str, value: str) -> None:
    with pytest.raises(ValueDoesNotFitError, match="Stream 'things', field 'field'"):
        dictionaries(kind, value)


def test_a_text_stays_a_text_in_dictionaries_whatever_type_it_comes_in() -> None:
    values = ['"x"', "1.50", "true", '{"a": 1.50}', "[1]", "12345678901234567890123", "null", None]
    assert dictionaries("text", *values) == column("text", *values)


def test_long_integers_that_no_column_holds_back_are_exact_in_dictionaries() -> None:
    made, size = RowShape("things", {}).dictionaries(rows_of("12345678901234567890123", "9" * 40, f"[{2**64}]"))
    assert [row["field"] for row in made] == [Wei(12345678901234567890123), "9" * 40, [Wei(2**64)]]
    assert size > 90


# JSON


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"b": 1.500000000000000000001, "a": [12345678901234567890123, 1e400]}', None),
        ("[1,\n 2,\r\n\t3]", None),
        ('"[1]"', None),
        ('"text"', None),
        ('""', None),
        ("1", None),
        ("1.50", None),
        ("true", None),
        (r'"a\u0000\n"', None),
        ("null", "missing"),
    ],
)
@pytest.mark.parametrize("beside", [[], ["{\n}"], [None, "null"]])
def test_json_goes_through_as_it_came(value: str, expected: str | None, beside: list[str | None]) -> None:
    cell = column("json", value, *beside)[0]
    assert cell == (None if expected else value)


def test_json_in_dictionaries_is_what_dlt_takes_for_json() -> None:
    values = ['{"a": 1}', "[1]", '"[1]"', '"x"', "1", "1.5", "false", "null", None]
    # It parses a text, and writes what it finds as it is: a text within must be JSON then, too.
    texts = [json.dumps(text) for text in ('"[1]"', '"x"')]
    assert dictionaries("json", *values) == [{"a": 1}, [1], *texts, "1", "1.5", "false", None, None]
    assert dictionaries("json", str(2**64), "1e400") == [f'"{2**64}"', '"1E+400"']


def test_fields_that_are_not_declared_become_json_in_order_and_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    things = RowShape("things", {"id": {"name": "id", "data_type": "bigint", "nullable": False}})
    pages: list[list[dict[str, Any]]] = [
        [{"id": 1}],
        [{"id": 2, "z": {"a": [1]}, "y": "x", "x": None}],
        [{"id": 3, "y": 5}],
    ]
    batches = [things.batch(raw_rows(page)) for page in pages]
    assert [batch.schema.names for batch in batches] == [["id"], ["id", "z", "y", "x"], ["id", "z", "y", "x"]]
    assert batches[1].to_pylist() == [{"id": 2, "z": '{"a":[1]}', "y": '"x"', "x": None}]
    assert batches[2].to_pylist() == [{"id": 3, "z": None, "y": "5", "x": None}]
    assert list(things.added) == ["z", "y", "x"]
    assert {added["data_type"] for added in things.added.values()} == {"json"}
    assert [record.getMessage() for record in caplog.records] == [
        f"Stream 'things' has a field '{name}' that its schema does not: it becomes JSON" for name in "zyx"
    ]


def test_half_a_surrogate_pair_becomes_the_character_for_what_is_none() -> None:
    rows = raw_rows([{"text": "a\ud800b", "json": {"\udc00": ["\ud800", Decimal("1.50")]}}, {"text": "\U0001f600"}])
    things = RowShape("things", {"text": {"data_type": "text"}, "json": {"data_type": "json"}})
    assert things.batch(rows).to_pylist() == [
        {"text": "a\ufffdb", "json": '{"\ufffd":["\ufffd",1.50]}'},
        {"text": "\U0001f600", "json": None},
    ]
    assert things.dictionaries(rows)[0][0] == {"text": "a\ufffdb", "json": {"\ufffd": ["\ufffd", 1.5]}}


# Both forms

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "text": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "price": {"type": ["number", "null"], "multipleOf": 0.001},
        "ratio": {"type": ["number", "null"]},
        "on": {"type": ["boolean", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "hour": {"type": ["string", "null"], "format": "time"},
        "object": {"type": ["object", "null"]},
        "list": {"type": ["array", "null"]},
        "known": {"type": ["object", "null"], "properties": {"a": {"type": ["number", "null"]}}},
        "anything": {},
        "none": {"type": "null"},
    },
}
COLUMNS = columns_of(SCHEMA, ["id"])
ROW_TYPE = RowType(SCHEMA, required=["id"])


def structs(records: list[dict[str, Any]]) -> list[Any]:
    text = msgspec.json.Encoder(decimal_format="number").encode(records)
    rows: list[Any] = msgspec.json.decode(text, type=list[ROW_TYPE.struct])  # type: ignore[name-defined]
    ROW_TYPE.finish(rows)
    return rows


def things() -> RowShape:
    return RowShape("things", COLUMNS, ["id"])


EXACT = msgspec.json.Decoder(float_hook=Decimal)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INTEGERS = st.integers(SHORTEST, LONGEST)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | DECIMALS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "count": INTEGERS,
    "price": st.integers(-(10**37), 10**37).map(lambda thousandths: Decimal(thousandths).scaleb(-3).normalize()),
    "ratio": INTEGERS | st.floats(allow_nan=False, allow_infinity=False),
    "on": st.booleans(),
    "at": MOMENTS.map(datetime.isoformat) | MOMENTS.map(lambda at: at.isoformat().replace("+00:00", "Z")),
    "day": st.dates().map(date.isoformat),
    "hour": st.times().map(time.isoformat),
    "object": OBJECTS,
    "list": st.lists(VALUES, max_size=3),
    "known": st.fixed_dictionaries({}, optional={"a": DECIMALS | st.none()}),
    "anything": VALUES,
    "none": st.none(),
}
RECORDS = st.lists(
    st.fixed_dictionaries({"id": INTEGERS}, optional={name: st.none() | each for name, each in FITTING.items()}),
    min_size=1,
    max_size=5,
)


def value_of(name: str, sent: Any) -> Any:
    """Give what a column holds of what was sent."""
    if sent is None:
        return None
    kind = COLUMNS[name]["data_type"]
    if kind == "timestamp":
        return datetime.fromisoformat(sent.replace("Z", "+00:00"))
    if kind == "date":
        return date.fromisoformat(sent)
    if kind == "time":
        return time.fromisoformat(sent)
    return float(sent) if kind == "double" else sent


def read_back(name: str, held: Any) -> Any:
    return EXACT.decode(held) if COLUMNS[name]["data_type"] == "json" and held is not None else held


@given(RECORDS)
def test_a_batch_has_what_was_sent(records: list[dict[str, Any]]) -> None:
    expected = [{name: value_of(name, record.get(name)) for name in COLUMNS} for record in records]
    for rows in (raw_rows(records), structs(records)):
        batch = things().batch(rows)
        assert batch.schema.names == list(COLUMNS)
        assert [{name: read_back(name, held) for name, held in row.items()} for row in batch.to_pylist()] == expected


@given(RECORDS)
def test_dictionaries_have_what_was_sent_in_both_forms(records: list[dict[str, Any]]) -> None:
    made, size = things().dictionaries(raw_rows(records))
    assert things().dictionaries(structs(records)) == (made, size)
    for row, record in zip(made, records, strict=True):
        # What is missing stays missing.
        assert row.keys() == record.keys()
        for name in record.keys() - {"object", "list", "known", "anything"}:
            assert row[name] == record[name] or float(row[name]) == float(record[name])


# A random schema: a type for each field, and values of these types

KINDS: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    name: (SCHEMA["properties"][name], values) for name, values in FITTING.items()
}


@given(st.data())
def test_what_comes_out_of_any_schema_is_what_was_sent(data: st.DataObject) -> None:
    # Arrow does not count the rows of a table without columns.
    fields = data.draw(st.dictionaries(TEXTS, st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    schema = {"properties": {name: KINDS[kind][0] for name, kind in fields.items()}}
    record = st.fixed_dictionaries({}, optional={name: st.none() | KINDS[kind][1] for name, kind in fields.items()})
    records = data.draw(st.lists(record, min_size=1, max_size=4))
    batch = RowShape("any", columns_of(schema, [])).batch(raw_rows(records))
    assert [{name: read_back(fields[name], held) for name, held in row.items()} for row in batch.to_pylist()] == [
        {name: value_of(kind, sent.get(name)) for name, kind in fields.items()} for sent in records
    ]


def test_null_missing_and_unset_are_null_in_both_forms() -> None:
    records: list[dict[str, Any]] = [{"id": 1, **dict.fromkeys(FITTING)}, {"id": 2}]
    rows = structs(records)
    assert ROW_TYPE.column(rows, "text") == [None, None]
    assert getattr(rows[1], "field_1") is UNSET  # noqa: B009 - the struct is made when it runs
    for each in (rows, raw_rows(records)):
        nulls = [{"id": number, **dict.fromkeys(FITTING)} for number in (1, 2)]
        assert things().batch(each).to_pylist() == nulls
        assert things().dictionaries(each)[0] == records


@pytest.mark.parametrize(
    ("field", "hint", "sent", "expected"),
    [
        ("at", "text", "yesterday", "yesterday"),
        ("count", "text", 2**70, str(2**70)),
        ("ratio", "text", Decimal("1.50"), "1.50"),
        ("object", "text", {"a": Decimal("1.50")}, '{"a":1.50}'),
        ("ratio", "decimal", Decimal("1.50"), Decimal("1.5")),
        ("count", "wei", 2**70, Decimal(2**70)),
        ("count", "json", 5, "5"),
        ("text", "timestamp", "2024-01-31T08:00:00Z", EIGHT),
        ("text", "bigint", "12", 12),
        ("on", "text", True, "true"),
        ("on", "bigint", None, None),
    ],
)
def test_a_hint_decides_in_both_forms(field: str, hint: Any, sent: Any, expected: Any) -> None:
    columns = {**COLUMNS, field: {"name": field, "data_type": hint, "nullable": True}}
    for rows in (raw_rows([{"id": 1, field: sent}]), structs([{"id": 1, field: sent}])):
        assert RowShape("things", columns).batch(rows).to_pylist()[0][field] == expected  # type: ignore[arg-type]


def test_a_key_is_the_same_in_both_forms_of_pages() -> None:
    schema = {"properties": {name: {"type": kind} for name, kind in (("n", "integer"), ("t", "string"))}}
    records = [{"n": LONGEST, "t": 'a"é'}, {"t": "b", "n": -1}]
    row_type = RowType(schema, required=["n", "t"])
    compiled = msgspec.json.decode(msgspec.json.encode(records), type=list[row_type.struct])  # type: ignore[name-defined]
    keyed = RowShape("keyed", columns_of(schema, ["n", "t"]), ["n", "t"])
    assert keyed.keys(compiled) == keyed.keys(raw_rows(records)) == [(LONGEST, 'a"é'), (-1, "b")]
    assert keyed.keys(raw_rows([{"n": {"a": [1]}}])) == [('{"a":[1]}', None)]
    assert RowShape("none", columns_of(schema, [])).keys(compiled) is None


# Through dlt into a database

SENT: list[dict[str, Any]] = [
    {
        "id": LONGEST,
        "text": "a\U0001f600\n'\"",
        "count": SHORTEST,
        "price": Decimal("12345678901234567890.123"),
        "ratio": 0.1,
        "on": False,
        "at": "2024-01-31T08:00:00.123456+00:00",
        "day": "2024-01-31",
        "hour": "08:00:00.500000",
        "object": {"é": [1, None, {"a": "x"}]},
        "list": [],
        "known": {"a": 1},
        "anything": "[1]",
        "none": None,
    },
    {"id": 3, **dict.fromkeys(FITTING)},
    {"id": 2, "text": "", "object": {}, "anything": 5},
    {"id": 1, "anything": "no JSON"},
    {"id": 0, "anything": 2**64},
]


@pytest.mark.parametrize("arrow", [True, False], ids=["arrow", "dictionaries"])
def test_a_database_has_what_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arrow: bool) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    rows = raw_rows(SENT)
    item = pa.Table.from_batches([things().batch(rows)]) if arrow else things().dictionaries(rows)[0]
    pipeline = dlt.pipeline(
        "rows",
        pipelines_dir=str(tmp_path / "pipelines"),
        destination=dlt.destinations.duckdb(str(tmp_path / "rows.duckdb")),
        dataset_name="sent",
    )
    pipeline.run(
        dlt.resource([item], name="things", columns=COLUMNS), loader_file_format="parquet" if arrow else "insert_values"
    )
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as database:
        database.execute("set timezone = 'UTC'")
        found = database.execute("select * from sent.things order by id desc")
        names = [name for name, *_ in found.description or ()]
        held = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert [
        {
            name: json.loads(row[name]) if column["data_type"] == "json" and row[name] else row[name]
            for name, column in COLUMNS.items()
        }
        for row in held
    ] == [{name: value_of(name, record.get(name)) for name in COLUMNS} for record in SENT]
