"""The voice API's paths."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from typing import TYPE_CHECKING, Any
from zlib import crc32

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, Router

from taps.sandbox.answers import Content, Refusal, origin
from taps.sandbox.auth import QueryKey
from taps.sandbox.descriptor import Api, Rules
from taps.sandbox.instants import SECOND
from taps.sandbox.pages import Page, PageCache
from taps.sandbox.paging import by_linked_number
from taps.sandbox.parameters import Parameters, linked
from taps.sandbox.rows import NO_INSTANT, encode
from taps.sandbox.voice.dialect import Dialect, invalid, unprocessable
from taps.sandbox.voice.store import OVERVIEWS, VoiceStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from taps.sandbox.rows import Rows

_LISTS = {
    "/addresses": "addresses",
    "/greeting_categories": "greeting_categories",
    "/greetings": "greetings",
    "/ivr": "ivrs",
    "/phone_numbers": "phone_numbers",
    "/stats/agents_activity": "agents_activity",
}
#: The key of an export's body that holds its records, with the records' collection.
_EXPORTS = {"calls": "calls", "legs": "call_legs"}
_UNAUTHORIZED = {"error": "Unauthorized", "description": "Couldn't authenticate you"}
_ENDS = ("same", "null", "empty")


def routes(store: VoiceStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        One mount, `/v1`.

    Raises:
        ValueError: An option is none of those that there are.
    """
    if rules.options["export_end"] not in _ENDS:
        raise ValueError(f"export_end is one of {', '.join(_ENDS)}")
    if rules.options["export_page"] < 1:
        raise ValueError("export_page is a whole number from 1")
    guard = Middleware(
        QueryKey,
        key=rules.credentials[Dialect.key],
        token=rules.credentials["access_token"],
        refusal=_UNAUTHORIZED,
    )
    return [mount(store, rules, Dialect(), guard)]


def mount(store: VoiceStore, rules: Rules, dialect: Dialect, guard: Middleware) -> BaseRoute:
    """Lay out the API in one dialect.

    Args:
        store: The records to serve.
        rules: How to serve them.
        dialect: The form in which to serve them.
        guard: Tells who may ask.

    Returns:
        The mount.
    """
    pages = PageCache(rules.cache_mb)
    endpoints = [
        *(Route(path, _List(stream, store, rules, pages, dialect)) for path, stream in _LISTS.items()),
        *(Route(f"/stats/{stream}", _Overview(stream, store, rules, pages, dialect)) for stream in OVERVIEWS),
        *(Route(f"/stats/incremental/{key}", _Export(key, store, rules, pages, dialect)) for key in _EXPORTS),
    ]
    return Mount(dialect.root, app=Router(endpoints, redirect_slashes=False, default=_unknown_path), middleware=[guard])


