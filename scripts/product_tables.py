"""What the page of a product tells of its streams and of what they cost, from the tap and its provider."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import UNSET

from markdown_tables import code, table
from request_costs import COSTED, cost_of
from taps.engine.costs import Cost, rates_of
from taps.engine.query import StartParam

if TYPE_CHECKING:
    from collections.abc import Iterable

    from request_costs import Account, Group
    from taps.engine.lanes import Limit
    from taps.engine.provider import Provider
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["costs_tables", "product_streams_table"]


def product_streams_table(tap_class: type[ApiTap], provider: Provider) -> str:
    """Write the table of the streams that a product has, and how it differs with each."""
    rows = [
        [
            code(vars(stream)["name"]),
            paths(stream),
            code(stream.replication_key) if isinstance(stream.replication_key, str) else "",
            code(vars(stream.parent_stream_type)["name"]) if stream.parent_stream_type else "",
            "; ".join(remarks(stream, provider)),
        ]
        for stream in sorted(
            tap_class.streams_for({"provider": provider.name}), key=lambda stream: str(vars(stream)["name"])
        )
    ]
    return table(["Stream", "Path", "Incremental on", "Child of", "Remarks"], rows)


def paths(stream: type[ApiStream]) -> str:
    """Name the paths at which a stream may be, in the order in which they are asked."""
    others = [f"or {code(f.path)}{condition(f.setting)}" for f in stream.fallbacks if isinstance(f.path, str)]
    below = [f"and {code(stream.sublists.path)}"] if stream.sublists else []
    return ", ".join([code(stream.path), *others, *below])


def condition(setting: str | None) -> str:
    """Say which setting has to be made."""
    return f" with {code(setting)}" if setting else ""


def remarks(stream: type[ApiStream], provider: Provider) -> Iterable[str]:
    """Say of a stream what its product has of its own."""
    asked = list(questions(stream))
    if len(asked) > 1 or (stream.start_param and str(stream.replication_key) not in stream.start_param.name):
        yield "asked by " + ", or ".join(asked)
    if stream.lookback:
        yield f"{code('lookback_days')} are taken off the bookmark"
    for part in stream.parts:
        yield f"with {code(part.setting or '')} also {code(*map('='.join, part.params.items()))}"
    if cost := provider.costs.get(vars(stream)["name"]):
        yield f"a request counts for {cost}"
    if limit := provider.limits.get(vars(stream)["name"]):
        yield limited(limit)
    if stream.optional:
        yield "skipped where the plan lacks it"


def questions(stream: type[ApiStream]) -> Iterable[str]:
    """Say how a stream is asked for records from a time on, in the order in which that is tried."""
    for param in (stream.start_param or UNSET, *(fallback.start_param for fallback in stream.fallbacks)):
        if isinstance(param, StartParam):
            yield code(param.name if param.template == "{timestamp}" else f"{param.name}={param.without_end}")
        elif param is None:
            yield "in full"


def limited(limit: Limit) -> str:
    """Put a limit into words."""
    units = {1: "a second", 60: "a minute", 3600: "an hour"}
    return f"{limit.requests:,} requests {units.get(int(limit.seconds), f'in {limit.seconds / 60:g} minutes')} at most"


def costs_tables(tap_class: type[ApiTap], provider: Provider) -> str:
    """Write what a sync takes of a product, a table for each account."""
    costed = COSTED[provider.name]
    rates = rates_of(provider, costed.rates)
    parts = []
    for account in costed.accounts:
        groups = grouped(tap_class, provider, account)
        rows = [
            [group_title(group, cost), *counts(cost, provider), *(duration(cost.minutes(rate)) for rate in rates)]
            for group, cost in groups
        ]
        if len(groups) > 1:
            summed = [cost for group, cost in groups if not group.alone]
            times = [duration(sum(cost.minutes(rate) for cost in summed)) for rate in rates]
            rows.append(["**all streams**", *counts(together(summed), provider), *times])
        header = ["Read", "Requests", *(["Counted"] if provider.costs else []), *(rate.title for rate in rates)]
        parts.append(f"**{account.title}**{holdings(account)}\n\n{table(header, rows)}")
    return "\n".join(parts)


def grouped(tap_class: type[ApiTap], provider: Provider, account: Account) -> list[tuple[Group, Cost]]:
    """Tell what each group of streams takes."""
    page_size = tap_class.config_jsonschema["properties"]["page_size"]["default"]
    streams = tap_class.streams_for({"provider": provider.name})
    costs = cost_of(streams, provider, account, page_size)
    groups = COSTED[provider.name].groups
    named = {name for group in groups for name in group.streams}
    made = []
    for group in groups:
        names = group.streams or [name for name in costs if name not in named]
        made.append((group, Cost({name: costs[name][0] for name in names}, {name: costs[name][1] for name in names})))
    return made


def together(costs: Iterable[Cost]) -> Cost:
    """Add costs of different streams up."""
    requests: dict[str, int] = {}
    counted: dict[str, int] = {}
    for cost in costs:
        requests |= cost.requests
        counted |= cost.counted
    return Cost(requests, counted)


def group_title(group: Group, cost: Cost) -> str:
    """Say which streams a group has."""
    if not group.streams:
        return f"{len(cost.requests)} other streams"
    return code(*group.streams) + (" alone" if group.alone else "")


def counts(cost: Cost, provider: Provider) -> list[str]:
    """Write how many requests there are, and where some count for more, what they count for."""
    sums = [sum(cost.requests.values()), *([sum(cost.counted.values())] if provider.costs else [])]
    return [f"{number:,}" for number in sums]


def duration(minutes: float) -> str:
    """Write a time, rounded up."""
    if minutes <= 1:
        return "1 min"
    return f"{math.ceil(minutes)} min" if minutes < 100 else f"{math.ceil(minutes / 6) / 10:.1f} h"  # noqa: PLR2004


def holdings(account: Account) -> str:
    """List what an account holds beside what its title says."""
    _, *others = (f"{number:,} {name.replace('_', ' ')}" for name, number in account.records.items())
    return f", with {', '.join(others)}:" if others else ":"
