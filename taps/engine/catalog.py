"""The catalog that a user gives: checked, and no larger than need be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.engine.errors import InvalidInputError
from taps.engine.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taps.engine.stream import ApiStream

__all__ = ["checked_catalog", "without_unread_fields"]


def checked_catalog(catalog: dict[str, Any], name: str, stream_types: Sequence[type[ApiStream]]) -> dict[str, Any]:
    """Give a catalog back, if it is one of this tap.

    Args:
        catalog: What a file holds.
        name: The file's name, for the message.
        stream_types: The tap's.

    Raises:
        InvalidInputError: It is none, or has none of the tap's streams.
    """
    streams = catalog.get("streams")
    usable = isinstance(streams, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("tap_stream_id"), str)
        and isinstance(entry.get("schema"), dict)
        for entry in streams
    )
    if not usable:
        raise InvalidInputError(
            f"The catalog file {name} is not usable: 'streams' must be a list of objects with 'tap_stream_id' and "
            f"'schema', as --discover writes it"
        )
    found = [entry["tap_stream_id"] for entry in catalog["streams"]]
    if not {vars(stream_type)["name"] for stream_type in stream_types}.intersection(found):
        names = listed(f"'{stream}'" for stream in found) or "none at all"
        raise InvalidInputError(
            f"The catalog file {name} has no stream of this tap, but {names}; make one with --discover"
        )
    return catalog


def without_unread_fields(catalog: dict[str, Any], stream_types: Sequence[type[ApiStream]]) -> dict[str, Any]:
    """Leave out the fields of streams that are not read: Meltano names them all, and the SDK makes objects of each.

    Args:
        catalog: The catalog.
        stream_types: The tap's, parents before their children.
    """
    entries = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}
    read = {name for name, entry in entries.items() if not _is_deselected(entry)}
    for stream_type in reversed(stream_types):  # children before their parents, which are read for them
        if vars(stream_type)["name"] in read and stream_type.parent_stream_type:
            read.add(vars(stream_type.parent_stream_type)["name"])
    return {
        "streams": [
            entry if name in read else {**entry, "schema": {}, "metadata": [_of_stream(entry)]}
            for name, entry in entries.items()
        ]
    }


def _is_deselected(entry: dict[str, Any]) -> bool:
    said = _of_stream(entry).get("metadata") or {}
    return said.get("selected") is False and said.get("inclusion") != "automatic"


def _of_stream(entry: dict[str, Any]) -> dict[str, Any]:
    """Find what a catalog's metadata say of the stream as a whole."""
    return next((item for item in entry.get("metadata") or () if item.get("breadcrumb") == []), {})
