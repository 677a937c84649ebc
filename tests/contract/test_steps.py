"""A long time read in steps, with `end_date`: as if it had been read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support import config_for, sync
from taps.engine.stream import ApiStream
from taps.engine.timestamps import parse_timestamp
from taps_under_test import PROVIDED, TapUnderTest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Output
    from taps.sandbox.server import Sandbox

every_tap = pytest.mark.parametrize(
    "tap", [tap for tap in PROVIDED if any(s.replication_key for s in tap.streams)], ids=lambda tap: tap.name
)
STEPS = 4


@pytest.fixture
def served(tap: TapUnderTest) -> Iterator[Sandbox]:
    with tap.sandbox(size=60, seed=5, page_cap=5) as sandbox:
        yield sandbox


def in_steps(tap: TapUnderTest, sandbox: Sandbox) -> list[type[ApiStream]]:
    """The incremental streams that are asked for by their cursor."""
    return [
        stream for stream in tap.served(sandbox) if stream.replication_key and (stream.is_sorted or not stream.lookback)
    ]


def ends(tap: TapUnderTest, sandbox: Sandbox) -> list[str]:
    """Moments that divide the records, the last but one amid a second that has some."""
    held = tap.held(sandbox)
    moments = sorted(
        moment
        for stream in in_steps(tap, sandbox)
        for record in held[stream.name]
        if (moment := record.get(stream.replication_key or ""))
    )
    return list(dict.fromkeys(moments[len(moments) * step // STEPS] for step in range(1, STEPS)))


def versions(output: Output, stream: type[ApiStream]) -> dict[tuple[Any, ...], Any]:
    return {
        tuple(record[key] for key in stream.primary_keys): record.get(stream.replication_key or "")
        for record in output.records(stream.name)
    }


@every_tap
@pytest.mark.parametrize("loop", ["pages", "records"])
def test_steps_bring_what_one_sync_brings(
    tap: TapUnderTest, served: Sandbox, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if loop == "records":
        monkeypatch.setattr(ApiStream, "_takes_pages", lambda _: False)
    streams = [stream for stream in tap.served(served) if not stream.snapshot_field]
    names = [stream.name for stream in streams]
    whole = sync(tap.tap_class, config_for(served), streams=names)
    assert whole.exit_code == 0, whole.errors
    came: dict[str, dict[tuple[Any, ...], Any]] = {name: {} for name in names}
    state: dict[str, Any] = {}
    for end in [*ends(tap, served), None]:
        settings = {} if end is None else {"end_date": end}
        step = sync(tap.tap_class, config_for(served, **settings), streams=names, state=state)
        assert step.exit_code == 0, step.errors
        for stream in streams:
            came[stream.name] |= versions(step, stream)
            if end and stream in in_steps(tap, served):
                moments = [parse_timestamp(str(at)) for at in versions(step, stream).values() if at is not None]
                assert all(moment < parse_timestamp(end) for moment in moments), stream.name
                bookmark = step.bookmark(stream.name)
                assert bookmark is None or parse_timestamp(bookmark) < parse_timestamp(end)
        state = step.state
    assert came == {stream.name: versions(whole, stream) for stream in streams}
    assert state["bookmarks"] == whole.state["bookmarks"]


@pytest.mark.parametrize(
    "tap",
    [tap for tap in PROVIDED if any(s.replication_key and s.is_sorted for s in tap.streams)],
    ids=lambda tap: tap.name,
)
def test_a_step_reads_no_further_than_it_has_to(tap: TapUnderTest, served: Sandbox) -> None:
    names = [stream.name for stream in in_steps(tap, served) if stream.is_sorted]
    requests = []
    for settings in ({}, {"end_date": ends(tap, served)[0]}):
        served.clear_requests()
        sync(tap.tap_class, config_for(served, max_concurrency=1, **settings), streams=names)
        requests.append(len(served.requests))
    assert requests[1] < requests[0]
