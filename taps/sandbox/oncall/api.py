"""The on-call API's paths."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zlib import crc32

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, Router

from taps.sandbox.answers import Content, Refusal, origin
from taps.sandbox.descriptor import Api, Rules
from taps.sandbox.oncall.dialect import Dialect
from taps.sandbox.oncall.query import LARGEST_PAGE, Query
from taps.sandbox.oncall.store import OncallStore
from taps.sandbox.pages import Page, PageCache
from taps.sandbox.paging import by_cursor
from taps.sandbox.rows import Record, Rows, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from taps.sandbox.oncall.streams import Stream

_ENDS = ("refused", "no-link")


def routes(store: OncallStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        `/v1` and `/v2`.

    Raises:
        ValueError: `window_end` or `query_window` is none that there is.
    """
    end, window = rules.options["window_end"], rules.options["query_window"]
    if end not in _ENDS or window < 1:
        raise ValueError(f"bad query_window {window} or window_end {end!r}: a number from 1, and {' or '.join(_ENDS)}")
    return mounts(store, rules, Dialect(rules))


def mounts(store: OncallStore, rules: Rules, dialect: Dialect) -> list[BaseRoute]:
    """Lay out the API in one dialect.

    Args:
        store: The records to serve.
        rules: How to serve them.
        dialect: The form in which to serve them.

    Returns:
        A mount for each beginning of a path.
    """
    pages = PageCache(rules.cache_mb)

    async def unknown_path(scope: Scope, _receive: Receive, _send: Send) -> None:
        raise dialect.refusal(scope, 404, f"No resource at [{scope['path']}]")

    return [
        Mount(
            root,
            app=Router(
                [Route(path, _kind(stream)(stream, store, rules, pages, dialect)) for path, stream in streams.items()],
                redirect_slashes=False,
                default=unknown_path,
            ),
            middleware=[Middleware(_Guard, dialect=dialect)],
        )
        for root, streams in dialect.paths(store.streams).items()
    ]


class _Guard:
    """Lets through who knows the key."""

    def __init__(self, app: ASGIApp, *, dialect: Dialect) -> None:
        self._app = app
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._dialect.knows(scope):
            raise self._dialect.refusal(scope, 401, "Could not authenticate")
        await self._app(scope, receive, send)


class _List:
    """The endpoint of one collection; its kinds differ in how they cut out a page."""

    # Those of pages are known, and mean nothing, where all records come at once.
    parameters: tuple[str, ...] = ("limit", "offset")

    def __init__(self, stream: Stream, store: OncallStore, rules: Rules, pages: PageCache, dialect: Dialect) -> None:
        self._stream = stream
        self._store = store
        self._rules = rules
        self._pages = pages
        self._dialect = dialect
        self._allowed = {dialect.parameter(name) for name in self.parameters}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            refused = self._dialect.refusal(scope, 405, f"{scope['method']} is not allowed here")
            raise Refusal(refused.status, refused.body, {"Allow": "GET"})
        self._dialect.admit(scope, self._stream)
        # The links in the body are absolute, so a page is one under each origin.
        kept_as = {**scope, "path": origin(scope) + scope["path"]}
        with self._store.lock:
            page = self._pages.page(kept_as, self._store.version, lambda: Page(self._page(scope)))
        await page.send(scope, send)

    def _page(self, scope: Scope) -> Content:
        Query(scope, self._allowed, self._dialect)
        rows = self._store.rows(self._stream.name)
        return self._dialect.envelope(scope, [rows.body(key) for key in rows.keys])

    def _size(self, query: Query) -> int:
        return min(query.limit, self._rules.page_cap)

    def _children(self, scope: Scope) -> list[Record]:
        parent = scope["path_params"]["id"]
        records: list[Record] | None = self._store.children(self._stream.name, parent)
        if records is None:
            raise self._dialect.refusal(scope, 404, f"There is no {self._stream.parent} record with the id [{parent}]")
        return records


class _Children(_List):
    def _page(self, scope: Scope) -> Content:
        Query(scope, self._allowed, self._dialect)
        return self._dialect.envelope(scope, [encode(record) for record in self._children(scope)])


class _Log(_List):
    parameters = ("limit", "offset", "direction", "order")

    def _page(self, scope: Scope) -> Content:
        query = Query(scope, self._allowed, self._dialect)
        query.choice("direction", ("next",))
        records = self._children(scope)
        if query.choice("order", ("desc", "asc")) == "desc":
            records = records[::-1]
        path = scope["path"]
        cut = by_cursor(len(records), self._size(query), query.cursor(), path if self._rules.ragged else None)
        paging = {}
        if cut.cursor is not None:
            paging["next"] = _link(scope, query.at(cut.cursor))
        return self._dialect.envelope(
            scope, [encode(record) for record in records[cut.start : cut.stop]], paging=paging
        )


