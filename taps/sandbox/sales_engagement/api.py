"""The sales engagement API's paths."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.routing import BaseRoute, Mount, Route

from taps.sandbox.answers import Content, Json, Refusal, header, origin
from taps.sandbox.descriptor import Api, Rules
from taps.sandbox.pages import Page, PageCache
from taps.sandbox.paging import by_cursor
from taps.sandbox.rows import Rows, encode
from taps.sandbox.sales_engagement.dialect import Dialect
from taps.sandbox.sales_engagement.query import LARGEST_PAGE, Query, failure
from taps.sandbox.sales_engagement.store import SalesStore
from taps.sandbox.sales_engagement.streams import STREAMS, Stream
from taps.sandbox.sales_engagement.tokens import Tokens
from taps.sandbox.seeded import mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

_FORM = b"application/x-www-form-urlencoded"


def routes(store: SalesStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        `/v1` and the path that gives tokens.

    Raises:
        ValueError: `heavy` is not written as it should be.
    """
    return mounts(store, rules, Dialect())


def mounts(store: SalesStore, rules: Rules, dialect: Dialect) -> list[BaseRoute]:
    """Lay out the API in one dialect.

    Args:
        store: The records to serve.
        rules: How to serve them.
        dialect: The form in which to serve them.

    Returns:
        The collections' mount and the path that gives tokens.

    Raises:
        ValueError: `heavy` is not written as it should be.
    """
    known, options = rules.credentials, rules.options
    tokens = Tokens(
        client_id=known["client_id"],
        client_secret=known["client_secret"],
        refresh_token=known["refresh_token"],
        ttl=options["token_ttl"],
        rotate=options["rotate"],
    )
    store.serve(tokens, as_flat=options.get("flat", False))

    async def mint(request: Request) -> Response:
        if not (header(request.scope, b"content-type") or b"").startswith(_FORM):
            raise Refusal(400, {"error": "invalid_request", "error_description": "The body must be form encoded."})
        form = dict(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))
        dialect.check_form(form)
        return Json(store.tokens.mint(form), headers={"Cache-Control": "no-store"})

    return [
        Route("/oauth/token", mint, methods=["POST"]),
        Mount(dialect.root, app=_Collections(store, rules, _read_heavy(options["heavy"]), dialect)),
    ]


@dataclass(frozen=True)
class _Order:
    ranks: Sequence[tuple[int, int]]
    keys: Sequence[int]


class _Collections:
    """The endpoint of all collections."""

    def __init__(self, store: SalesStore, rules: Rules, heavy: dict[str, int], dialect: Dialect) -> None:
        self._store = store
        self._rules = rules
        self._heavy = heavy
        self._pages = PageCache(rules.cache_mb)
        self._dialect = dialect
        self._streams = {dialect.root + stream.tail: stream for stream in STREAMS.values()}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            page = self._answer(scope)
        except Refusal as refusal:
            raise self._dialect.refusal(refusal) from None
        await page.send(scope, send)

    def _answer(self, scope: Scope) -> Page:
        self._dialect.check(scope)
        scheme, _, token = (header(scope, b"authorization") or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not self._store.tokens.accepts(token.strip().decode("latin-1")):
            raise failure(401, "unauthorized", "Unauthorized", "The access token is missing, invalid or has expired.")
        stream = self._streams.get(scope["path"])
        if stream is None:
            raise failure(404, "routeNotFound", "Route Not Found", f"There is no {scope['path']} in this API.")
        if scope["method"] != "GET":
            refusal = failure(405, "methodNotAllowed", "Method Not Allowed", f"{scope['method']} is not allowed here.")
            raise Refusal(refusal.status, refusal.body, {"Allow": "GET"})
        self._dialect.admit(stream)
        # The links in the body are absolute, so a page is one under each origin.
        root = origin(scope)
        with self._store.lock:
            kept_as = {**scope, "path": root + scope["path"]}
            return self._pages.page(kept_as, self._store.version, lambda: self._page(scope, kept_as["path"], stream))

    def _page(self, scope: Scope, url: str, stream: Stream) -> Page:
        query = Query(scope["query_string"], stream, strict=self._dialect.strict, unknown=self._dialect.unknown)
        rows = self._store.rows(stream.name)
        order = _ordered(rows, query, scattered=self._dialect.scattered)
        rank, number = query.after or ((0, 0), 0)
        # A cursor is the last record that was given, not a count: what changes in the meantime moves no other record.
        start = bisect_right(order.ranks, rank) if query.after else 0
        size = min(query.size, self._rules.page_cap)
        cut = by_cursor(len(order.keys), size, (start, number), stream.path if self._rules.ragged else None)
        keys = order.keys[cut.start : cut.stop]
        if len(keys) > self._heavy.get(stream.name, len(keys)):
            raise failure(502, "badGateway", "Bad Gateway", f"The page of {len(keys)} records took too long.")
        parts = [b'"data":[' + b",".join([rows.body(key) for key in keys]) + b"]"]
        links = {}
        if order.keys:
            links["first"] = _link(url, query.others())
        if cut.cursor is not None:
            last = order.ranks[cut.stop - 1] if cut.stop else _BEFORE_ALL
            links["next"] = _link(url, query.following(last, number + 1))
        if links:
            parts.append(b'"links":' + encode(links))
        if query.counted:
            parts.append(b'"meta":' + encode({"count": len(order.keys), "count_truncated": False}))
        return Page(Content(b"{" + b",".join(parts) + b"}"))


#: The rank of a page that starts at the beginning: an empty first page gave no record to start after.
_BEFORE_ALL = (-(1 << 90), 0)


def _ordered(rows: Rows, query: Query, *, scattered: bool) -> _Order:
    def sort() -> list[tuple[tuple[int, int], int]]:
        if scattered:
            return sorted(((mix(key), key), key) for key in rows.keys)
        sign = -1 if query.descending else 1
        field = query.sort
        return sorted(((sign * rows.value(key, field) if field else 0, sign * key), key) for key in rows.keys)

    def select() -> _Order:
        kept = rows.memo(("ranked", query.sort, query.descending), sort)
        for name, (first, last) in query.filters.items():
            kept = [(rank, key) for rank, key in kept if first <= rows.value(key, name) <= last]
        return _Order([rank for rank, _ in kept], [key for _, key in kept])

    return rows.memo(("order", query.sort, query.descending, tuple(query.filters.items())), select)


def _link(url: str, parameters: list[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(parameters)}" if parameters else url


def _read_heavy(text: str) -> dict[str, int]:
    most = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if name not in STREAMS or not (number.isascii() and number.isdigit()) or not int(number):
            raise ValueError(f"bad heavy {text!r}: it is a list such as prospects=250,calls=100")
        most[name] = int(number)
    return most


SALES_ENGAGEMENT = Api(
    name="sales_engagement",
    title="sales engagement API",
    tap="tap-sales-engagement",
    credentials={
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh-token",
        "token_url": "{base_url}/oauth/token",
    },
    make_store=lambda size, seed: SalesStore(prospects=size, seed=seed),
    routes=routes,
    options={
        # The seconds that an access token is good, and whether a refresh token works only once.
        "token_ttl": 7_200,
        "rotate": False,
        # Whether records are flat rather than JSON:API.
        "flat": False,
        # Collections whose pages of more records answer 502, such as prospects=250,calls=100.
        "heavy": "",
    },
    page_size=LARGEST_PAGE,
    link=("links", "next"),
)