async def _unknown_path(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Refusal(404, {"error": "RecordNotFound", "description": f"There is no {scope['path']} in this API"})


class _Endpoint(ABC):
    """The endpoint of one collection; its kinds differ in what they put in a page."""

    # Beside the key and the size of a page.
    parameters: tuple[str, ...] = ()

    def __init__(self, key: str, store: VoiceStore, rules: Rules, pages: PageCache, dialect: Dialect) -> None:
        self._key = key
        self._store = store
        self._rules = rules
        self._pages = pages
        self._dialect = dialect
        self._stream = _EXPORTS.get(key, key)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            refusal = {"error": "MethodNotAllowed", "description": f"{scope['method']} is not allowed here"}
            raise Refusal(405, refusal, {"Allow": "GET"})
        self._dialect.admit(self._stream)
        with self._store.lock:
            page = self._pages.page(scope, self._store.version, lambda: Page(self._body(scope)))
        await page.send(scope, send)

    @abstractmethod
    def _body(self, scope: Scope) -> Content:
        """Make the body that a request asks for."""

    def _asked(self, scope: Scope) -> Parameters:
        own = (*self._dialect.own, *self._dialect.sizes)
        return Parameters(scope["query_string"], (*own, *self.parameters), self._refusal)

    def _refusal(self, name: str, reason: str) -> Refusal:
        return invalid(name, reason)

    def _content(self, bodies: Sequence[bytes], rest: dict[str, Any]) -> Content:
        head = encode(self._key)
        return Content(b"{" + head + b":[" + b",".join(bodies) + b"]," + encode(rest)[1:])


class _Overview(_Endpoint):
    def _body(self, scope: Scope) -> Content:
        self._asked(scope)
        rows = self._store.rows(self._key)
        return Content(encode({self._key: rows.record(rows.keys[0]) if rows.keys else {}}))


class _List(_Endpoint):
    parameters = ("page",)

    def _body(self, scope: Scope) -> Content:
        asked = self._asked(scope)
        rows = self._store.rows(self._key)
        page = asked.whole("page", 1, least=1) or 1
        size = asked.size(self._dialect.sizes, self._rules.page_cap)
        cut, more = by_linked_number(len(rows), size, page, self._key if self._rules.ragged else None)

        def link(number: int) -> str:
            # Without the key: an address that the API gives must not carry the credentials on.
            pairs = [*asked.without(Dialect.key, "page"), ("page", str(number))]
            return origin(scope) + linked(scope["path"], pairs)

        rest = {
            "next_page": link(page + 1) if more else None,
            "previous_page": link(page - 1) if page > 1 else None,
            "count": len(rows),
        }
        return self._content([rows.body(key) for key in rows.keys[cut.start : cut.stop]], rest)


class _Export(_Endpoint):
    parameters = ("start_time",)

    def _refusal(self, name: str, reason: str) -> Refusal:
        return self._dialect.unprocessable(name, reason)

    def _body(self, scope: Scope) -> Content:
        asked = self._asked(scope)
        start = asked.whole("start_time")
        if start is None:
            raise unprocessable("start_time", "it is required")
        self._dialect.check_start(start)
        rows = self._store.rows(self._stream)
        moments, keys = rows.memo("exported", lambda: _in_order(rows))
        first = bisect_left(moments, start * SECOND)
        stop = first + self._length(
            moments, first, start, asked.size(self._dialect.sizes, self._rules.options["export_page"])
        )
        stop = min(stop, len(keys))
        # A record without a readable moment comes last, and leads nowhere.
        known = [moment // SECOND for moment in moments[first:stop] if moment != NO_INSTANT]
        last = known[-1] if known else start
        end, ended = self._rules.options.get("export_end", "same"), stop == len(keys)
        following = last + 1 if end == "empty" and ended and known else last
        pairs = [*asked.without(Dialect.key, "start_time"), ("start_time", str(following))]
        rest = {
            "next_page": None if end == "null" and ended else origin(scope) + linked(scope["path"], pairs),
            "count": stop - first,
            "end_time": last,
        }
        return self._content([rows.body(key) for key in keys[first:stop]], rest)

    def _length(self, moments: Sequence[int], first: int, start: int, size: int) -> int:
        if not self._rules.ragged:
            return size
        short = max(1, size // (1 + crc32(str(start).encode()) % 3))
        # A short page that holds one second alone would end the export to a client that rightly stops there.
        end = first + short - 1
        stuck = end < len(moments) and moments[end] // SECOND <= start
        return size if stuck else short


def _in_order(rows: Rows) -> tuple[list[int], list[int]]:
    pairs = sorted((rows.value(key, "updated_at"), key) for key in rows.keys)
    return [moment for moment, _ in pairs], [key for _, key in pairs]


VOICE = Api(
    name="voice",
    title="voice API",
    tap="tap-voice",
    credentials={"api_key": "sandbox-key"},
    alternatives={"access_token": "sandbox-token"},
    make_store=lambda size, seed: VoiceStore(size=size, seed=seed),
    routes=routes,
    # The most records a page of calls or legs, and how its end shows: the same page again, no next page, or none in it.
    options={"export_page": 1_000, "export_end": "same"},
    link=("next_page",),
)
