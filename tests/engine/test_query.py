"""What an API is asked for, where records are wanted from a time on, or up to one."""

from __future__ import annotations

import pytest

from support import config_for, sync
from taps.engine.query import StartParam
from taps.engine.timestamps import parse_timestamp
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox

RANGE = StartParam("filter", "{milliseconds_timestamp}..{end}", open_end="inf")


@pytest.mark.parametrize(
    ("start", "end", "asked"),
    [
        ("2024-01-31T08:00:00.123456Z", None, "2024-01-31T08:00:00.123Z..inf"),
        ("2024-01-31T08:00:00.123Z", "2024-02-01", "2024-01-31T08:00:00.123Z..2024-02-01T00:00:00Z"),
        ("2024-01-31T08:00:00Z", "2024-01-31T09:00:00.123001Z", "2024-01-31T08:00:00Z..2024-01-31T09:00:00.124Z"),
        ("2024-01-31T08:00:00Z", "2024-01-31T07:00:00Z", "2024-01-31T08:00:00Z..inf"),
    ],
)
def test_a_range_leaves_out_nothing_that_is_in_it(start: str, end: str | None, asked: str) -> None:
    assert RANGE.value(parse_timestamp(start), end and parse_timestamp(end)) == asked  # type: ignore[arg-type]


def test_an_api_that_cannot_be_asked_up_to_a_time_is_asked_as_ever() -> None:
    param = StartParam("updated_since")
    assert param.value(parse_timestamp("2024-01-31"), parse_timestamp("2024-02-01")) == "2024-01-31T00:00:00Z"
    assert RANGE.without_end == "{milliseconds_timestamp}..inf"


def test_an_end_date_goes_into_the_request() -> None:
    with Sandbox("sales_engagement", size=20, seed=5) as sales:
        sync(TapSalesEngagement, config_for(sales, end_date="2024-06-01"), streams=["prospects"])
        [asked] = {request.query["filter[updatedAt]"] for request in sales.requests if "prospects" in request.path}
        assert asked == "1970-01-01T00:00:00Z..2024-06-01T00:00:00Z"
