"""The endpoints of the help desk API's collections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from taps.sandbox.answers import Refusal
from taps.sandbox.helpdesk.query import Query, invalid
from taps.sandbox.instants import DAY
from taps.sandbox.pages import Page, PageCache
from taps.sandbox.paging import by_cursor, by_linked_number, by_number
from taps.sandbox.rows import NO_INSTANT, Record, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from taps.sandbox.descriptor import Rules
    from taps.sandbox.helpdesk.dialects import Dialect
    from taps.sandbox.helpdesk.store import HelpdeskStore
    from taps.sandbox.helpdesk.streams import Stream

#: What a ticket shows only when asked to.
_INCLUDES = {
    "description": ("description", "description_text", "structured_description"),
    "requester": ("requester",),
    "stats": ("stats",),
}
_ORDERS = ("created_at", "due_by", "updated_at", "status")
_RECENT = 30 * DAY


class List(ABC):
    """The endpoint of one collection; its kinds differ in how they cut out a page.

    Args:
        stream: The collection.
        store: The records.
        rules: How to serve them.
        pages: The pages made so far.
        dialect: The form in which to serve them.
    """

    parameters: tuple[str, ...] = ()

    def __init__(self, stream: Stream, store: HelpdeskStore, rules: Rules, pages: PageCache, dialect: Dialect) -> None:
        self._stream = stream
        self._store = store
        self._rules = rules
        self._pages = pages
        self._dialect = dialect
        self._place = "page" if dialect.numbered else "cursor"
        self._filters = dialect.filters_of(stream)
        self._allowed = {
            dialect.size,
            *(self.parameters or (self._place,)),
            *(name for name, _ in self._filters),
            *dialect.asides(stream.name),
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer a request.

        Args:
            scope: The request.
            _receive: Where its body comes from.
            send: Where the answer goes.

        Raises:
            Refusal: It is not one that the collection answers.
        """
        if scope["method"] != "GET":
            raise Refusal(
                405,
                {"code": "method_not_allowed", "message": f"{scope['method']} is not allowed here"},
                {"Allow": "GET"},
            )
        self._dialect.admit(self._stream)
        with self._store.lock:
            page = self._pages.page(scope, self._store.version, lambda: self._page(scope))
        await page.send(scope, send)

    @abstractmethod
    def _page(self, scope: Scope) -> Page:
        """Make the page that a request asks for."""

    def _query(self, scope: Scope) -> Query:
        return Query(scope["query_string"], self._allowed, strict=self._dialect.strict)

    def _size(self, query: Query) -> int:
        return query.size(self._dialect.size, self._dialect.usual_size, self._rules.page_cap)

    def _since(self, query: Query, name: str) -> int | None:
        moment = query.moment(name)
        return None if moment is None else moment + self._dialect.exclusive

    def _rows(self, query: Query) -> Rows:
        for name, kinds in self._dialect.asides(self._stream.name).items():
            if kind := query.choice(name, ("", *kinds)):
                return self._store.aside(self._stream.name, kind)
        return self._store.rows(self._stream.name)

    def _link(self, scope: Scope, total: int, query: Query) -> tuple[slice, str | None]:
        path: str = scope["path"]
        ragged = path if self._rules.ragged else None
        following: str | int | None
        if self._dialect.numbered:
            cut, more = by_linked_number(total, self._size(query), query.page(), ragged)
            following = query.page() + 1 if more else None
        else:
            cut = by_cursor(total, self._size(query), query.cursor(), ragged)
            following = cut.cursor
        target = None
        if following is not None:
            target = f"{path}?{urlencode([*query.others(self._place), (self._place, following)])}"
        return slice(cut.start, cut.stop), target


class Settings(List):
    """One object."""

    def _page(self, scope: Scope) -> Page:
        self._query(scope)
        return Page(self._dialect.single(self._store.settings))


