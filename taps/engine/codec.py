"""A stream's JSON Schema, compiled once into a reader of pages.

What a value may be is declared; what arrives may differ. A value of another type is converted where nothing is lost,
and is an error otherwise. Numbers keep every digit: decimals are read as `Decimal`, integers of any size as `int`.

=============  =====================================================================
declared       taken besides the type itself
=============  =====================================================================
string         a number or boolean, as it is written; an object or array, as its JSON text
integer        `"12"`; `12.0`
number         `"12.5"`
boolean        `"true"`, `"false"`
=============  =====================================================================

Fields that the schema does not declare are left out, and their names kept for one warning.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import simplejson

from taps.engine.errors import RecordError
from taps.engine.rows import MisfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["RecordCodec", "decode_json", "kind_of", "named", "printable"]

_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_MOST_DIGITS = 4000  # beyond it CPython refuses to write an int as text
_EXCERPT = 60
_NOT_CONVERTIBLE = object()


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def decode_json(body: bytes) -> Any:
    """Read a JSON body with exact numbers.

    Args:
        body: UTF-8 text, with or without a byte order mark.

    Returns:
        The document; decimals are `Decimal`.

    Raises:
        ValueError: The body is empty or no JSON; `NaN` and `Infinity`, which Python would take, are none either. Or a
            number in it is beyond what a `Decimal` or an `int` can be.
    """
    if not body.strip():
        raise ValueError("it is empty")
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation):
        pass  # what is no JSON to msgspec may be to Python: half of a surrogate pair, a byte order mark
    try:
        return json.loads(body, parse_float=_exact, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from None


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:
        raise ValueError(f"the exponent of {printable(number)} is too large") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


class RecordCodec:
    """Makes records what their schema declares.

    Args:
        stream: The stream's name, for messages.
        schema: Its JSON Schema.
        keys: Names of its primary keys.
        deselected: Paths of fields that are left out without a word, nested ones as `parent.child`.
    """

    def __init__(
        self, stream: str, schema: Mapping[str, Any], keys: Sequence[str], deselected: Collection[str] = ()
    ) -> None:
        self.undeclared: set[str] = set()
        """Paths of fields that were left out, nested ones as `parent.child`."""
        self.converted: set[str] = set()
        """Paths of fields that had to be converted."""
        self._stream = stream
        self._keys = tuple(keys)
        self._values: dict[str, _Value] = {}
        self._root = _Object("", schema, _Shared(frozenset(deselected), self.undeclared, self.converted, self._values))

    def convert(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Give the record as the schema declares it.

        Raises:
            RecordError: A primary key is missing or null, or a value has another type and cannot be converted without
                loss.
        """
        for key in self._keys:
            if record.get(key) is None:
                found = "null" if key in record else "missing"
                others = named(record, [name for name in self._keys if record.get(name) is not None])
                raise RecordError(
                    f"a record's primary key '{key}' is {found}{f' ({others})' if others else ''}; "
                    f"the record has the fields {', '.join(map(printable, list(record)[:8]))}"
                )
        try:
            return self._root.convert(record)
        except _MismatchError as mismatch:
            raise RecordError(f"record {named(record, self._keys)}: {mismatch}") from None

    def convert_value(self, path: str, value: Any) -> Any:
        """Give a value as the field at a path declares it.

        Raises:
            MisfitError: It cannot be converted without loss, or there is no such field.
        """
        try:
            return self._values[path].convert(value)
        except (KeyError, _MismatchError) as error:
            raise MisfitError(str(error)) from None


class _MismatchError(Exception):
    def __init__(self, field: str, expected: Sequence[str], value: Any) -> None:
        super().__init__(
            f"field '{field}' is declared {' or '.join(expected)}, but is {kind_of(value)}: "
            f"{printable(_json_text(value))}"
        )


class _Shared(NamedTuple):
    """What all parts of a codec have in common."""

    deselected: frozenset[str]
    undeclared: set[str]
    converted: set[str]
    values: dict[str, _Value]


