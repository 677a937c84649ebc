"""The ways in which the sandbox limits the rate, and what it tells of that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sandbox_client import Client

from taps.sandbox.rates import _Bucket, _FixedWindow, _SlidingWindow
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from taps.sandbox.rates import RateHeaders, RateKind


def test_a_fixed_window_begins_with_a_request_and_gives_all_back_at_its_end() -> None:
    count = _FixedWindow(2, 10)
    assert [count.take(now) for now in (100, 104, 109)] == [(True, 1, 10), (True, 0, 6), (False, 0, 1)]
    assert [count.take(now)[:2] for now in (115, 115, 115)] == [(True, 1), (True, 0), (False, 0)]


def test_a_sliding_window_gives_each_back_when_it_is_old_enough() -> None:
    count = _SlidingWindow(2, 10)
    assert [count.take(now) for now in (100, 104, 109)] == [(True, 1, 10), (True, 0, 6), (False, 0, 1)]
    assert [count.take(now) for now in (110, 113)] == [(True, 0, 4), (False, 0, 1)]
    assert [count.take(now) for now in (114, 130)] == [(True, 0, 6), (True, 1, 10)]


def test_a_bucket_fills_evenly_and_not_beyond_its_size() -> None:
    count = _Bucket(2, 10)
    assert [count.take(now) for now in (100, 100, 100)] == [(True, 1, 5), (True, 0, 5), (False, 0, 5)]
    assert [count.take(now)[:2] for now in (104, 105, 109, 110)] == [(False, 0), (True, 0), (False, 0), (True, 0)]
    assert [count.take(200)[0] for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("kind", ["fixed", "sliding", "bucket"])
def test_a_short_window_lets_requests_through_again_soon(kind: RateKind) -> None:
    with Sandbox(tickets=1, rate_limit=2, rate_window=0.5, rate_kind=kind) as sandbox, Client(sandbox) as client:
        assert [client.get("/v1/groups").status_code for _ in range(3)] == [200, 200, 429]
        time.sleep(0.5)
        assert client.get("/v1/groups").status_code == 200


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ("total", {"x-ratelimit-total": "2", "x-ratelimit-remaining": "1"}),
        ("reset", {"x-ratelimit-limit": "2", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "30"}),
        ("none", {}),
    ],
)
def test_answers_tell_what_they_are_asked_to(headers: RateHeaders, told: dict[str, str]) -> None:
    with Sandbox(tickets=1, rate_limit=2, rate_window=30, rate_headers=headers) as sandbox, Client(sandbox) as client:
        answers = [client.get("/v1/groups") for _ in range(3)]
    lower = {name.lower(): value for name, value in answers[0].headers.items()}
    assert {name: value for name, value in lower.items() if "ratelimit" in name} == told
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 28 <= int(answers[2].headers["retry-after"]) <= 31
