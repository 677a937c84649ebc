"""The sales engagement API as Outreach has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from taps.sandbox.answers import Refusal, header
from taps.sandbox.rates import TELLS, Metering
from taps.sandbox.sales_engagement.api import SALES_ENGAGEMENT, mounts
from taps.sandbox.sales_engagement.dialect import Dialect
from taps.sandbox.sales_engagement.query import failure
from taps.sandbox.sales_engagement.store import SalesStore
from taps.sandbox.sales_engagement.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from taps.sandbox.descriptor import Rules
    from taps.sandbox.sales_engagement.streams import Stream

_BASE = "/api/v2"
_MEDIA_TYPE = "application/vnd.api+json"
_FORM = frozenset({"client_id", "client_secret", "redirect_uri", "grant_type", "refresh_token"})


class Outreach(Dialect):
    """Strict, and only for those who accept JSON:API.

    Args:
        rules: How to serve the records.
    """

    root = _BASE
    strict = True
    unknown = 400

    def __init__(self, rules: Rules) -> None:
        self.scattered = rules.options["unsorted"]
        self._lacking = rules.lacking(STREAMS)

    def check(self, scope: Scope) -> None:
        """See `Dialect.check`."""
        accepted = (header(scope, b"accept") or b"").split(b",")
        if _MEDIA_TYPE.encode() not in {one.partition(b";")[0].strip().lower() for one in accepted}:
            raise failure(415, "unsupportedMediaType", "Unsupported Media Type", f"Accept has to name {_MEDIA_TYPE}.")

    def check_form(self, names: Collection[str]) -> None:
        """See `Dialect.check_form`."""
        if unknown := sorted(set(names) - _FORM):
            described = f"The form has no {', '.join(unknown)}."
            raise Refusal(400, {"error": "invalid_request", "error_description": described})

    def admit(self, stream: Stream) -> None:
        """See `Dialect.admit`."""
        if status := self._lacking.get(stream.name):
            scope = f"{stream.tail[1:]}.read"
            detail = f"The access token lacks the scope {scope}."
            raise failure(status, "unauthorizedOauthScope", "Unauthorized OAuth Scope", detail)

    def refusal(self, refusal: Refusal) -> Refusal:
        """See `Dialect.refusal`."""
        errors = [{name: error[name] for name in ("id", "title", "detail")} for error in refusal.body["errors"]]
        return Refusal(refusal.status, {"errors": errors}, refusal.headers)


def routes(store: SalesStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        `/api/v2` and the path that gives tokens.

    Raises:
        ValueError: An option is not written as it should be.
    """
    return mounts(store, rules, Outreach(rules))


def _failure(_scope: Scope, status: int, code: str, message: str) -> dict[str, Any]:
    # The one that clients know by its name.
    name = "rateLimitExceeded" if code == "rate_limit_reached" else code
    return {"errors": [{"id": name, "title": f"Status {status}", "detail": message}]}


OUTREACH = replace(
    SALES_ENGAGEMENT,
    provider="outreach",
    title="sales engagement API of Outreach",
    base=_BASE,
    make_store=lambda size, seed: SalesStore(prospects=size, seed=seed, root=_BASE),
    routes=routes,
    failure=_failure,
    metering=Metering(tell=lambda told: TELLS["reset"](told) if told.limit else {}),
    media_type=_MEDIA_TYPE,
    options={
        **{name: value for name, value in SALES_ENGAGEMENT.options.items() if name != "flat"},
        # Collections whose scope the access token lacks, such as users,audit_logs.
        "lacks": "",
        # Whether records come in another order than is asked for.
        "unsorted": False,
    },
)
