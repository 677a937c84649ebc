"""When requests may start: what the user allows, what the API says, and what it refuses."""

from __future__ import annotations

import itertools
import math
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_api import Bucket, Fixed, Hand, Server, Simulation, Sliding

from taps.engine.budget import BudgetClosedError, RateBudget, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS: list[Callable[[int], Server]] = [Fixed, Sliding, Bucket]


def run(count: int, target: Callable[[], object]) -> float:
    """Let so many threads do the same; give the seconds until all have."""
    begun = time.monotonic()
    threads = [threading.Thread(target=target, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(begun + 60 - time.monotonic())
        assert not thread.is_alive(), "it waits for ever"
    return time.monotonic() - begun


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.001)


# The user's limit.


@pytest.mark.parametrize("threads", [1, 4, 16])
def test_threads_spend_all_of_the_rate_together_and_no_more(threads: int) -> None:
    budget = RateBudget(6000)
    starts: list[float] = []
    end = time.monotonic() + 1

    def send() -> None:
        while True:
            budget.acquire()
            now = time.monotonic()
            if now > end:
                budget.failed()
                return
            starts.append(now)
            time.sleep(0.002)
            budget.release(200, {})

    run(threads, send)
    starts.sort()
    assert 0.95 * 100 <= len(starts) <= 100
    # In no time are there more than the rate and what may be caught up with.
    for count in (1, 10, 40, 80):
        for first, last in zip(starts, starts[count:], strict=False):
            assert count <= 100 * (last - first + 0.3) + 1
    # None at once at the start.
    assert starts[9] - starts[0] > 0.07
    assert budget.waited > 0


def test_one_request_more_than_the_limit_takes_more_than_a_minute_however_late_the_threads_are() -> None:
    for limit in (1, 2, 7, 50, 199, 700, 6000):
        hand = Hand(limit)
        starts = []
        lateness = itertools.cycle([0, 0, 0.1, 5, 0.299, 0, 0, 0, 0.4])
        for _ in range(3 * limit + 1):
            hand.now += hand.wait() + next(lateness) * (limit < 1000)
            hand.answer(hand.begin())
            starts.append(hand.now)
        assert all(last - first > 60 for first, last in zip(starts, starts[limit:], strict=False))


def test_lateness_is_caught_up_with_but_not_all_of_it() -> None:
    hand = Hand(600)
    hand.answer(hand.begin())
    hand.now += 0.25
    assert [hand.begin() for _ in range(2)]
    assert 0 < hand.wait() < 0.11
    hand.now += 100
    assert len([hand.begin() for _ in range(3)]) == 3
    assert hand.wait() > 0


def test_a_pause_is_no_lateness() -> None:
    hand = Hand(600)
    hand.begin()
    hand.budget.pause(50)
    assert hand.wait() == pytest.approx(50)
    hand.now += 50
    hand.begin()
    assert hand.wait() == pytest.approx(0.101, abs=0.001)


def test_without_a_limit_nothing_waits() -> None:
    budget = RateBudget(None)

    def send() -> None:
        for _ in range(200):
            budget.acquire()
            budget.release(200, {"Content-Type": "application/json"})

    assert run(8, send) < 2
    assert budget.waited == 0


@pytest.mark.parametrize("make", SERVERS)
@pytest.mark.parametrize("style", ["none", "total", "reset", "rounded down"])
@pytest.mark.parametrize(("limit", "threads"), [(50, 1), (100, 4), (300, 16)])
def test_at_the_limit_nearly_all_of_it_is_used_and_nothing_refused(
    make: Callable[[int], Server], style: str, limit: int, threads: int
) -> None:
    outcome = Simulation(make(limit), threads=threads, per_minute=limit, style=style).run(minutes=3)
    assert outcome.refused == 0
    assert outcome.through >= 0.95 * limit * 3


# What the API says.


@pytest.mark.parametrize(
    ("make", "cost", "most_refused"),
    # Where requests come back one by one, what was under way may take the one that was waited for.
    [(Fixed, 1, 0), (Fixed, 3, 0), (Bucket, 1, 5), (Sliding, 1, 5), (Sliding, 3, 5)],
)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_where_the_api_says_what_remains_next_to_nothing_is_refused(
    make: Callable[[int], Server], cost: int, most_refused: int, data: st.DataObject
) -> None:
    limit = data.draw(st.integers(120, 400))
    threads = data.draw(st.integers(1, 32))
    slowest = data.draw(st.floats(0.05, 3))
    seed = data.draw(st.integers(0, 99))
    latency = (slowest / 10, slowest)
    simulation = Simulation(make(limit), threads=threads, style="reset", latency=latency, cost=cost, seed=seed)
    outcome = simulation.run(minutes=2.5)
    assert outcome.refused <= most_refused
    assert outcome.in_a_row <= 1
    assert outcome.through >= 0.95 * 2 * min(limit / cost, threads * 60 / slowest)


@pytest.mark.parametrize("make", SERVERS)
@pytest.mark.parametrize("style", ["none", "total", "rounded down"])
@pytest.mark.parametrize(("limit", "threads"), [(5, 4), (20, 16), (100, 16), (300, 32)])
def test_where_it_does_not_no_request_is_refused_more_often_than_it_is_retried(
    make: Callable[[int], Server], style: str, limit: int, threads: int
) -> None:
    outcome = Simulation(make(limit), threads=threads, style=style).run(minutes=5)
    assert outcome.in_a_row <= 3
    assert outcome.through >= 0.75 * limit * 5


@pytest.mark.parametrize(("style", "waits"), [("constant", 1), ("constant reset", 3)])
def test_a_header_that_always_says_nothing_remains_is_not_believed_for_long(style: str, waits: int) -> None:
    outcome = Simulation(Fixed(10**9), threads=4, style=style).run(minutes=waits + 1)
    assert outcome.through > 500
    assert outcome.longest_gap == pytest.approx(60, abs=1)


def test_no_more_requests_start_than_remain() -> None:
    hand = Hand()
    hand.answer(hand.begin(), remaining=3, reset=40)
    begun = [hand.begin() for _ in range(3)]
    assert hand.wait() == pytest.approx(40)
    hand.now += 10
    assert hand.wait() == pytest.approx(30)
    for left, serial in enumerate(reversed(begun)):
        hand.answer(serial, remaining=left, reset=30)
    assert hand.wait() == pytest.approx(30)
    hand.now += 30
    hand.begin()


def test_requests_under_way_are_taken_off_until_their_own_answers_tell() -> None:
    hand = Hand()
    first, second, third = (hand.begin() for _ in range(3))
    hand.answer(first, remaining=4, reset=40)
    # The two others may be counted in the four or not.
    assert [hand.begin() for _ in range(2)] == [4, 5]
    assert hand.wait() > 0
    # They were.
    hand.answer(second, remaining=5, reset=40)
    hand.answer(third, remaining=6, reset=40)
    hand.answer(4, remaining=3, reset=40)
    hand.answer(5, remaining=2, reset=40)
    assert [hand.begin() for _ in range(2)] == [6, 7]
    assert hand.wait() > 0


def test_an_answer_that_is_overtaken_changes_nothing() -> None:
    hand = Hand()
    begun = [hand.begin() for _ in range(5)]
    for left, serial in enumerate(reversed(begun)):
        hand.answer(serial, remaining=10 + left, reset=40)
    assert len([hand.begin() for _ in range(10)]) == 10
    assert hand.wait() > 0


def test_a_later_answer_corrects_upwards_and_downwards() -> None:
    hand = Hand()
    hand.answer(hand.begin(), remaining=1, reset=40)
    hand.answer(hand.begin(), remaining=50, reset=40)
    assert len([hand.begin() for _ in range(20)]) == 20
    hand = Hand()
    hand.answer(hand.begin(), remaining=50, reset=40)
    # Somebody else has sent requests too.
    hand.answer(hand.begin(), remaining=2, reset=40)
    assert len([hand.begin() for _ in range(2)]) == 2
    assert hand.wait() == pytest.approx(40)


def test_after_a_reset_an_answer_from_before_does_not_count() -> None:
    hand = Hand()
    late = hand.begin()
    hand.answer(hand.begin(), remaining=5, reset=1)
    later = hand.begin()
    hand.answer(hand.begin(), remaining=100, reset=60)
    hand.answer(late, remaining=0, reset=1)
    hand.answer(later, remaining=0, reset=1)
    assert len([hand.begin() for _ in range(50)]) == 50


def test_requests_without_an_answer_may_have_been_counted() -> None:
    hand = Hand()
    first, second = hand.begin(), hand.begin()
    hand.answer(first, remaining=2, reset=40)
    hand.fail(second)
    third = hand.begin()
    assert hand.wait() > 0
    # It was not.
    hand.answer(third, remaining=1, reset=40)
    hand.begin()
    assert hand.wait() > 0


def test_when_the_wait_is_over_one_goes_first_and_the_others_hear_what_it_is_told() -> None:
    hand = Hand()
    hand.answer(hand.begin(), remaining=0, reset=20)
    assert hand.wait() == pytest.approx(20)
    hand.now += 20
    scout = hand.begin()
    assert 0 < hand.wait() <= 5
    hand.answer(scout, remaining=0, reset=7)
    assert hand.wait() == pytest.approx(7)
    hand.now += 7
    lost = hand.begin()
    hand.fail(lost)
    scout = hand.begin()
    assert hand.wait() > 0
    hand.answer(scout)
    assert len([hand.begin() for _ in range(9)]) == 9


def test_a_scout_that_takes_long_is_not_waited_for() -> None:
    hand = Hand()
    hand.answer(hand.begin(), remaining=0, reset=20)
    hand.now += 20
    hand.begin()
    hand.now += hand.wait()
    assert [hand.begin() for _ in range(2)]


def test_without_a_reset_a_minute_since_the_window_was_first_seen_is_waited_for() -> None:
    hand = Hand()
    hand.answer(hand.begin(), remaining=9)
    hand.now += 50
    hand.answer(hand.begin(), remaining=1)
    hand.now += 5
    # The next window.
    hand.answer(hand.begin(), remaining=9)
    hand.now += 20
    hand.answer(hand.begin(), remaining=0)
    assert hand.wait() == pytest.approx(40)


def test_no_reset_is_waited_for_longer_than_an_hour() -> None:
    hand = Hand()
    hand.answer(hand.begin(), remaining=0, reset=10**6)
    assert hand.wait() == 3600
    hand = Hand()
    hand.answer(hand.begin(), remaining=0, reset=-3)
    assert hand.wait() == 0


def test_a_request_that_counts_for_three_takes_three_off() -> None:
    hand = Hand()
    dear = {"X-RateLimit-Used-CurrentRequest": "3"}
    hand.answer(hand.begin(), remaining=8, reset=40, headers=dear)
    assert [hand.begin() for _ in range(2)] == [2, 3]
    assert hand.wait() == pytest.approx(40)


def test_throttled_is_a_pause_except_where_it_is_a_refusal_anyway() -> None:
    throttled = {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "12"}
    hand = Hand()
    hand.answer(hand.begin(), headers=throttled)
    assert hand.wait() == pytest.approx(12)
    hand = Hand()
    hand.answer(hand.begin(), 429, headers=throttled)
    assert hand.wait() == 0


ACTIONS = st.tuples(
    st.sampled_from(["begin", "begin", "answer", "answer", "fail", "later"]),
    st.integers(0, 10),
    st.sampled_from([200, 200, 200, 429, 404, 500]),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(0, 80),
    st.sampled_from(["", "", "1", "30", "never"]),
)


@settings(deadline=None)
@given(st.lists(ACTIONS))
def test_whatever_is_said_in_whatever_order_nobody_waits_for_ever(actions: list[tuple[Any, ...]]) -> None:
    hand = Hand()
    under_way: list[int] = []
    for action, which, status, remaining, reset, retry_after in actions:
        named = {"remaining": remaining, "reset": reset}
        headers = {"Retry-After": retry_after} if retry_after else {}
        if action == "begin" and hand.wait() == 0:
            under_way.append(hand.begin())
        elif action == "later":
            hand.now += which * 10
        elif under_way:
            serial = under_way.pop(which % len(under_way))
            if action == "fail":
                hand.fail(serial)
            else:
                told = {name: value for name, value in named.items() if value is not None}
                hand.answer(serial, status, headers, **told)
        assert hand.wait() < math.inf or under_way
    for serial in under_way:
        hand.fail(serial)
    begun = hand.now
    for _ in range(20):
        while wait := hand.wait():
            hand.now += wait
        hand.answer(hand.begin())
    assert hand.now - begun <= 3600


# What it refuses.


def test_a_refusal_halves_what_may_be_under_way_once_for_all_that_were_under_way() -> None:
    hand = Hand()
    begun = [hand.begin() for _ in range(16)]
    for serial in begun:
        hand.answer(serial, 429, {"Retry-After": "10"})
    assert hand.wait() == pytest.approx(10)
    hand.now += 10
    hand.answer(hand.begin())
    assert len([hand.begin() for _ in range(8)]) == 8
    assert hand.wait() == math.inf


def test_it_grows_by_one_for_as_many_successes_as_it_allows() -> None:
    hand = Hand()
    for serial in [hand.begin() for _ in range(4)]:
        hand.answer(serial, 429)
    allowed = []
    for _ in range(10):
        hand.answer(hand.begin())
        under_way = []
        while hand.wait() == 0:
            under_way.append(hand.begin())
        allowed.append(len(under_way))
        for serial in under_way:
            hand.answer(serial, 404)
    assert allowed == [2, 3, 3, 3, 4, 4, 4, 4, 5, 5]


def test_it_is_never_less_than_one_and_then_one_request_follows_the_other() -> None:
    hand = Hand()
    for _ in range(5):
        hand.answer(hand.begin(), 429)
    serial = hand.begin()
    assert hand.wait() > 0
    hand.answer(serial, 500)
    serial = hand.begin()
    assert hand.wait() == math.inf
    hand.fail(serial)
    hand.begin()


def test_retry_after_holds_from_the_moment_of_the_refusal() -> None:
    hand = Hand()
    hand.answer(hand.begin(), 429, {"Retry-After": "30"})
    assert hand.wait() == pytest.approx(30)
    # More than an hour is not for waiting; the client says so.
    hand = Hand()
    hand.answer(hand.begin(), 429, {"Retry-After": "7200"}, remaining=0, reset=7200)
    assert hand.wait() == 0
    # It is later word than what remains.
    hand = Hand()
    hand.answer(hand.begin(), 429, {"Retry-After": "5"}, remaining=0)
    assert hand.wait() == pytest.approx(5)


def test_threads_that_overrun_an_api_lose_no_request() -> None:
    """Twenty requests a second, with 16 threads that would send a thousand; the client's retries are three."""
    budget = RateBudget(None)
    lock = threading.Lock()
    taken: list[float] = []
    refusals: Counter[int] = Counter()

    def answer() -> int:
        with lock:
            now = time.monotonic()
            if len([moment for moment in taken if moment > now - 1]) >= 20:
                return 429
            taken.append(now)
            return 200

    def send() -> None:
        for _ in range(3):
            refused = 0
            budget.acquire()
            while (status := answer()) == 429:
                budget.release(status, {"Retry-After": "1"})
                refused += 1
                budget.pause(1)
                budget.sleep(1)
                budget.acquire()
            budget.release(status, {})
            refusals[refused] += 1

    assert run(16, send) < 8
    assert refusals.total() == 48
    assert max(refusals) <= 3


# Threads.


def test_a_pause_holds_all_threads_back_and_is_added_up() -> None:
    budget = RateBudget(None)
    budget.pause(0.3)
    budget.pause(0.1)
    lasted = run(4, budget.acquire)
    assert 0.29 <= lasted < 2
    assert 0.29 <= budget.waited <= 4 * lasted


def test_whoever_comes_first_goes_first() -> None:
    budget = RateBudget(None)
    budget.pause(0.3)
    order: list[int] = []

    def send(number: int) -> None:
        budget.acquire()
        order.append(number)
        budget.release(200, {})

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        wait_until(lambda number=number: len(budget._queue) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order == sorted(order)


def test_with_one_under_way_the_next_starts_when_its_answer_is_in() -> None:
    budget = RateBudget(None)
    budget.acquire()
    budget.release(429, {})
    under_way: list[int] = []
    most = 0

    def send() -> None:
        nonlocal most
        budget.acquire()
        under_way.append(1)
        most = max(most, len(under_way))
        time.sleep(0.002)
        under_way.pop()
        budget.release(500, {})

    assert run(16, send) < 1
    assert most == 1


@pytest.mark.parametrize("per_minute", [None, 6000])
def test_all_threads_get_through_whatever_happens(monkeypatch: pytest.MonkeyPatch, per_minute: int | None) -> None:
    """A thousand times as fast as it is, with an API that says one thing now and another then."""
    wait = threading.Condition.wait
    monkeypatch.setattr(
        "taps.engine.budget._Turn.wait", lambda turn, seconds: wait(turn, seconds and seconds / 1000), raising=False
    )
    budget = RateBudget(per_minute, clock=lambda: time.monotonic() * 1000)
    seeds = itertools.count()
    done: list[int] = []

    def send() -> None:
        seed = next(seeds)
        draw = random.Random(seed)  # noqa: S311
        for _ in range(60):
            budget.acquire()
            if draw.random() < 0.1:
                budget.failed()
                continue
            headers = {
                name: draw.choice(values)
                for name, values in (
                    ("X-RateLimit-Remaining", ["0", "1", "2", "9", "200"]),
                    ("X-RateLimit-Reset", ["0", "1", "60", "-1"]),
                    ("Retry-After", ["0", "1", "5"]),
                    ("X-RateLimit-Period-In-Sec", ["2"]),
                    ("X-RateLimit-State", ["OK", "OK", "OK", "THROTTLED"]),
                )
                if draw.random() < 0.5
            }
            budget.release(draw.choice([200, 200, 200, 200, 429, 500]), headers)
        done.append(seed)

    run(16, send)
    assert len(done) == 16


def test_who_waits_does_nothing_meanwhile() -> None:
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return time.monotonic()

    budget = RateBudget(None, clock=clock)
    budget.pause(0.3)
    run(8, budget.acquire)
    assert looks < 60


@pytest.mark.parametrize("waiting", ["pause", "answer"])
def test_closing_wakes_all_who_wait(waiting: str) -> None:
    budget = RateBudget(None)
    if waiting == "pause":
        budget.pause(3600)
    else:
        budget.acquire()
        budget.release(429, {})
        budget.acquire()
    ended: list[str] = []

    def acquire() -> None:
        with pytest.raises(BudgetClosedError):
            budget.acquire()
        ended.append("acquire")

    def sleep() -> None:
        with pytest.raises(BudgetClosedError):
            budget.sleep(7200)
        ended.append("sleep")

    threads = [threading.Thread(target=target) for target in (acquire, sleep) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(budget._queue) == 4)
    begun = time.monotonic()
    budget.close()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun < 1
    assert Counter(ended) == {"acquire": 4, "sleep": 4}
    with pytest.raises(BudgetClosedError):
        budget.acquire()
    with pytest.raises(BudgetClosedError):
        budget.sleep(0)
    # What is under way may still come in.
    budget.release(200, {})
    budget.failed()
    budget.close()


def test_sleep_lasts_and_is_added_up() -> None:
    budget = RateBudget(None)
    begun = time.monotonic()
    budget.sleep(0.05)
    assert 0.05 <= time.monotonic() - begun < 1
    assert 0.05 <= budget.waited < 1
    for seconds in (0, -1, math.nan):
        budget.sleep(seconds)
    assert time.monotonic() - begun < 1


def test_who_sleeps_as_long_as_a_pause_lasts_waits_in_the_queue_instead() -> None:
    budget = RateBudget(None)
    budget.pause(0.3)
    begun = time.monotonic()
    budget.sleep(0.3)
    assert time.monotonic() - begun < 0.2
    budget.acquire()
    assert time.monotonic() - begun >= 0.3


def test_a_long_wait_for_what_the_api_says_is_told_once_and_can_be_asked_for() -> None:
    said: list[Wait] = []
    budget = RateBudget(None, say=said.append)
    budget.acquire()
    budget.release(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"})
    assert budget.waiting() is None, "nobody waits"

    def ask() -> None:
        with suppress(BudgetClosedError):
            budget.acquire()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 5
    while (wait := budget.waiting()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert wait is not None
    assert 25 < wait.seconds <= 30
    assert wait.reason == "the API says that its limit is used up"
    budget.close()
    for thread in threads:
        thread.join(5)
    assert [entry.reason for entry in said] == [wait.reason]
