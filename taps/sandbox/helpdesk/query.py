"""What a request to the help desk API may ask for, and what it is told when it asks for something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from taps.sandbox.answers import Refusal
from taps.sandbox.instants import instant
from taps.sandbox.paging import read_cursor

if TYPE_CHECKING:
    from collections.abc import Collection

LARGEST_PAGE = 100
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


def invalid(field: str, message: str, code: str = "invalid_value") -> Refusal:
    """Refuse a request over one of its parameters.

    Args:
        field: The parameter.
        message: What is wrong with it.
        code: `invalid_value` or `invalid_field`.

    Returns:
        The refusal, to be raised.
    """
    errors = [{"field": field, "message": message, "code": code}]
    return Refusal(400, {"description": "Validation failed", "errors": errors})


class Query:
    """A request's query parameters.

    Args:
        query_string: The query as it was sent.
        allowed: The parameters that this path knows.
        strict: Whether a page may not be asked for that is larger than the API gives, and no parameter be given twice.

    Raises:
        Refusal: There is a parameter that the path does not know.
    """

    def __init__(self, query_string: bytes, allowed: Collection[str], *, strict: bool = False) -> None:
        self._pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
        for name, _ in self._pairs:
            if name not in allowed:
                raise invalid(name, "Unexpected/invalid field in request", "invalid_field")
        self._values = dict(self._pairs)
        self._strict = strict
        if strict and len(self._values) < len(self._pairs):
            # A client that adds its own parameters to a link that has them already sends them twice.
            twice = next(name for name in self._values if [one for one, _ in self._pairs].count(name) > 1)
            raise invalid(twice, "It is given twice")

    def size(self, name: str, default: int, cap: int) -> int:
        """Read how many records a page may hold.

        Args:
            name: The parameter.
            default: What stands where the parameter is not given.
            cap: The server's own cap.

        Returns:
            The number, but no more than the API or the cap allows.
        """
        size = self._positive(name, default)
        if self._strict and size > LARGEST_PAGE:
            raise invalid(name, f"It should be a number from 1 to {LARGEST_PAGE}")
        return min(size, LARGEST_PAGE, cap)

    def page(self) -> int:
        """Read which page is asked for.

        Returns:
            `page`, from 1.
        """
        return self._positive("page", 1)

    def cursor(self) -> tuple[int, int]:
        """Read where the page starts.

        Returns:
            The position and the page's number that `cursor` stands for.
        """
        text = self._values.get("cursor")
        position = (0, 0) if text is None else read_cursor(text)
        if position is None:
            raise invalid("cursor", "It is not a cursor that this API gave")
        return position

    def moment(self, name: str) -> int | None:
        """Read a timestamp.

        Args:
            name: The parameter.

        Returns:
            The instant; None where the parameter is not given.
        """
        text = self._values.get(name)
        moment = None if text is None else instant(text)
        if text is not None and moment is None:
            raise invalid(name, "It should be a timestamp like 2025-01-31T08:00:00Z")
        return moment

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
            raise invalid(name, f"It should be one of these values: '{','.join(options)}'")
        return word

    def choices(self, name: str, options: Collection[str]) -> set[str]:
        """Read a list of words.

        Args:
            name: The parameter, its words separated by commas.
            options: The words that are known.

        Returns:
            The words; none where the parameter is not given.
        """
        words = {word for word in self._values.get(name, "").split(",") if word}
        if not words <= set(options):
            raise invalid(name, f"It should be any of these values: '{','.join(options)}'")
        return words

    def others(self, own: str) -> list[tuple[str, str]]:
        """Give what the next page's link repeats.

        Args:
            own: The parameter that it does not: the one that says which page it is.

        Returns:
            All other parameters, in their order.
        """
        return [(name, value) for name, value in self._pairs if name != own]

    def _positive(self, name: str, default: int) -> int:
        text = self._values.get(name)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text) or not int(text):
            raise invalid(name, "It should be a positive whole number")
        return int(text)
