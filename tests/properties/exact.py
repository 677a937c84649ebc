"""Reads and checks messages with exact numbers."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, validators

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taps.engine.stream import ApiStream

_NUMBERS = Draft202012Validator.TYPE_CHECKER.redefine(
    "number", lambda _, value: isinstance(value, int | Decimal) and not isinstance(value, bool)
)
_extend: Any = validators.extend  # without types
_Validator: Any = _extend(Draft202012Validator, type_checker=_NUMBERS)
"""JSON Schema, for which a decimal is a number and not a float that has lost digits on the way."""


@cache
def _validator_of(stream: ApiStream) -> Any:
    return _Validator(stream.schema)


def problems(stream: ApiStream, record: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with a record by its stream's schema."""
    return [error.message for error in _validator_of(stream).iter_errors(record)]


def read_lines(lines: bytes) -> list[dict[str, Any]]:
    """Read RECORD lines; give the records.

    Each must be JSON in UTF-8 on a line of its own, as a target takes it that splits at line ends of any kind.
    """
    assert not lines or lines.endswith(b"\n")
    assert b"\r" not in lines
    messages = [json.loads(line, parse_float=Decimal) for line in lines.split(b"\n")[:-1]]
    assert all(message["type"] == "RECORD" for message in messages)
    return [message["record"] for message in messages]


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same; `1` is `1.0` as a number, but `true` is no number."""
    waiting = [(one, other)]  # without recursion, for some are nested as deep as Python can go
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            waiting += [(value, other[name]) for name, value in one.items()]
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            waiting += zip(one, other, strict=True)
        elif isinstance(one, bool | list | dict) or isinstance(other, bool | list | dict):
            if one is not other:
                return False
        elif one != other:
            return False
    return True


def without(records: Iterable[Mapping[str, Any]], field: str | None) -> Sequence[dict[str, Any]]:
    """Copy records without a field."""
    return [{name: value for name, value in record.items() if name != field} for record in records]


_TIME = re.compile("current_timestamp=[^:, ]+[^ ]+")


def timeless(message: str) -> str:
    """Take the time of a snapshot out of a message, which differs each time."""
    return _TIME.sub("", message)
