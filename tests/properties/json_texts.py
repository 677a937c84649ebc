"""JSON as it comes over the wire: texts, for two texts of the same value are not the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy


def one_of_the(texts: list[str]) -> SearchStrategy[str]:
    """Choose a text; Hypothesis would show all of `sampled_from`, and some are long."""
    return st.integers(0, len(texts) - 1).map(lambda number: texts[number])


_PLAIN_NUMBERS = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,5})?", re.ASCII)
_EDGES = [
    *("-0", "-0.0", "0e0", "1e0", "1E+2", "1.50", "12.0", "1e400", "1e-400", "1e999999999", "1e999999999999999999"),
    *("9007199254740993", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "9" * 400, "9" * 4300),
    *("0." + "1" * 3000, "1e3999", "1e4000", "1e4300", "0." + "0" * 4300 + "1"),
]
_NO_NUMBERS = [
    "9" * 4301,
    "-" + "9" * 5000,
    "1e9999999999999999999",
    "1e-9999999999999999999",
    "1E99999999999999999999",
]

NUMBERS = st.integers().map(str) | st.from_regex(_PLAIN_NUMBERS, fullmatch=True) | one_of_the(_EDGES)

_TELLING = [
    *("", "0", "12", "-12", "-0", "012", " 12", "1_2", "+1", "1.50", "1e5", "1e999999999", "1E9999999999999999999"),
    *("true", "false", "True", "null", "NaN", "Infinity", "{}", "[1]", "\u0663", "a\nb\r\nc", "\u2028", "\u0085", "\0"),
    *("9" * 3999, "9" * 4000, "9" * 4301, "x" * 20_000, "\ud800", "\udc00\ud800", "\ufeff", "\U0001f600", '"', "\\"),
]


def _quoted(text: str, *, as_ascii: bool) -> str:
    pairs_only = not any("\ud800" <= c <= "\udfff" for c in text)  # half a pair can be in JSON only as an escape
    return json.dumps(text, ensure_ascii=as_ascii or not pairs_only)


STRINGS = st.builds(
    lambda text, as_ascii: _quoted(text, as_ascii=as_ascii),
    st.text(st.characters(), max_size=8) | one_of_the(_TELLING),
    st.booleans(),
)
SCALARS = st.sampled_from(["null", "true", "false"]) | NUMBERS | STRINGS


def array_of(elements: SearchStrategy[str]) -> SearchStrategy[str]:
    """Make arrays."""
    return st.lists(elements, max_size=3).map(lambda texts: f"[{','.join(texts)}]")


def object_text(members: list[tuple[str, str]]) -> str:
    """Write an object; of two members of one name the last counts."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members) + "}"


_NAMES = st.sampled_from(["a", "a", "b", "id", "", "a.b", 'a"b', "\ud800", "\0", "é"]) | st.text(max_size=3)


def object_of(values: SearchStrategy[str]) -> SearchStrategy[str]:
    """Make objects, now and then with two members of one name."""
    return st.lists(st.tuples(_NAMES, values), max_size=3).map(object_text)


_DEEP = one_of_the(["[" * 60 + "]" * 60, "[" * 300 + "1.0" + "]" * 300, '{"a":' * 200 + '"x"' + "}" * 200])

VALUES = st.recursive(SCALARS, lambda inner: array_of(inner) | object_of(inner), max_leaves=8) | _DEEP
"""Any value that can be read."""

UNREADABLE = one_of_the([*_NO_NUMBERS, "[" * 1000 + "]" * 1000, "[" * 100_000, '{"a":' * 1000 + "1" + "}" * 1000])
"""Numbers that no `int` or `Decimal` can be, and what is nested deeper than Python reads."""


def fitting(declared: Mapping[str, Any]) -> SearchStrategy[str]:
    """Make values of a type that a schema declares."""
    types = declared["type"]
    inner = {
        "null": st.just("null"),
        "boolean": st.sampled_from(["true", "false"]),
        "integer": st.integers().map(str),
        "number": NUMBERS,
        "string": STRINGS,
    }
    if "array" in types:
        inner["array"] = array_of(nearly(declared["items"]) if declared.get("items") else VALUES)
    if "object" in types:
        inner["object"] = _members(declared["properties"]) if declared.get("properties") else object_of(VALUES)
    return st.one_of([inner[name] for name in ([types] if isinstance(types, str) else types)])


def nearly(declared: Mapping[str, Any]) -> SearchStrategy[str]:
    """Make values that mostly are what a schema declares."""
    return st.integers(0, 7).flatmap(lambda dice: VALUES if dice == 0 else fitting(declared))


def _members(properties: Mapping[str, Any]) -> SearchStrategy[str]:
    names = st.lists(st.sampled_from([*properties, "undeclared"]), max_size=4)

    def values(chosen: list[str]) -> SearchStrategy[str]:
        texts = [st.tuples(st.just(name), nearly(properties.get(name, {"type": "string"}))) for name in chosen]
        return st.tuples(*texts).map(lambda members: object_text(list(members)))

    return names.flatmap(values)
