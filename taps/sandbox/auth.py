"""Who may ask: the ways of the APIs to tell who calls."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from taps.sandbox.answers import Refusal, header

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send


_UNKNOWN = {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}


def basic(scope: Scope) -> tuple[bytes, bytes] | None:
    """Read the credentials of HTTP Basic.

    Args:
        scope: The request.

    Returns:
        User and password, or None where there are none.
    """
    scheme, _, given = (header(scope, b"authorization") or b"").partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(given.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if colon else None


class BasicAuth:
    """Middleware that lets through who knows the key, by HTTP Basic.

    Args:
        app: What is guarded.
        user: The user's name that is asked for, which is the API key.
        passwords: The passwords of which one is asked for; None for any.
        refusal: The body of the answer to everybody else.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        user: str,
        passwords: Collection[str] | None,
        refusal: Mapping[str, Any] = _UNKNOWN,
    ) -> None:
        self._app = app
        self._user = user.encode()
        self._passwords = None if passwords is None else {password.encode() for password in passwords}
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it with 401.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.

        Raises:
            Refusal: The credentials are missing or others.
        """
        user, password = basic(scope) or (b"", b"")
        if user != self._user or (self._passwords is not None and password not in self._passwords):
            # What was sent is not repeated: an answer ends up in logs.
            raise Refusal(401, self._refusal, {"WWW-Authenticate": 'Basic realm="sandbox"'})
        await self._app(scope, receive, send)


class QueryKey:
    """Middleware that lets through who knows the key, as `api_key` in the query, or a bearer token where there is one.

    Args:
        app: What is guarded.
        key: The key that is asked for.
        token: The token that is taken instead; None where the API knows no tokens.
        refusal: The body of the answer to everybody else.
    """

    def __init__(self, app: ASGIApp, *, key: str, token: str | None = None, refusal: Mapping[str, Any]) -> None:
        self._app = app
        self._key = key
        self._token = None if token is None else token.encode()
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it with 401.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.

        Raises:
            Refusal: The credentials are missing or others.
        """
        given = [value for name, value in _pairs(scope) if name == "api_key"]
        scheme, _, token = (header(scope, b"authorization") or b"").partition(b" ")
        bearer = self._token is not None and scheme.lower() == b"bearer" and token.strip() == self._token
        # A key that is sent twice is a mistake that real servers are not of one mind about.
        if given != [self._key] and not (bearer and not given):
            raise Refusal(401, self._refusal)
        await self._app(scope, receive, send)


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
