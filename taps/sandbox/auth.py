"""Who may ask: the ways of the APIs to tell who calls."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from taps.sandbox.answers import Refusal, header

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class BasicAuth:
    """Middleware that lets through who knows the key, by HTTP Basic.

    Args:
        app: What is guarded.
        user: The user's name that is asked for, which is the API key.
        password: The password that is asked for.
    """

    def __init__(self, app: ASGIApp, *, user: str, password: str) -> None:
        self._app = app
        self._expected = base64.b64encode(f"{user}:{password}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it with 401.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.

        Raises:
            Refusal: The credentials are missing or others.
        """
        scheme, _, given = (header(scope, b"authorization") or b"").partition(b" ")
        if scheme.lower() != b"basic" or given.strip() != self._expected:
            # What was sent is not repeated: an answer ends up in logs.
            raise Refusal(
                401,
                {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."},
                {"WWW-Authenticate": 'Basic realm="sandbox"'},
            )
        await self._app(scope, receive, send)
