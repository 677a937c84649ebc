"""A page of a list, as the engine passes it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["Content", "Page"]


class Content(NamedTuple):
    """What a body holds of a stream.

    Attributes:
        records: Rows of a `RowType`, dictionaries, or what a `PageWriter` has made of them.
        keys: The primary key of each.
        instants: The replication key of each; `None` where it has none.
        document: What the body has beside the records, as far as a pagination reads it.
        branches: The keys of those records that have lists of their own below them (see `Sublists`).
    """

    records: Sequence[Any]
    keys: Sequence[tuple[Any, ...]]
    instants: Sequence[datetime | None]
    document: Any = None
    branches: Sequence[Any] = ()


class Page(Struct, frozen=True):
    """A page as received.

    Attributes:
        url: The address that answered.
        headers: Response headers; look-ups ignore case.
        content: What it holds.
        start: The time before which neither this nor any later page has a record, where that is known.
        aside: Whether it is of a further part of the stream, to which no bookmark moves.
    """

    url: str
    headers: Mapping[str, str]
    content: Content
    start: datetime | None = None
    aside: bool = False

    @property
    def records(self) -> Sequence[Any]:
        """The records, as emitted."""
        return self.content.records

    def only(self, indexes: Sequence[int]) -> Page:
        """Copy the page with the records at these indexes, which ascend; itself, if these are all."""
        if len(indexes) == len(self.records):
            return self
        records, keys, instants, *_ = self.content
        kept = self.content._replace(
            records=_taken(records, indexes), keys=_taken(keys, indexes), instants=_taken(instants, indexes)
        )
        return replace(self, content=kept)

    def cut(self, keep: int | None) -> Page:
        """Copy the page with so many of its first records; itself, if that is `None`."""
        return self if keep is None else self.only(range(keep))


def _taken(values: Sequence[Any], indexes: Sequence[int]) -> Sequence[Any]:
    if indexes and indexes[-1] - indexes[0] == len(indexes) - 1:
        return values[indexes[0] : indexes[-1] + 1]
    return [values[index] for index in indexes]
