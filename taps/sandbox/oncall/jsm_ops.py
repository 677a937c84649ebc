"""The alerts of the on-call API as Jira Service Management has them: written from its documentation alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from taps.sandbox.answers import Content, Refusal
from taps.sandbox.auth import basic
from taps.sandbox.oncall.api import mounts
from taps.sandbox.oncall.opsgenie import OPSGENIE, Opsgenie
from taps.sandbox.rates import Metering
from taps.sandbox.rows import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from taps.sandbox.descriptor import Rules
    from taps.sandbox.oncall.store import OncallStore
    from taps.sandbox.oncall.streams import Stream


class JsmOps(Opsgenie):
    """The query language of Opsgenie, records under `values`, the next page under `links`."""

    size = "size"

    def paths(self, streams: Mapping[str, Stream]) -> dict[str, dict[str, Stream]]:
        """See `Dialect.paths`."""
        return {self._rules.base: {"/alerts": streams["alerts"]}}

    def knows(self, scope: Scope) -> bool:
        """See `Dialect.knows`."""
        known = self._rules.credentials
        return basic(scope) == (known["email"].encode(), known["api_key"].encode())

    def refusal(self, scope: Scope, status: int, message: str) -> Refusal:
        """See `Dialect.refusal`."""
        return Refusal(status, _failure(scope, status, "", message))

    def envelope(
        self,
        _scope: Scope,
        bodies: Sequence[bytes],
        *,
        paging: Mapping[str, str] | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> Content:
        """See `Dialect.envelope`."""
        links = {name: link for name, link in (paging or {}).items() if name == "next"}
        rest = {**(before or {}), "links": links}
        return Content(b'{"values":[' + b",".join(bodies) + b"]," + encode(rest)[1:])


def routes(store: OncallStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        One mount.

    Raises:
        ValueError: An option is none of those that there are.
    """
    return mounts(store, rules, JsmOps(rules, store.streams))


def _failure(_scope: Scope, status: int, _code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"status": status, "title": message}]}


JSM_OPS = replace(
    OPSGENIE,
    provider="jsm_ops",
    title="on-call API of Jira Service Management (experimental)",
    base="/jsm/ops/api/{cloud_id}/v1",
    credentials={"email": "agent@sandbox.example", "api_key": "sandbox-key"},
    routes=routes,
    failure=_failure,
    metering=Metering(),
    link=("links", "next"),
    # The site whose alerts they are: a part of the paths.
    options={**OPSGENIE.options, "cloud_id": "sandbox-cloud"},
)
