"""The help desk API's paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, Router

from taps.sandbox.answers import Refusal
from taps.sandbox.auth import BasicAuth
from taps.sandbox.descriptor import Api, Rules
from taps.sandbox.helpdesk.dialects import Dialect, VendorDialect
from taps.sandbox.helpdesk.lists import ChildList, LinkedList, List, Settings, TicketList
from taps.sandbox.helpdesk.store import HelpdeskStore
from taps.sandbox.helpdesk.streams import STREAMS
from taps.sandbox.pages import PageCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

#: The key is the secret; the password is only there because HTTP Basic has one.
_PASSWORD = "X"  # noqa: S105
_KINDS: Mapping[str, type[List]] = {"settings": Settings, "tickets": TicketList}


def routes(store: HelpdeskStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        A mount for each form in which the records can be had: `/v1` and `/api/v2`.
    """
    huge = rules.options["huge_numbers"]
    return [
        mount(store, rules, Dialect(huge_numbers=huge), passwords=(_PASSWORD,)),
        # The vendor's product takes any password.
        mount(store, rules, VendorDialect(huge_numbers=huge), passwords=(_PASSWORD, "")),
    ]


def mount(
    store: HelpdeskStore,
    rules: Rules,
    dialect: Dialect,
    *,
    passwords: tuple[str, ...] | None,
    more: Mapping[str, tuple[str, type[List]]] | None = None,
) -> BaseRoute:
    """Lay out the API in one dialect.

    Args:
        store: The records to serve.
        rules: How to serve them.
        dialect: The form in which to serve them.
        passwords: The passwords that are taken; None for any.
        more: Further paths below the dialect's root, or others for paths that there are, each with its collection and
            the kind of its endpoint.

    Returns:
        The mount.
    """
    pages = PageCache(rules.cache_mb)
    kinds = {
        path: (name, _KINDS.get(name, ChildList if stream.parent else LinkedList))
        for name, stream in STREAMS.items()
        for path in dialect.paths(stream)
    }
    lists = [
        Route(path.replace("{id}", "{id:int}"), kind(STREAMS[name], store, rules, pages, dialect))
        for path, (name, kind) in {**kinds, **(more or {})}.items()
    ]
    guard = Middleware(BasicAuth, user=rules.credentials["api_key"], passwords=passwords)
    return Mount(dialect.root, app=Router(lists, redirect_slashes=False, default=_unknown_path), middleware=[guard])


async def _unknown_path(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Refusal(404, {"code": "not_found", "message": f"There is no {scope['path']} in this API"})


HELPDESK = Api(
    name="helpdesk",
    title="help desk API",
    tap="tap-helpdesk",
    credentials={"api_key": "sandbox-key"},
    make_store=lambda size, seed: HelpdeskStore(tickets=size, seed=seed),
    routes=routes,
    # The last page of tickets that can be asked for, and whether custom fields hold numbers beyond 64 bits.
    options={"max_ticket_pages": 300, "huge_numbers": True},
)
