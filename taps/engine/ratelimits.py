"""What the headers of an answer say of the API's rate limit, in the spellings that are in use.

Nothing here ever raises because of what a header holds: what cannot be read has not been said.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from taps.engine.pacing import epoch_seconds, point_in_time, server_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LONGEST_WAIT", "RateLimits", "read_rate_limits"]

LONGEST_WAIT = 3600.0
"""Seconds; nothing that a header says is waited for any longer."""

_NAME = re.compile(
    r"(?:x-)?rate-?limit"
    r"(?:-(?P<part>remaining|reset(?:-after)?|limit|total))?"
)
# No leading zeros, so that 10,000 with a comma between its thousands is not taken for 10 and 0.
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NO_TIME = 1e14
_DEAREST = 100
_LONGEST_VALUE = 1_000
_NO_NAMES: Mapping[str, str] = {}


class RateLimits(Struct, frozen=True):
    """What an answer said.

    Attributes:
        remaining: Requests that may still be sent; where several limits are told, of the one that leaves the fewest.
        reset: Seconds until there are more, an hour at most.
        cost: What the request took off. It is more than 1 where an API counts some requests more than once.
        pause: Seconds in which nothing should be sent.
        period: Seconds after which the API counts anew, an hour at most; 0 where it does not say.
    """

    remaining: int | None = None
    reset: float | None = None
    cost: int = 1
    pause: float = 0.0
    period: float = 0.0


def read_rate_limits(headers: Mapping[str, str], names: Mapping[str, str] = _NO_NAMES) -> RateLimits | None:
    """Read what an answer says of the rate limit.

    Args:
        headers: Of the answer. The case of their names does not matter. Points in time are counted from its `Date`,
            because the clocks of the two machines may differ, or else from ours.
        names: Headers of the API's own, in lower case, with what they tell: the `cost` of the request, the `state`,
            which may be `throttled`, and the `period` in seconds that it then has to wait; or `remaining`, `reset`,
            `limit` under another name.

    Returns:
        `None` where it says nothing.
    """
    told: defaultdict[str, list[str]] = defaultdict(list)
    for name in headers:
        # Each answer comes by here, and most have no such header.
        if own := names.get(lower := name.lower()):
            told[own].append(headers[name][:_LONGEST_VALUE])
        elif "limit" in lower and (match := _NAME.fullmatch(lower)):
            told[match["part"] or "all"].append(headers[name][:_LONGEST_VALUE])
    if not told:
        return None
    remaining, reset = min(_leavings(told, headers), default=(None, math.inf))
    cost = max(_numbers(told["cost"]), default=1)
    throttled = any(state.strip().upper() == "THROTTLED" for state in told["state"])
    period = min(max(_numbers(told["period"]), default=0), LONGEST_WAIT)
    return RateLimits(
        remaining=None if remaining is None else int(remaining),
        reset=None if reset == math.inf else min(reset, LONGEST_WAIT),
        cost=int(cost) if 1 <= cost <= _DEAREST else 1,
        pause=period if throttled else 0.0,
        period=period,
    )


def _leavings(told: defaultdict[str, list[str]], headers: Mapping[str, str]) -> Iterator[tuple[float, float]]:
    """Give for each limit what remains and the seconds until its reset, infinite where nobody says."""
    limits = _numbers(told["limit"] + told["total"])
    remaining = _numbers(told["remaining"])
    resets = [seconds for text in told["reset"] + told["reset-after"] for seconds in _resets(text, headers)]
    if len(remaining) == len(resets):
        pairs = list(zip(remaining, resets, strict=True))
    else:
        pairs = [(left, min(resets, default=math.inf)) for left in remaining]
    for text in told["all"]:
        pairs += _policies(text)
    # A limit of 0 is what some write for no limit, and what was counted until a moment in the past is over.
    if not limits or any(limits):
        yield from ((left, reset) for left, reset in pairs if reset >= 0)


def _policies(text: str) -> Iterator[tuple[float, float]]:
    """Read `limit=100, remaining=50, reset=5` or `"minute";r=50;t=30, "day";r=900;t=7200`: drafts of one standard."""
    text = _QUOTED.sub("name", text.lower())
    if "remaining" in text:
        text = text.replace(",", ";").replace("remaining", "r").replace("reset", "t")
    for policy in text.split(","):
        fields = dict(field.replace(" ", "").split("=", 1) for field in policy.split(";") if "=" in field)
        for left in _numbers([fields.get("r", "")]):
            yield left, min(_numbers([fields.get("t", "")]), default=math.inf)


def _resets(text: str, headers: Mapping[str, str]) -> list[float]:
    """Read seconds from now, seconds or milliseconds since 1970, or a date; what is negative is in the past."""
    text = text.strip()
    if numbers := _numbers([text.removeprefix("-")]):
        return [-1.0 if text.startswith("-") else _until(number, headers) for number in numbers]
    moment = point_in_time(text)
    return [] if moment is None else [(moment - server_time(headers)).total_seconds()]


def _until(number: float, headers: Mapping[str, str]) -> float:
    if number >= _NO_TIME:
        return math.inf
    epoch = epoch_seconds(number)
    return number if epoch is None else epoch - server_time(headers).timestamp()


def _numbers(texts: list[str]) -> list[float]:
    """Read numbers with commas between them, of each text all or none; what follows a semicolon is left out."""
    found: list[float] = []
    for text in texts:
        parts = [part.partition(";")[0].strip() for part in text.split(",")]
        if all(map(_NUMBER.fullmatch, parts)):
            found += map(float, parts)
    return found
