"""The forms in which the help desk's records are asked for and given: the neutral one, and a vendor's product's.

The vendor's is there for programs that know no other: it has the paths, parameters and shapes of the product that
the neutral API stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.answers import Content
from taps.sandbox.instants import SECOND, instant, stamp
from taps.sandbox.rows import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taps.sandbox.rows import Record, Rows

_HUGE = 1 << 63
_NONE: frozenset[str] = frozenset()


class Dialect:
    """The neutral form: records under `data`, `limit`, links with a cursor.

    Attributes:
        root: What all paths begin with.
        size: The parameter that says how many records a page may hold.
        usual_size: How many it holds where that is not given.
        numbered: Whether every list goes by page number, with a link to the next page.
        includes: What else may be asked to be included in tickets; it is always there.
        filters: Values of the tickets' parameter `filter`; there are no tickets of those kinds.

    Args:
        huge_numbers: Whether custom fields may hold numbers beyond 64 bits, which some programs cannot read at all.
    """

    root = "/v1"
    size = "limit"
    usual_size = 100
    numbered = False
    includes: Sequence[str] = ()
    filters: tuple[str, ...] = ()

    def __init__(self, *, huge_numbers: bool = True) -> None:
        self._huge_numbers = huge_numbers

    def row(self, rows: Rows, key: int, omit: frozenset[str] = _NONE) -> bytes:
        """Give a record of a top-level list as it is sent.

        Args:
            rows: The list.
            key: The record's key.
            omit: Fields to leave out.

        Returns:
            The record's JSON.
        """
        if self._huge_numbers:
            return rows.body(key, omit)
        return encode(self._shown(rows.record(key), omit))

    def child(self, record: Record) -> bytes:
        """Give a record of a child list as it is sent.

        Args:
            record: The record.

        Returns:
            The record's JSON.
        """
        return encode(record)

    def wrap(self, bodies: Sequence[bytes]) -> Content:
        """Make a page.

        Args:
            bodies: The records' JSON.

        Returns:
            The page's body.
        """
        return Content(b'{"data":[' + b",".join(bodies) + b"]}")

    def single(self, record: Record) -> Content:
        """Make an answer that is one record.

        Args:
            record: The record.

        Returns:
            The answer's body.
        """
        return Content(encode({"data": record}))

    def _shown(self, record: Record, omit: frozenset[str]) -> Record:
        shown = {name: value for name, value in record.items() if name not in omit}
        if not self._huge_numbers and isinstance(custom := shown.get("custom_fields"), dict):
            shown["custom_fields"] = {name: value for name, value in custom.items() if not _is_huge(value)}
        return shown


class VendorDialect(Dialect):
    """The product's form: bare arrays, `per_page`, links with a page number, whole seconds in UTC, `user_id`."""

    root = "/api/v2"
    size = "per_page"
    usual_size = 30
    numbered = True
    includes = ("company",)
    filters = ("deleted", "spam")

    def row(self, rows: Rows, key: int, omit: frozenset[str] = _NONE) -> bytes:
        """See `Dialect.row`."""
        return encode(_as_at_vendor(self._shown(rows.record(key), omit)))

    def child(self, record: Record) -> bytes:
        """See `Dialect.child`."""
        return encode(_as_at_vendor(record))

    def wrap(self, bodies: Sequence[bytes]) -> Content:
        """See `Dialect.wrap`."""
        return Content(b"[" + b",".join(bodies) + b"]")

    def single(self, record: Record) -> Content:
        """See `Dialect.single`."""
        return Content(encode(record))


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and not -_HUGE <= value < _HUGE


def _as_at_vendor(record: Record) -> Record:
    return {
        "user_id" if name == "customer_id" else name: _whole_seconds(value) if name.endswith("_at") else value
        for name, value in record.items()
    }


def _whole_seconds(value: Any) -> Any:
    moment = instant(value)
    return value if moment is None else stamp(moment // SECOND * SECOND)
