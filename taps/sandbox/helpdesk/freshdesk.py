"""The help desk API as Freshdesk has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from taps.sandbox.answers import Refusal
from taps.sandbox.descriptor import failure
from taps.sandbox.helpdesk.api import HELPDESK, mount
from taps.sandbox.helpdesk.dialects import VendorDialect
from taps.sandbox.helpdesk.lists import ChildList
from taps.sandbox.helpdesk.store import HelpdeskStore
from taps.sandbox.helpdesk.streams import STREAMS, Stream
from taps.sandbox.rates import Lane, Metering, Told
from taps.sandbox.rows import Record, Rows, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from taps.sandbox.descriptor import Rules

_BASE = VendorDialect.root
#: The collections whose author is called `user_id`: elsewhere `customer_id` is something else.
_AUTHORED = frozenset(
    {"conversations", "discussion_comments", "discussion_topics", "satisfaction_ratings", "solution_articles"}
)
#: Collections that moved, and where to.
_NEWER = {"groups": "/admin/groups", "skills": "/admin/skills", "ticket_fields": "/admin/ticket_fields"}
_ASIDES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "tickets": {"filter": ("deleted", "spam")},
    "contacts": {"state": ("deleted", "blocked")},
}
#: The options that name the parameter by which a collection is filtered.
_SINCE = {"companies": "companies_param", "contacts": "contacts_param"}
_SINCE_NAMES = ("updated_since", "_updated_since", "none")
#: What each part that tickets are to include costs on top of the request.
_PER_INCLUDE = 2
_NONE: frozenset[str] = frozenset()


class Freshdesk(VendorDialect):
    """Bare arrays and numbered pages as in `VendorDialect`, but strict, and with the values as they are in the store.

    Args:
        rules: How to serve the records.
    """

    strict = True
    includes = ()

    def __init__(self, rules: Rules) -> None:
        super().__init__(huge_numbers=rules.options["huge_numbers"])
        self._options = rules.options
        self.exclusive = rules.options["exclusive_since"]
        self._lacking = rules.lacking(STREAMS)
        for option in _SINCE.values():
            if self._options[option] not in _SINCE_NAMES:
                raise ValueError(f"{option} is one of {', '.join(_SINCE_NAMES)}")

    def paths(self, stream: Stream) -> list[str]:
        """See `Dialect.paths`."""
        paths = super().paths(stream)
        newer = stream.name in _NEWER and not self._options["older_paths"]
        return [*paths, _NEWER[stream.name]] if newer else paths

    def filters_of(self, stream: Stream) -> Sequence[tuple[str, str]]:
        """See `Dialect.filters_of`."""
        if stream.name not in _SINCE:
            return stream.filters
        name = self._options[_SINCE[stream.name]]
        return () if name == "none" else ((name, "updated_at"),)

    def asides(self, stream: str) -> Mapping[str, tuple[str, ...]]:
        """See `Dialect.asides`."""
        return _ASIDES.get(stream, {})

    def admit(self, stream: Stream) -> None:
        """See `Dialect.admit`."""
        if status := self._lacking.get(stream.name):
            feature = stream.name.replace("_", " ")
            message = f"The {feature} feature is not supported in your plan. Please upgrade your account to use it."
            raise Refusal(status, {"code": "require_feature", "message": message})

    def row(self, stream: Stream, rows: Rows, key: int, omit: frozenset[str] = _NONE) -> bytes:
        """See `Dialect.row`."""
        if stream.name in _AUTHORED or not self._huge_numbers:
            return self.child(stream, self._shown(rows.record(key), omit))
        return rows.body(key, omit)

    def child(self, stream: Stream, record: Record) -> bytes:
        """See `Dialect.child`."""
        if stream.name not in _AUTHORED:
            return encode(record)
        return encode({"user_id" if name == "customer_id" else name: value for name, value in record.items()})


class _Conversations(ChildList):
    """Not of deleted tickets, and of archived ones elsewhere."""

    archived = False

    def _records(self, parent: int) -> list[Record] | None:
        if parent in self._store.aside("tickets", "deleted").ids():
            raise Refusal(403, {"code": "access_denied", "message": "You are not authorized to perform this action."})
        if parent in self._store.aside("tickets", "spam").ids():
            return []
        rows, away = self._store.rows("tickets"), self._rules.options["archived"]
        first = rows.memo(("first", away), lambda: {rows.value(key, "id") for key in rows.keys[:away]})
        return super()._records(parent) if (parent in first) is self.archived else None


class _Archived(_Conversations):
    archived = True


class _TopFolders(ChildList):
    def _records(self, parent: int) -> list[Record] | None:
        records = super()._records(parent)
        return records and [record for record in records if record.get("parent_folder_id") is None]


class _SubFolders(ChildList):
    def _records(self, parent: int) -> list[Record] | None:
        folders = self._store.records("solution_folders")
        if parent not in {folder.get("id") for folder in folders}:
            return None
        return [folder for folder in folders if folder.get("parent_folder_id") == parent]


def routes(store: HelpdeskStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        One mount, `/api/v2`.

    Raises:
        ValueError: An option is none of those that there are.
    """
    if rules.options["archived"] < 0:
        raise ValueError("archived is a whole number from 0")
    more = {
        "/tickets/{id}/conversations": ("conversations", _Conversations),
        "/tickets/archived/{id}/conversations": ("conversations", _Archived),
        "/solutions/categories/{id}/folders": ("solution_folders", _TopFolders),
        "/solutions/folders/{id}/subfolders": ("solution_folders", _SubFolders),
    }
    return [mount(store, rules, Freshdesk(rules), passwords=None, more=more)]


def _cost(scope: Scope) -> int:
    if scope["path"] != f"{_BASE}/tickets":
        return 1
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("include", "")
    return 1 + _PER_INCLUDE * len(list(filter(None, asked.split(","))))


def _tell(told: Told) -> dict[str, str]:
    if not told.limit:
        return {}
    return {
        "X-RateLimit-Total": str(told.limit),
        "X-RateLimit-Remaining": str(told.left),
        "X-RateLimit-Used-CurrentRequest": str(told.cost),
    }


def _failure(scope: Scope, status: int, code: str, message: str) -> dict[str, Any]:
    if status != 400:  # noqa: PLR2004 - the one status whose body has a list of errors
        return failure(scope, status, code, message)
    return {"description": message, "errors": [{"field": "", "message": message, "code": code}]}


FRESHDESK = replace(
    HELPDESK,
    provider="freshdesk",
    title="help desk API of Freshdesk",
    base=_BASE,
    make_store=lambda size, seed: HelpdeskStore(tickets=size, seed=seed, aside=True),
    routes=routes,
    failure=_failure,
    metering=Metering(
        cost=_cost, tell=_tell, lanes=(Lane("list_limit", {"/tickets": "tickets", "/contacts": "contacts"}),)
    ),
    options={
        **HELPDESK.options,
        # By which parameter companies and contacts are filtered: updated_since, _updated_since or none.
        "companies_param": "updated_since",
        "contacts_param": "_updated_since",
        # Whether what changed since a time leaves out what changed at that very time.
        "exclusive_since": False,
        # Whether groups, skills and ticket fields are at their older paths alone.
        "older_paths": False,
        # Of how many tickets, the first ones, the conversations are at the archived path alone.
        "archived": 0,
        # How many times a minute each of the lists of tickets and of contacts may be asked for; 0 for any number.
        "list_limit": 0,
        # Collections that the plan does not include, such as skills,products.
        "lacks": "",
    },
)
