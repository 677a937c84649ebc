"""When a tap is killed, and what else happens: a number of points, drawn by chance from a seed."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20_261
TICKETS = 24
PAGE_SIZES = (2, 3, 5)
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
_WHENS = {
    "start": 18,  # after so many seconds
    "request": 36,  # when the sandbox has got so many requests
    "line": 27,  # when the target has read so many lines
    "last": 15,  # when there are no more than so many requests to come
    "retry": 10,  # while the tap waits to try again
    "slow": 10,  # while an answer is not coming
    "full": 8,  # while nobody reads what the tap writes
}
_WAITS = ("429:retry_after=60", "503:retry_after=60", "500:times=100")
_SLOW = "slow:seconds=60"
_MOST_REQUESTS = 44
_LINES = 70


@dataclass(frozen=True)
class Point:
    """One sync that is killed.

    Attributes:
        number: Which one; the seed of all its chances.
        sent: The signal.
        who: The `tap`, the `target`, or `both` as by Ctrl+C in a terminal.
        when: What is waited for, out of `_WHENS`.
        count: How many requests or lines that is, or how many seconds.
        delay: Seconds from there to the signal.
        faults: What goes wrong meanwhile.
        batch: Rows that the target holds.
        pause: Seconds that the target takes for a line.
        pipe: Bytes that the pipe takes.
        page_size: Of the tap.
        changes: When the server's tickets change: `before` or `after` the kill, or not at all.
        before: How many syncs are killed before this one, at other points.
    """

    number: int
    sent: signal.Signals
    who: str
    when: str
    count: float
    delay: float
    faults: tuple[str, ...]
    batch: int
    pause: float
    pipe: int
    page_size: int
    changes: str | None
    before: int

    def __str__(self) -> str:
        return f"{SEED}-{self.number}-{self.sent.name}-{self.who}-{self.when}-{self.count:g}+{self.delay:.3f}s"


def points() -> list[Point]:
    """Draw all points."""
    return list(_drawn())


def _drawn() -> Iterator[Point]:
    number = 0
    for when, many in _WHENS.items():
        for index in range(many):
            yield draw(number, when, _SIGNALS[index % len(_SIGNALS)])
            number += 1


def draw(number: int, when: str, sent: signal.Signals, who: str | None = None) -> Point:
    """Draw the point of a number."""
    chance = random.Random(f"{SEED}-{number}")  # noqa: S311
    waits = when in {"retry", "slow"}
    at = chance.randrange(1, _MOST_REQUESTS)
    count = {
        "start": round(chance.uniform(0, 0.7), 3),
        "line": chance.randrange(_LINES),
        "last": chance.randrange(1, 6),
        "full": chance.randrange(20),
    }.get(when, at)
    faults = [f"{chance.choice(_WAITS) if when == 'retry' else _SLOW},after={at - 1}"] if waits else []
    return Point(
        number=number,
        sent=sent,
        who=who or chance.choices(["tap", "both", "target"], [7, 2, 0 if waits else 2])[0],
        when=when,
        count=count,
        delay=round(chance.uniform(0, 0.25 if waits else 0.015), 3),
        faults=tuple(faults),
        batch=chance.choice([1, 7, 30, 1_000]),
        pause=chance.choice([0, 0, 0.002]),
        pipe=chance.choice([4_096, 65_536]),
        page_size=chance.choice(PAGE_SIZES),
        changes=chance.choice([None, None, "before", "after"]),
        before=chance.choice([0, 0, 0, 0, 1]),
    )
