"""From the body of an answer to a stream's records."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from taps.engine.codec import RecordCodec, decode_json
from taps.engine.errors import RecordError
from taps.engine.selector import RecordsPath
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taps.engine.stream import ApiStream

__all__ = ["PageReader"]


class PageReader:
    """Reads what a stream declares out of an API's answers.

    Args:
        stream: The stream, with the schema that the catalog has in force.
    """

    def __init__(self, stream: ApiStream) -> None:
        declared = type(stream)
        self.codec = RecordCodec(stream.name, stream.effective_schema, declared.primary_keys)
        self._path = RecordsPath(declared.records_jsonpath, declared.enclosing_ids, lone=declared.lone_object)
        self._reshape = stream.reshape
        self._keys = declared.primary_keys
        self._cursor = declared.replication_key
        self._copied = declared.copied_fields
        self._snapshot = declared.snapshot_field

    def decode(self, body: bytes) -> tuple[Any, list[dict[str, Any]]]:
        """Read a body.

        Returns:
            The document, and the records in it as the API gives them.

        Raises:
            ValueError: It is no JSON, or of another shape than declared.
        """
        document = decode_json(body)
        return document, self._path.select(document)

    def record(self, raw: dict[str, Any], parent: Mapping[str, Any]) -> dict[str, Any]:
        """Make a record what the schema declares.

        Args:
            raw: As the API gives it.
            parent: The parent's key, of a child stream.

        Raises:
            RecordError: It has no key, a value of another type that would lose something, or a replication key that is
                no timestamp.
        """
        record = {**self._reshape(raw), **parent}
        for field, source in self._copied.items():
            record[field] = _nested(record, source)
        if self._snapshot and (self._snapshot in self._keys or record.get(self._snapshot) is None):
            record[self._snapshot] = format_timestamp(datetime.now(timezone.utc))
        record = self.codec.convert(record)
        if self._cursor and record.get(self._cursor) is not None:
            try:
                parse_timestamp(record[self._cursor])
            except ValueError as error:
                key = ", ".join(f"{name}={record[name]}" for name in self._keys)
                raise RecordError(f"record {key}: field '{self._cursor}': {error}") from None
        return record


def _nested(record: Mapping[str, Any], path: str) -> Any:
    """Follow `user.id` into a record; `None` where it does not lead on."""
    found: Any = record
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
