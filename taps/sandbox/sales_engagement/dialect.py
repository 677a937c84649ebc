"""The forms in which the sales engagement API is asked, of which this is the neutral one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import Scope

    from taps.sandbox.answers import Refusal
    from taps.sandbox.sales_engagement.streams import Stream


class Dialect:
    """The neutral form: paths below `/v1`, any `Accept`.

    Attributes:
        root: What all paths begin with.
        strict: Whether a request is refused that asks for more than there is.
        unknown: The status of the refusal of a parameter that is not known.
        scattered: Whether records come in no order, whatever is asked for.
    """

    root = "/v1"
    strict = False
    unknown = 422
    scattered = False

    def check(self, _scope: Scope) -> None:
        """Refuse a request whose headers are not as they should be.

        Args:
            _scope: The request.
        """

    def check_form(self, _names: Collection[str]) -> None:
        """Refuse a request for a token that has other fields than it should.

        Args:
            _names: The fields' names.
        """

    def admit(self, _stream: Stream) -> None:
        """Refuse a request for a collection that the token does not give access to.

        Args:
            _stream: The collection.
        """

    def refusal(self, refusal: Refusal) -> Refusal:
        """Give a refusal its form.

        Args:
            refusal: The refusal in the neutral form.

        Returns:
            The refusal to send.
        """
        return refusal
