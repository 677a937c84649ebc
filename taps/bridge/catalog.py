"""The catalog of a tap: what each of its streams is, and which of them are read."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from taps.bridge.errors import DiscoveryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["StreamEntry", "entries_of", "with_selection"]


@dataclass(frozen=True)
class StreamEntry:
    """A stream, as discovery tells of it.

    Attributes:
        name: The stream's name.
        schema: JSON Schema of a record.
        keys: Fields that identify a record.
        replication_key: Field by which the stream is read from where the last run ended.
        incremental: Whether a later run gives only what is new or changed.
        entry: Its entry in the catalog.
        parent: The stream from whose records it is read, where that is known.
        deselected: Whether the catalog says that it is not to be read.
    """

    name: str
    schema: Mapping[str, Any]
    keys: Sequence[str]
    replication_key: str | None
    incremental: bool
    entry: Mapping[str, Any]
    parent: str | None = None
    deselected: bool = False

    @property
    def description(self) -> str | None:
        """What the tap says of the stream, in one line."""
        said = self.schema.get("description")
        return " ".join(said.split()) if isinstance(said, str) else None


def entries_of(
    catalog: Any, *, parents: Mapping[str, str | None] | None = None, snapshots: Collection[str] = ()
) -> list[StreamEntry]:
    """Read a catalog.

    Args:
        catalog: As a tap's discovery gives it, parsed.
        parents: The parent of each child stream, where that is known. A child has no bookmark of its own, and gives
            only what belongs to those of its parent's records that are read.
        snapshots: Streams whose key has the time of reading in it, where that is known: each run adds to what is there.

    Raises:
        DiscoveryError: It is no catalog.
    """
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(streams, list):
        raise DiscoveryError("the catalog has no list 'streams'")
    entries = [_entry(given) for given in streams]
    entries = [replace(entry, incremental=entry.incremental or entry.name in snapshots) for entry in entries]
    of_name = {entry.name: entry for entry in entries}
    return [_as_child(entry, of_name, parents or {}) for entry in entries]


def with_selection(entries: Iterable[StreamEntry], selected: Collection[str]) -> dict[str, Any]:
    """Make the catalog for a run that reads some of the streams.

    Args:
        entries: All streams of the tap.
        selected: The names of those that are read.
    """
    return {"streams": [_selected(entry, entry.name in selected) for entry in entries]}


def _entry(given: Any) -> StreamEntry:
    name = (given.get("tap_stream_id") or given.get("stream")) if isinstance(given, dict) else None
    if not isinstance(name, str) or not isinstance(given.get("schema"), dict):
        raise DiscoveryError("a stream of the catalog has no 'tap_stream_id' or no 'schema'")
    said = _of_stream(given)
    method = (
        given.get("replication_method")
        or said.get("replication-method")
        or said.get("forced-replication-method")
        or said.get("replication_method")
    )
    if isinstance(method, dict):  # some taps give the reason with it
        method = method.get("replication-method")
    valid = list(said.get("valid-replication-keys") or ())
    replication_key = (
        given.get("replication_key") or said.get("replication-key") or (valid[0] if len(valid) == 1 else None)
    )
    full = method == "FULL_TABLE" or (method is None and replication_key is None)
    return StreamEntry(
        name=name,
        schema=_without_deselected(given),
        keys=tuple(
            given.get("key_properties") or said.get("table-key-properties") or said.get("view-key-properties") or ()
        ),
        replication_key=None if full else replication_key,
        incremental=not full,
        entry=given,
        deselected=False in (said.get("selected"), given.get("selected"), given["schema"].get("selected")),
    )


def _as_child(entry: StreamEntry, of_name: Mapping[str, StreamEntry], parents: Mapping[str, str | None]) -> StreamEntry:
    root, incremental = entry.name, entry.incremental
    while (above := parents.get(root)) is not None:
        root = above
        incremental = incremental or of_name[root].incremental
    return replace(entry, incremental=incremental, parent=parents.get(entry.name))


def _selected(entry: StreamEntry, selected: bool) -> dict[str, Any]:  # noqa: FBT001 - it is what the function is about
    made: dict[str, Any] = copy.deepcopy(dict(entry.entry))
    made.pop("selected", None)
    made["schema"].pop("selected", None)  # where the oldest taps look for it
    if selected:
        made["schema"]["selected"] = True
    items = made.get("metadata")
    if not isinstance(items, list):
        items = made["metadata"] = []
    if not any(item.get("breadcrumb") == [] for item in items):
        items.append({"breadcrumb": [], "metadata": {}})
    for item in items:
        said = item.setdefault("metadata", {})
        if item.get("breadcrumb") == []:
            said["selected"] = selected
        elif selected and said.get("inclusion") == "available" and said.get("selected-by-default") is not False:
            said.setdefault("selected", True)
    return made


def _without_deselected(given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a stream's schema the fields that the catalog says are not read, and those that cannot be."""
    schema: dict[str, Any] = given["schema"]
    items = given.get("metadata")
    unread = set()
    for item in items if isinstance(items, list) else ():
        said = item.get("metadata") or {}
        breadcrumb = item.get("breadcrumb") or []
        chosen_out = said.get("selected") is False and said.get("inclusion") != "automatic"
        if len(breadcrumb) == 2 and (chosen_out or said.get("inclusion") == "unsupported"):  # noqa: PLR2004 - properties, name
            unread.add(breadcrumb[1])
    if not unread:
        return schema
    properties = {name: declared for name, declared in schema.get("properties", {}).items() if name not in unread}
    return {**schema, "properties": properties}


def _of_stream(given: Mapping[str, Any]) -> dict[str, Any]:
    """Find what the metadata say of a stream as a whole."""
    items = given.get("metadata")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and not item.get("breadcrumb"):
            said = item.get("metadata")
            return said if isinstance(said, dict) else {}
    return {}
