"""Any JSON against any schema of ours: a valid message in which nothing was changed, or a refusal that names the field.

A page goes the whole way that it goes in a sync: from the body through the reader, compiled and plain, to the lines of
the writer.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from conversions import is_right, misfits, read
from exact import problems, read_lines, same, timeless, without
from hypothesis import strategies as st
from json_texts import UNREADABLE, VALUES, nearly, object_text
from made_pages import all_streams, document_of
from repeated import holds_for

from taps.engine.errors import RecordError
from taps.engine.reader import PageReader
from taps.engine.timestamps import parse_timestamp
from taps.engine.writer import Lines, MessageWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypothesis.strategies import DrawFn

    from taps.engine.page import Content
    from taps.engine.stream import ApiStream

_NO_JSON = "it is no JSON"
_NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)


class Sent(NamedTuple):
    """A page as an API sends it, and what its records say."""

    stream: ApiStream
    body: bytes
    records: list[dict[str, Any]]
    parent: dict[str, Any]


_TIMES = st.datetimes(timezones=st.just(timezone.utc)).map(lambda moment: json.dumps(moment.isoformat()))


@st.composite
def _pages(draw: DrawFn, extra: st.SearchStrategy[str] = VALUES) -> Sent:
    stream = draw(st.sampled_from(all_streams()))
    declared = type(stream)
    parent = {field: draw(st.sampled_from([77, 2**70, "a b/c", "\ud800"])) for field in stream.parent_key_fields}
    most = 3 if declared.records_jsonpath.endswith("[*]") else 1
    texts, records = [], []
    for _ in range(draw(st.integers(1 if most == 1 else 0, most))):
        members = draw(_members(stream, extra))
        text, record = draw(_written(stream, members))
        texts.append(text)
        records.append(record)
    document, enclosing = document_of(declared, texts)
    body = object_text([("count", "5"), *document, ("meta", draw(extra))])
    return Sent(stream, body.encode(), [_completed(stream, record | enclosing | parent) for record in records], parent)


@st.composite
def _members(draw: DrawFn, stream: ApiStream, extra: st.SearchStrategy[str]) -> list[tuple[str, str]]:
    """Make a record: its keys and its cursor, which mostly are in order, some other fields, and some that nobody knows."""
    properties = stream.schema["properties"]
    made = {*stream.parent_key_fields, *type(stream).copied_fields, *type(stream).enclosing_ids.values()}
    names = [name for name in properties if name not in made and name != stream.snapshot_field]
    needed = [key for key in stream.primary_keys if key in names]
    cursor = stream.replication_key
    by_types: dict[str, list[str]] = {}  # or else most were texts
    for name in names:
        by_types.setdefault(f"{properties[name]['type']} {sorted(properties[name])}", []).append(name)
    chosen = draw(
        st.lists(st.sampled_from(sorted(by_types)).flatmap(lambda types: st.sampled_from(by_types[types])), max_size=5)
    )
    members = []
    for name in [*chosen, *needed, *([cursor] if cursor else [])]:
        plain = _TIMES if name == cursor else nearly(properties[name])
        members.append((name, draw(extra if draw(st.integers(0, 15)) == 0 else plain)))
    if draw(st.integers(0, 3)) == 0:
        members.insert(draw(st.integers(0, len(members))), (draw(st.sampled_from(["new", "a.b", "id.x"])), draw(extra)))
    return members


@st.composite
def _written(draw: DrawFn, stream: ApiStream, members: list[tuple[str, str]]) -> tuple[str, dict[str, Any]]:
    """Write a record, as a resource object where the API has such; give its text and what it says."""
    if not stream.resource_objects or draw(st.integers(0, 4)) == 0:
        text = object_text(members)
        return text, _read(text) or {}
    related = [(name, text) for name, text in members if name.endswith("Id") and draw(st.booleans())]
    own = [member for member in members if member not in related and member[0] != "id"]
    ids = [text for name, text in members if name == "id"]
    parts = [("type", '"thing"'), ("attributes", object_text(own)), ("links", "{}"), *(("id", text) for text in ids)]
    links = [
        (name[:-2], object_text([("data", object_text([("type", '"x"'), ("id", text)]))])) for name, text in related
    ]
    parts.insert(draw(st.integers(0, 3)), ("relationships", object_text(links)))
    record = {"id": _read(ids[-1]), **(_read(object_text(own)) or {}), **{name: _read(text) for name, text in related}}
    return object_text(parts), record


def _read(text: str) -> Any:
    try:
        return read(text)
    except (ValueError, ArithmeticError, RecursionError):
        return None  # it is not looked at where there is something that cannot be read


def _completed(stream: ApiStream, record: dict[str, Any]) -> dict[str, Any]:
    for field, source in type(stream).copied_fields.items():
        found: Any = record
        for name in source.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        record[field] = found
    return record


def _faults(stream: ApiStream, record: Mapping[str, Any]) -> Iterator[str]:
    """Give the fields for which a record must be refused."""
    properties = stream.schema["properties"]
    yield from (key for key in stream.primary_keys if key != stream.snapshot_field and record.get(key) is None)
    for name, value in record.items():
        if name in properties:
            yield from misfits(properties[name], value, name)
    cursor = stream.replication_key
    if cursor and record.get(cursor) is not None:
        try:
            parse_timestamp(record[cursor] if isinstance(record[cursor], str) else "none")
        except ValueError:
            yield cursor


def lines_of(stream: ApiStream, content: Content) -> list[dict[str, Any]]:
    prepared = MessageWriter().prepare_records(stream.name, content.records, version=None, read_at=_NOW)
    assert isinstance(prepared, Lines)
    return read_lines(bytes(prepared.text))


def _outcome(sent: Sent, reader: PageReader, *, compiled: bool) -> list[dict[str, Any]] | str:
    """Read a page and write it; the records that a target sees, or the refusal."""
    try:
        content = (reader.rows if compiled else reader.dictionaries)(sent.body, sent.parent)
    except RecordError as refusal:
        return timeless(str(refusal))
    records = lines_of(sent.stream, content)
    assert len(records) == len(content.keys) == len(content.instants)
    for record, key, instant in zip(records, content.keys, content.instants, strict=True):
        assert not problems(sent.stream, record)
        assert [record[name] for name in sent.stream.primary_keys] == list(key)
        cursor = sent.stream.replication_key
        assert instant == (parse_timestamp(record[cursor]) if cursor and record.get(cursor) is not None else None)
    return records


@holds_for(_pages(), ordinary=600, nightly=30_000)
def test_any_page_becomes_valid_messages_without_a_change_or_is_refused(sent: Sent) -> None:
    reader = PageReader(sent.stream)
    plain = _outcome(sent, reader, compiled=False)
    faults = {field for record in sent.records for field in _faults(sent.stream, record)}
    if isinstance(plain, str):
        assert len(plain.splitlines()) == 1
        assert any(f"'{field}'" in plain for field in faults), f"refused without need: {plain}"
    else:
        assert not faults, "not refused"
        _check_records(sent, plain)
    for _ in ("first", "again, now that it is known what is not declared and what comes in other types"):
        compiled = _outcome(sent, reader, compiled=True)
        if isinstance(compiled, str) or isinstance(plain, str):
            assert compiled == plain
        else:
            assert same(without(compiled, sent.stream.snapshot_field), without(plain, sent.stream.snapshot_field))


def _check_records(sent: Sent, got: list[dict[str, Any]]) -> None:
    properties, snapshot = sent.stream.schema["properties"], sent.stream.snapshot_field
    assert len(got) == len(sent.records)
    for original, record in zip(sent.records, got, strict=True):
        known = {name: value for name, value in original.items() if name in properties}
        assert record.keys() - {snapshot} == known.keys()
        wrong = {name: value for name, value in known.items() if not is_right(properties[name], value, record[name])}
        assert not wrong, record


@holds_for(_pages(VALUES | UNREADABLE), ordinary=300, nightly=10_000)
def test_what_cannot_be_read_is_refused_or_left_out_and_never_a_crash(sent: Sent) -> None:
    """Where it is not declared, the compiled way passes over it; the plain one refuses the page."""
    reader = PageReader(sent.stream)
    first, plain, again = (_read_or_not(sent, reader, compiled=compiled) for compiled in (True, False, True))
    assert plain == _NO_JSON or isinstance(first, str) is isinstance(plain, str) is isinstance(again, str)


def _read_or_not(sent: Sent, reader: PageReader, *, compiled: bool) -> list[dict[str, Any]] | str:
    try:
        return _outcome(sent, reader, compiled=compiled)
    except ValueError as refused:
        found = str(refused)
    assert re.match(_NO_JSON, found)
    return _NO_JSON
