"""What a request to the sales engagement API may ask for, and what it is told when it asks for something else."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from taps.sandbox.answers import Refusal
from taps.sandbox.instants import instant
from taps.sandbox.rows import NO_INSTANT
from taps.sandbox.sales_engagement.streams import MOMENTS

if TYPE_CHECKING:
    from taps.sandbox.sales_engagement.streams import Stream

LARGEST_PAGE = 1_000
_DEFAULT_PAGE = 50
_AFTER = "page[after]"
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
#: Finer fractions than milliseconds.
_TOO_FINE = re.compile(r"\.\d{4,}", re.ASCII)
_CURSOR_PARTS = 3


def failure(status: int, code: str, title: str, detail: str) -> Refusal:
    """Refuse a request in the way of this API.

    Args:
        status: The HTTP status.
        code: The error's id, such as `validationError`.
        title: The error in a few words.
        detail: What is wrong.

    Returns:
        The refusal, to be raised.
    """
    return Refusal(status, {"errors": [{"id": code, "status": status, "title": title, "detail": detail}]})


def invalid(name: str, detail: str, status: int = 422) -> Refusal:
    """Refuse a request over one of its parameters.

    Args:
        name: The parameter.
        detail: What is wrong with it.
        status: The HTTP status.

    Returns:
        The refusal, to be raised.
    """
    return failure(status, "validationError", "Validation Error", f"{name}: {detail}")


class Query:
    """A request's query parameters.

    Attributes:
        size: How many records a page may hold.
        counted: Whether the answer carries the number of all records.
        sort: The timestamp to sort by; None for the order of the ids.
        descending: Whether the latest come first.
        filters: The first and the last instant that match, by timestamp.
        after: The rank of the last record that was given and the page's number from 0; None for the first page.

    Args:
        query_string: The query as it was sent.
        stream: The collection that is asked for.
        strict: Whether a page may not be asked for that is larger than the API gives, and no parameter be given twice.
        unknown: The status of the refusal of a parameter that is not known.

    Raises:
        Refusal: Something is asked for that the collection does not offer.
    """

    def __init__(self, query_string: bytes, stream: Stream, *, strict: bool = False, unknown: int = 422) -> None:
        self._pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
        values = dict(self._pairs)
        if strict and len(values) < len(self._pairs):
            raise invalid(",".join(name for name, _ in self._pairs), "a parameter is given twice", unknown)
        self.size = self._size(values.pop("page[size]", None), strict=strict)
        self.counted = self._flag("count", values.pop("count", "true"))
        sort = values.pop("sort", "id")
        self.descending = sort.startswith("-")
        field = sort.removeprefix("-")
        if field != "id" and field not in stream.sorts:
            raise invalid("sort", f"{stream.type} cannot be sorted by {field!r}")
        self.sort = None if field == "id" else field
        self.filters = {}
        for name in MOMENTS:
            text = values.pop(f"filter[{name}]", None)
            if text is not None:
                if name not in stream.filters:
                    raise invalid(f"filter[{name}]", f"{stream.type} cannot be filtered by it")
                self.filters[name] = _range(f"filter[{name}]", text)
        after = values.pop(_AFTER, None)
        self.after = None if after is None else _read_cursor(after)
        for name in values:
            raise invalid(name, "it is not a parameter of this collection", unknown)

    def others(self) -> list[tuple[str, str]]:
        """Give what the links repeat.

        Returns:
            All parameters but the cursor, in their order.
        """
        return [(name, value) for name, value in self._pairs if name != _AFTER]

    def following(self, rank: tuple[int, int], page: int) -> list[tuple[str, str]]:
        """Give the parameters of the next page.

        Args:
            rank: The rank of the last record given so far.
            page: The next page's number from 0.

        Returns:
            The parameters, with the cursor.
        """
        cursor = base64.urlsafe_b64encode(json.dumps([*rank, page]).encode()).decode().rstrip("=")
        return [*self.others(), (_AFTER, cursor)]

    def _size(self, text: str | None, *, strict: bool) -> int:
        if text is None:
            return _DEFAULT_PAGE
        if not _WHOLE.fullmatch(text) or not int(text):
            raise invalid("page[size]", "it should be a positive whole number")
        if strict and int(text) > LARGEST_PAGE:
            raise invalid("page[size]", f"it should be {LARGEST_PAGE} at most")
        return min(int(text), LARGEST_PAGE)

    def _flag(self, name: str, text: str) -> bool:
        if text not in {"true", "false"}:
            raise invalid(name, "it should be true or false")
        return text == "true"


def _range(name: str, text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    if not dots:
        raise invalid(name, "it should be a range such as 2025-01-31T08:00:00.000Z..inf")
    return (
        -NO_INSTANT if first == "neginf" else _moment(name, first),
        NO_INSTANT if last == "inf" else _moment(name, last),
    )


def _moment(name: str, text: str) -> int:
    moment = instant(text)
    if moment is None or _TOO_FINE.search(text):
        raise invalid(name, f"{text!r} is no timestamp with milliseconds at most")
    return moment


def _read_cursor(cursor: str) -> tuple[tuple[int, int], int]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        parts = None
    if not isinstance(parts, list) or len(parts) != _CURSOR_PARTS or not all(type(part) is int for part in parts):
        raise invalid(_AFTER, "it is not a cursor that this API gave")
    return (parts[0], parts[1]), parts[2]
