"""A collection's records: made when first asked for, kept as the bytes that are sent, and open to change."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import simplejson

from taps.sandbox.instants import instant

Record = dict[str, Any]

#: Where a record has no readable instant: after all others, and matched by every filter.
NO_INSTANT = 1 << 80

_KEPT_BYTES = 256 * 1024 * 1024
_KEPT_DERIVED = 16

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Values by key, of which the oldest go when they weigh more than the budget.

    Args:
        budget: The bytes that all values together may weigh.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._weight = 0
        self._kept: dict[K, tuple[V, int]] = {}

    def get(self, key: K) -> V | None:
        """Look a value up.

        Args:
            key: The value's key.

        Returns:
            The value, or None where it is not kept.
        """
        found = self._kept.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep a value.

        Args:
            key: The value's key.
            value: The value.
            weight: Its weight in bytes.
        """
        self.drop(key)
        self._kept[key] = (value, weight)
        self._weight += weight
        while self._weight > self._budget:
            self.drop(next(iter(self._kept)))

    def drop(self, key: K) -> None:
        """Forget one value, if it is kept.

        Args:
            key: The value's key.
        """
        found = self._kept.pop(key, None)
        if found is not None:
            self._weight -= found[1]

    def clear(self) -> None:
        """Forget all values."""
        self._kept.clear()
        self._weight = 0


def encode(value: Any) -> bytes:
    """Serialise a JSON value the way the sandbox sends it.

    Args:
        value: Anything that JSON can hold; a `Decimal` is a number with all its digits.

    Returns:
        Compact UTF-8.
    """
    # Not orjson: it refuses integers beyond 64 bits, and the data holds some on purpose.
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:  # a Decimal, which only a test puts: too rare to take the slower encoder for all
        text = simplejson.dumps(value, ensure_ascii=False, separators=(",", ":"), use_decimal=True)
    return text.encode()


class Rows:
    """The records of one list, each under a key that is never used again.

    Made-up records are not held: `make` gives them again and again, always the same. Records that were put or changed
    by hand are held.

    Args:
        count: How many made-up records there are; their keys are 0 to count-1.
        make: Makes the record of a key.
        quick: Functions that know a field's value by key without making the record: ids as they are, timestamps as
            instants. Without them a large list is slow to filter, not wrong.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[int], Record],
        quick: Mapping[str, Callable[[int], int]] | None = None,
    ) -> None:
        self.keys: Sequence[int] = range(count)
        self._make = make
        self._quick = quick or {}
        self._own: dict[int, Record] = {}
        self._next_key = count
        self._bodies: BoundedCache[tuple[int, frozenset[str]], bytes] = BoundedCache(_KEPT_BYTES)
        self._omits: set[frozenset[str]] = set()
        self._derived: dict[Hashable, Any] = {}

    @classmethod
    def of(cls, records: Sequence[Record]) -> Rows:
        """Make rows of records that exist already.

        Args:
            records: The records, in their order.

        Returns:
            The rows.
        """
        return cls(len(records), lambda key: records[key])

    def __len__(self) -> int:
        return len(self.keys)

    def dress(self, dress: Callable[[int, Record], Record]) -> None:
        """Have every record changed as it is made. To be called before the first one is.

        Args:
            dress: Gives the changed record, from the key and the record as it would be otherwise.
        """
        make = self._make
        self._make = lambda key: dress(key, make(key))

    def record(self, key: int) -> Record:
        """Give one record.

        Args:
            key: The record's key.

        Returns:
            The record; to change it, hand a changed copy to `change`.
        """
        own = self._own.get(key)
        return self._make(key) if own is None else own

    def body(self, key: int, omit: frozenset[str] = frozenset()) -> bytes:
        """Give one record as it is sent.

        Args:
            key: The record's key.
            omit: Fields to leave out.

        Returns:
            The record's JSON.
        """
        found = self._bodies.get((key, omit))
        if found is None:
            record = self.record(key)
            found = encode({name: value for name, value in record.items() if name not in omit} if omit else record)
            self._bodies.put((key, omit), found, len(found) + 150)
            self._omits.add(omit)
        return found

    def value(self, key: int, field: str) -> Any:
        """Give one field, the quick way where there is one.

        Args:
            key: The record's key.
            field: `id`, a field that ends in `_id`, or the name of a timestamp.

        Returns:
            The id, or the timestamp's instant (`NO_INSTANT` where there is none).
        """
        if key not in self._own and field in self._quick:
            return self._quick[field](key)
        value = self.record(key).get(field)
        if field == "id" or field.endswith("_id"):
            return value
        moment = instant(value)
        return NO_INSTANT if moment is None else moment

    def memo(self, name: Hashable, make: Callable[[], V]) -> V:
        """Keep what was derived from all rows (an order, an index) until one of them changes.

        Args:
            name: What it is.
            make: Derives it.

        Returns:
            The derived value.
        """
        found: V = self._derived.pop(name) if name in self._derived else make()
        # The one used last goes to the end. A sync that pages over many windows asks for each once: a few are enough.
        self._derived[name] = found
        while len(self._derived) > _KEPT_DERIVED:
            del self._derived[next(iter(self._derived))]
        return found

    def ids(self) -> dict[Any, int]:
        """Index the rows.

        Returns:
            Each record's key by its id.
        """
        return self.memo("ids", lambda: {self.value(key, "id"): key for key in self.keys})

    def since(self, field: str, moment: int) -> Sequence[int]:
        """Filter by a timestamp.

        Args:
            field: The timestamp's field.
            moment: The first instant that matches.

        Returns:
            The keys of the matching records in the list's order.
        """
        return self.memo(("since", field, moment), lambda: [k for k in self.keys if self.value(k, field) >= moment])

    def replace(self, records: Sequence[Record]) -> None:
        """Put other records in the place of all.

        Args:
            records: The new records, in the order to serve them in.
        """
        first = self._next_key
        self._next_key += len(records)
        self._own = dict(zip(range(first, self._next_key), records, strict=True))
        self._bodies.clear()
        self._set_keys(list(self._own))

    def append(self, record: Record) -> None:
        """Add a record at the end.

        Args:
            record: The new record.
        """
        self._own[self._next_key] = record
        self._set_keys([*self.keys, self._next_key])
        self._next_key += 1

    def change(self, key: int, record: Record) -> None:
        """Put another version of a record in its place.

        Args:
            key: The record's key.
            record: The new version.
        """
        self._own[key] = record
        for omit in self._omits:
            self._bodies.drop((key, omit))
        self._derived.clear()

    def remove(self, key: int) -> None:
        """Take a record out.

        Args:
            key: The record's key.
        """
        self._own.pop(key, None)
        self._set_keys([kept for kept in self.keys if kept != key])

    def _set_keys(self, keys: Sequence[int]) -> None:
        self.keys = keys
        self._derived.clear()
