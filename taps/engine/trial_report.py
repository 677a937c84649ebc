"""`--test`: the trial's results as lines on standard error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from taps.engine.costs import Rate
from taps.engine.errors import SyncFailedError
from taps.engine.lanes import Limit
from taps.engine.trial import Trial
from taps.engine.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taps.engine.tap import ApiTap
    from taps.engine.trial import Tried

__all__ = ["configured_rate", "readable", "report"]


def report(tap: ApiTap) -> None:
    """Tell of each stream that is selected, in a line, whether it can be read.

    The first record of each is written as a message, after its SCHEMA.

    Args:
        tap: The tap.

    Raises:
        SyncFailedError: At least one stream cannot be read.
    """
    trial = Trial(tap)
    width = max((len(name) for name in trial.streams), default=0)
    found: Counter[str] = Counter()
    unreadable = []
    note = "fields that the schema does not declare, or what is wrong"
    lines = [_line(width, ("stream", "read", "rows", "requests", "which rests on", note))]
    for tried in trial.results():
        found[tried.read] += 1
        if tried.read == "no":
            unreadable.append(tried.stream)
        lines.append(_line(width, _cells(tried)))
        # A wrong key or host fails every stream, and is worth one line.
        if tap.http.answered:
            _show(tap, lines)
        if tried.sample is not None and (stream := tap.streams[tried.stream]).selected:
            stream.write_sample(tried.sample)  # type: ignore[attr-defined]  # all of ours can
    lines.append(_summary(tap, trial, found))
    _show(tap, lines)
    if unreadable:
        raise SyncFailedError(
            f"{len(unreadable)} of {len(trial.streams)} streams cannot be read: {', '.join(unreadable)}. The lines "
            f"above say why"
        )


def configured_rate(tap: ApiTap) -> Rate | None:
    """Give the limit that the settings set to a tap; none, where they set none."""
    most = tap.requests_per_minute
    return Rate(f"{most:,} requests a minute", Limit(most), tap.plan.limits) if most else None


def readable(found: Counter[str]) -> str:
    """Say how many streams can be read.

    Args:
        found: How many have been found to be what `Tried.read` tells.
    """
    number, good, skipped = found.total(), found["yes"], found["skip"]
    if good == number:
        return f"All {number} streams can be read" if number > 1 else "The stream can be read"
    but = f", {skipped} {'is' if skipped == 1 else 'are'} skipped" if skipped else ""
    return f"{good} of {number} streams can be read{but}"


def _summary(tap: ApiTap, trial: Trial, found: Counter[str]) -> str:
    expense, rate = trial.expense, configured_rate(tap)
    time = f", which is {expense.lasting(rate)} at {rate.title}" if rate else ""
    counted = f" that count for {expense.counted}" if expense.counted != expense.requests else ""
    return f"{readable(found)}. A sync takes {expense.requests} requests{counted}{time}."


def _cells(tried: Tried) -> tuple[str, str, str, str, str, str]:
    if tried.extent is None:
        return tried.stream, tried.read, "", "", "", tried.problem
    names = tried.undeclared
    note = f"{len(names)}: {listed(names)}" if names else "0"
    return tried.stream, "yes", str(tried.rows), str(tried.extent.requests), tried.extent.basis, note


def _line(width: int, cells: Sequence[str]) -> str:
    name, read, rows, requests, basis, note = cells
    return f"{name:<{width}}  {read:<4}  {rows:>5}  {requests:<14}  {basis:<22}  {note}"


def _show(tap: ApiTap, lines: list[str]) -> None:
    for line in lines:
        click.echo(tap.redactor(line), err=True)
    lines.clear()
