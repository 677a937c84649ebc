"""How a fault is done to an answer."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from email.utils import formatdate
from gzip import compress
from typing import TYPE_CHECKING, Any, NamedTuple

from taps.sandbox.answers import PREFIX, origin
from taps.sandbox.faults import Fault, Faults, Kind
from taps.sandbox.rows import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The key of a request's scope under which the protocol leaves the connection, for faults below HTTP.
TRANSPORT = "sandbox.transport"
#: The key of a request's scope under which the server leaves what closes its door for some seconds.
REFUSE = "sandbox.refuse"
#: The key of a request's scope under which the name of the fault is left for the journal.
STRUCK = "sandbox.fault"
#: How a query's parameter that must not be repeated begins.
SECRET_PARAMETER = b"api_key="

_DATE_AHEAD = 2
_ON_ITS_WAY = 0.05  # seconds; what is still on its way when a connection is reset is lost
_HTML = (
    b"<!DOCTYPE html><html><head><title>Just a moment</title></head><body><h1>Down for maintenance</h1></body></html>"
)
_JSON = (b"content-type", b"application/json")
_MESSAGES = {
    400: "Validation failed",
    401: "You have to be logged in to perform this action.",
    403: "You are not authorized to perform this action.",
    404: "There is no such resource.",
    429: "You have used up the requests that you may send a minute.",
}


class Breakage:
    """Middleware that makes requests go wrong.

    Args:
        app: What answers.
        faults: The faults in force.
        prefix_spared: Paths that begin like this never go wrong.
        link: Where in the body the next page's link is, from the outside in; None for the `Link` header.
        failure: Makes the body of an error status.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        faults: Faults,
        prefix_spared: str,
        link: Sequence[str] | None,
        failure: Callable[[Scope, int, str, str], Mapping[str, Any]],
    ) -> None:
        self._app = app
        self._faults = faults
        self._spared = prefix_spared
        self._link = link
        self._failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, rightly or not.

        Args:
            scope: The request.
            receive: Where its body comes from.
            send: Where the answer goes.
        """
        if scope["path"].startswith(self._spared):
            await self._app(scope, receive, send)
            return
        late, fault, before = self._faults.strike(scope["path"], _target(scope, keep_secrets=False))
        if late:
            scope[STRUCK] = Kind.SLOW.value
            await asyncio.sleep(late)
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope[STRUCK] = fault.name
        if fault.kind is None:
            message = _MESSAGES.get(fault.status, f"The sandbox was asked to answer {fault.status}.")
            failure = self._failure(scope, fault.status, f"sandbox_{fault.status}", message)
            await _send(send, fault.status, _error_headers(fault), encode(failure))
        elif fault.kind in _SILENT:
            await _SILENT[fault.kind](fault, scope, receive)
        elif fault.kind in _FIXED:
            content_type, body = _FIXED[fault.kind]
            await _send(send, 200, [(b"content-type", content_type)], body)
        elif fault.kind is Kind.REDIRECT:
            target = f"{_elsewhere(fault, scope)}{_target(scope)}".encode("latin-1")
            await _send(send, 302, [(b"location", target)], b"")
        else:
            answer = await _answer(self._app, scope, receive)
            if fault.kind in _LINKS:
                leads_to = {Kind.FOREIGN_LINK: _elsewhere(fault, scope) + _target(scope, keep_secrets=False)}
                leads_to[Kind.SELF_LINK] = origin(scope) + _target(scope, keep_secrets=False)
                leads_to[Kind.CYCLE_LINK] = origin(scope) + before
                await _send(send, *_linked(answer, leads_to[fault.kind], self._link))
            elif fault.kind in _SPOILED:
                await _send(send, *_SPOILED[fault.kind](answer, fault))
            else:
                await _interrupt(fault, answer, scope, receive, send)


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_FIXED = {
    Kind.HTML: (b"text/html; charset=utf-8", _HTML),
    Kind.EMPTY: (b"application/json", b""),
    Kind.NULL: (b"application/json", b"null"),
}


_LINKS = frozenset({Kind.FOREIGN_LINK, Kind.SELF_LINK, Kind.CYCLE_LINK})


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> _Answer:
    # Asked for plain: what is to be spoiled must be readable first.
    kept = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app({**scope, "headers": kept}, receive, collect)
    start = messages[0]
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    return _Answer(start["status"], headers, b"".join(message.get("body", b"") for message in messages[1:]))


async def _refuse(fault: Fault, scope: Scope, receive: Receive) -> None:
    scope[REFUSE](fault.seconds)
    await _until_gone(receive)


async def _say_nothing(_fault: Fault, _scope: Scope, receive: Receive) -> None:
    await _until_gone(receive)


async def _reset_at_once(_fault: Fault, scope: Scope, receive: Receive) -> None:
    await _reset(scope, receive)


async def _reset_in_headers(_fault: Fault, scope: Scope, receive: Receive) -> None:
    scope[TRANSPORT].write(b"HTTP/1.1 200 OK\r\ncontent-type: application/js")
    await asyncio.sleep(_ON_ITS_WAY)
    await _reset(scope, receive)


_SILENT: Mapping[Kind, Callable[[Fault, Scope, Receive], Awaitable[None]]] = {
    Kind.REFUSED: _refuse,
    Kind.SILENT: _say_nothing,
    Kind.RESET: _reset_at_once,
    Kind.RESET_HEADERS: _reset_in_headers,
}


async def _interrupt(fault: Fault, answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Promise a whole body, and keep the promise late or never."""
    status, headers, body = answer
    first = b"" if fault.kind is Kind.RESET_START else body[: len(body) // 2]
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    if fault.kind is Kind.SLOW_BODY:
        await asyncio.sleep(fault.seconds)
        await send({"type": "http.response.body", "body": body[len(first) :]})
    elif fault.kind is Kind.TRUNCATED:
        scope[TRANSPORT].close()
        await _until_gone(receive)
    else:
        await asyncio.sleep(_ON_ITS_WAY)
        await _reset(scope, receive)


def _gzip_cut(answer: _Answer, _fault: Fault) -> _Answer:
    packed = compress(answer.body, compresslevel=1, mtime=0)
    headers = [*answer.headers, (b"content-encoding", b"gzip")]
    return answer._replace(headers=headers, body=packed[: len(packed) * 2 // 3])


_SPOILED: Mapping[Kind, Callable[[_Answer, Fault], _Answer]] = {
    Kind.SHAPE: lambda answer, _: answer._replace(body=encode(_other_shape(json.loads(answer.body)))),
    Kind.NULLS: lambda answer, _: answer._replace(body=encode(_nulls(json.loads(answer.body)))),
    Kind.MALFORMED: lambda answer, _: answer._replace(body=answer.body[: len(answer.body) * 2 // 3]),
    Kind.BULKY: lambda answer, fault: answer._replace(body=answer.body + b" " * (fault.megabytes << 20)),
    Kind.GZIP_CUT: _gzip_cut,
}


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _reset(scope: Scope, receive: Receive) -> None:
    transport = scope[TRANSPORT]
    # With this option a close sends RST rather than FIN.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    # The server takes an answer that is never finished for a bug, unless the client is known to be gone by then.
    while (await receive())["type"] != "http.disconnect":
        pass


def _linked(answer: _Answer, target: str, link: Sequence[str] | None) -> _Answer:
    if link is None:
        kept = [pair for pair in answer.headers if pair[0] != b"link"]
        return answer._replace(headers=[*kept, (b"link", f'<{target}>; rel="next"'.encode("latin-1"))])
    try:
        whole = json.loads(answer.body)
    except ValueError:
        return answer
    # An answer without the outer parts, such as a last page, gets them: the link must lead astray from any page.
    holder = whole
    for name in link[:-1]:
        if not isinstance(holder, dict):
            return answer
        if not isinstance(holder.get(name), dict):
            holder[name] = {}
        holder = holder[name]
    if not isinstance(holder, dict):
        return answer
    holder[link[-1]] = target
    return answer._replace(body=encode(whole))


def _elsewhere(fault: Fault, scope: Scope) -> str:
    return f"{fault.to}{scope.get(PREFIX, '')}"


def _target(scope: Scope, *, keep_secrets: bool = True) -> str:
    path: bytes = scope["raw_path"]
    parts = [part for part in scope["query_string"].split(b"&") if part]
    if not keep_secrets:
        # As in the links that the APIs give, which do not repeat the key either.
        parts = [part for part in parts if not part.startswith(SECRET_PARAMETER)]
    return (path + b"?" + b"&".join(parts) if parts else path).decode("latin-1")


def _error_headers(fault: Fault) -> list[tuple[bytes, bytes]]:
    if fault.retry_after is None:
        return [_JSON]
    text = str(fault.retry_after)
    if text.startswith("date"):
        ahead = int(text.removeprefix("date") or _DATE_AHEAD)
        text = formatdate(time.time() + ahead, usegmt=True)
    return [_JSON, (b"retry-after", text.encode())]


def _other_shape(value: Any) -> Any:
    if not isinstance(value, dict):
        return {}
    return {
        name: {} if isinstance(part, list) else [] if isinstance(part, dict) else part for name, part in value.items()
    }


def _nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [None] * max(1, len(value))
    if not isinstance(value, dict):
        return value
    lists = any(isinstance(part, list) for part in value.values())
    return {
        name: _nulls(part) if isinstance(part, list) else None if isinstance(part, dict) and not lists else part
        for name, part in value.items()
    }
