"""The contact centre tap: offsets, single objects, and servers that ignore the offset."""

from __future__ import annotations

import pytest

from support import config_for, sync
from taps.contact_center.tap import TapContactCenter
from taps.engine.timestamps import parse_timestamp
from taps.sandbox.server import Sandbox

STREAMS = ["account_overview", "agents_overview", "current_queue_activity"]


@pytest.mark.parametrize("cap", [1, 7, 100])
def test_the_offset_moves_by_what_was_received(cap: int) -> None:
    with Sandbox(api="contact_center", size=40, seed=2, page_cap=cap) as center:
        output = sync(TapContactCenter, config_for(center))
        assert output.exit_code == 0, output.errors
        for stream in STREAMS:
            held = [record["id"] for record in center.contact_center.records(stream)]
            assert [record["id"] for record in output.records(stream)] == held
        asked = [int(request.query["offset"]) for request in center.requests if request.path == "/v1/account_overview"]
        assert asked == [*range(0, len(center.contact_center.records("account_overview")), cap), asked[-1]]
        assert all(request.query["limit"] == "100" for request in center.requests)


def test_one_object_is_one_record() -> None:
    with Sandbox(api="contact_center", size=40, seed=2, single_object=True) as center:
        output = sync(TapContactCenter, config_for(center))
        assert output.exit_code == 0, output.errors
        assert dict(output.counts) == dict.fromkeys(STREAMS, 1)


@pytest.mark.parametrize("single_object", [True, False])
def test_a_server_that_ignores_the_offset_ends_the_stream_with_a_warning(single_object: bool) -> None:  # noqa: FBT001
    with Sandbox(api="contact_center", size=40, seed=2, ignore_offset=True, single_object=single_object) as center:
        output = sync(TapContactCenter, config_for(center))
        assert output.exit_code == 0, output.errors
        assert len(center.requests) == 6
        assert output.log.count("gives the same page again and again") == 3
        for stream in STREAMS:
            keys = [record["id"] for record in output.records(stream)]
            assert len(keys) == len(set(keys)) > 0


def test_the_time_is_added_where_the_body_has_none() -> None:
    with Sandbox(api="contact_center", size=40, seed=2) as center:
        held = {
            record["id"]: record.get("current_timestamp") for record in center.contact_center.records("agents_overview")
        }
        output = sync(TapContactCenter, config_for(center), streams=["agents_overview"])
        assert {None} < set(held.values()), "some have the time and some do not"
        for record in output.records("agents_overview"):
            assert parse_timestamp(record["current_timestamp"])
            assert held[record["id"]] in {None, record["current_timestamp"]}
