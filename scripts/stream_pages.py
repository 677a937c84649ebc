"""The reference of a tap's streams: every field, and a diagram of how the streams hang together.

Fields come from `schemas`, where a description that ends in "see tickets.id" says to which stream a field refers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from markdown_tables import code, table
from taps.engine.schemas import schema_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["room_of", "streams_page"]

_REFERENCE = re.compile(r"\bsee (\w+)\.(\w+)")
_WORDS = {"string": "text", "boolean": "true or false"}
_FORMATS = {"date-time": "time", "date": "date"}
_MOST_LINES = 40  # of a diagram that can be read
_MANY = 12  # streams that refer to one


class Line(NamedTuple):
    """Of a diagram: a stream that refers to another one."""

    parent: str
    child: str
    fields: Sequence[str]
    read_for_each: bool = False


def room_of(tap_class: type[ApiTap]) -> str:
    """Name the room of a tap's API, which has its schemas too."""
    return tap_class.__module__.split(".")[1]


def streams_page(tap_class: type[ApiTap], command: str) -> str:
    """Write the page of a tap's streams.

    Args:
        tap_class: The tap.
        command: By which the page is made.
    """
    name = str(tap_class.name)
    streams = all_streams(tap_class)
    schemas = {stream: schema_of(tap_class, stream) for stream in streams}
    head = (
        f"<!-- made by {command} -->\n\n# Streams of {name}\n\n"
        f"All {len(streams)} streams of [`{name}`](../{name}.md), field by field. All but the keys may be\n"
        "null. Records arrive with these fields and no others: what an API gives beside them is left out,\n"
        "with one warning a stream that names it.\n"
    )
    parts = [
        head,
        *diagrams(streams, schemas),
        *(section(tap_class, name, streams[name], schemas[name]) for name in sorted(streams)),
    ]
    return "\n".join(parts)


def all_streams(tap_class: type[ApiTap]) -> dict[str, type[ApiStream]]:
    """List the streams by name, those that only a product has among them; as the neutral API has them, if it does."""
    return {
        str(vars(stream)["name"]): stream
        for provider in reversed(tap_class.providers)
        for stream in tap_class.streams_for({"provider": provider.name})
    }


def schema_of(tap_class: type[ApiTap], stream: str) -> dict[str, Any]:
    """Read the schema of a stream."""
    path = schema_directory(room_of(tap_class)) / f"{stream}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def parent_of(stream: type[ApiStream]) -> str | None:
    """Name the parent of a stream."""
    return str(vars(stream.parent_stream_type)["name"]) if stream.parent_stream_type else None


def section(tap_class: type[ApiTap], name: str, stream: type[ApiStream], schema: Mapping[str, Any]) -> str:
    """Write what there is to say of a stream."""
    has = [p.title for p in tap_class.providers if name in names_of(tap_class, p.name)]
    facts = [f"key {code(*stream.primary_keys)}"]
    if isinstance(stream.replication_key, str):
        facts.append(f"incremental on {code(stream.replication_key)}")
    if parent := parent_of(stream):
        facts.append(f"read for each record of [{code(parent)}](#{parent})")
    if len(has) < len(tap_class.providers):
        facts.append(f"of {', '.join(has)}")
    rows = [[code(path), type_of(field), field.get("description", "")] for path, field in fields(schema)]
    return (
        f"## {name}\n\n{schema['description']}\n\n{'; '.join(facts)[0].upper()}{'; '.join(facts)[1:]}.\n\n"
        f"{table(['Field', 'Type', 'Meaning'], rows)}"
    )


def names_of(tap_class: type[ApiTap], provider: str) -> set[str]:
    """Name the streams that a provider has."""
    return {str(vars(stream)["name"]) for stream in tap_class.streams_for({"provider": provider})}


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """List the fields of a schema, those of an object after it."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}{name}", field
        yield from fields(field, f"{path}{name}.")
        if "items" in field:
            yield from fields(field["items"], f"{path}{name}[].")


def type_of(field: Mapping[str, Any]) -> str:
    """Put the type of a field into words."""
    types = field.get("type", [])
    names = [name for name in ([types] if isinstance(types, str) else types) if name != "null"]
    words = []
    for name in names:
        word = _WORDS.get(name, name)
        if name == "string":
            word = _FORMATS.get(field.get("format", ""), word)
        if name == "array":
            word = f"list of {type_of(field['items'])}" if "items" in field else "list"
        words.append(word)
    return " or ".join(words) or "any"


def diagrams(streams: Mapping[str, type[ApiStream]], schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Draw which stream is read for the records of which, and which fields refer to which stream."""
    lines = list(lines_of(streams, schemas))
    yield "## How they hang together\n"
    if not lines:
        yield "None of the streams refers to another one.\n"
        return
    yield (
        "A continuous line leads from a stream to the one that is read for each of its records, a dotted line to one\n"
        "that has its key in the field beside the line.\n"
    )
    if len(lines) > _MOST_LINES:
        lines, everywhere = thinned(lines)
        yield (
            f"There are too many for a diagram: what leads to {code(*everywhere)} is left out, and what leads\n"
            "to a stream over another one too. The tables below have all of them.\n"
        )
    yield drawn(lines)


def thinned(lines: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """Leave out of a diagram what makes it hard to read.

    Returns:
        The other lines, and the streams to which most others refer.
    """
    everywhere = [name for name, count in Counter(line.parent for line in lines).items() if count > _MANY]
    direct = {(line.child, line.parent) for line in lines}
    over = {(child, parent) for child, via in direct for start, parent in direct if start == via}
    return [
        line
        for line in lines
        if line.read_for_each or (line.parent not in everywhere and (line.child, line.parent) not in over)
    ], everywhere


def lines_of(streams: Mapping[str, type[ApiStream]], schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    """List the lines of a diagram."""
    for name in sorted(streams):
        parent = parent_of(streams[name])
        fields: dict[str, list[str]] = {}
        for field, declared in schemas[name]["properties"].items():
            found = _REFERENCE.search(declared.get("description", ""))
            to = streams.get(found[1]) if found else None
            # Keys in a list are mostly those of what refers to this record, and says so itself.
            if found and to and found[1] != name and found[2] in to.primary_keys and not is_list(declared):
                fields.setdefault(found[1], []).append(field)
        if parent:
            yield Line(parent, name, fields.pop(parent, ["for each"]), read_for_each=True)
        for target, names in fields.items():
            yield Line(target, name, names)


def is_list(field: Mapping[str, Any]) -> bool:
    """Tell whether a field holds several values."""
    return "array" in field["type"]


def drawn(lines: Iterable[Line]) -> str:
    """Write a diagram."""
    text = "".join(
        f'    {line.parent} {"||--o{" if line.read_for_each else "|o..o{"} {line.child} : "{", ".join(line.fields)}"\n'
        for line in lines
    )
    return f"```mermaid\nerDiagram\n    direction LR\n{text}```\n"