class _OffsetList(_List):
    def _page(self, scope: Scope) -> Content:
        query = Query(scope, self._allowed, self._dialect)
        offset, size = query.offset(), self._size(query)
        window = self._rules.options["query_window"] if self._stream.searched else None
        if window is not None and offset + size > window:
            raise self._dialect.refusal(scope, 422, f"Sum of offset and limit should not exceed {window}")
        rows = self._store.rows(self._stream.name)
        keys = self._keys(rows, query)
        start, stop = (self._before(position, size, len(keys)) for position in (offset, offset + size))
        paging = {"first": _link(scope, query.at(0)), "last": _link(scope, query.at(self._last(size, len(keys))))}
        shut = window is not None and offset + 2 * size > window and self._rules.options["window_end"] == "no-link"
        if stop < len(keys) and not shut:
            paging["next"] = _link(scope, query.at(offset + size))
        bodies = [rows.body(key) for key in keys[start:stop]]
        total = {"totalCount": len(keys)} if self._stream.counted else {}
        return self._dialect.envelope(scope, bodies, paging=paging, before=total)

    def _keys(self, rows: Rows, _query: Query) -> Sequence[int]:
        return rows.keys

    def _turns(self, size: int) -> list[int]:
        if not self._rules.ragged:
            return [size]
        turn = crc32(self._stream.path.encode()) % 3
        lengths = [size, max(1, size // 3), 0]
        return lengths[turn:] + lengths[:turn]

    def _before(self, position: int, size: int, total: int) -> int:
        # Ragged pages still move on by their size, as if some records were hidden from whoever asks: a link that
        # led to the offset where an empty page started would lead to that page for ever.
        turns = self._turns(size)
        pages, rest = divmod(position, size)
        rounds, some = divmod(pages, len(turns))
        return min(rounds * sum(turns) + sum(turns[:some]) + min(rest, turns[some]), total)

    def _last(self, size: int, total: int) -> int:
        page = 0
        if total:
            rounds = (total - 1) // sum(self._turns(size))
            page = rounds * len(self._turns(size))
            while self._before((page + 1) * size, size, total) < total:
                page += 1
        return page * size


class _SearchedList(_OffsetList):
    parameters = ("limit", "offset", "sort", "order", "query")

    def _keys(self, rows: Rows, query: Query) -> Sequence[int]:
        field, ranges = query.sort(), query.ranges()
        descending = query.choice("order", ("desc", "asc")) == "desc"

        def select() -> list[int]:
            ranks, keys = rows.memo(("ranked", field), lambda: _ranked(rows, field))
            for name, (first, stop) in ranges.items():
                if name == field:
                    # A client that reads on in windows asks for many instants: only the cut is new each time.
                    low, high = bisect_left(ranks, first), bisect_left(ranks, stop)
                    ranks, keys = ranks[low:high], keys[low:high]
            for name, (first, stop) in ranges.items():
                if name != field:
                    keys = [key for key in keys if first <= rows.value(key, name) < stop]
            return keys[::-1] if descending else keys

        return rows.memo(("order", field, descending, tuple(ranges.items())), select)


def _ranked(rows: Rows, field: str) -> tuple[list[int], list[int]]:
    pairs = sorted((rows.value(key, field), key) for key in rows.keys)
    return [moment for moment, _ in pairs], [key for _, key in pairs]


def _kind(stream: Stream) -> type[_List]:
    if stream.parent is not None:
        return _Log if stream.paged else _Children
    if stream.searched:
        return _SearchedList
    return _OffsetList if stream.paged else _List


def _link(scope: Scope, parameters: list[tuple[str, str]]) -> str:
    return f"{origin(scope)}{scope['path']}?{urlencode(parameters)}"


ONCALL = Api(
    name="oncall",
    title="on-call API",
    tap="tap-oncall",
    credentials={"api_key": "sandbox-key"},
    make_store=lambda size, seed: OncallStore(alerts=size, seed=seed),
    routes=routes,
    options={
        # What stands before the key in the header, such as "GenieKey ".
        "auth_prefix": "",
        # How many alerts or incidents a query gives, and whether a link past that is given and refused, or not given.
        "query_window": 20_000,
        "window_end": "refused",
    },
    page_size=LARGEST_PAGE,
    link=("paging", "next"),
)
