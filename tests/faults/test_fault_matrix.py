"""Each fault in each way in which lists come in pages: nothing is lost, or the tap says so and the next run completes.

What is expected of a cell is in `matrix.yml`, of which the table in `docs/faults.md` is made.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from cells import FAULTS, STYLES, Cell, Fault, Style, sandboxes

from support import config_for, sync
from taps.sandbox.faults import Kind
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Output

_FIRST_OF_EACH = list({style.name: style for style in reversed(STYLES)}.values())
CELLS = [
    pytest.param(fault, style, when, id=f"{fault.id}-{style.id}-{when}")
    for fault in FAULTS
    for style in STYLES
    for when in ("once", "stays", "always")
    # Where there is one page, its first request is the one in the middle; and one stream of each style is enough to
    # see what is said where no request at all is answered.
    if when != "always" or (style.pages and style in _FIRST_OF_EACH)
]
_FAILS = {"fails", "gives up"}


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[str], Sandbox]]:
    with sandboxes() as of:
        yield of


def assert_no_secret(cell: Cell, output: Output) -> None:
    written = "\n".join([output.text, output.log, *output.errors])
    assert cell.secrets
    assert not [secret for secret in cell.secrets if secret in written]
    assert "Traceback" not in written


@pytest.mark.parametrize(("fault", "style", "when"), CELLS)
def test_nothing_is_lost(served: Callable[[str], Sandbox], fault: Fault, style: Style, when: str) -> None:
    cell = Cell(served(style.api), style, fault, when)
    outcome, line = fault.expected(style, when)
    output = cell.struck()
    assert cell.strikes, "the fault struck no request, so that this cell shows nothing"
    assert_no_secret(cell, output)
    if outcome in _FAILS:
        assert output.exit_code == 1
        assert_one_line_a_stream(fault, style, line, output.errors)
        if (style.id, when) == ("helpdesk.groups", "stays"):
            assert fault.example in output.errors[0]
        again = cell.sync(output.states[-1] if output.states else cell.begins)
        assert (again.exit_code, again.errors) == (0, [])
        assert not cell.missing([output, again])
    else:
        assert (output.exit_code, output.errors) == (0, [])
        assert ("; try 2 of 3 in " in output.log) is (outcome == "again" and cell.waits_to_retry), output.log
        lost = cell.missing([output])
        if outcome == "empty":
            assert "taken as a parent that was deleted meanwhile" in output.log
            lost = [record for record in lost if not record.startswith(f"{style.stream} ")]
        assert not lost


def assert_one_line_a_stream(fault: Fault, style: Style, line: str, errors: list[str]) -> None:
    """That one line tells stream, path and cause, and the last one which streams failed."""
    *failures, end = errors
    if not failures:
        what = "No stream could" if style.others else f"Stream '{style.stream}' could not"
        assert re.fullmatch(rf"{what} be read\. {line}\. .+", end), end
        return
    failed = [re.match(rf"ERROR {style.tap.name} Stream '(\w+)' failed: {line}(\.|$)", failure) for failure in failures]
    assert all(failed), failures
    names = [found[1] for found in failed if found]
    assert names == [style.stream] or (fault.everywhere and set(names) <= set(style.streams))
    assert end.startswith(f"{len(names)} of {len(style.streams)} streams failed: ")


@pytest.mark.parametrize("heavy", [1, 2])
def test_a_page_that_the_api_finds_too_heavy_is_asked_for_in_smaller_ones(heavy: int) -> None:
    [style] = [style for style in STYLES if style.id == "sales_engagement.prospects"]
    with Sandbox(api=style.api, size=12, seed=3, heavy=f"{style.stream}={heavy}") as sandbox:
        output = sync(style.tap.tap_class, config_for(sandbox, page_size=8), streams=[style.stream])
        assert (output.exit_code, output.errors) == (0, [])
        assert "502 Bad Gateway" in output.log
        keys = [record["id"] for record in output.records(style.stream)]
        assert sorted(keys) == sorted(record["id"] for record in style.tap.held(sandbox)[style.stream])


def test_a_date_to_wait_for_is_obeyed(served: Callable[[str], Sandbox]) -> None:
    [style] = [style for style in STYLES if style.id == "helpdesk.groups"]
    fault = Fault(name="", spec="429:retry_after=date+2", once="again", stays="gives up")
    began = time.monotonic()
    output = Cell(served(style.api), style, fault, "once").struck()
    assert output.exit_code == 0
    [seconds] = re.findall(r"try 2 of 3 in (\d\.\d) s", output.log)
    assert 1 <= float(seconds) <= 6  # from the server's own `Date`, which lags behind where the machine is busy
    assert time.monotonic() - began >= float(seconds)


def test_the_matrix_has_every_kind() -> None:
    struck = {fault.spec.partition(":")[0] for fault in FAULTS}
    assert {kind.value for kind in Kind} <= struck
    assert {"401", "429", "500", "502", "503", "504"} <= struck


def test_the_matrix_has_every_pagination() -> None:
    declared = {
        (style.tap.name, repr(stream.pagination)) for style in STYLES for stream in style.tap.tap_class.stream_types
    }
    read = {
        (style.tap.name, repr(stream.pagination))
        for style in STYLES
        for stream in style.types()
        if stream.name == style.stream
    }
    assert declared == read
