"""The help desk API's paths."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, Router

from taps.sandbox.answers import Content, Refusal
from taps.sandbox.auth import BasicAuth
from taps.sandbox.descriptor import Api, Rules
from taps.sandbox.helpdesk.query import Query, invalid
from taps.sandbox.helpdesk.store import HelpdeskStore
from taps.sandbox.helpdesk.streams import STREAMS, Stream
from taps.sandbox.instants import DAY
from taps.sandbox.pages import Page, PageCache
from taps.sandbox.paging import by_cursor, by_number
from taps.sandbox.rows import NO_INSTANT, Record, Rows, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

#: What a ticket shows only when asked to.
_INCLUDES = {
    "description": ("description", "description_text", "structured_description"),
    "requester": ("requester",),
    "stats": ("stats",),
}
_ORDERS = ("created_at", "due_by", "updated_at", "status")
_RECENT = 30 * DAY
#: The key is the secret; the password is only there because HTTP Basic has one.
_PASSWORD = "X"  # noqa: S105


def routes(store: HelpdeskStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        One mount, `/v1`.
    """
    pages = PageCache()
    kinds = {"settings": _Settings, "tickets": _TicketList}
    lists = [
        Route(
            stream.path.removeprefix("/v1").replace("{id}", "{id:int}"),
            kinds.get(name, _ChildList if stream.parent else _LinkedList)(stream, store, rules, pages),
        )
        for name, stream in STREAMS.items()
    ]
    guard = Middleware(BasicAuth, user=rules.credentials["api_key"], password=_PASSWORD)
    return [Mount("/v1", app=Router(lists, redirect_slashes=False, default=_unknown_path), middleware=[guard])]


async def _unknown_path(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Refusal(404, {"code": "not_found", "message": f"There is no {scope['path']} in this API"})


class _List:
    """The endpoint of one collection; its kinds differ in how they cut out a page."""

    parameters: tuple[str, ...] = ("limit", "cursor")

    def __init__(self, stream: Stream, store: HelpdeskStore, rules: Rules, pages: PageCache) -> None:
        self._stream = stream
        self._store = store
        self._rules = rules
        self._pages = pages
        self._allowed = frozenset(self.parameters) | {name for name, _ in stream.filters}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            raise Refusal(
                405,
                {"code": "method_not_allowed", "message": f"{scope['method']} is not allowed here"},
                {"Allow": "GET"},
            )
        with self._store.lock:
            page = self._pages.page(scope, self._store.version, lambda: self._page(scope))
        await page.send(scope, send)

    def _page(self, scope: Scope) -> Page:
        raise NotImplementedError

    def _link(self, scope: Scope, total: int, query: Query) -> tuple[slice, str | None]:
        path: str = scope["path"]
        cut = by_cursor(total, query.size(self._rules.page_cap), query.cursor(), path if self._rules.ragged else None)
        target = None
        if cut.cursor is not None:
            target = f"{path}?{urlencode([*query.others(), ('cursor', cut.cursor)])}"
        return slice(cut.start, cut.stop), target


class _Settings(_List):
    def _page(self, scope: Scope) -> Page:
        Query(scope["query_string"], self._allowed)
        return Page(Content(encode({"data": self._store.settings})))


class _LinkedList(_List):
    def _page(self, scope: Scope) -> Page:
        query = Query(scope["query_string"], self._allowed)
        rows = self._store.rows(self._stream.name)
        keys = rows.keys
        for name, field in self._stream.filters:
            moment = query.moment(name)
            if moment is not None:
                keys = rows.since(field, moment)
        part, target = self._link(scope, len(keys), query)
        return Page(_envelope([rows.body(key) for key in keys[part]]), target)


class _ChildList(_List):
    def _page(self, scope: Scope) -> Page:
        query = Query(scope["query_string"], self._allowed)
        parent = scope["path_params"]["id"]
        records: list[Record] | None = self._store.children(self._stream.name, parent)
        if records is None:
            raise Refusal(404, {"code": "not_found", "message": f"There is no {self._stream.parent} record {parent}"})
        part, target = self._link(scope, len(records), query)
        return Page(_envelope([encode(record) for record in records[part]]), target)


class _TicketList(_List):
    parameters = ("limit", "page", "order_by", "order_type", "include")

    def _page(self, scope: Scope) -> Page:
        query = Query(scope["query_string"], self._allowed)
        page = query.page()
        last = self._rules.options["max_ticket_pages"]
        if page > last:
            raise invalid("page", f"You cannot access tickets beyond the {last}th page")
        included = query.choices("include", _INCLUDES)
        omit = frozenset(name for part, names in _INCLUDES.items() if part not in included for name in names)
        rows = self._store.rows("tickets")
        keys = _ordered(
            rows,
            query.moment("updated_since"),
            query.choice("order_by", _ORDERS),
            descending=query.choice("order_type", ("desc", "asc")) == "desc",
        )
        cut = by_number(len(keys), query.size(self._rules.page_cap), page, ragged=self._rules.ragged)
        return Page(_envelope([rows.body(key, omit) for key in keys[cut.start : cut.stop]]))


def _ordered(rows: Rows, since: int | None, order_by: str, *, descending: bool) -> Sequence[int]:
    def rank(key: int) -> tuple[Any, int]:
        value = rows.record(key).get(order_by) if order_by == "status" else rows.value(key, order_by)
        return (value if isinstance(value, int) else NO_INSTANT, key)

    def select() -> list[int]:
        # A client that reads on in windows asks for many instants: only the cut is new each time, not the order.
        ranks, keys = rows.memo(("ranked", order_by), lambda: _unzip(sorted(map(rank, rows.keys))))
        if since is not None and order_by == "updated_at":
            keys = keys[bisect_left(ranks, since) :]
        elif since is not None:
            matching = set(rows.since("updated_at", since))
            keys = [key for key in keys if key in matching]
        elif keys:
            # Recent is measured from the newest ticket: made-up tickets stop at a fixed day, and a list that is empty
            # from then on would show less of what this default does.
            opened = {key: rows.value(key, "created_at") for key in keys}
            newest = max((moment for moment in opened.values() if moment != NO_INSTANT), default=NO_INSTANT)
            keys = [key for key in keys if opened[key] >= newest - _RECENT]
        return keys[::-1] if descending else keys

    return rows.memo(("order", since, order_by, descending), select)


def _unzip(pairs: list[tuple[Any, int]]) -> tuple[list[Any], list[int]]:
    return [value for value, _ in pairs], [key for _, key in pairs]


def _envelope(bodies: Sequence[bytes]) -> Content:
    return Content(b'{"data":[' + b",".join(bodies) + b"]}")


HELPDESK = Api(
    name="helpdesk",
    title="help desk API",
    tap="tap-helpdesk",
    credentials={"api_key": "sandbox-key"},
    make_store=lambda size, seed: HelpdeskStore(tickets=size, seed=seed),
    routes=routes,
    # The last page of tickets that can be asked for.
    options={"max_ticket_pages": 300},
)
