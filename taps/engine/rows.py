"""Rows: the records of a stream as compiled structs, decoded and encoded a page at a time.

A JSON Schema is compiled once into msgspec structs. Decoding a page into them checks each type in compiled code, and
encoding writes the page's lines in one call. Numbers and free-form values stay raw JSON from end to end, so that no
digit is lost. What does not fit exactly (another type, a field that is not declared) is no matter of this module: it
raises `MisfitError`, and the page goes the way of `RecordCodec`, which converts, leaves out or refuses.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache, reduce
from operator import attrgetter, itemgetter, or_
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson
from msgspec import UNSET, Raw, Struct, UnsetType, field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

__all__ = [
    "MisfitError",
    "Row",
    "RowType",
    "attributes_of",
    "encode_lines",
    "encode_rows",
    "encode_state",
    "plain_records",
    "whole_characters",
]

Row = msgspec.Struct
"""A record in compiled form; its attributes are known to its `RowType` alone."""

_SCALARS: Mapping[str, Any] = {"string": str, "integer": int, "boolean": bool, "null": None}
_FIRST_BYTES: Mapping[str, bytes] = {
    "string": b'"',
    "number": b"-0123456789",
    "boolean": b"tf",
    "null": b"n",
    "array": b"[",
    "object": b"{",
}
_MOST_DIGITS = 4300  # that CPython reads as an int
_LONG = re.compile(rb"[0-9]{%d}" % (_MOST_DIGITS + 1))
_HUGE = re.compile(rb"[eE][+-]?[0-9]{18}")  # the exponent of a Decimal has less digits
_FEW = 18
_ALL_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class MisfitError(ValueError):
    """A page is not exactly as the schema declares it, or the schema says what structs cannot."""


class RowType:
    """A stream's schema, compiled.

    Args:
        schema: JSON Schema of a record.
        required: Fields that a record must have when it is decoded, and that are never null.
        left_out: Paths of fields that are dropped whatever they are, nested ones as `parent.child`: not declared, or
            not selected.
        loose: Paths of fields that come in other types than declared.
        convert: Makes the value of such a field what is declared, given its path.

    Raises:
        MisfitError: The schema cannot be compiled: a number beside a declared object, a name with a quote in it.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        *,
        required: Sequence[str] = (),
        left_out: Collection[str] = (),
        loose: Collection[str] = (),
        convert: Callable[[str, Any], Any] | None = None,
    ) -> None:
        compiler = _Compiler(left_out, loose, convert or _unchanged)
        self.struct, self._finish = compiler.struct("", schema["properties"], required)
        self._attributes = attributes_of(self.struct)

    def finish(self, rows: list[Row]) -> None:
        """Check what the decoder could not, and take out what is left out.

        Raises:
            MisfitError: A value is of another type than declared.
            UnicodeDecodeError: A value is not UTF-8.
        """
        if self._finish is not None:
            self._finish(rows)

    def column(self, rows: Sequence[Row], field: str) -> list[Any]:
        """Give a field of all rows; `None` where a row has none."""
        if field not in self._attributes:
            return [None] * len(rows)
        values = list(map(attrgetter(self._attributes[field]), rows))
        return values if UNSET not in values else [None if value is UNSET else value for value in values]

    def move(self, rows: Sequence[Row], name: str, field: str) -> None:
        """Give the value of one field to another one, in those rows that have it."""
        if name not in self._attributes or field not in self._attributes:
            return
        source, target = self._attributes[name], self._attributes[field]
        for row in rows:
            if (value := getattr(row, source)) is not UNSET:
                setattr(row, target, value)
                setattr(row, source, UNSET)

    def set(self, row: Row, field: str, value: Any) -> None:
        """Set a field of a row.

        Raises:
            MisfitError: The schema has no such field.
        """
        if field not in self._attributes:
            raise MisfitError(f"'{field}' is not declared")
        setattr(row, self._attributes[field], value)


@lru_cache(maxsize=128)
def attributes_of(struct: type[Row]) -> Mapping[str, str]:
    """Give the attributes of a compiled struct by the names of the fields."""
    return {member.encode_name: member.name for member in msgspec.structs.fields(struct)}


