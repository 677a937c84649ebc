"""`taps check`: whether a tap can read with these settings, and what a first sync takes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SyncError

from taps.engine.costs import rates_of
from taps.engine.trial import Trial
from taps.engine.trial_report import configured_rate, readable
from taps.engine.wording import listed
from taps.suite.ending import UNREADABLE, EndedError
from taps.suite.opening import opened, stream_named, streams_of, tap_named
from taps.suite.showing import Column, console, say, show, without_secrets, working, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taps.engine.costs import Rate
    from taps.engine.estimates import Estimate
    from taps.engine.tap import ApiTap
    from taps.engine.trial import Expense, Tried

__all__ = ["check"]


def check(name: str, config: Sequence[str], *, streams: Sequence[str], as_json: bool) -> None:
    """Read a page of each stream, and show what that tells.

    Args:
        name: The tap.
        config: As of `opened`.
        streams: Those to check; none for all.
        as_json: Whether to write JSON.

    Raises:
        EndedError: The settings cannot be used, or something cannot be read.
    """
    tap_class = tap_named(name)
    found: dict[str, Any] = {
        "tap": tap_class.name,
        "provider": None,
        "address": None,
        "errors": [],
        "reachable": None,
        "streams": [],
        "requests": None,
        "counted": None,
        "limits": [],
    }
    try:
        with opened(tap_class, config) as tap:
            _checked(tap, streams, found, as_json=as_json)
    except EndedError as error:
        found["errors"] = error.message.split("\nError: ")
        raise
    finally:
        if as_json and (found["errors"] or found["provider"]):
            console().out(write_json(without_secrets(found, tap_class.redactor)), highlight=False)


def _checked(tap: ApiTap, streams: Sequence[str], found: dict[str, Any], *, as_json: bool) -> None:
    wanted = {stream_named(tap, name).name for name in streams} or set(tap.streams)
    for stream in streams_of(tap).values():
        stream.selected = stream.name in wanted
    found["provider"], found["address"] = tap.provider.name, tap.config["base_url"]
    trial = Trial(tap)
    results: list[Tried] = []
    problem = ""
    with working(f"Reading a page of {len(trial.streams)} streams"):
        try:
            results.extend(trial.results())
        except SyncError as error:
            problem = tap.redactor(" ".join(str(error).split()))
    found["reachable"] = trial.reached
    found["streams"] = [_as_data(tap, tried) for tried in results]
    if not as_json:
        _show_settings(tap, reachable=trial.reached)
        if any(tried.read == "yes" for tried in results):
            _show_results(tap, results)
    if problem:
        raise EndedError(problem, exit_code=UNREADABLE)
    expense, rates = trial.expense, _rates(tap)
    found["requests"], found["counted"] = _number(expense.requests), _number(expense.counted)
    found["limits"] = [
        {"name": rate.title, "set": configured, "minutes": round(expense.cost.minutes(rate), 2)}
        for rate, configured in rates
    ]
    if not as_json:
        _show_expense(results, expense, rates)
    if unreadable := [tried.stream for tried in results if tried.read == "no"]:
        names = ", ".join(unreadable)
        raise EndedError(f"{len(unreadable)} of {len(results)} streams cannot be read: {names}", exit_code=UNREADABLE)


def _rates(tap: ApiTap) -> list[tuple[Rate, bool]]:
    """Give the limit that is set, and those of the provider, each with whether it is the one that is set."""
    own = configured_rate(tap)
    return [*([(own, True)] if own else []), *((rate, False) for rate in rates_of(tap.provider))]


def _as_data(tap: ApiTap, tried: Tried) -> dict[str, Any]:
    return {
        "name": tried.stream,
        "read": {"?": "not tried"}.get(tried.read, tried.read),
        "problem": tap.redactor(tried.problem) or None,
        "rows_on_first_page": tried.rows,
        "undeclared_fields": list(tried.undeclared),
        "requests": _number(tried.extent.requests) if tried.extent else None,
        "rests_on": tried.extent.basis if tried.extent else None,
    }


def _number(estimate: Estimate) -> dict[str, Any]:
    return {"number": estimate.number, "how": estimate.how or "exactly"}


def _show_settings(tap: ApiTap, *, reachable: bool) -> None:
    plan = f", plan {tap.config['plan']}" if tap.config.get("plan") else ""
    say(tap.redactor(f"{tap.name}, provider {tap.provider.name}{plan}: the settings are good"))
    answers = "answers" if reachable else "cannot be reached"
    say(tap.redactor(f"{tap.config['base_url']} {answers}"))


def _show_results(tap: ApiTap, results: Sequence[Tried]) -> None:
    console().out("")
    columns = [
        Column("stream"),
        Column("read", verdict=True),
        Column("rows", right=True),
        Column("requests"),
        Column("rests on"),
    ]
    rows = [
        [
            tried.stream,
            tried.read,
            "" if tried.rows is None else f"{tried.rows:,}",
            str(tried.extent.requests) if tried.extent else "",
            tried.extent.basis if tried.extent else "",
            tap.redactor(f"{len(names)} undeclared: {listed(names)}" if (names := tried.undeclared) else tried.problem),
        ]
        for tried in results
    ]
    show([*columns, Column("remarks")], rows)


def _show_expense(results: Sequence[Tried], expense: Expense, rates: Sequence[tuple[Rate, bool]]) -> None:
    counted = f" that count for {expense.counted}" if expense.counted != expense.requests else ""
    console().out("")
    say(f"{readable(Counter(tried.read for tried in results))}.")
    say(f"A first sync takes {expense.requests} requests{counted}.")
    if not any(configured for _, configured in rates):
        say("No limit is set, so the tap goes by what the API's answers say.")
    if rates:
        console().out("")
        rows = [[rate.title + (", as set" if own else ""), expense.lasting(rate)] for rate, own in rates]
        show([Column("limit"), Column("a first sync takes")], rows)
