"""What the user of a tap's command sees of a fault that stays: an exit code and a line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from cells import FAULTS, STYLES, Cell, Fault, Style, sandboxes

from support import run_tap, selected_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from taps.sandbox.server import Sandbox

_OF_EACH_FAMILY = {
    "refused:seconds=0.05": "voice.greetings",
    "silent": "sales_engagement.prospects",
    "reset": "helpdesk.tickets",
    "503": "contact_center.agents_overview",
    "401": "oncall.alerts",
    "gzip-cut": "oncall.alert_logs",
    "html": "helpdesk.groups",
    "nulls": "voice.calls",
    "redirect": "helpdesk.contacts",
    "cycle-link": "sales_engagement.recipients",
}
CELLS = [
    pytest.param(fault, style, id=f"{fault.id}-{style.id}")
    for fault in FAULTS
    for style in STYLES
    if _OF_EACH_FAMILY.get(fault.spec) == style.id
]


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[str], Sandbox]]:
    with sandboxes() as of:
        yield of


def test_there_is_a_cell_of_each_family() -> None:
    assert len(CELLS) == len(_OF_EACH_FAMILY)


@pytest.mark.parametrize(("fault", "style"), CELLS)
def test_a_fault_that_stays_is_an_exit_code_and_a_line(
    served: Callable[[str], Sandbox], fault: Fault, style: Style, tmp_path: Path
) -> None:
    cell = Cell(served(style.api), style, fault, "stays")
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(selected_catalog(style.tap.tap_class, cell.config(), [style.stream])))
    cell.sandbox.clear_requests()
    cell.sandbox.set_faults([cell.spec])
    try:
        output = run_tap(style.tap.name, "--catalog", str(catalog), config=cell.config(), files=tmp_path, timeout=60)
    finally:
        cell.sandbox.set_faults([])
    assert output.exit_code == 1
    [failed, end] = output.errors
    _, line = fault.expected(style, "stays")
    assert re.search(rf"Stream '{style.stream}' failed: {line}", failed)
    assert "1 of 1 streams failed" in end
    assert "Traceback" not in output.log
    assert cell.secrets
    assert not [secret for secret in cell.secrets if secret in output.text + output.log]
    state = output.states[-1] if output.states else None
    again = cell.sync(state)
    assert (again.exit_code, again.errors) == (0, [])
    assert not [problem for problem in cell.missing([output, again]) if problem.startswith(f"{style.stream} ")]