class _Rest(Struct):
    """What is left to do with the rows of a struct when they have been decoded."""

    convert: Callable[[str, Any], Any]
    checks: list[tuple[str, Callable[[list[Any]], None]]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    loose: list[tuple[str, str, bool]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.checks or self.dropped or self.loose)

    def do(self, rows: list[Any]) -> None:
        for attribute, check in self.checks:
            check([value for value in map(attrgetter(attribute), rows) if value is not UNSET and value is not None])
        for attribute in self.dropped:
            for row in rows:
                setattr(row, attribute, UNSET)
        for attribute, path, free in self.loose:
            for row in rows:
                if (value := getattr(row, attribute)) is not UNSET:
                    decoded = _decoded(value)
                    converted = self.convert(path, decoded)
                    if converted is not decoded or not free:
                        setattr(row, attribute, converted)


class _Compiler:
    """Makes a Python type of a schema, and a function that does the rest, where there is a rest."""

    def __init__(self, left_out: Collection[str], loose: Collection[str], convert: Callable[[str, Any], Any]) -> None:
        self._left_out = left_out
        self._loose = loose
        self._convert = convert

    def struct(
        self, path: str, properties: Mapping[str, Any], required: Sequence[str] = ()
    ) -> tuple[type[Row], Callable[[list[Any]], None] | None]:
        """Make a struct of an object's members."""
        prefix = f"{path}." if path else ""
        names = [*properties, *self._members_left_out(prefix, properties)]
        rest = _Rest(self._convert)
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for number, name in enumerate(names):
            attribute = f"field_{number}"
            kind = self._member(f"{prefix}{name}", properties.get(name, {}), attribute, rest, key=name in required)
            fields.append((attribute, kind) if name in required else (attribute, kind | UnsetType, UNSET))
        rename = {f"field_{number}": name for number, name in enumerate(names)}
        try:
            struct = msgspec.defstruct("Row", fields, rename=rename, kw_only=True, forbid_unknown_fields=True, gc=False)
        except ValueError as error:
            raise MisfitError(str(error)) from None
        return struct, rest.do if rest else None

    def _member(self, path: str, schema: Mapping[str, Any], attribute: str, rest: _Rest, *, key: bool) -> Any:
        if path in self._left_out:
            rest.dropped.append(attribute)
            return Raw
        kind, check = self._value(path, schema, nullable=not key)
        if path in self._loose:
            rest.loose.append((attribute, path, kind is Raw))
            return Raw
        if check is not None:
            rest.checks.append((attribute, check))
        if kind is Raw and key:
            raise MisfitError(f"'{path}' is no key that structs can hold")
        return kind

    def _members_left_out(self, prefix: str, properties: Mapping[str, Any]) -> list[str]:
        members = (path.removeprefix(prefix) for path in sorted(self._left_out) if path.startswith(prefix))
        # A name may have a dot in it; only what a declared member has in front of one is a path.
        return [name for name in members if name not in properties and name.partition(".")[0] not in properties]

    def _value(
        self, path: str, schema: Mapping[str, Any], *, nullable: bool = True
    ) -> tuple[Any, Callable[[list[Any]], None] | None]:
        declared = schema.get("type", _ALL_TYPES)
        types = {declared} if isinstance(declared, str) else set(declared)
        if not nullable:
            types.discard("null")
        properties = schema.get("properties") if "object" in types else None
        items = schema.get("items") if "array" in types else None
        if "number" in types:
            types.discard("integer")
        if (properties or items) and (schema.get("additionalProperties") or "number" in types):
            raise MisfitError(f"'{path}' is declared in a way that structs have not")
        free = types & {"number", "object", "array"}
        if free and not properties and not items and "integer" not in types:
            return Raw, _check_raw(b"".join(_FIRST_BYTES[name] for name in types))
        kinds: list[Any] = [_SCALARS[name] for name in types if name in _SCALARS]
        checks = []
        if "object" in types and properties:
            kind, check = self.struct(path, properties)
            kinds.append(kind)
            checks.append(_of_type(kind, check))
        elif "object" in types:
            kinds.append(dict[str, Raw])
            checks.append(
                _of_type(dict, lambda values: _check_any([item for each in values for item in each.values()]))
            )
        if "array" in types:
            item, check = self._value(path, items) if items else (Raw, _check_any)
            kinds.append(list[item])  # type: ignore[valid-type]
            checks.append(_of_items(check))
        if not kinds:
            raise MisfitError(f"'{path}' has no type")
        needed = [check for check in checks if check is not None]
        return reduce(or_, kinds), _all_of(needed) if needed else None


def _unchanged(_: str, value: Any) -> Any:
    return value


def _check_raw(allowed: bytes) -> Callable[[list[Any]], None]:
    """Check what the decoder passed over: a JSON value's first byte tells its type, and text must be UTF-8."""
    first = frozenset(allowed)

    def check(values: list[Any]) -> None:
        texts = list(map(bytes, values))
        longest = max(map(len, texts), default=0)
        if not first.issuperset(map(itemgetter(0), texts)):
            raise MisfitError("a value is of another type than declared")
        together = b",".join(texts)  # apart, so that neither text nor a number goes on in the next one
        if not together.isascii():
            together.decode()
        if (longest > _FEW and _HUGE.search(together)) or (longest > _MOST_DIGITS and _LONG.search(together)):
            raise MisfitError("a number may be beyond what those can read who come after us")

    return check


_check_any = _check_raw(b"".join(_FIRST_BYTES.values()))


def _of_type(kind: type, check: Callable[[list[Any]], None] | None) -> Callable[[list[Any]], None] | None:
    if check is None:
        return None
    inner = check
    return lambda values: inner([value for value in values if isinstance(value, kind)])


def _of_items(check: Callable[[list[Any]], None] | None) -> Callable[[list[Any]], None] | None:
    if check is None:
        return None
    inner = check
    return lambda values: inner(
        [item for value in values if isinstance(value, list) for item in value if item is not None]
    )


def _all_of(checks: list[Callable[[list[Any]], None]]) -> Callable[[list[Any]], None]:
    def check(values: list[Any]) -> None:
        for each in checks:
            each(values)

    return checks[0] if len(checks) == 1 else check


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def _decoded(value: Raw) -> Any:
    try:
        return _decoder.decode(value)
    except InvalidOperation:
        raise MisfitError("the exponent of a number is too large") from None


class _Line(msgspec.Struct, gc=False):
    """A RECORD message, its members in the SDK's order."""

    type: str
    stream: str
    record: Any
    version: int | UnsetType
    time_extracted: str


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode_lines(stream: str, records: Iterable[Any], *, version: int | None, time_extracted: str) -> bytes:
    """Write records as RECORD messages.

    Args:
        stream: The stream's name.
        records: Rows, or plain dictionaries.
        version: Of the table, where the stream announces one.
        time_extracted: When the records were read, in ISO 8601.

    Returns:
        A line of UTF-8 for each record, each with its end.
    """
    number = UNSET if version is None else version
    lines = [_Line("RECORD", stream, record, number, time_extracted) for record in records]
    try:
        return _encoder.encode_lines(lines)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold only escaped
        return b"".join(map(_escaped, lines))


def encode_rows(records: Iterable[Any]) -> bytes:
    """Write records, rows or plain dictionaries, as lines of UTF-8 without a message around them."""
    try:
        return _encoder.encode_lines(records)
    except UnicodeEncodeError:
        return b"".join(map(_escaped, records))


def plain_records(records: Sequence[Any]) -> list[dict[str, Any]]:
    """Give records, rows or dictionaries, as Python has JSON, with every digit of numbers and with whole characters."""
    try:
        lines = _encoder.encode_lines(records)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(records, builtin_types=(Decimal,))
        lines = _encoder.encode_lines(whole_characters(plain))
    return _decoder.decode_lines(lines)


def whole_characters(value: Any) -> Any:
    """Put U+FFFD for each half of a surrogate pair in plain data: JSON can have it escaped, UTF-8 cannot."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {whole_characters(name): whole_characters(item) for name, item in value.items()}
    return [whole_characters(item) for item in value] if isinstance(value, list) else value


def _escaped(line: Any) -> bytes:
    plain = msgspec.to_builtins(line, builtin_types=(Decimal,))
    return simplejson.dumps(plain, use_decimal=True, separators=(",", ":")).encode() + b"\n"


def encode_state(value: Mapping[str, Any]) -> bytes:
    """Write a state as a STATE message: a line of UTF-8 with its end."""
    return _encoder.encode({"type": "STATE", "value": value}) + b"\n"
