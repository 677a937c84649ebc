"""Whenever a tap, its target or both are killed: no row is lost, and the state claims none that is not there."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from pipeline import (
    GRACE,
    STREAMS,
    Ended,
    Pipeline,
    assert_clean,
    assert_noticed_that_nobody_reads,
    assert_stopped_as_it_should,
)
from points import PAGE_SIZES, TICKETS, Point, draw, points

from support import config_for, sync
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

_AT_ONCE = 2
POINTS = points()


def kill_and_run_again(point: Point, folder: Path, requests: int) -> bool:
    """Do what a point says.

    Args:
        point: The point.
        folder: For its files.
        requests: How many requests a whole run makes.

    Returns:
        Whether the tap still ran when the signal was sent.
    """
    with Sandbox(tickets=TICKETS, seed=point.number, latency=0.01, jitter=0.02) as sandbox:
        pipeline = Pipeline(folder, sandbox, page_size=point.page_size)
        for earlier in range(point.before):
            pipeline.run_to(draw(1_000 * (earlier + 1) + point.number, "line", signal.SIGKILL, "tap"), requests)
            pipeline.assert_the_state_is_kept_to()
        sandbox.clear_requests()
        sandbox.set_faults(point.faults)
        ended = pipeline.run_to(point, requests)
        pipeline.assert_the_state_is_kept_to()
        assert_ended_as_it_should(point, ended)
        if ended.code == ended.target_code == 0 and point.changes != "before":
            pipeline.assert_complete()

        sandbox.set_faults([])
        if point.changes == "after":
            sandbox.helpdesk.change(tickets=4, new=2)
        completing = pipeline.run()
        assert completing.code == completing.target_code == 0, completing.log + completing.target_log
        pipeline.assert_complete()
        return ended.killed


def assert_ended_as_it_should(point: Point, ended: Ended) -> None:
    if ended.code == 0:  # it had written all when the signal came, or the target's end
        assert_clean(ended)
    elif point.who == "target":
        assert_noticed_that_nobody_reads(ended)
    elif point.sent is signal.SIGKILL or not ended.armed:
        assert ended.code != 0
        assert not ended.left
    else:
        assert_stopped_as_it_should(ended, point.sent)
        if point.who == "tap" and point.when != "full":
            assert ended.target_code == 0
            if ended.seconds < GRACE:  # or else the target was too slow to take what was on its way
                assert not ended.target_log


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Point, Future[bool]]]:
    """Begin all points that are asked for, some at once: most of their time goes by with waiting."""
    names = {item.name for item in request.session.items}
    whole = test_a_hundred_were_killed_while_they_ran.__name__ in names  # which looks at all of them
    wanted = [point for point in POINTS if whole or f"{test_no_row_is_lost.__name__}[{point}]" in names]
    requests = {size: _requests_of_a_whole_run(size) for size in PAGE_SIZES}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {
            point: pool.submit(
                kill_and_run_again, point, tmp_path_factory.mktemp(f"point-{point.number}"), requests[point.page_size]
            )
            for point in wanted
        }
        pool.shutdown(cancel_futures=True)


def _requests_of_a_whole_run(page_size: int) -> int:
    with Sandbox(tickets=TICKETS) as sandbox:
        output = sync(TapHelpdesk, config_for(sandbox, page_size=page_size), streams=STREAMS)
        assert output.exit_code == 0
        return len(sandbox.requests)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_no_row_is_lost(outcomes: dict[Point, Future[bool]], point: Point) -> None:
    outcomes[point].result()


def test_a_hundred_were_killed_while_they_ran(outcomes: dict[Point, Future[bool]]) -> None:
    killed = [point for point, outcome in outcomes.items() if outcome.exception() is None and outcome.result()]
    assert len(killed) >= 100
    for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        assert sum(point.sent is sent for point in killed) >= 30, sent.name
