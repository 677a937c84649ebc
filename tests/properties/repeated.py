"""Properties, each as two tests: one with some examples in every run, and one with many in the nightly mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

_AN_HOUR = 3600
_HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def in_both_runs(ordinary: int, nightly: int) -> pytest.MarkDecorator:
    """Give a test its argument `examples`: a number for every run, and another one for the nightly mark."""
    many = pytest.param(nightly, id="nightly", marks=[pytest.mark.nightly, pytest.mark.timeout(_AN_HOUR)])
    return pytest.mark.parametrize("examples", [pytest.param(ordinary, id="ordinary"), many])


def examples_of(examples: int, ordinary: int) -> settings:
    """Make settings for so many examples: the same ones in each ordinary run, and others each night."""
    return settings(
        max_examples=examples, derandomize=examples == ordinary, deadline=None, suppress_health_check=_HEALTH
    )


def holds_for(
    *values: SearchStrategy[object], ordinary: int = 200, nightly: int = 10_000
) -> Callable[[Callable[..., None]], Callable[[int], None]]:
    """Make of a function that takes values two tests which give it many.

    Args:
        *values: Where its arguments come from, in their order.
        ordinary: Examples in every run.
        nightly: Examples in the nightly mark.
    """

    def decorate(holds: Callable[..., None]) -> Callable[[int], None]:
        @in_both_runs(ordinary, nightly)
        def test(examples: int) -> None:
            examples_of(examples, ordinary)(given(*values)(holds))()

        test.__name__, test.__doc__, test.__module__ = holds.__name__, holds.__doc__, holds.__module__
        return test

    return decorate
