"""Records as the taps give them, held against those of the server."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from taps.engine.schemas import schema_directory

if TYPE_CHECKING:
    from taps.engine.stream import ApiStream
    from taps_under_test import TapUnderTest


def schema_of(tap: TapUnderTest, stream: type[ApiStream]) -> dict[str, Any]:
    path = schema_directory(tap.api) / f"{stream.name}.json"
    assert path.is_file(), f"{stream.name} has no schema file; it belongs at schemas/{tap.api}/{stream.name}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def same_value(got: Any, held: Any, declared: dict[str, Any]) -> bool:
    """Whether a value arrived as the server holds it, or as its text where the schema says text."""
    if isinstance(got, dict) and isinstance(held, dict):
        members = declared.get("properties", {})
        return got.keys() == held.keys() and all(same_value(got[k], held[k], members.get(k, {})) for k in got)
    if isinstance(got, list) and isinstance(held, list):
        return len(got) == len(held) and all(
            same_value(g, h, declared.get("items", {})) for g, h in zip(got, held, strict=True)
        )
    if isinstance(got, str) and not isinstance(held, str):
        return "string" in declared.get("type", []) and json.loads(got, parse_float=Decimal) == held
    return got == held and isinstance(got, bool) == isinstance(held, bool)


def key_of(stream: type[ApiStream], record: dict[str, Any]) -> tuple[str, ...]:
    """Give a record's key as text, for some have numbers where others have text; the time of a snapshot is no key."""
    return tuple(str(record[key]) for key in stream.primary_keys if key != stream.snapshot_field)


def exact(value: Any) -> Any:
    """Tell true from 1, which Python does not, and 1.50 not from 1.5."""
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return Decimal(value) if type(value) is int else value if not isinstance(value, bool) else ("boolean", value)
