"""`end_date` and children that were left out for a while; and what is said of one that is of no use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import config_for, run_tap, sync
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tickets=40, seed=21, page_cap=5) as running:
        yield running


def test_a_child_that_is_behind_is_not_taken_for_caught_up(sandbox: Sandbox) -> None:
    tickets = sorted(ticket["updated_at"] for ticket in sandbox.helpdesk.records("tickets"))
    alone = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
    both = ["tickets", "conversations"]
    step = sync(TapHelpdesk, config_for(sandbox, end_date=tickets[10]), streams=both, state=alone.state)
    rest = sync(TapHelpdesk, config_for(sandbox), streams=both, state=step.state)
    came = {record["id"] for record in [*step.records("conversations"), *rest.records("conversations")]}
    assert came == {record["id"] for record in sandbox.helpdesk.records("conversations")}
    assert len(step.records("tickets")) < 40


def test_an_end_before_the_start_is_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    config = config_for(sandbox, start_date="2024-02-01", end_date="2024-01-31T23:00:00-01:00")
    output = run_tap("tap-helpdesk", config=config, files=tmp_path)
    assert output.exit_code == 1
    assert len(output.errors) == 1
    assert output.errors[0].endswith(
        "Setting 'end_date' is \"2024-01-31T23:00:00-01:00\", and 'start_date' is \"2024-02-01\"; "
        "it must be later than that"
    )
