"""What headers say of a rate limit: every spelling that is in use, and nothing that breaks a sync."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict

from taps.engine.ratelimits import RateLimits, read_rate_limits

NOW = datetime(2024, 6, 1, 12, 0, 0, tzinfo=timezone.utc)
OWN = {
    "x-ratelimit-used-currentrequest": "cost",
    "x-ratelimit-state": "state",
    "x-ratelimit-period-in-sec": "period",
    "quota-left": "remaining",
}
DATE = format_datetime(NOW, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Content-Type": "application/json", "Retry-After": "3", "X-Limit": "0"}, None),
        ({"X-RateLimit-Remaining-Tokens": "0", "X-RateLimit-Resetting": "1"}, None),
        ({"X-RateLimit-Total": "200", "X-RateLimit-Remaining": "17"}, RateLimits(17)),
        ({"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "699"}, RateLimits(699)),
        ({"RateLimit-Limit": "10, 10;w=1", "RateLimit-Remaining": "4", "RateLimit-Reset": "7"}, RateLimits(4, 7)),
        ({"X-RATELIMIT-REMAINING": "4", "x-rate-limit-reset": "7.5"}, RateLimits(4, 7.5)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "0"}, RateLimits(4, 0)),
        ({"X-RateLimit-Remaining": "9999, 19988", "X-RateLimit-Reset": "60"}, RateLimits(9999, 60)),
        ({"X-RateLimit-Remaining": "19988, 9999", "X-RateLimit-Reset": "60, 3000"}, RateLimits(9999, 3000)),
        ({"X-RateLimit-Remaining": "5, 6, 7", "X-RateLimit-Reset": "60, 30"}, RateLimits(5, 30)),
        ({"X-Rate-Limit-Remaining": "9", "RateLimit-Remaining": "3", "RateLimit-Reset": "41"}, RateLimits(3, 41)),
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, RateLimits(50, 5)),
        ({"RateLimit": "limit=100; remaining = 50"}, RateLimits(50)),
        ({"RateLimit": '"default";r=50;t=30'}, RateLimits(50, 30)),
        ({"RateLimit": 'burst;r=9;t=1, "a day, \\"r=1\\"";r=8;t=3000;pk=:cjE9:'}, RateLimits(8, 3000)),
        ({"RateLimit": '"r=1;t=2"'}, RateLimits()),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Used-CurrentRequest": "3"}, RateLimits(5, cost=3)),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Used-CurrentRequest": "0"}, RateLimits(5)),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Used-CurrentRequest": "9999"}, RateLimits(5)),
        ({"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "7"}, RateLimits(pause=7, period=7)),
        ({"X-RateLimit-State": "throttled", "X-RateLimit-Period-In-Sec": "70000"}, RateLimits(pause=3600, period=3600)),
        ({"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "soon"}, RateLimits()),
        ({"X-RateLimit-State": "THROTTLED"}, RateLimits()),
        ({"X-RateLimit-State": "OK", "X-RateLimit-Period-In-Sec": "7"}, RateLimits(period=7)),
        ({"Quota-Left": "3", "X-RateLimit-Reset": "7"}, RateLimits(3, 7)),
        # No limit at all, as some put it.
        ({"X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "0"}, RateLimits()),
        # The commas of thousands.
        ({"X-RateLimit-Remaining": "10,000"}, RateLimits()),
        ({"X-RateLimit-Remaining": "4, many"}, RateLimits()),
        ({"X-RateLimit-Remaining": "-1"}, RateLimits()),
        ({"X-RateLimit-Remaining": "٣"}, RateLimits()),
        ({"X-RateLimit-Remaining": "9" * 5000}, RateLimits()),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "soon"}, RateLimits(4)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "86400"}, RateLimits(4, 3600)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "123456789012345678"}, RateLimits(4)),
        # What was counted until a moment in the past is over.
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-5"}, RateLimits()),
    ],
)
def test_the_usual_spellings(headers: dict[str, str], expected: RateLimits | None) -> None:
    assert read_rate_limits(headers, OWN) == expected
    assert read_rate_limits(CaseInsensitiveDict(headers), OWN) == expected
    assert read_rate_limits(HTTPHeaderDict(headers), OWN) == expected


@pytest.mark.parametrize("seconds", [0, 1, 59, 3600])
@pytest.mark.parametrize(
    "spelled",
    [
        lambda moment: str(int(moment.timestamp())),
        lambda moment: f"{moment.timestamp():.3f}",
        lambda moment: str(int(moment.timestamp() * 1000)),
        lambda moment: format_datetime(moment, usegmt=True),
        lambda moment: moment.isoformat(),
        lambda moment: moment.isoformat().replace("+00:00", "Z"),
    ],
    ids=["seconds", "fractions", "milliseconds", "http", "iso", "z"],
)
def test_a_point_in_time_counts_from_the_servers_clock(spelled: object, seconds: int) -> None:
    assert callable(spelled)
    moment = NOW + timedelta(seconds=seconds)
    headers = {"x-ratelimit-remaining": "3", "x-ratelimit-reset": spelled(moment), "Date": DATE}
    assert read_rate_limits(CaseInsensitiveDict(headers)) == RateLimits(3, seconds)


@pytest.mark.parametrize(
    "spelled", [str(int(NOW.timestamp()) - 1), "2024-06-01T11:59:59Z", "Sat, 01 Jun 2024 11:00:00 GMT"]
)
def test_a_point_in_the_past_is_over(spelled: str) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": spelled, "Date": DATE}
    assert read_rate_limits(headers) == RateLimits()


def test_a_point_in_time_counts_from_our_clock_where_the_server_tells_none() -> None:
    limits = read_rate_limits({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 100)})
    assert limits is not None
    assert limits.reset is not None
    assert 90 < limits.reset <= 100


def test_several_headers_of_one_name_are_as_one() -> None:
    headers = HTTPHeaderDict()
    headers.add("X-RateLimit-Remaining", "7")
    headers.add("X-RateLimit-Remaining", "3")
    assert read_rate_limits(headers) == RateLimits(3)


NAMES = st.sampled_from(
    [
        f"{prefix}{name}{part}"
        for prefix in ("", "X-", "x-")
        for name in ("RateLimit", "Rate-Limit", "ratelimit")
        for part in (
            "",
            "-Remaining",
            "-Reset",
            "-Reset-After",
            "-Limit",
            "-Total",
            "-State",
            "-Period-In-Sec",
            "-Used-CurrentRequest",
        )
    ]
    + ["Date", "Retry-After"]
)
VALUES = (
    st.text()
    | st.integers().map(str)
    | st.floats().map(str)
    | st.datetimes().map(lambda moment: moment.isoformat())
    | st.datetimes().map(format_datetime)
    | st.sampled_from(
        ["THROTTLED", "", ",", ";", "=", "r=;t=", "remaining=,reset=", '"\\', "0", "-0", "1e9", "inf", "nan"]
    )
    | st.lists(st.sampled_from(["r", "t", "=", ";", ",", '"', "5", "-1", "remaining", "reset", " ", "\\"])).map("".join)
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES))
def test_nothing_raises_and_no_wait_is_negative_or_longer_than_an_hour(headers: dict[str, str]) -> None:
    limits = read_rate_limits(CaseInsensitiveDict(headers))
    if limits is not None:
        assert limits.remaining is None or limits.remaining >= 0
        assert limits.reset is None or 0 <= limits.reset <= 3600
        assert 0 <= limits.pause <= 3600
        assert 1 <= limits.cost <= 100


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from([",", ", ", " , "]))
def test_of_several_numbers_the_smallest_counts(numbers: list[int], comma: str) -> None:
    limits = read_rate_limits({"X-RateLimit-Remaining": comma.join(map(str, numbers))[:1000]})
    assert limits is not None
    if len(comma.join(map(str, numbers))) <= 1000:
        assert limits.remaining == min(numbers)
