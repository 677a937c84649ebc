"""The voice API as Zendesk Talk has it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware

from taps.sandbox.answers import Refusal, header
from taps.sandbox.auth import basic
from taps.sandbox.rates import Lane, Metering, Told
from taps.sandbox.voice.api import VOICE, mount
from taps.sandbox.voice.dialect import Dialect, invalid, unprocessable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from taps.sandbox.descriptor import Rules
    from taps.sandbox.voice.store import VoiceStore

_BASE = "/api/v2/channels/voice"
_EXPORT_PATHS = ("/stats/incremental/calls", "/stats/incremental/legs")
_UNPROCESSABLE = 422


class ZendeskTalk(Dialect):
    """No key in the query, and exports that do not reach into the present.

    Args:
        recent: How many seconds before now an export begins at the latest.
        lacking: The status that collections are refused with which the account does not have.
    """

    root = _BASE
    own = ()
    sizes = ("per_page",)

    def __init__(self, recent: int, lacking: Mapping[str, int]) -> None:
        self._recent = recent
        self._lacking = lacking

    def admit(self, stream: str) -> None:
        """See `Dialect.admit`."""
        if status := self._lacking.get(stream):
            raise Refusal(status, {"error": "Forbidden", "description": f"Your plan does not include {stream}."})

    def check_start(self, start: int) -> None:
        """See `Dialect.check_start`."""
        if start > time.time() - self._recent:
            raise unprocessable("start_time", f"it is too recent: it has to be {self._recent} seconds ago or more")

    def unprocessable(self, name: str, reason: str) -> Refusal:
        """See `Dialect.unprocessable`."""
        return unprocessable(name, reason) if name == "start_time" else invalid(name, reason)


class _Guard:
    """Lets through who knows the key with its address, or a token."""

    def __init__(self, app: ASGIApp, *, credentials: Mapping[str, str]) -> None:
        self._app = app
        self._basic = (f"{credentials['email']}/token".encode(), credentials["api_key"].encode())
        self._token = credentials["access_token"].encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme, _, token = (header(scope, b"authorization") or b"").partition(b" ")
        bearer = scheme.lower() == b"bearer" and token.strip() == self._token
        if not bearer and basic(scope) != self._basic:
            raise Refusal(401, _failure(scope, 401, "Unauthorized", "Couldn't authenticate you"))
        await self._app(scope, receive, send)


def routes(store: VoiceStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        One mount.

    Raises:
        ValueError: An option is none of those that there are.
    """
    options = rules.options
    if options["export_page"] < 1 or options["recent_seconds"] < 0:
        raise ValueError("export_page is a whole number from 1, recent_seconds one from 0")
    dialect = ZendeskTalk(options["recent_seconds"], rules.lacking(store.counts()))
    return [mount(store, rules, dialect, Middleware(_Guard, credentials=rules.credentials))]


def _failure(_scope: Scope, _status: int, code: str, message: str) -> dict[str, Any]:
    return {"error": code, "description": message}


def _tell(told: Told) -> dict[str, str]:
    return {"X-Rate-Limit": str(told.limit), "X-Rate-Limit-Remaining": str(told.left)} if told.limit else {}


ZENDESK_TALK = replace(
    VOICE,
    provider="zendesk_talk",
    title="voice API of Zendesk Talk",
    base=_BASE,
    credentials={"email": "agent@sandbox.example", "api_key": "sandbox-key"},
    routes=routes,
    failure=_failure,
    metering=Metering(tell=_tell, lanes=(Lane("export_limit", dict.fromkeys(_EXPORT_PATHS, "exports")),)),
    options={
        # The most records a page of calls or legs, whose next page is always given.
        "export_page": 1_000,
        # How many seconds before now an export begins at the latest.
        "recent_seconds": 0,
        # How many times a minute the two exports together may be asked for; 0 for any number.
        "export_limit": 0,
        # Collections that the account does not have, such as ivrs.
        "lacks": "",
    },
)