class LinkedList(List):
    """A top-level list whose pages are linked."""

    def _page(self, scope: Scope) -> Page:
        query = self._query(scope)
        rows = self._rows(query)
        keys = rows.keys
        for name, field in self._filters:
            moment = self._since(query, name)
            if moment is not None:
                keys = rows.since(field, moment)
        part, target = self._link(scope, len(keys), query)
        return Page(self._dialect.wrap([self._dialect.row(self._stream, rows, key) for key in keys[part]]), target)


class ChildList(List):
    """The list of one parent's children."""

    def _page(self, scope: Scope) -> Page:
        query = self._query(scope)
        parent = scope["path_params"]["id"]
        records = self._records(parent)
        if records is None:
            raise Refusal(404, {"code": "not_found", "message": f"There is no {self._stream.parent} record {parent}"})
        part, target = self._link(scope, len(records), query)
        return Page(self._dialect.wrap([self._dialect.child(self._stream, record) for record in records[part]]), target)

    def _records(self, parent: int) -> list[Record] | None:
        """Give a parent's children, or None where there is no such parent."""
        return self._store.children(self._stream.name, parent)


class TicketList(List):
    """The tickets, whose pages are numbered, and filtered and sorted as nothing else is."""

    parameters = ("page", "order_by", "order_type", "include")

    def _page(self, scope: Scope) -> Page:
        query = self._query(scope)
        page = query.page()
        last = self._rules.options["max_ticket_pages"]
        if page > last:
            raise invalid("page", f"You cannot access tickets beyond the {last}th page")
        included = query.choices("include", {*_INCLUDES, *self._dialect.includes})
        omit = frozenset(name for part, names in _INCLUDES.items() if part not in included for name in names)
        rows = self._rows(query)
        ordered = _ordered(
            rows,
            self._since(query, "updated_since"),
            query.choice("order_by", _ORDERS),
            descending=query.choice("order_type", ("desc", "asc")) == "desc",
        )
        if self._dialect.numbered:
            part, target = self._link(scope, len(ordered), query)
        else:
            cut = by_number(len(ordered), self._size(query), page, ragged=self._rules.ragged)
            part, target = slice(cut.start, cut.stop), None
        bodies = [self._dialect.row(self._stream, rows, key, omit) for key in ordered.keys(part)]
        return Page(self._dialect.wrap(bodies), target)


@dataclass(frozen=True)
class _Ordered:
    """Tickets in the order asked for: those of `ascending` from a place on, the last of them first if `descending`."""

    ascending: Sequence[int]
    first: int = 0
    descending: bool = False

    def __len__(self) -> int:
        return len(self.ascending) - self.first

    def keys(self, part: slice) -> Sequence[int]:
        places = range(self.first, len(self.ascending))
        return [self.ascending[place] for place in (places[::-1] if self.descending else places)[part]]


def _ordered(rows: Rows, since: int | None, order_by: str, *, descending: bool) -> _Ordered:
    def rank(key: int) -> tuple[Any, int]:
        value = rows.record(key).get(order_by) if order_by == "status" else rows.value(key, order_by)
        return (value if isinstance(value, int) else NO_INSTANT, key)

    ranks, keys = rows.memo(("ranked", order_by), lambda: _unzip(sorted(map(rank, rows.keys))))
    if since is not None and order_by == "updated_at":
        # A client that reads on in windows asks for many instants: of a large list, only the place is looked for.
        return _Ordered(keys, bisect_left(ranks, since), descending)

    def select() -> list[int]:
        if since is not None:
            matching = set(rows.since("updated_at", since))
            return [key for key in keys if key in matching]
        # Recent is measured from the newest ticket: made-up tickets stop at a fixed day, and a list that is empty
        # from then on would show less of what this default does.
        opened = {key: rows.value(key, "created_at") for key in keys}
        newest = max((moment for moment in opened.values() if moment != NO_INSTANT), default=NO_INSTANT)
        return [key for key in keys if opened[key] >= newest - _RECENT]

    return _Ordered(rows.memo(("order", since, order_by), select), 0, descending)


def _unzip(pairs: list[tuple[Any, int]]) -> tuple[list[Any], list[int]]:
    return [value for value, _ in pairs], [key for _, key in pairs]
