"""Taps whose connection is a function: all of the client is at work but the sockets."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from urllib3 import HTTPHeaderDict, HTTPResponse

import taps_under_test
from taps.engine.auth import basic_auth
from taps.sandbox.apis import APIS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

BASE_URL = "http://127.0.0.1:9"

TAPS = {tap.api: tap.tap_class for tap in taps_under_test.TAPS}

JSON: Mapping[str, str] = {"Content-Type": "application/json"}


class Reply(NamedTuple):
    """What the other side answers."""

    body: bytes
    headers: Mapping[str, str] = JSON
    status: int = 200


class Asked(NamedTuple):
    """What the other side is asked for; parameters are those of the whole address."""

    url: str
    path: str
    params: Mapping[str, str]


class _Connections:
    """Takes the place of the connections of a transport."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self._answer = answer

    def get(self, request: PreparedRequest, timeout: float) -> HTTPResponse:
        url = str(request.url)
        parts = urlsplit(url)
        reply = self._answer(Asked(url, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))))
        return HTTPResponse(io.BytesIO(reply.body), HTTPHeaderDict(reply.headers), reply.status, preload_content=False)


def wired(
    tap_class: type[ApiTap],
    answer: Callable[[Asked], Reply],
    *,
    writer: Any = None,
    state: dict[str, Any] | None = None,
    **settings: Any,
) -> ApiTap:
    """Make a tap that asks a function, once for each page."""
    api = next(name for name, known in TAPS.items() if known is tap_class)
    credentials = {name: value.format(base_url=BASE_URL) for name, value in APIS[api].credentials.items()}
    config = {**credentials, "base_url": BASE_URL, "max_retries": 0, "backoff_factor": 0, **settings}
    tap = tap_class(config=config, state=state, message_writer=writer)
    made: Any = tap
    made.authenticator = lambda: basic_auth("k3y", "X")  # a token would have to be asked for first
    made.http._transport._connections = _Connections(answer)
    return tap


def stream_of(tap: ApiTap, declared: type[ApiStream]) -> ApiStream:
    """Give a tap's stream of a class."""
    found: Any = tap.streams[declared.name]
    stream: ApiStream = found
    return stream
