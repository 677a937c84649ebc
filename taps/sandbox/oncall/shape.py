"""How many records of each kind an on-call team has, their ids, and how its API spells instants."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from taps.sandbox.instants import DAY, SECOND, instant, stamp
from taps.sandbox.seeded import mix

# Fixed, so that the same seed gives the same bytes on every day.
FIRST = instant("2022-01-03T06:00:00Z") or 0
SPAN = 1_440 * DAY
#: Tenths of a second: coarse enough that cutting off any further digits moves nothing before it.
TENTH = SECOND // 10

_FINEST = 9
_STAMP_DIGITS = 6
# Milliseconds are the rule; the others keep a client honest about how it reads timestamps.
_DIGITS = (3, 3, 3, 3, 2, 1, 3, 6, 9, 4, 3, 7)
_KINDS = {kind: number for number, kind in enumerate(("user", "team", "service", "integration", "alert", "incident"))}


@dataclass(frozen=True)
class Size:
    """How many records there are.

    Attributes:
        seed: What all choices depend on.
        alerts: The number of alerts, from which the others follow.
    """

    seed: int
    alerts: int

    @property
    def users(self) -> int:
        """The number of users."""
        return max(4, min(self.alerts // 20, 500))

    @property
    def teams(self) -> int:
        """The number of teams."""
        return max(3, min(self.alerts // 60, 12))

    @property
    def services(self) -> int:
        """The number of services."""
        return max(3, min(self.alerts // 25, 250))

    @property
    def incidents(self) -> int:
        """The number of incidents."""
        return max(3, self.alerts // 10)

    integrations: int = 6

    def id(self, kind: str, position: int) -> str:
        """Give the id of a made-up record.

        Args:
            kind: The kind of record.
            position: Its position among those of its kind.

        Returns:
            A UUID; of every third alert one with a number after it.
        """
        number = _KINDS[kind]
        high, low = (mix(self.seed, number, position, part) for part in (91, 92))
        name = str(UUID(int=high << 64 | low, version=4))
        return f"{name}-{1_640_000_000_000 + position}" if kind == "alert" and position % 3 == 0 else name


def digits(*parts: int) -> int:
    """Pick how many digits of a second's fraction a timestamp has.

    Args:
        parts: What it depends on, as for `mix`.

    Returns:
        A number from 1 to 9.
    """
    return _DIGITS[mix(*parts) % len(_DIGITS)]


def cut(moment: int, fraction: int) -> int:
    """Cut an instant to so many digits of its second's fraction.

    Args:
        moment: The instant.
        fraction: The digits.

    Returns:
        The instant, the same or earlier.
    """
    unit: int = 10 ** max(0, _STAMP_DIGITS - fraction)
    return moment - moment % unit


def written(moment: int, fraction: int = 3) -> str:
    """Spell an instant.

    Args:
        moment: The instant.
        fraction: How many digits of the second's fraction to give, from 0 to 9.

    Returns:
        Such as `2025-03-01T08:30:00.123Z`.
    """
    text = stamp(moment, digits=min(fraction, _STAMP_DIGITS))
    if fraction <= _STAMP_DIGITS:
        return text
    # The digits that an instant does not hold follow from those it holds: equal instants stay equal when spelled.
    rest = moment % 997 if moment % 1_000 else 0
    return text[:-1] + f"{rest:03d}"[: min(fraction, _FINEST) - _STAMP_DIGITS] + "Z"


def by_turns(text: str, turn: int) -> str:
    """Spell a timestamp with another number of digits, so that its instant stays the same.

    Args:
        text: The timestamp.
        turn: Whose turn it is: of ten, each has another number.

    Returns:
        The timestamp with as many digits as it is its turn for, or the least that hold its instant; a whole second
        has none every other time.
    """
    moment = instant(text) or 0
    fraction = 0 if moment % SECOND == 0 and turn % 2 else turn % (_FINEST + 1)
    while cut(moment, fraction) != moment:
        fraction += 1
    return written(moment, fraction)
