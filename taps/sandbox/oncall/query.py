"""What a request to the on-call API may ask for, and what it is told when it asks for something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID
from zlib import crc32

from taps.sandbox.answers import Refusal
from taps.sandbox.paging import read_cursor
from taps.sandbox.rows import NO_INSTANT
from taps.sandbox.seeded import mix

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import Scope

LARGEST_PAGE = 100
_DEFAULT_PAGE = 20
_MOMENTS = ("createdAt", "updatedAt")
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
# Sixteen digits would be microseconds, which the API does not take.
_CONDITION = re.compile(r"\s*(createdAt|updatedAt)\s*(>=|<=|>|<)\s*(\d{1,15})\s*", re.ASCII)
_MILLI = 1_000


def trailer(scope: Scope) -> dict[str, Any]:
    """Give what ends every answer.

    Args:
        scope: The request.

    Returns:
        `took` and `requestId`, the same for the same request: pages are kept, and a run is like the next.
    """
    asked = crc32(scope["raw_path"] + b"?" + scope["query_string"])
    number = mix(asked, 1) << 64 | mix(asked, 2)
    return {"took": asked % 900 / 1_000, "requestId": str(UUID(int=number, version=4))}


def refusal(scope: Scope, status: int, message: str) -> Refusal:
    """Refuse a request in the way of this API.

    Args:
        scope: The request.
        status: The HTTP status.
        message: What is wrong.

    Returns:
        The refusal, to be raised.
    """
    return Refusal(status, {"message": message, **trailer(scope)})


class Query:
    """A request's query parameters.

    Attributes:
        pairs: The parameters as they were sent.
        limit: How many records a page may hold.

    Args:
        scope: The request.
        allowed: The parameters that this path knows.

    Raises:
        Refusal: There is a parameter that the path does not know, or `limit` is no such number.
    """

    def __init__(self, scope: Scope, allowed: Collection[str]) -> None:
        self._scope = scope
        self.pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self._values: dict[str, str] = dict(self.pairs)
        for name in self._values:
            if name not in allowed:
                raise self._invalid(f"Parameter [{name}] is not known here")
        self.limit = min(self._whole("limit", _DEFAULT_PAGE, least=1), LARGEST_PAGE)

    def offset(self) -> int:
        """Read where the page starts.

        Returns:
            `offset`, from 0.
        """
        return self._whole("offset", 0, least=0)

    def cursor(self) -> tuple[int, int]:
        """Read where the page of a log starts.

        Returns:
            The position and the page's number that `offset` stands for.
        """
        text = self._values.get("offset")
        position = (0, 0) if text is None else read_cursor(text)
        if position is None:
            raise self._invalid("Parameter [offset] is not one that this API gave")
        return position

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """Read one of several words.

        Args:
            name: The parameter.
            options: The words, the default first.

        Returns:
            The word.
        """
        word = self._values.get(name, options[0])
        if word not in options:
            raise self._invalid(f"Parameter [{name}] should be one of [{', '.join(options)}]")
        return word

    def sort(self) -> str:
        """Read the timestamp to sort by.

        Returns:
            `createdAt` unless `sort` says otherwise.
        """
        return self.choice("sort", _MOMENTS)

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Read which instants match.

        Returns:
            By timestamp the first instant that matches and the first after those.
        """
        found: dict[str, tuple[int, int]] = {}
        text = self._values.get("query", "")
        for part in text.split(" AND ") if text else ():
            match = _CONDITION.fullmatch(part)
            if match is None:
                raise self._invalid(f"Parameter [query] cannot be parsed: {part!r}")
            field, comparison, bound = match[1], match[2], int(match[3]) * _MILLI
            first, stop = found.get(field, (-1, NO_INSTANT + 1))
            if comparison.startswith(">"):
                first = max(first, bound + (comparison == ">"))
            else:
                stop = min(stop, bound + (comparison == "<="))
            found[field] = (first, stop)
        return found

    def at(self, offset: int | str) -> list[tuple[str, str]]:
        """Give the parameters of another page.

        Args:
            offset: Where it starts.

        Returns:
            The parameters in their order, `limit` and `offset` at the end.
        """
        kept = [(name, value) for name, value in self.pairs if name not in {"limit", "offset"}]
        return [*kept, ("limit", str(self.limit)), ("offset", str(offset))]

    def _whole(self, name: str, default: int, *, least: int) -> int:
        text = self._values.get(name)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text) or int(text) < least:
            raise self._invalid(f"Parameter [{name}] should be a whole number from {least}")
        return int(text)

    def _invalid(self, message: str) -> Refusal:
        return refusal(self._scope, 422, message)
