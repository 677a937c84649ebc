"""How many records of each kind a call centre of some size has, and which ids they carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taps.sandbox.instants import instant
from taps.sandbox.pools import pools
from taps.sandbox.seeded import mix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

# Fixed, so that the same seed gives the same bytes on every day.
#: The first and the last instant at which a call was made, and the end of all that is made up.
CALLS_FROM = instant("2021-02-01T07:00:00Z") or 0
CALLS_TO = instant("2025-12-20T17:00:00Z") or 0
END = instant("2025-12-31T20:00:00Z") or 0

GROUPS = ("Billing", "Second line", "配送", "Rückgaben", "الدعم", "Night shift")

#: A number that a reader loses the last digit of when it goes through floats.
BEYOND_FLOATS = 9_007_199_254_740_993

_FIRST_ID = 77_000_000_000
_IDS_PER_KIND = 100_000_000
# A kind's place decides its records' ids: new kinds go to the end.
_KINDS = (
    "agent",
    "call",
    "leg",
    "number",
    "address",
    "greeting",
    "ivr",
    "menu",
    "route",
    "group",
    "customer",
    "ticket",
)
#: How many legs five calls in a row have, and where each of these legs belongs.
_LEGS = (0, 1, 1, 2, 3, 3, 4, 4)
_CALLS_A_ROUND = 5


@dataclass(frozen=True)
class Size:
    """How many records of the larger collections there are.

    Attributes:
        seed: What all choices depend on.
        calls: The number of calls, from which the others follow.
    """

    seed: int
    calls: int

    @property
    def agents(self) -> int:
        """The number of agents."""
        return max(3, min(self.calls * 3 // 100, 2_000))

    @property
    def legs(self) -> int:
        """The number of legs, 1.6 times the calls."""
        rounds, rest = divmod(self.calls, _CALLS_A_ROUND)
        return rounds * len(_LEGS) + sum(call < rest for call in _LEGS)

    @property
    def numbers(self) -> int:
        """The number of phone numbers."""
        return max(4, min(self.calls // 60, 250))

    @property
    def addresses(self) -> int:
        """The number of addresses."""
        return max(3, min(self.calls // 150, 120))

    ivrs: int = 7

    def agent(self, number: int) -> int:
        """Pick an agent.

        Args:
            number: Any number.

        Returns:
            The agent's id.
        """
        return made_id("agent", number % self.agents)

    def agent_name(self, agent: int) -> str:
        """Name an agent.

        Args:
            agent: The agent's position.

        Returns:
            The name, in any of many scripts.
        """
        return pools().person(mix(self.seed, agent, 11) % 10**6).name


def call_of(leg: int) -> int:
    """Tell which call a leg belongs to.

    Args:
        leg: The leg's position.

    Returns:
        The call's position.
    """
    rounds, rest = divmod(leg, len(_LEGS))
    return rounds * _CALLS_A_ROUND + _LEGS[rest]


def is_first_leg(leg: int) -> bool:
    """Tell whether a leg is the customer's, with which each call begins.

    Args:
        leg: The leg's position.

    Returns:
        True for the first leg of its call.
    """
    return leg == 0 or call_of(leg - 1) != call_of(leg)


def made_id(kind: str, position: int) -> int:
    """Give the id of a made-up record.

    Args:
        kind: The kind of record.
        position: Its position among those of its kind.

    Returns:
        An id that no other record has.
    """
    return _FIRST_ID + _KINDS.index(kind) * _IDS_PER_KIND + position


def digits(rng: Random, country: str) -> str:
    """Make up a telephone number.

    Args:
        rng: Picks the digits.
        country: The country's code for calls, such as `+1`.

    Returns:
        The number as it is dialled.
    """
    return f"{country}555{rng.randrange(10**7):07d}"


def some(rng: Random, values: Sequence[int], most: int) -> list[int]:
    """Pick some values.

    Args:
        rng: Picks them.
        values: What to pick from.
        most: How many at most.

    Returns:
        From none to `most` of the values, in their order.
    """
    return sorted(rng.sample(values, min(len(values), rng.randrange(most + 1))))
