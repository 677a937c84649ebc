"""When to try again: the waits between tries, and what the API says of them."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import backoff
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from taps.engine.errors import ApiError

__all__ = ["RetryPolicy", "http_date", "retry_after_seconds"]

_LONGEST_NUMBER = 18  # characters; what is longer is no time, and may be too large for a float


class RetryPolicy(Struct, frozen=True):
    """When and how often to try again.

    Attributes:
        max_retries: Tries after the first.
        backoff_factor: Seconds before the first retry; doubled for each further one.
        statuses: HTTP statuses that may pass.
    """

    max_retries: int
    backoff_factor: float
    statuses: frozenset[int]

    def waits(self) -> Generator[float, ApiError, None]:
        """Be sent each error; yield the seconds to wait: what the API asked for, or else exponential with jitter."""
        exponential = backoff.expo(base=2, factor=self.backoff_factor)
        next(exponential)
        error = yield 0.0
        for seconds in exponential:
            asked = error.retry_after
            error = yield (seconds * random.uniform(1, 1.25) if asked is None else asked)  # noqa: S311


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read how long an API asks to wait.

    Args:
        headers: With `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), and maybe `Date`.
        now: The time to count an HTTP date from; by default the server's own `Date`, because the clocks of the two
            machines may differ, or else ours.

    Returns:
        Seconds, not negative; `None` where the header is missing or cannot be read.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text) if len(text) <= _LONGEST_NUMBER else None
    moment = http_date(text)
    if moment is None:
        return None
    now = now or http_date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (moment - now).total_seconds())


@lru_cache(maxsize=16)  # answers of the same second say the same
def http_date(text: str) -> datetime | None:
    """Read an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
