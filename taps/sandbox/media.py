"""What answers are called, where that is not JSON as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_JSON = b"application/json"


class MediaType:
    """Middleware that calls JSON answers by another name.

    Args:
        app: What answers.
        media_type: The name.
        base: What the paths begin with whose answers have it.
    """

    def __init__(self, app: ASGIApp, *, media_type: str, base: str) -> None:
        self._app = app
        self._name = media_type.encode()
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.
        """

        async def call(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, self._name if name.lower() == b"content-type" and value == _JSON else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        plain = self._name == _JSON or not scope["path"].startswith(self._base)
        await self._app(scope, receive, send if plain else call)
