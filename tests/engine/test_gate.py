"""A request alone: others wait for it, and it for them."""

from __future__ import annotations

import threading
import time

import pytest

from taps.engine.budget import BudgetClosedError
from taps.engine.gate import Gate


def start(function: object) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_who_is_alone_waits_for_those_inside_and_keeps_others_out() -> None:
    gate, done, story = Gate(), threading.Event(), []

    def long() -> None:
        with gate.passage():
            done.wait(5)
            story.append("the one inside ends")

    def late() -> None:
        with gate.passage():
            story.append("another comes in")

    inside = start(long)
    time.sleep(0.05)
    threading.Timer(0.1, done.set).start()
    gate.claim()
    outside = start(late)
    with gate.passage():
        time.sleep(0.05)
        story.append("alone")
    gate.leave()
    inside.join(5)
    outside.join(5)
    assert story == ["the one inside ends", "alone", "another comes in"]


def test_whoever_waits_is_woken_when_the_gate_is_closed() -> None:
    gate, refused = Gate(), []

    def wait() -> None:
        try:
            with gate.passage():
                pass
        except BudgetClosedError:
            refused.append(True)

    gate.claim()
    threads = [start(wait) for _ in range(3)]
    time.sleep(0.05)
    gate.close()
    for thread in threads:
        thread.join(5)
    assert refused == [True] * 3
    with pytest.raises(BudgetClosedError), gate.passage():
        pass


def test_only_who_is_alone_can_let_others_through_again() -> None:
    gate, claimed, came_in, over = Gate(), threading.Event(), threading.Event(), threading.Event()

    def claim() -> None:
        gate.claim()
        claimed.set()
        over.wait(5)

    claimer = start(claim)
    assert claimed.wait(5)
    gate.leave()

    def enter() -> None:
        with gate.passage():
            came_in.set()

    start(enter)
    assert not came_in.wait(0.1)
    over.set()
    claimer.join(5)
