"""Records that come twice where one query ends and the next begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

__all__ = ["Seam"]


class Seam:
    """Lets each version of a record through once, where a list sorted by its cursor is asked for again from its end.

    Only the records of the newest second are remembered: the next query begins there. A record that comes again with
    another cursor has changed, and is let through.

    Args:
        keys: Names of the primary keys.
        cursor: Name of the replication key.
    """

    def __init__(self, keys: Sequence[str], cursor: str) -> None:
        self._keys = tuple(keys)
        self._cursor = cursor
        self._second: datetime | None = None
        self._seen: set[tuple[Any, ...]] = set()

    def fresh(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Give the records that have not been given before."""
        for record in records:
            cursor = record.get(self._cursor)
            if cursor is None:
                yield record
                continue
            instant = parse_timestamp(cursor)
            second = instant.replace(microsecond=0)
            if self._second is None or second > self._second:
                self._second = second
                self._seen.clear()
            version = (instant, *(record[key] for key in self._keys))
            if second < self._second:
                yield record
            elif version not in self._seen:
                self._seen.add(version)
                yield record
