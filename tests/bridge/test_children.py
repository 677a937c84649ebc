"""Child streams of other taps: a run that reads only the parents that changed must not pass for a whole table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import sdk_taps
from dlt.pipeline.exceptions import PipelineStepFailed
from test_expectations import Loading, desk, held

from taps.bridge import singer_source
from taps.bridge.errors import IncompleteError
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox

EXECUTABLE = [sys.executable, sdk_taps.__file__, "issues"]


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(tmp_path)


def issues(tap: Any, count: int, **options: Any) -> Any:
    return singer_source(tap, {"issues": count}, name="issues", **options)


@pytest.mark.parametrize("with_catalog", [False, True])
def test_a_class_tells_whose_child_a_stream_is(loading: Loading, *, with_catalog: bool) -> None:
    options = {"catalog": sdk_taps.TapIssues(config={"issues": 1}).catalog_dict} if with_catalog else {}
    source = issues(sdk_taps.TapIssues, 3, **options)
    assert source.comments.write_disposition == "merge"
    loading.run(source)
    assert loading.run(issues(sdk_taps.TapIssues, 4, **options)) == {"issues": 2, "comments": 4}
    assert loading.ids("comments") == [10, 11, 20, 21, 30, 31, 40, 41]


def test_an_executable_does_not_so_that_a_part_is_not_taken_for_the_whole(loading: Loading) -> None:
    assert issues(EXECUTABLE, 3).comments.write_disposition == "replace"
    loading.run(issues(EXECUTABLE, 3))
    with pytest.raises(PipelineStepFailed) as caught:
        loading.run(issues(EXECUTABLE, 4))
    assert isinstance(caught.value.__cause__, IncompleteError)
    assert "write_disposition={'comments': 'merge'}, or 'replace' if it always comes whole" in str(caught.value)
    assert loading.ids("comments") == [10, 11, 20, 21, 30, 31]
    loading.run(issues(EXECUTABLE, 4, write_disposition={"comments": "merge"}))
    assert loading.ids("comments") == [10, 11, 20, 21, 30, 31, 40, 41]
    loading.run(issues(EXECUTABLE, 4, write_disposition={"comments": "replace"}))
    assert loading.ids("comments") == [40, 41]


def test_a_catalog_for_one_of_our_taps_does_not_make_whole_tables_of_children(
    sandbox: Sandbox, loading: Loading
) -> None:
    catalog = TapHelpdesk(config=sandbox.config).catalog_dict
    loading.run(desk(sandbox, catalog=catalog))
    sandbox.helpdesk.change(tickets=2)
    loading.run(desk(sandbox, catalog=catalog))
    assert loading.ids("conversations") == held(sandbox, "conversations")
