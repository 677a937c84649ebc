"""How long requests take, at the least, under the limits that a provider sets to them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, field

from taps.engine.lanes import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taps.engine.provider import Provider

__all__ = ["Cost", "Rate", "rates_of"]

_SPANS = {60.0: "a minute", 300.0: "in 5 minutes", 3600.0: "an hour"}


class Rate(Struct, frozen=True):
    """A limit of all requests together.

    Attributes:
        title: What it is.
        limit: The limit.
        lists: Those of single streams within it, by their names.
    """

    title: str
    limit: Limit
    lists: Mapping[str, Limit] = field(default_factory=dict)


class Cost(Struct, frozen=True):
    """What streams take that are read together.

    Attributes:
        requests: By stream.
        counted: What they count for in the limit, likewise.
    """

    requests: Mapping[str, int]
    counted: Mapping[str, int]

    def minutes(self, rate: Rate) -> float:
        """Tell the least time that it takes.

        Args:
            rate: A limit.
        """
        times = [sum(self.counted.values()) / rate.limit.requests * rate.limit.seconds]
        together: Counter[Limit] = Counter()
        for stream, requests in self.requests.items():
            if stream in rate.lists:
                together[rate.lists[stream]] += requests
        # As many as the limit allows may be made at once, and as many again when its time is over.
        times += [(-(-number // limit.requests) - 1) * limit.seconds for limit, number in together.items() if number]
        return max(times) / 60


def rates_of(provider: Provider, told: Mapping[str, Limit] | None = None) -> list[Rate]:
    """List the limits by which a provider's costs are told: those of its plans, and its own.

    Args:
        provider: The provider.
        told: Further limits of all requests together, by what they are.
    """
    plans = [
        Rate(f"{name}, {plan.requests_per_minute} a minute", Limit(plan.requests_per_minute), plan.limits)
        for name, plan in provider.plans.items()
        if plan.requests_per_minute
    ]
    limits = dict(told or {})
    if provider.limit:
        limits[f"{provider.limit.requests:,} {_SPANS[provider.limit.seconds]}"] = provider.limit
    return [*plans, *(Rate(title, limit, provider.limits) for title, limit in limits.items())]
