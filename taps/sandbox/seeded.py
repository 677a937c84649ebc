"""Seeded choice that costs little: the value for record 900,000 does not need the 899,999 before it."""

from __future__ import annotations

from random import Random

_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """Scatter integers into one 64-bit number (the finaliser of splitmix64, applied to each).

    Args:
        parts: What the number stands for, such as seed, kind and position.

    Returns:
        A number from 0 to 2^64-1, always the same for the same parts.
    """
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ part) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
        state = (state * 0x94D049BB133111EB) & _MASK
        state ^= state >> 32
    return state


def one_in(odds: int, *parts: int) -> bool:
    """Tell whether this case is one of those that come up once in `odds`.

    Args:
        odds: How rare the case is.
        parts: As for `mix`.

    Returns:
        True for about one in `odds` of the parts.
    """
    return mix(*parts) % odds == 0


def generator(*parts: int) -> Random:
    """Make a random generator of its own for one record.

    Args:
        parts: As for `mix`.

    Returns:
        A generator whose draws depend on the parts alone.
    """
    return Random(mix(*parts))
