"""Records that come twice where one query ends and the next begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Seam"]

_REMEMBERED = 50_000


class Seam:
    """Lets each version of a record through once, where a list is asked for again from its last cursor on.

    A record that comes again with another cursor has changed, and is let through. As many versions are remembered as
    any API gives for one query, so that the memory does not grow with the list.

    Args:
        keys: Names of the primary keys.
        cursor: Name of the replication key.
        remembered: How many versions to remember.
    """

    def __init__(self, keys: Sequence[str], cursor: str, remembered: int = _REMEMBERED) -> None:
        self._keys = tuple(keys)
        self._cursor = cursor
        self._remembered = remembered
        self._seen: dict[tuple[Any, ...], None] = {}

    def fresh(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Give the records that have not been given before."""
        for record in records:
            cursor = record.get(self._cursor)
            version = (cursor and parse_timestamp(cursor), *(record[key] for key in self._keys))
            if version not in self._seen:
                self._seen[version] = None
                if len(self._seen) > self._remembered:
                    del self._seen[next(iter(self._seen))]
                yield record
