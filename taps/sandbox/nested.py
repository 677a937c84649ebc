"""Child collections: a list for each parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taps.sandbox.rows import Record


class Nested:
    """The lists of one child collection, made from the parent's id or put there by hand.

    Args:
        make: Makes a parent's list from its id, always the same.
        count: Knows that list's length without making it.
    """

    def __init__(self, make: Callable[[int], list[Record]], count: Callable[[int], int] | None = None) -> None:
        self._make = make
        self._count = count
        self._own: dict[Any, list[Record]] = {}

    def of(self, parent: Any) -> list[Record]:
        """Give a parent's list.

        Args:
            parent: The parent's id.

        Returns:
            The records; to change them, hand another list to `put`.
        """
        own = self._own.get(parent)
        return self._make(parent) if own is None else own

    def count(self, parent: Any) -> int:
        """Count a parent's list.

        Args:
            parent: The parent's id.

        Returns:
            Its length.
        """
        if self._count is None or parent in self._own:
            return len(self.of(parent))
        return self._count(parent)

    def put(self, parent: Any, records: Sequence[Record]) -> None:
        """Put another list in the place of a parent's.

        Args:
            parent: The parent's id.
            records: The new records, in the order to serve them in.
        """
        self._own[parent] = list(records)

    def forget(self) -> None:
        """Empty all lists: a parent that takes the place of a made-up one may have its id, but not its children."""
        self._make, self._count, self._own = (lambda _: []), None, {}
