"""What a request asks for in its query, and what it is told when it asks for something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from taps.sandbox.answers import Refusal

_NUMBER = re.compile(r"\d{1,12}", re.ASCII)


class Parameters:
    """A request's query parameters.

    Args:
        query_string: The query as it was sent.
        allowed: The parameters that this path knows.
        refusal: Makes the API's refusal over a parameter from its name and what is wrong with it.

    Raises:
        Refusal: There is a parameter that the path does not know, or one twice.
    """

    def __init__(self, query_string: bytes, allowed: Collection[str], refusal: Callable[[str, str], Refusal]) -> None:
        self._pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
        self._values = dict(self._pairs)
        self._refusal = refusal
        for name, _ in self._pairs:
            if name not in allowed:
                raise refusal(name, "there is no such parameter")
        if len(self._values) < len(self._pairs):
            # A client that adds its own parameters to a link that has them already sends them twice.
            raise refusal(",".join(name for name, _ in self._pairs), "a parameter is given twice")

    def whole(self, name: str, default: int | None = None, *, least: int = 0) -> int | None:
        """Read a whole number.

        Args:
            name: The parameter.
            default: What stands where the parameter is not given.
            least: The least that it may be.

        Returns:
            The number.
        """
        text = self._values.get(name)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text) or int(text) < least:
            raise self._refusal(name, f"it is a whole number from {least}")
        return int(text)

    def size(self, names: Collection[str], cap: int) -> int:
        """Read how many records a page may hold.

        Args:
            names: The parameters that say so.
            cap: The most that the server gives.

        Returns:
            The least of them all.
        """
        given = [number for name in names if (number := self.whole(name, least=1)) is not None]
        return min([cap, *given])

    def without(self, *names: str) -> list[tuple[str, str]]:
        """Give what a link repeats.

        Args:
            *names: The parameters that it does not.

        Returns:
            The other parameters in their order.
        """
        return [pair for pair in self._pairs if pair[0] not in names]


def linked(path: str, pairs: Collection[tuple[str, str]]) -> str:
    """Put a path and a query together.

    Args:
        path: The path.
        pairs: The parameters.

    Returns:
        Such as `/v1/addresses?page=2`.
    """
    return f"{path}?{urlencode(list(pairs))}"
