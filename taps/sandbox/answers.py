"""How the sandbox answers: bodies that are compressed once, and refusals as JSON."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from taps.sandbox.rows import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import Scope, Send

#: The key of a request's scope under which is left what its path began with, where several servers are one.
PREFIX = "sandbox.prefix"
#: Below this a compressed body is no shorter.
_WORTH_COMPRESSING = 200


class Content:
    """A body that may be sent many times, plain or compressed.

    Args:
        plain: The body's bytes.
    """

    __slots__ = ("_gzip", "plain")

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._gzip: bytes | None = None

    def compressed(self) -> bytes:
        """Give the body in gzip, compressed at the first call only.

        Returns:
            The gzip bytes, the same in every run.
        """
        if self._gzip is None:
            self._gzip = gzip.compress(self.plain, compresslevel=1, mtime=0)
        return self._gzip


class Refusal(Exception):  # noqa: N818 - an API's refusal is an answer, not an error of the sandbox
    """An answer other than the one asked for, raised where it is found out.

    Args:
        status: The HTTP status.
        body: The JSON body.
        headers: Further headers.
    """

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Json(Response):
    """A JSON answer that keeps every digit of every number.

    Args:
        content: The JSON value.
        status_code: The HTTP status.
        headers: Further headers.
    """

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(encode(content), status_code, headers)


def refuse(_request: Request, refusal: Exception) -> Response:
    """Turn a refusal into its answer (an exception handler for Starlette).

    Args:
        _request: The request that is refused.
        refusal: The refusal.

    Returns:
        The answer.
    """
    assert isinstance(refusal, Refusal)  # noqa: S101 - Starlette types the handler of a class as one of all exceptions
    return Json(refusal.body, refusal.status, refusal.headers)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Find a request's header.

    Args:
        scope: The request.
        name: The header's name in lower case.

    Returns:
        Its first value, or None.
    """
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value for key, value in headers if key == name), None)


def origin(scope: Scope) -> str:
    """Tell under which address the client reached the sandbox.

    Args:
        scope: The request.

    Returns:
        Scheme, host and port, such as `http://127.0.0.1:8000`, and the prefix of an account where there are several.
    """
    host = header(scope, b"host")
    if not host:
        host = ":".join(str(part) for part in scope["server"]).encode()
    return f"{scope['scheme']}://{host.decode('latin-1')}{scope.get(PREFIX, '')}"


async def send_content(scope: Scope, send: Send, content: Content, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a body with status 200, compressed where the client takes that.

    Args:
        scope: The request.
        send: Where the answer goes.
        content: The body.
        headers: Further headers.
    """
    all_headers = [(b"content-type", b"application/json"), (b"vary", b"Accept-Encoding"), *headers]
    body = content.plain
    if len(body) >= _WORTH_COMPRESSING and b"gzip" in (header(scope, b"accept-encoding") or b""):
        body = content.compressed()
        all_headers.append((b"content-encoding", b"gzip"))
    all_headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
