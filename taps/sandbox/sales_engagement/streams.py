"""The collections of the sales engagement API: their paths, fields and relationships."""

from __future__ import annotations

from dataclasses import dataclass

from taps.sandbox.sales_engagement import fields_people, fields_setup, fields_work

#: The fields by which some collections can be filtered and sorted.
MOMENTS = ("updatedAt", "createdAt")


@dataclass(frozen=True)
class Attribute:
    """A field of a collection's records.

    Attributes:
        name: Its name.
        kind: What its values are, such as `time`, `text` or `whole`.
        nullable: Whether it may be null.
    """

    name: str
    kind: str
    nullable: bool


@dataclass(frozen=True)
class Relationship:
    """What a record says of others.

    Attributes:
        name: Its name.
        targets: The types that it may lead to; of no account where it has no data.
        many: Whether it leads to any number of records.
        data: Whether the record names those, or only says where to ask for them.
    """

    name: str
    targets: tuple[str, ...]
    many: bool = False
    data: bool = True

    @property
    def field(self) -> str:
        """The field of a flat record that holds the ids, such as `ownerId` or `emailAddressIds`."""
        if self.many:
            return f"{singular(self.name)}Ids"
        return f"{self.name}Id"


@dataclass(frozen=True)
class Stream:
    """One collection.

    Attributes:
        name: The collection's name.
        type: The type of its records.
        attributes: Their fields, the numbered custom ones apart.
        customs: How many custom fields they have.
        relationships: What they say of other records.
        filters: The timestamps that it can be filtered by.
        sorts: The timestamps that it can be sorted by.
    """

    name: str
    type: str
    attributes: tuple[Attribute, ...]
    customs: int
    relationships: tuple[Relationship, ...]
    filters: frozenset[str]
    sorts: frozenset[str]

    @property
    def tail(self) -> str:
        """Its path below what all paths begin with."""
        first, *others = self.name.split("_")
        return "/" + first + "".join(word.capitalize() for word in others)

    @property
    def path(self) -> str:
        """Its path below the API's root."""
        return "/v1" + self.tail


def singular(name: str) -> str:
    """Give the singular of a collection's or relationship's name.

    Args:
        name: Such as `opportunities`, `mailboxes` or `tasks`.

    Returns:
        Such as `opportunity`, `mailbox` or `task`.
    """
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-2] if name.endswith(("sses", "xes", "ches")) else name[:-1]


def _read(table: str) -> list[Stream]:
    # A collection begins with its name and type; below it, indented, what kind of thing the names that follow are.
    # `!` marks a field that is never null, `name:a|b` a relationship whose targets are not called what it is called.
    blocks: list[tuple[str, dict[str, list[str]]]] = []
    for line in table.strip().splitlines():
        if line.startswith(" "):
            kind, *names = line.split()
            blocks[-1][1].setdefault(kind, []).extend(names)
        else:
            blocks.append((line, {}))
    return [_stream(heading, parts) for heading, parts in blocks]


def _stream(heading: str, parts: dict[str, list[str]]) -> Stream:
    def take(part: str) -> list[str]:
        return parts.pop(part, [])

    name, kind = heading.split()
    filters, sorts = frozenset(take("filter")), frozenset(take("sort"))
    customs = int("".join(take("custom")) or "0")
    relationships = (
        *(_relationship(text) for text in take("one")),
        *(_relationship(text, many=True) for text in take("many")),
        *(_relationship(text, data=False) for text in take("link")),
    )
    attributes = tuple(
        Attribute(text.rstrip("!"), part, nullable=not text.endswith("!"))
        for part, texts in parts.items()
        for text in texts
    )
    return Stream(name, kind, attributes, customs, relationships, filters, sorts)


def _relationship(text: str, *, many: bool = False, data: bool = True) -> Relationship:
    name, _, targets = text.partition(":")
    return Relationship(name, tuple((targets or name).split("|")), many, data)


#: All collections by name.
STREAMS = {
    stream.name: stream
    for table in (fields_people.TABLE, fields_work.TABLE, fields_setup.TABLE)
    for stream in _read(table)
}
#: The collections' names by the type of their records.
BY_TYPE = {stream.type: stream.name for stream in STREAMS.values()}
