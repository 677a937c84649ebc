"""The on-call API as Opsgenie has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taps.sandbox.oncall.api import ONCALL, mounts
from taps.sandbox.oncall.dialect import MOMENTS, Dialect, failure
from taps.sandbox.oncall.store import OncallStore
from taps.sandbox.rates import Metering, Told

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from taps.sandbox.descriptor import Rules
    from taps.sandbox.oncall.streams import Stream

#: Up to so many digits an instant is in seconds, with more in milliseconds.
_DIGITS_OF_SECONDS = 10
_SECOND, _MILLI = 1_000_000, 1_000


class Opsgenie(Dialect):
    """Strict; `updatedAt` cannot be searched, unless an option says that it can.

    Args:
        rules: How to serve the records.
        streams: The collections' names.
    """

    strict = True
    unknown = 400

    def __init__(self, rules: Rules, streams: Collection[str]) -> None:
        super().__init__(rules)
        self._expected = f"GenieKey {rules.credentials.get('api_key', '')}".encode()
        self.searched = MOMENTS if rules.options["search_updated"] else MOMENTS[:1]
        self._lacking = rules.lacking(streams)

    def admit(self, scope: Scope, stream: Stream) -> None:
        """See `Dialect.admit`."""
        if status := self._lacking.get(stream.name):
            raise self.refusal(scope, status, f"Your plan does not allow access to {stream.name}")

    def unit(self, number: str) -> int:
        """See `Dialect.unit`."""
        return _SECOND if len(number) <= _DIGITS_OF_SECONDS else _MILLI


def routes(store: OncallStore, rules: Rules) -> list[BaseRoute]:
    """Lay out the API.

    Args:
        store: The records to serve.
        rules: How to serve them.

    Returns:
        `/v1` and `/v2`.

    Raises:
        ValueError: An option is none of those that there are.
    """
    return mounts(store, rules, Opsgenie(rules, store.streams))


def _tell(told: Told) -> dict[str, str]:
    if told.through:
        return {"X-RateLimit-State": "OK"}
    return {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Reason": "ACCOUNT", "X-RateLimit-Period-In-Sec": "60"}


OPSGENIE = replace(
    ONCALL,
    provider="opsgenie",
    title="on-call API of Opsgenie",
    make_store=lambda size, seed: OncallStore(alerts=size, seed=seed, vendor=True),
    routes=routes,
    failure=failure,
    metering=Metering(tell=_tell, always=True),
    options={
        # How many alerts or incidents a query gives, and whether a link past that is given and refused, or not given.
        "query_window": 20_000,
        "window_end": "refused",
        # Whether a query may name updatedAt.
        "search_updated": False,
        # Collections that the plan does not include, such as services or services=402.
        "lacks": "",
    },
)
