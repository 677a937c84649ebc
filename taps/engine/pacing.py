"""When to send: the rate budget, the waits between tries, and what the API says of both."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import backoff

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from taps.engine.errors import ApiError

__all__ = ["RateBudget", "RetryPolicy", "http_date", "retry_after_seconds"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
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


class RateBudget:
    """Spreads requests evenly and holds all of them back while the API asks for a pause; safe for threads.

    Args:
        per_minute: Most requests in a minute, or `None` for no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Wait until the next request may be sent."""
        with self._lock:
            start = max(self._next, time.monotonic())
            self._next = start + self._interval
        wait = start - time.monotonic()
        if wait > 0:
            time.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let no request start for this long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


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
        return float(text)
    moment = http_date(text)
    if moment is None:
        return None
    now = now or http_date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """Read an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
