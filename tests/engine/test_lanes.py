"""Limits of single lists, and requests that count for several."""

from __future__ import annotations

import threading

from simulated_api import Hand

from taps.engine.lanes import Lane, Limit, Toll


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_as_many_as_the_limit_allows_go_at_once_and_the_next_waits_for_the_first() -> None:
    clock = Clock()
    lane = Lane(Limit(3, 60), binding=True, clock=clock)
    waits = []
    for _ in range(3):
        waits.append(lane.wait())
        clock.now += 5
    assert waits == [0, 0, 0]
    assert 45 <= lane.wait() <= 46, "until a minute after the first"
    assert 50 <= lane.wait() <= 51, "until a minute after the second"
    clock.now += 1000
    assert lane.wait() == 0


def test_wherever_a_minute_begins_there_are_no_more_in_it() -> None:
    clock = Clock()
    lane = Lane(Limit(10, 60), binding=True, clock=clock)
    starts = []
    for _ in range(95):
        clock.now += lane.wait()
        starts.append(clock.now)
    assert all(later - earlier > 60 for earlier, later in zip(starts, starts[10:], strict=False))
    assert starts[-1] - starts[0] < 60 * 9.5


def test_a_limit_that_may_be_higher_binds_from_the_first_refusal_on() -> None:
    clock = Clock()
    lane = Lane(Limit(2, 60), binding=False, clock=clock)
    assert [lane.wait() for _ in range(50)] == [0] * 50
    lane.binding = True
    assert lane.wait() > 59


def test_threads_share_a_lane() -> None:
    lane = Lane(Limit(8, 60), binding=True)
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(lane.wait())) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(low <= wait < low + 60 for wait in waits) for low in (0, 60, 120)] == [8, 8, 8]


def test_a_request_that_counts_for_seven_takes_seven_places() -> None:
    """A budget of 60 a minute leaves a second between two requests, and seven after one that counts for seven."""
    hand = Hand(60)
    hand.budget.acquire(Toll(7))
    hand.budget.release(200, {})
    assert 7 <= hand.wait() <= 7.2