class _Object:
    """The members of an object, each with its declaration."""

    def __init__(self, path: str, schema: Mapping[str, Any], shared: _Shared) -> None:
        self._prefix = f"{path}." if path else ""
        self._keep_rest = bool(schema.get("additionalProperties", False))
        self._shared = shared
        self._members = {
            name: _Value(f"{self._prefix}{name}", declared, shared) for name, declared in schema["properties"].items()
        }

    def convert(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Give the members in the order of their declaration, so that the output does not depend on the API's."""
        deselected = self._shared.deselected
        converted: dict[str, Any] = {}
        for name, declared in self._members.items():
            if name in value and not (deselected and f"{self._prefix}{name}" in deselected):
                converted[name] = declared.convert(value[name])
        for name in sorted(value.keys() - self._members.keys()):
            if self._keep_rest:
                converted[name] = value[name]
            else:
                self._shared.undeclared.add(f"{self._prefix}{name}")
        return converted


class _Value:
    """A field's declaration: the types it may have, and what is inside of them."""

    def __init__(self, path: str, schema: Mapping[str, Any], shared: _Shared) -> None:
        self._path = path
        self._shared = shared
        types = schema.get("type", ("null", "boolean", "integer", "number", "string", "array", "object"))
        self._types = (types,) if isinstance(types, str) else tuple(types)
        self._accepts = set(self._types) | ({"integer"} if "number" in self._types else set())
        items = schema.get("items")
        self._members = _Object(path, schema, shared) if schema.get("properties") else None
        self._items = _Value(path, items, shared) if items else None
        shared.values[path] = self  # after those of its items, which have the same path

    def convert(self, value: Any) -> Any:
        kind = _json_type(value)
        if kind not in self._accepts:
            return self._converted(value, kind)
        if kind == "object" and self._members:
            return self._members.convert(value)
        if kind == "array" and self._items:
            return [self._items.convert(item) for item in value]
        return value

    def _converted(self, value: Any, kind: str) -> Any:
        if kind != "null":
            for declared in self._types:
                converted = _CONVERSIONS.get((kind, declared), _no_conversion)(value)
                if converted is not _NOT_CONVERTIBLE:
                    self._shared.converted.add(self._path)
                    return converted
        raise _MismatchError(self._path, self._types, value)


def _no_conversion(_: Any) -> Any:
    return _NOT_CONVERTIBLE


def _whole(value: Decimal) -> Any:
    if value.adjusted() < _MOST_DIGITS and value == value.to_integral_value():
        return int(value)
    return _NOT_CONVERTIBLE


def _integer_from(text: str) -> Any:
    return int(text) if len(text) < _MOST_DIGITS and _INTEGER.fullmatch(text) else _NOT_CONVERTIBLE


def _number_from(text: str) -> Any:
    if len(text) >= _MOST_DIGITS or not _NUMBER.fullmatch(text):
        return _NOT_CONVERTIBLE
    try:
        return Decimal(text)
    except InvalidOperation:  # its exponent is too large
        return _NOT_CONVERTIBLE


def _boolean_from(text: str) -> Any:
    return {"true": True, "false": False}.get(text, _NOT_CONVERTIBLE)


def _json_text(value: Any) -> str:
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))


_CONVERSIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("number", "integer"): _whole,
    ("string", "integer"): _integer_from,
    ("string", "number"): _number_from,
    ("string", "boolean"): _boolean_from,
    ("boolean", "string"): _json_text,
    ("integer", "string"): str,
    ("number", "string"): str,
    ("array", "string"): _json_text,
    ("object", "string"): _json_text,
}

_JSON_TYPES = {
    bool: "boolean",
    int: "integer",
    Decimal: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def _json_type(value: Any) -> str:
    return _JSON_TYPES[type(value)]


def kind_of(value: Any) -> str:
    """Name a value's JSON type with its article, for messages."""
    kind = _json_type(value)
    return "null" if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def named(record: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Name a record by its keys, for messages."""
    return ", ".join(f"{name}={printable(str(record[name]))}" for name in keys)


def printable(text: str) -> str:
    """Make an excerpt of a text for messages: of one line, whatever an API puts in it."""
    excerpt = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
    return excerpt if excerpt.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in excerpt)
