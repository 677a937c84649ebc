"""The contact centre API's paths."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, Router

from taps.sandbox.answers import Content, Refusal
from taps.sandbox.auth import QueryKey
from taps.sandbox.contact_center.store import ContactCenterStore
from taps.sandbox.descriptor import Api, Rules
from taps.sandbox.pages import Page, PageCache
from taps.sandbox.parameters import Parameters

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_STREAMS = ("account_overview", "agents_overview", "current_queue_activity")
_PARAMETERS = ("api_key", "offset", "limit")
_UNAUTHORIZED = {"error": {"code": 401, "message": "The API key is missing or not valid."}}


def routes(store: ContactCenterStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The rows to serve.
        rules: How to serve them.

    Returns:
        One mount, `/v1`.
    """
    pages = PageCache(rules.cache_mb)
    endpoints = [Route(f"/{stream}", _Overview(stream, store, rules, pages)) for stream in _STREAMS]
    guard = Middleware(QueryKey, key=rules.credentials["api_key"], refusal=_UNAUTHORIZED)
    return [Mount("/v1", app=Router(endpoints, redirect_slashes=False, default=_unknown_path), middleware=[guard])]


async def _unknown_path(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise _refusal(404, f"There is no {scope['path']} in this API")


def _refusal(status: int, message: str) -> Refusal:
    return Refusal(status, {"error": {"code": status, "message": message}})


def _invalid(name: str, reason: str) -> Refusal:
    return _refusal(400, f"{name}: {reason}")


class _Overview:
    """The endpoint of one collection."""

    def __init__(self, stream: str, store: ContactCenterStore, rules: Rules, pages: PageCache) -> None:
        self._stream = stream
        self._store = store
        self._rules = rules
        self._pages = pages

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            raise _refusal(405, f"{scope['method']} is not allowed here")
        with self._store.lock:
            page = self._pages.page(scope, self._store.version, lambda: Page(self._body(scope)))
        await page.send(scope, send)

    def _body(self, scope: Scope) -> Content:
        asked = Parameters(scope["query_string"], _PARAMETERS, _invalid)
        offset = asked.whole("offset", 0) or 0
        size = asked.size(("limit",), self._rules.page_cap)
        rows = self._store.rows(self._stream)
        if self._rules.options["single_object"]:
            # It has no pages, so it is the same object whatever is asked for.
            return Content(b'{"data":' + (rows.body(rows.keys[0]) if rows.keys else b"{}") + b"}")
        if self._rules.options["ignore_offset"]:
            offset = 0
        if self._rules.ragged:
            # None is empty before the end: to a client that counts records, an empty page is the end.
            size = max(1, size // (1 + crc32(f"{self._stream}{offset}".encode()) % 3))
        bodies = [rows.body(key) for key in rows.keys[offset : offset + size]]
        return Content(b'{"data":[' + b",".join(bodies) + b"]}")


CONTACT_CENTER = Api(
    name="contact_center",
    title="contact centre API",
    tap="tap-contact-center",
    credentials={"api_key": "sandbox-key"},
    make_store=lambda size, seed: ContactCenterStore(size=size, seed=seed),
    routes=routes,
    # Whether `data` is one object, and whether the first page is given whatever the offset.
    options={"single_object": False, "ignore_offset": False},
)
