"""Bookmarks: whoever restarts from one loses nothing."""

from __future__ import annotations

import copy
import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taps.engine.state import Bookmarks, CoveredByParent
from taps.engine.timestamps import format_timestamp, parse_timestamp

SYNC_START = datetime(2024, 6, 1, tzinfo=timezone.utc)


def bookmarks(state: dict[str, Any], *, is_sorted: bool, complete: bool = True) -> Bookmarks:
    return Bookmarks(
        not_after=lambda: SYNC_START,
        complete=lambda: complete,
        tap_name="tap-test",
        stream_name="things",
        tap_state=state,
        state_partitioning_keys=(),
        is_sorted=is_sorted,
    )


def value(state: dict[str, Any]) -> str | None:
    found: str | None = state.get("bookmarks", {}).get("things", {}).get("replication_key_value")
    return found


def at(offset: float) -> str:
    return format_timestamp(SYNC_START + timedelta(seconds=offset))


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.booleans(), st.data())
def test_a_stop_anywhere_loses_nothing(offsets: list[int], is_sorted: bool, data: st.DataObject) -> None:  # noqa: FBT001
    """The records not yet written are at or after the bookmark, whether the list is as sorted as it claims or not."""
    if is_sorted and data.draw(st.booleans(), label="as claimed"):
        offsets = sorted(offsets)
    stop = data.draw(st.integers(0, len(offsets)), label="stop after")
    state: dict[str, Any] = {}
    keeper = bookmarks(state, is_sorted=is_sorted)
    for offset in offsets[:stop]:
        keeper.increment_state({"at": at(offset)}, replication_key="at")
    if stop == len(offsets):
        keeper.finalize_state(keeper.stream_state)
    reached = value(state)
    unwritten = [offset for offset in offsets[stop:] if offsets == sorted(offsets) or not is_sorted]
    assert reached is None or all(parse_timestamp(at(offset)) >= parse_timestamp(reached) for offset in unwritten)
    assert reached is None or parse_timestamp(reached) <= SYNC_START


def test_a_sorted_list_moves_the_bookmark_at_once_and_an_unsorted_one_at_its_end() -> None:
    for is_sorted, under_way in ((True, at(-5)), (False, None)):
        state: dict[str, Any] = {}
        keeper = bookmarks(state, is_sorted=is_sorted)
        keeper.increment_state({"at": at(-9)}, replication_key="at")
        keeper.increment_state({"at": at(-5)}, replication_key="at")
        assert value(state) == under_way
        keeper.finalize_state(keeper.stream_state)
        assert value(state) == at(-5)


@pytest.mark.parametrize("is_sorted", [True, False])
def test_a_bookmark_never_gets_ahead_of_the_start_of_the_sync(is_sorted: bool) -> None:  # noqa: FBT001
    state: dict[str, Any] = {}
    keeper = bookmarks(state, is_sorted=is_sorted)
    keeper.increment_state({"at": at(30)}, replication_key="at")
    keeper.finalize_state(keeper.stream_state)
    assert value(state) == at(0)


@pytest.mark.parametrize("is_sorted", [True, False])
def test_a_failed_sync_leaves_the_bookmark_where_it_was(is_sorted: bool) -> None:  # noqa: FBT001
    before = {"bookmarks": {"things": {"replication_key": "at", "replication_key_value": at(-90)}}}
    state = copy.deepcopy(before)
    keeper = bookmarks(state, is_sorted=is_sorted, complete=False)
    keeper.increment_state({"at": at(-5)}, replication_key="at")
    keeper.finalize_state(keeper.stream_state)
    assert state == before


def test_a_list_that_turns_out_unsorted_takes_its_bookmark_back(caplog: pytest.LogCaptureFixture) -> None:
    before = {"replication_key": "at", "replication_key_value": at(-90)}
    state: dict[str, Any] = {"bookmarks": {"things": dict(before)}}
    keeper = bookmarks(state, is_sorted=True)
    keeper.increment_state({"at": at(-5)}, replication_key="at")
    with caplog.at_level(logging.WARNING):
        keeper.increment_state({"at": at(-50)}, replication_key="at")
    assert value(state) == at(-90)
    assert "not sorted by at" in caplog.text
    keeper.finalize_state(keeper.stream_state)
    assert value(state) == at(-5)


def test_instants_count_and_not_their_text() -> None:
    state: dict[str, Any] = {}
    keeper = bookmarks(state, is_sorted=False)
    for text in ("2024-05-01T10:00:00Z", "2024-05-01T11:00:00+02:00", "2024-05-01T10:00:00.5Z", "2024-05-01T09:59:59Z"):
        keeper.increment_state({"at": text}, replication_key="at")
    keeper.finalize_state(keeper.stream_state)
    assert value(state) == "2024-05-01T10:00:00.500Z"


def test_fractions_in_any_order_within_a_second_are_sorted_enough_and_read_again() -> None:
    state: dict[str, Any] = {}
    keeper = bookmarks(state, is_sorted=True)
    for text in ("2024-05-01T10:00:00.900Z", "2024-05-01T10:00:00.100Z"):
        keeper.increment_state({"at": text}, replication_key="at")
    assert value(state) == "2024-05-01T10:00:00Z"


def test_a_record_without_a_cursor_moves_nothing() -> None:
    state: dict[str, Any] = {}
    keeper = bookmarks(state, is_sorted=True)
    keeper.increment_state({"at": None}, replication_key="at")
    keeper.increment_state({}, replication_key="at")
    assert value(state) is None


def test_a_child_has_nothing_to_flush() -> None:
    keeper = CoveredByParent(stream_name="things", tap_state={}, state_partitioning_keys=())
    keeper.is_flushed = False
    assert keeper.is_flushed
