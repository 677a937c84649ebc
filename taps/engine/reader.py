"""From the body of an answer to a stream's records."""

from __future__ import annotations

from datetime import datetime, timezone
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from taps.engine.codec import RecordCodec, decode_json, named
from taps.engine.compiled import CompiledPages
from taps.engine.errors import RecordError
from taps.engine.jsonapi import flattened
from taps.engine.page import Content
from taps.engine.rows import MisfitError
from taps.engine.selector import RecordsPath
from taps.engine.timestamps import format_timestamp, parse_timestamp, parse_timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.engine.stream import ApiStream

__all__ = ["PageReader"]


class PageReader:
    """Reads what a stream declares out of an API's answers; safe for threads.

    Args:
        stream: The stream, with the schema that the catalog has in force.
    """

    def __init__(self, stream: ApiStream) -> None:
        self._instance = stream
        self._stream = type(stream)
        self._schema = stream.effective_schema
        self._deselected = frozenset(_deselected(stream)) if stream.selected else frozenset()
        self._path = RecordsPath(
            self._stream.records_jsonpath, self._stream.enclosing_ids, lone=self._stream.lone_object
        )
        self.codec = RecordCodec(stream.name, self._schema, self._stream.primary_keys, self._deselected)
        self._lock = Lock()
        self._known: tuple[int, int] | None = None
        self._compiled: CompiledPages | None = None

    def rows(self, body: bytes, parent: Mapping[str, Any]) -> Content:
        """Read a body into rows of a compiled type, or into dictionaries where it does not fit one.

        Args:
            body: As received.
            parent: The parent's key, of a child stream.

        Raises:
            ValueError: It is no JSON, or of another shape than declared.
            RecordError: As of `record`.
        """
        tried: CompiledPages | None = None
        content: Content | None = None
        # The second time what was found out the first time is known. So the form of a page depends on the page alone,
        # and not on what other threads have found out by then.
        while (compiled := self._compile()) is not None and compiled is not tried:
            tried = compiled
            try:
                return compiled.read(body, parent)
            except (MisfitError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                content = self.dictionaries(body, parent)
        return content or self.dictionaries(body, parent)

    def dictionaries(self, body: bytes, parent: Mapping[str, Any]) -> Content:
        """Read a body into dictionaries; otherwise as `rows`."""
        document = decode_json(body)
        found = self._path.select(document)
        records = [self.record(raw, parent) for raw in found]
        keys = [tuple(record[key] for key in self._stream.primary_keys) for record in records]
        cursor = self._stream.replication_key
        instants = parse_timestamps([record.get(cursor) for record in records]) if cursor else [None] * len(records)
        sublists = self._stream.sublists
        branches = (
            [key for (key, *_), raw in zip(keys, found, strict=True) if raw.get(sublists.count)] if sublists else ()
        )
        return Content(records, keys, instants, document, branches)

    def record(self, raw: dict[str, Any], parent: Mapping[str, Any]) -> dict[str, Any]:
        """Make a record what the schema declares.

        Args:
            raw: As the API gives it.
            parent: The parent's key, of a child stream.

        Raises:
            RecordError: It has no key, a value of another type that would lose something, or a replication key that is
                no timestamp.
        """
        record = {**(flattened(raw) if self._stream.resource_objects else raw), **parent}
        for name, field in self._stream.aliases.items():
            if name in record:
                record[field] = record.pop(name)
        for field, source in self._stream.copied_fields.items():
            record[field] = _nested(record, source)
        snapshot, keys = self._stream.snapshot_field, self._stream.primary_keys
        if snapshot and (snapshot in keys or record.get(snapshot) is None):
            record[snapshot] = format_timestamp(datetime.now(timezone.utc))
        record = self.codec.convert(record)
        cursor = self._stream.replication_key
        if cursor and record.get(cursor) is not None:
            try:
                parse_timestamp(record[cursor])
            except ValueError as error:
                raise RecordError(f"record {named(record, keys)}: field '{cursor}': {error}") from None
        return record

    def _compile(self) -> CompiledPages | None:
        """Compile the schema, and again whenever more fields turn out to be undeclared, or of other types."""
        with self._lock:
            known = len(self.codec.undeclared), len(self.codec.converted)
            if self._known != known:
                self._known = known
                left_out = self._deselected | self.codec.undeclared
                try:
                    self._compiled = CompiledPages(self._instance, self._schema, self.codec, left_out)
                except MisfitError:
                    self._compiled = None
            return self._compiled


def _nested(record: Mapping[str, Any], path: str) -> Any:
    """Follow `user.id` into a record; `None` where it does not lead on."""
    found: Any = record
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _deselected(stream: ApiStream) -> Iterator[str]:
    """List the paths of the fields that the catalog leaves out, apart from the keys."""
    needed = {*type(stream).primary_keys, type(stream).replication_key}

    def walk(schema: Mapping[str, Any], breadcrumb: tuple[str, ...], path: str) -> Iterator[str]:
        for name, declared in schema.get("properties", {}).items():
            inner = (*breadcrumb, "properties", name)
            if not stream.mask[inner]:
                if path or name not in needed:
                    yield f"{path}{name}"
            else:
                yield from walk(declared, inner, f"{path}{name}.")

    return walk(stream.effective_schema, (), "")
