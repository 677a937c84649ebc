"""Timestamps as the APIs spell them, and the instants that they stand for (microseconds since 1970, UTC)."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

_STAMP = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:T(?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:\d\d))?",
    re.ASCII,
)


def instant(text: object) -> int | None:
    """Read a timestamp (or a bare day, which is its midnight in UTC).

    Args:
        text: The timestamp, with or without fractions, in UTC (`Z`) or with an offset.

    Returns:
        The instant in microseconds, or None where the text is no timestamp.
    """
    match = _STAMP.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    zone = (match["zone"] or "Z").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['clock'] or '00:00:00'}{zone}")
        whole = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // _MICROSECOND
    except (ValueError, OverflowError):
        return None
    return whole + int((match["fraction"] or "").ljust(6, "0")[:6])


def stamp(moment: int, *, digits: int = 0, offset_hours: int = 0) -> str:
    """Spell an instant.

    Args:
        moment: The instant in microseconds.
        digits: How many digits of the second's fraction to give (0 to 6); the rest is cut off.
        offset_hours: The offset to spell it in; 0 is `Z`.

    Returns:
        Such as `2025-03-01T08:30:00Z`, `2025-03-01T08:30:00.123Z` or `2025-03-01T10:30:00+02:00`.
    """
    seconds, rest = divmod(moment, SECOND)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds + offset_hours * 3_600))
    if digits:
        text += f".{rest:06d}"[: digits + 1]
    return text + (f"{offset_hours:+03d}:00" if offset_hours else "Z")


def now() -> int:
    """Give the present instant in whole seconds.

    Returns:
        Microseconds since 1970 that are a multiple of a second.
    """
    return int(time.time()) * SECOND


_MICROSECOND = datetime.resolution
