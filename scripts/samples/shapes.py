"""The forms that recordings come in, and the records in them.

A document may be a body of the provider or of the neutral API, a list of such bodies, a list of records as they came,
one record alone, or exchanges that a tool has recorded (HAR, a cassette), with the bodies in them.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from taps.engine.codec import decode_json, kind_of
from taps.engine.jsonapi import relationship_field
from taps.engine.selector import RecordsPath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.stream import ApiStream

__all__ = ["Shape", "documents_in"]

_BOM = b"\xef\xbb\xbf"
_EXCHANGES = ("log", "entries", "http_interactions", "interactions")


def documents_in(data: bytes) -> list[Any]:
    """Read a file: one document, or one a line.

    Raises:
        ValueError: It is neither.
    """
    try:
        return list(_bodies(decode_json(data)))
    except ValueError:
        lines = [line for line in data.removeprefix(_BOM).splitlines() if line.strip()]
        if len(lines) <= 1:
            raise
        return [body for line in lines for body in _bodies(decode_json(line))]


def _bodies(document: Any) -> Iterator[Any]:
    """Give the bodies in recorded exchanges; the document itself where it is none."""
    exchanges = document if isinstance(document, list) else [document]
    for name in _EXCHANGES:
        if isinstance(document, dict) and isinstance(document.get(name), dict | list):
            yield from _bodies(document[name])
            return
    if exchanges and all(isinstance(each, dict) and isinstance(each.get("response"), dict) for each in exchanges):
        yield from (_body(exchange["response"]) for exchange in exchanges)
    else:
        yield document


def _body(response: dict[str, Any]) -> Any:
    body = response.get("body", response.get("content"))
    if isinstance(body, dict) and "string" in body:  # as cassettes have it
        body = body["string"]
    elif isinstance(body, dict) and "mimeType" in body:  # as HAR has it
        text = body.get("text") or ""
        body = base64.b64decode(text).decode() if body.get("encoding") == "base64" else text
    return decode_json(body.encode()) if isinstance(body, str) else body


class Shape:
    """Where a stream's records are in a document, and how a page looks that has one of them alone.

    Args:
        stream: The stream, as a provider has it.
    """

    def __init__(self, stream: ApiStream) -> None:
        self._stream = stream
        declared = type(stream)
        tap_class = type(stream.tap)
        everywhere = [
            each.records_jsonpath
            for provider in tap_class.providers
            for each in tap_class.streams_for({"provider": provider.name})
            if vars(each)["name"] == stream.name
        ]
        ids = declared.enclosing_ids
        # What is whatever the document is comes last.
        paths = sorted(dict.fromkeys([declared.records_jsonpath, *everywhere]), key=lambda path: path in {"$", "$[*]"})
        self._envelopes = [RecordsPath(path, ids, lone=True) for path in paths if path not in {"$", "$[*]"}]
        steps = declared.records_jsonpath.removeprefix("$").split(".")[1:]
        self._steps = [(step.removesuffix("[*]"), step.endswith("[*]")) for step in steps]
        self._own = RecordsPath(declared.records_jsonpath, ids, lone=True)
        added = {*stream.parent_key_fields, *declared.copied_fields, declared.snapshot_field}
        self._keys = [key for key in declared.primary_keys if key not in added]

    def records(self, document: Any) -> list[dict[str, Any]]:
        """Find the records in a document, as they came.

        Raises:
            ValueError: There are none in it that could be recognised.
        """
        elements = document if isinstance(document, list) else [document]
        found = []
        for element in elements:
            if not isinstance(element, dict):
                raise ValueError(f"it has {kind_of(element)} where a record or a page of them is due")  # noqa: TRY004
            found += self._records(element)
        return [self._as_resource(record) for record in found] if self._stream.resource_objects else found

    def _as_resource(self, record: dict[str, Any]) -> dict[str, Any]:
        """Put relationships back into place that another tool has made `owner: [3]` of."""
        declared = self._stream.schema["properties"]
        relationships: dict[str, Any] = {}
        for name in record.keys() - declared.keys() - {"attributes", "relationships"}:
            ids = record[name] if isinstance(record[name], list) else [record[name]]
            if relationship_field(name, to_many=False) in declared and len(ids) <= 1:
                relationships[name] = {"data": {"id": ids[0]} if ids else None}
            elif relationship_field(name, to_many=True) in declared:
                relationships[name] = {"data": [{"id": each} for each in ids if each is not None]}
        if not relationships:
            return record
        attributes = {name: value for name, value in record.items() if name not in relationships and name != "id"}
        return {"id": record.get("id"), "attributes": attributes, "relationships": relationships}

    def _records(self, element: dict[str, Any]) -> list[dict[str, Any]]:
        # What has a key is a record, whatever else it has.
        if not self._is_record(element):
            for path in self._envelopes:
                with suppress(ValueError):
                    return path.select(element)
            lists = [value for value in element.values() if _is_list_of_objects(value)]
            if len(lists) == 1 and self._keys:
                return self.records(lists[0])
        names = [name for name, _ in self._steps]
        depth = next((place for place, name in enumerate(names) if place and name in element), len(names))
        return [element] if depth == len(names) else self._own.select(self._enclosed(element, depth))

    def _is_record(self, element: dict[str, Any]) -> bool:
        return bool(self._keys) and all(element.get(key) is not None for key in self._keys)

    def page(self, record: dict[str, Any]) -> Any:
        """Make a page that has one record."""
        return self._enclosed(record, len(self._steps))

    def parent(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give the parent's key: out of the record where it has it, as the API seldom does, or made up."""
        return {field: self._outer_key(record, field) for field in self._stream.parent_key_fields}

    def _enclosed(self, record: dict[str, Any], depth: int) -> Any:
        node: Any = record
        for place in reversed(range(depth)):
            name, many = self._steps[place]
            node = {name: [node] if many else node}
            outer = self._stream.enclosing_ids.get(self._steps[place - 1][0]) if place else None
            if outer:
                node["id"] = self._outer_key(record, outer)
        return [node] if type(self._stream).records_jsonpath.startswith("$[*]") else node

    def _outer_key(self, record: dict[str, Any], field: str) -> Any:
        given = record.get(field)
        return (
            given if given is not None else 0 if "integer" in self._stream.schema["properties"][field]["type"] else "0"
        )


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
