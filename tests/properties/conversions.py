"""What may become of a value, said once more and in other words than in `taps/engine/codec.py`."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exact import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 4000
"""Digits that an integer has at most, if it comes as something else."""

_LARGEST_EXPONENT = 18
"""Digits that an exponent has at most."""


def read(text: str) -> Any:
    """Read JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def kind(value: Any) -> str:
    """Give a value's JSON type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", Decimal: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _types(declared: Mapping[str, Any]) -> list[str]:
    types = declared["type"]
    return [types] if isinstance(types, str) else list(types)


def _is_taken_as_it_is(declared: Mapping[str, Any], value: Any) -> bool:
    found, types = kind(value), _types(declared)
    return found in types or (found == "integer" and "number" in types)


def misfits(declared: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """Give the paths of all values that can neither stay as they are nor be converted."""
    if not _is_taken_as_it_is(declared, value):
        if not any(_can_become(name, value) for name in _types(declared)):
            yield path
    elif isinstance(value, dict) and declared.get("properties"):
        for name, member in value.items():
            if name in declared["properties"]:
                yield from misfits(declared["properties"][name], member, f"{path}.{name}")
    elif isinstance(value, list) and declared.get("items"):
        for item in value:
            yield from misfits(declared["items"], item, path)


def _can_become(name: str, value: Any) -> bool:
    found = kind(value)
    if name == "string":
        return found not in {"null", "string"}
    if name == "integer":
        if isinstance(value, Decimal):
            return value.adjusted() < _MOST and value == value.to_integral_value()
        return isinstance(value, str) and len(value) < _MOST and bool(re.fullmatch(r"0|-?[1-9][0-9]*", value))
    if name == "number":
        return isinstance(value, str) and len(value) < _MOST and _is_number(value)
    return name == "boolean" and value in {"true", "false"} if isinstance(value, str) else False


def _is_number(text: str) -> bool:
    try:
        found = json.loads(text, parse_constant=lambda _: None, parse_float=lambda digits: ("number", digits))
    except ValueError:
        return False
    if text != text.strip() or isinstance(found, str | list | dict | bool | None):
        return False
    _, _, exponent = text.lower().partition("e")
    return len(exponent.lstrip("+-").lstrip("0")) <= _LARGEST_EXPONENT


def is_right(declared: Mapping[str, Any], value: Any, got: Any) -> bool:
    """Tell whether what was made of a value is the value itself, or what the table of conversions says."""
    if not _is_taken_as_it_is(declared, value):
        return any(_has_become(name, value, got) for name in _types(declared) if _can_become(name, value))
    if isinstance(value, dict) and declared.get("properties"):
        known = {name: member for name, member in value.items() if name in declared["properties"]}
        return (
            isinstance(got, dict)
            and got.keys() == known.keys()
            and all(is_right(declared["properties"][name], member, got[name]) for name, member in known.items())
        )
    if isinstance(value, list) and declared.get("items"):
        return (
            isinstance(got, list)
            and len(got) == len(value)
            and all(is_right(declared["items"], item, made) for item, made in zip(value, got, strict=True))
        )
    if isinstance(value, Decimal) and isinstance(got, Decimal) and value.as_tuple() != got.as_tuple():
        return False  # `1.50` has become `1.5`
    return same(value, got)


def _has_become(name: str, value: Any, got: Any) -> bool:
    if name == "string":
        return isinstance(got, str) and same(read(got), value)
    if name == "boolean":
        return got is (value == "true")
    if isinstance(got, bool) or not isinstance(got, int | Decimal):
        return False
    return (name == "number" or isinstance(got, int)) and got == Decimal(value)
