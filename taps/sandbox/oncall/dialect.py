"""The forms in which the on-call API is asked and answers, of which this is the neutral one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID
from zlib import crc32

from taps.sandbox.answers import Content, Refusal, header
from taps.sandbox.rows import encode
from taps.sandbox.seeded import mix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Scope

    from taps.sandbox.descriptor import Rules
    from taps.sandbox.oncall.streams import Stream

#: The fields by which alerts and incidents are sorted, and searched.
MOMENTS = ("createdAt", "updatedAt")
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


class Dialect:
    """The neutral form: records under `data`, links under `paging`, a key in the header.

    Attributes:
        size: The parameter that says how many records a page may hold.
        strict: Whether a request is refused that asks for more than there is.
        unknown: The status of the refusal of a parameter that is not known.
        searched: The fields that a query may name.

    Args:
        rules: How to serve the records.
    """

    size = "limit"
    strict = False
    unknown = 422
    searched: Sequence[str] = MOMENTS

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._expected: bytes = (rules.options.get("auth_prefix", "") + rules.credentials.get("api_key", "")).encode()

    def paths(self, streams: Mapping[str, Stream]) -> dict[str, dict[str, Stream]]:
        """Tell where the collections are.

        Args:
            streams: The collections by name.

        Returns:
            By what their paths begin with, the collections by the rest.
        """
        return {
            root: {one.path.removeprefix(root): one for one in streams.values() if one.path.startswith(root)}
            for root in ("/v1", "/v2")
        }

    def parameter(self, name: str) -> str:
        """Give a parameter's name.

        Args:
            name: The neutral name.

        Returns:
            The name here.
        """
        return self.size if name == "limit" else name

    def knows(self, scope: Scope) -> bool:
        """Tell whether a request has the credentials.

        Args:
            scope: The request.

        Returns:
            True where it has.
        """
        return (header(scope, b"authorization") or b"") == self._expected

    def admit(self, _scope: Scope, _stream: Stream) -> None:
        """Refuse a request for a collection that the account does not have.

        Args:
            _scope: The request.
            _stream: The collection.
        """

    def unit(self, _number: str) -> int:
        """Tell how many microseconds the number of an instant counts in.

        Args:
            _number: The number as it stands in a query.

        Returns:
            A thousand, as it is milliseconds.
        """
        return _MILLI

    def refusal(self, scope: Scope, status: int, message: str) -> Refusal:
        """Refuse a request in the way of this API.

        Args:
            scope: The request.
            status: The HTTP status.
            message: What is wrong.

        Returns:
            The refusal, to be raised.
        """
        return Refusal(status, failure(scope, status, "", message))

    def envelope(
        self,
        scope: Scope,
        bodies: Sequence[bytes],
        *,
        paging: Mapping[str, str] | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> Content:
        """Make a page.

        Args:
            scope: The request.
            bodies: The records' JSON.
            paging: The links to other pages, where there are pages.
            before: What the body begins with.

        Returns:
            The page's body.
        """
        parts = [encode(before)[1:-1]] if before else []
        parts.append(b'"data":[' + b",".join(bodies) + b"]")
        if paging is not None:
            parts.append(b'"paging":' + encode(paging))
        parts.append(encode(trailer(scope))[1:-1])
        return Content(b"{" + b",".join(parts) + b"}")


def failure(scope: Scope, _status: int, _code: str, message: str) -> dict[str, Any]:
    """Make the body of a refusal.

    Args:
        scope: The request.
        _status: The HTTP status.
        _code: The error's name, which is not told.
        message: What is wrong.

    Returns:
        The body.
    """
    return {"message": message, **trailer(scope)}
