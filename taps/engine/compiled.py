"""Whole pages in compiled form: the envelope of an answer, and the rows in it."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from taps.engine.jsonapi import relationship_field
from taps.engine.page import Content
from taps.engine.rows import MisfitError, RowType, attributes_of
from taps.engine.selector import ROOT, listed_at
from taps.engine.timestamps import format_timestamp, parse_timestamps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taps.engine.codec import RecordCodec
    from taps.engine.rows import Row
    from taps.engine.stream import ApiStream

__all__ = ["CompiledPages"]


class CompiledPages:
    """Reads those pages of a stream that are exactly as declared, in compiled code.

    It knows lists at one field of the document, `$.data[*]`; what is nested deeper comes in small numbers.

    Args:
        stream: The stream.
        schema: The JSON Schema in force.
        codec: Converts the values that do not come out of the record itself.
        left_out: Paths of fields that are dropped: not declared, or not selected.

    Raises:
        MisfitError: The stream is declared in a way that is not compiled.
    """

    def __init__(
        self, stream: ApiStream, schema: Mapping[str, Any], codec: RecordCodec, left_out: frozenset[str]
    ) -> None:
        declared = type(stream)
        field = listed_at(declared.records_jsonpath)
        sources = {source.partition(".")[0] for source in declared.copied_fields.values()}
        if declared.sublists:
            sources.add(declared.sublists.count)
        if field is None or sources & left_out:
            raise MisfitError(f"the records at {declared.records_jsonpath} are not compiled")
        self._stream = declared
        self._codec = codec
        self._left_out = left_out
        added = {
            *stream.parent_key_fields,
            *declared.copied_fields,
            *declared.aliases.values(),
            declared.snapshot_field,
        }
        schema, left_out = _with_aliases(schema, left_out, declared.aliases)
        required = [key for key in declared.primary_keys if key not in added]
        rest = declared.pagination.document_field
        loose = codec.converted | {name for name, field in declared.aliases.items() if field in codec.converted}
        make = partial(RowType, schema, loose=frozenset(loose), convert=self._converted)
        # A record with attributes is not flat, even where another one had some that could not be used.
        nested = {"attributes"} - schema["properties"].keys() if declared.resource_objects else frozenset()
        flat = make(required=required, left_out=left_out - nested)
        self._decoders = [(_decoder(field, flat.struct, rest), flat)]
        self._resources: RowType | None = None
        if declared.resource_objects:
            self._resources = make(left_out=left_out)
            self._decoders.insert(0, (_decoder(field, _resource_object(self._resources.struct), rest), self._resources))

    def read(self, body: bytes, parent: Mapping[str, Any]) -> Content:
        """Read a body.

        Args:
            body: As received.
            parent: The parent's key, of a child stream.

        Raises:
            MisfitError: Its records are not exactly as declared.
            msgspec.MsgspecError: Likewise.
            UnicodeDecodeError: It is not UTF-8.
        """
        if b"\n" in body or b"\r" in body:  # what stays raw must fit on a line
            body = msgspec.json.format(body, indent=-1)
        for place, (decoder, row_type) in enumerate(self._decoders):
            try:
                envelope = decoder.decode(body)
                rows: list[Any] = envelope if isinstance(envelope, list) else list(envelope.records)
                if row_type is self._resources:
                    resources, rows = rows, [resource.attributes for resource in rows]
                    row_type.finish(rows)  # before anything is set, which is converted already
                    for resource in resources:
                        self._flatten(resource, row_type)
                else:
                    row_type.finish(rows)
                break
            except (MisfitError, msgspec.ValidationError):
                if place + 1 == len(self._decoders):
                    raise
        self._add(rows, row_type, parent)
        return self._content(rows, row_type, getattr(envelope, "rest", UNSET))

    def _content(self, rows: list[Row], row_type: RowType, rest: Any) -> Content:
        columns = [row_type.column(rows, key) for key in self._stream.primary_keys]
        if any(None in column for column in columns):
            raise MisfitError("a record has no key")
        cursor = self._stream.replication_key
        try:
            instants = parse_timestamps(row_type.column(rows, cursor)) if cursor else [None] * len(rows)
        except ValueError as error:
            raise MisfitError(str(error)) from None
        document = {} if rest is UNSET else {self._stream.pagination.document_field: rest}
        keys = list(zip(*columns, strict=True))
        return Content(rows, keys, instants, document, self._branches(rows, row_type, keys))

    def _branches(self, rows: list[Row], row_type: RowType, keys: list[tuple[Any, ...]]) -> Sequence[Any]:
        if self._stream.sublists is None:
            return ()
        counts = row_type.column(rows, self._stream.sublists.count)
        return [key for (key, *_), count in zip(keys, counts, strict=True) if count]

    def _add(self, rows: list[Row], row_type: RowType, parent: Mapping[str, Any]) -> None:
        """Set what the record itself does not have, or has under another name."""
        for name, field in self._stream.aliases.items():
            row_type.move(rows, name, field)
        for field, value in parent.items():
            self._set(rows, row_type, field, [value] * len(rows))
        for field, source in self._stream.copied_fields.items():
            first, *others = source.split(".")
            values = row_type.column(rows, first)
            for name in others:
                values = [_member(value, name) for value in values]
            self._set(rows, row_type, field, values)
        if snapshot := self._stream.snapshot_field:
            now = format_timestamp(datetime.now(timezone.utc))
            always = snapshot in self._stream.primary_keys
            for row, value in zip(rows, row_type.column(rows, snapshot), strict=True):
                if always or value is None:
                    row_type.set(row, snapshot, now)

    def _set(self, rows: list[Row], row_type: RowType, field: str, values: list[Any]) -> None:
        if field in self._left_out:
            return
        for row, value in zip(rows, values, strict=True):
            row_type.set(row, field, self._codec.convert_value(field, value))

    def _converted(self, path: str, value: Any) -> Any:
        return self._codec.convert_value(self._stream.aliases.get(path, path), value)

    def _flatten(self, resource: Any, row_type: RowType) -> None:
        row: Row = resource.attributes
        if row_type.column([row], "id") == [None]:
            self._set([row], row_type, "id", [resource.id])
        for name, relationship in (resource.relationships or {}).items():
            data = relationship.data
            if data is not UNSET:
                value = [item and item.id for item in data] if isinstance(data, list) else data and data.id
                field = relationship_field(name, to_many=isinstance(data, list))
                self._set([row], row_type, field, [value])


def _with_aliases(
    schema: Mapping[str, Any], left_out: frozenset[str], aliases: Mapping[str, str]
) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Declare the API's other names of fields as well."""
    declared = schema["properties"]
    others = {name: declared[field] for name, field in aliases.items() if field in declared}
    dropped = left_out | {name for name, field in aliases.items() if field in left_out}
    return {**schema, "properties": {**declared, **others}}, dropped


