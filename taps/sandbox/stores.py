"""A store of top-level lists, for the APIs whose records need no more than that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taps.sandbox.rows import Record, Rows


class ListStore:
    """The records of an API, a list for each collection. Its methods may be called from any thread.

    Attributes:
        lock: Held while records are read or changed; whoever reads more than one thing holds it meanwhile.
        version: A number that grows with every change.
        changes: The kinds of change that `change` takes a number for.

    Args:
        lists: The records by collection.
        changes: The kinds of change.
    """

    def __init__(self, lists: Mapping[str, Rows], *, changes: Iterable[str] = ()) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.changes = frozenset(changes)
        self._lists = dict(lists)

    def rows(self, stream: str) -> Rows:
        """Give a collection.

        Args:
            stream: The collection's name.

        Returns:
            Its rows.

        Raises:
            KeyError: There is no such collection.
        """
        return self._lists[stream]

    def counts(self) -> dict[str, int]:
        """Count the records of every collection.

        Returns:
            The number by collection.
        """
        with self.lock:
            return {name: len(rows) for name, rows in self._lists.items()}

    def records(self, stream: str) -> list[Record]:
        """Give all records of a collection as a client ought to end up with them.

        Args:
            stream: The collection's name.

        Returns:
            The records.

        Raises:
            KeyError: There is no such collection.
        """
        with self.lock:
            rows = self._lists[stream]
            return [dict(rows.record(key)) for key in rows.keys]

    def put(self, stream: str, records: Sequence[Record]) -> None:
        """Put other records in the place of a collection's.

        Args:
            stream: The collection's name.
            records: The new records, served in this order and as they are, however wrong.

        Raises:
            ValueError: There is no such list.
        """
        with self.lock:
            self._writable(stream).replace(list(records))
            self.version += 1

    def delete(self, stream: str, number: Any) -> None:
        """Take a record out.

        Args:
            stream: The collection's name.
            number: The record's id.

        Raises:
            ValueError: There is no such list, or no such record in it.
        """
        with self.lock:
            rows = self._writable(stream)
            key = rows.ids().get(number)
            if key is None:
                raise ValueError(f"there is no {stream} record with the id {number!r}")
            rows.remove(key)
            self.version += 1

    def change(self, **numbers: int) -> dict[str, Any]:
        """Let time pass: change so many records of each kind as of now.

        Args:
            **numbers: How many, by kind.

        Returns:
            The ids by kind.

        Raises:
            TypeError: There is no such kind.
        """
        with self.lock:
            for kind in numbers:
                if kind not in self.changes:
                    raise TypeError(f"there is no change of {kind!r}")
            answer = self._change(numbers)
            self.version += 1
            return answer

    def warm(self) -> None:
        """Make and serialise all records ahead, so that a first read is as fast as a second."""
        with self.lock:
            for rows in self._lists.values():
                for key in rows.keys:
                    rows.body(key)

    def _change(self, numbers: Mapping[str, int]) -> dict[str, Any]:
        return {kind: [] for kind in numbers}

    def _writable(self, stream: str) -> Rows:
        if stream not in self._lists:
            raise ValueError(f"{stream!r} is no list of its own; there are {', '.join(self._lists)}")
        return self._lists[stream]
