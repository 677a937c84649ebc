"""The forms in which the help desk's records are asked for and given: the neutral one, and a vendor's beside it.

The vendor's is there for programs that know no other: it has the paths, parameters and shapes of the product that
the neutral API stands for, and is lenient. What the product itself is strict about, and has on top, is in `freshdesk`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.answers import Content
from taps.sandbox.instants import SECOND, instant, stamp
from taps.sandbox.rows import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taps.sandbox.helpdesk.streams import Stream
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
        strict: Whether a request is refused that asks for more than there is.
        exclusive: Whether what changed since a time leaves out what changed at that very time.

    Args:
        huge_numbers: Whether custom fields may hold numbers beyond 64 bits, which some programs cannot read at all.
    """

    root = "/v1"
    size = "limit"
    usual_size = 100
    numbered = False
    includes: Sequence[str] = ()
    strict = False
    exclusive = False

    def __init__(self, *, huge_numbers: bool = True) -> None:
        self._huge_numbers = huge_numbers

    def paths(self, stream: Stream) -> list[str]:
        """Tell where a collection is.

        Args:
            stream: The collection.

        Returns:
            Its paths below the root.
        """
        return [stream.path.removeprefix(Dialect.root)]

    def filters_of(self, stream: Stream) -> Sequence[tuple[str, str]]:
        """Tell by which parameters a collection is filtered.

        Args:
            stream: The collection.

        Returns:
            The parameters, each with the timestamp's field.
        """
        return stream.filters

    def asides(self, _stream: str) -> Mapping[str, tuple[str, ...]]:
        """Tell which parameter asks for records that the list does not show otherwise.

        Args:
            _stream: The collection's name.

        Returns:
            The parameter with its values; nothing where there are no such records.
        """
        return {}

    def admit(self, _stream: Stream) -> None:
        """Refuse a request for a collection that the account does not have.

        Args:
            _stream: The collection.
        """

    def row(self, _stream: Stream, rows: Rows, key: int, omit: frozenset[str] = _NONE) -> bytes:
        """Give a record of a top-level list as it is sent.

        Args:
            _stream: The collection.
            rows: The list.
            key: The record's key.
            omit: Fields to leave out.

        Returns:
            The record's JSON.
        """
        if self._huge_numbers:
            return rows.body(key, omit)
        return encode(self._shown(rows.record(key), omit))

    def child(self, _stream: Stream, record: Record) -> bytes:
        """Give a record of a child list as it is sent.

        Args:
            _stream: The collection.
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
    includes: Sequence[str] = ("company",)

    def asides(self, stream: str) -> Mapping[str, tuple[str, ...]]:
        """See `Dialect.asides`."""
        return {"filter": ("deleted", "spam")} if stream == "tickets" else {}

    def row(self, _stream: Stream, rows: Rows, key: int, omit: frozenset[str] = _NONE) -> bytes:
        """See `Dialect.row`."""
        return encode(_as_at_vendor(self._shown(rows.record(key), omit)))

    def child(self, _stream: Stream, record: Record) -> bytes:
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