def _decoder(field: str, record: type, rest: str | None) -> msgspec.json.Decoder[Any]:
    """Make a decoder of the document that holds the records, and what else a pagination reads."""
    if field == ROOT:
        return msgspec.json.Decoder(list[record])  # type: ignore[valid-type]
    fields: list[Any] = [("records", list[record])]  # type: ignore[valid-type]
    rename = {"records": field}
    if rest is not None:
        fields.append(("rest", Any, UNSET))
        rename["rest"] = rest
    return msgspec.json.Decoder(msgspec.defstruct("Document", fields, rename=rename))


class _Identifier(msgspec.Struct, gc=False):
    id: int | str | None = None


class _Relationship(msgspec.Struct, gc=False):
    data: _Identifier | list[_Identifier | None] | UnsetType | None = UNSET


def _resource_object(attributes: type[Row]) -> type[msgspec.Struct]:
    """Make the struct of a JSON:API resource object."""
    return msgspec.defstruct(
        "Resource",
        [
            ("attributes", attributes),
            ("id", int | str | None, None),
            ("relationships", dict[str, _Relationship] | None, None),
        ],
    )


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, msgspec.Struct):
        return None
    attribute = attributes_of(type(value)).get(name)
    found = getattr(value, attribute) if attribute else UNSET
    return None if found is UNSET else found
