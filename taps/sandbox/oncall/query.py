"""What a request to the on-call API may ask for, and what it is told when it asks for something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from taps.sandbox.oncall.dialect import MOMENTS
from taps.sandbox.paging import read_cursor
from taps.sandbox.rows import NO_INSTANT

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import Scope

    from taps.sandbox.answers import Refusal
    from taps.sandbox.oncall.dialect import Dialect

LARGEST_PAGE = 100
_DEFAULT_PAGE = 20
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
# Sixteen digits would be microseconds, which the API does not take.
_CONDITION = re.compile(r"\s*(createdAt|updatedAt)\s*(>=|<=|>|<)\s*(\d{1,15})\s*", re.ASCII)


class Query:
    """A request's query parameters.

    Attributes:
        pairs: The parameters as they were sent.
        limit: How many records a page may hold.

    Args:
        scope: The request.
        allowed: The parameters that this path knows.
        dialect: The form in which is asked.

    Raises:
        Refusal: There is a parameter that the path does not know, or the size of a page is no such number.
    """

    def __init__(self, scope: Scope, allowed: Collection[str], dialect: Dialect) -> None:
        self._scope = scope
        self._dialect = dialect
        self.pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self._values: dict[str, str] = dict(self.pairs)
        for name in self._values:
            if name not in allowed:
                raise dialect.refusal(scope, dialect.unknown, f"Parameter [{name}] is not known here")
        if dialect.strict and len(self._values) < len(self.pairs):
            raise dialect.refusal(scope, dialect.unknown, "A parameter is given twice")
        size = self._whole(dialect.size, _DEFAULT_PAGE, least=1)
        if dialect.strict and size > LARGEST_PAGE:
            raise self._invalid(f"Parameter [{dialect.size}] should be {LARGEST_PAGE} at most")
        self.limit = min(size, LARGEST_PAGE)

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
        return self.choice("sort", MOMENTS)

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
            field, comparison, bound = match[1], match[2], int(match[3]) * self._dialect.unit(match[3])
            if field not in self._dialect.searched:
                raise self._invalid(f"Parameter [query] cannot be parsed: {field} is no field to search by")
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
            The parameters in their order, those that say which page it is at the end.
        """
        kept = [(name, value) for name, value in self.pairs if name not in {self._dialect.size, "offset"}]
        return [*kept, (self._dialect.size, str(self.limit)), ("offset", str(offset))]

    def _whole(self, name: str, default: int, *, least: int) -> int:
        text = self._values.get(name)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text) or int(text) < least:
            raise self._invalid(f"Parameter [{name}] should be a whole number from {least}")
        return int(text)

    def _invalid(self, message: str) -> Refusal:
        return self._dialect.refusal(self._scope, 422, message)
