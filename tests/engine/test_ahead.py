"""Pages are asked for ahead where an API is waited for, and only there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from taps.engine.ahead import PagesAhead
from taps.engine.client import Request
from taps.engine.counting import Offset
from taps.engine.page import Content, Page
from taps.engine.query import Query
from taps.engine.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PAGES = 40


class Clock(threading.local):
    """What a thread has worked and waited, as told: the machine's other work must not count."""

    worked = waited = 0.0

    def work(self, seconds: float) -> None:
        self.worked += seconds
        time.sleep(seconds)  # long enough for other threads to come in between

    def wait(self, seconds: float) -> None:
        self.waited += seconds
        time.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("taps.engine.ahead.thread_time", lambda: clock.worked)
    monkeypatch.setattr("taps.engine.ahead.perf_counter", lambda: clock.worked + clock.waited)
    return clock


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers(3)
    yield pool
    pool.close()


def read(workers: Workers, answer: Callable[[int], None]) -> list[int]:
    """Read a list; give for each page how many were under way when it was begun, itself included."""
    under_way: set[int] = set()
    at_once: dict[int, int] = {}

    def fetch(request: Request, headers_in: Callable[[str, Mapping[str, str]], None]) -> Page:
        number = int(request.params["offset"])
        under_way.add(number)
        at_once[number] = len(under_way)
        headers_in(request.url, {})
        answer(number)
        under_way.remove(number)
        found = range(number, number + 1) if number < _PAGES else range(0)
        return Page(request.url, {}, Content(list(found), [(each,) for each in found], [None for _ in found]))

    pagination = Offset()
    ahead = PagesAhead(workers, fetch, pagination, 3)
    requests = pagination.requests(Query(Request("/v1/things"), page_size=1))
    request: Request | None = next(requests)
    got: list[int] = []
    while request is not None:
        page = ahead.get(request)
        got += page.records
        request = requests.send(page) if page.records else None
    ahead.close()
    assert got == list(range(_PAGES))
    return [at_once[number] for number in range(_PAGES)]


def test_an_api_that_is_waited_for_is_asked_ahead(workers: Workers, clock: Clock) -> None:
    at_once = read(workers, lambda _: clock.wait(0.005))
    assert max(at_once) == 3
    assert sum(at_once) > 1.5 * _PAGES


def test_one_that_answers_sooner_than_a_page_is_read_is_not(workers: Workers, clock: Clock) -> None:
    assert sum(read(workers, lambda _: clock.work(0.005))) < 1.2 * _PAGES


def test_one_that_becomes_slow_is_asked_ahead_from_then_on(workers: Workers, clock: Clock) -> None:
    at_once = read(workers, lambda number: (clock.work if number < _PAGES // 4 else clock.wait)(0.005))
    assert sum(at_once[_PAGES // 4 + 20 :]) > 1.5 * len(at_once[_PAGES // 4 + 20 :])
