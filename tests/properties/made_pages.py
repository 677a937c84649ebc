"""Pages of any stream, made up."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from json_texts import object_text
from wire import TAPS, Reply, stream_of, wired

from taps.engine.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from taps.engine.stream import ApiStream

_STEPS = re.compile(r"\.(\w+)(\[\*\])?")


@cache
def all_streams() -> list[ApiStream]:
    """Make all streams of all taps; to read bodies with, for nobody answers them."""
    taps = [wired(tap_class, lambda _: Reply(b"")) for tap_class in TAPS.values()]
    streams = [stream_of(tap, declared) for tap in taps for declared in type(tap).stream_types]
    for stream in streams:
        stream.selected = True
    return streams


def document_of(declared: type[ApiStream], texts: list[str]) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Put records where the stream has them; give also the ids of what they are then nested in."""
    steps = _STEPS.findall(declared.records_jsonpath)
    name, star = steps.pop()
    members = [(str(name), f"[{','.join(texts)}]" if star else texts[0])]
    enclosing: dict[str, Any] = {}
    for number, (outer, _) in reversed(list(enumerate(steps, start=5))):
        members = [(str(outer), f"[{object_text([('id', str(number)), *members])}]")]
        enclosing[declared.enclosing_ids[outer]] = number
    return members, enclosing


def is_list(declared: type[ApiStream]) -> bool:
    """Tell whether a page of a stream has any number of records."""
    return declared.records_jsonpath.endswith("[*]")


def made_record(stream: ApiStream, number: int, instant: datetime | None = None) -> dict[str, Any]:
    """Make a record of nothing but its keys, all of them a number, and its cursor."""
    properties = stream.schema["properties"]
    made = {*stream.parent_key_fields, *type(stream).enclosing_ids.values(), stream.snapshot_field}
    record: dict[str, Any] = {
        key: number if "integer" in properties[key]["type"] else str(number)
        for key in stream.primary_keys
        if key not in made
    }
    if source := type(stream).copied_fields.get(stream.primary_keys[-1]):
        outer, inner = source.split(".")
        record[outer] = {inner: record.pop(stream.primary_keys[-1])}
    if stream.replication_key and instant is not None:
        record[stream.replication_key] = format_timestamp(instant)
    return record


def number_of(stream: ApiStream, key: tuple[Any, ...]) -> int:
    """Give the number that a record was made of."""
    made = {*stream.parent_key_fields, stream.snapshot_field}
    return int(next(value for name, value in zip(stream.primary_keys, key, strict=True) if name not in made))


def body_of(stream: ApiStream, records: Sequence[dict[str, Any]], beside: dict[str, Any]) -> bytes:
    """Write a page."""
    members, _ = document_of(type(stream), [json.dumps(record) for record in records])
    return object_text([*members, *((name, json.dumps(value)) for name, value in beside.items())]).encode()
