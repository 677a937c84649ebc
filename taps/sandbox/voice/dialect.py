"""The forms in which the voice API is asked, of which this is the neutral one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


def invalid(name: str, reason: str) -> Refusal:
    """Refuse a request over one of its parameters.

    Args:
        name: The parameter.
        reason: What is wrong with it.

    Returns:
        The refusal, to be raised.
    """
    return Refusal(400, {"error": "InvalidParameter", "description": f"{name}: {reason}"})


def unprocessable(name: str, reason: str) -> Refusal:
    """Refuse a request for an export over one of its parameters.

    Args:
        name: The parameter.
        reason: What is wrong with it.

    Returns:
        The refusal, to be raised.
    """
    return Refusal(422, {"error": "UnprocessableEntity", "description": f"{name}: {reason}"})


class Dialect:
    """The neutral form: paths below `/v1`, the key in the query.

    Attributes:
        key: The parameter with the key.
        root: What all paths begin with.
        own: The parameters that every path takes.
        sizes: Those that say how many records a page may hold.
    """

    key = "api_key"
    root = "/v1"
    own: Sequence[str] = (key,)
    sizes: Sequence[str] = ("per_page", "limit")

    def admit(self, _stream: str) -> None:
        """Refuse a request for a collection that the account does not have.

        Args:
            _stream: The collection's name.
        """

    def check_start(self, _start: int) -> None:
        """Refuse an export that begins where none may.

        Args:
            _start: The second that it begins at.
        """

    def unprocessable(self, name: str, reason: str) -> Refusal:
        """Refuse a request for an export over one of its parameters.

        Args:
            name: The parameter.
            reason: What is wrong with it.

        Returns:
            The refusal, to be raised.
        """
        return unprocessable(name, reason)
