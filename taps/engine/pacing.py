"""When to try again: the waits between tries, and what the API says of them."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import backoff
from msgspec import Struct

from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from taps.engine.errors import ApiError

__all__ = ["RetryPolicy", "epoch_seconds", "http_date", "point_in_time", "retry_after_seconds", "server_time"]

_LONGEST_NUMBER = 18  # characters; what is longer is no time, and may be too large for a float
_POINTS_IN_TIME = 1e9
_MILLISECONDS = 1e12
_NO_TIME = 1e11  # seconds since 1970 that the calendar does not have


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
        """Be sent each error; yield the seconds to wait: what the API asked for, or else exponential with jitter.

        Before the last try an API that told no more than its period has had this, or it would refuse that as well.
        """
        exponential = backoff.expo(base=2, factor=self.backoff_factor)
        next(exponential)
        error = yield 0.0
        waited = 0.0
        for retry, seconds in enumerate(exponential, 1):
            wait = error.retry_after
            if wait is None:
                wait = seconds * random.uniform(1, 1.25)  # noqa: S311
                if retry == self.max_retries:
                    wait = max(wait, error.period - waited)
            waited += wait
            error = yield wait


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read how long an API asks to wait.

    Args:
        headers: With `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), and maybe `Date`. Some APIs write
            a point in time otherwise: in seconds or milliseconds since 1970, or as in their records.
        now: The time to count a point in time from; by default the server's own `Date`, because the clocks of the two
            machines may differ, or else ours.

    Returns:
        Seconds, not negative; `None` where the header is missing or cannot be read.
    """
    text = headers.get("Retry-After", "").strip()
    now = now or server_time(headers)
    if text.isascii() and text.replace(".", "", 1).isdigit():
        if len(text) > _LONGEST_NUMBER:
            return None
        epoch = epoch_seconds(float(text))
        if epoch is None:
            return float(text)
        return max(0.0, epoch - now.timestamp()) if epoch < _NO_TIME else None
    moment = point_in_time(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def epoch_seconds(number: float) -> float | None:
    """Give the seconds since 1970 where a number is a point in time, in seconds or milliseconds, and not a span."""
    if number < _POINTS_IN_TIME:
        return None
    return number / 1000 if number >= _MILLISECONDS else number


def point_in_time(text: str) -> datetime | None:
    """Read a timestamp as in records, or an HTTP date; `None` where it is neither."""
    try:
        return parse_timestamp(text)
    except ValueError:
        return http_date(text)


def server_time(headers: Mapping[str, str]) -> datetime:
    """Give the server's time by its `Date`, because the clocks of the two machines may differ, or else ours."""
    return http_date(headers.get("Date", "")) or datetime.now(timezone.utc)


@lru_cache(maxsize=16)  # answers of the same second say the same
def http_date(text: str) -> datetime | None:
    """Read an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
