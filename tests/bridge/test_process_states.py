"""What a tap that runs as a process writes as its state: it gets it back as it was, from wherever dlt keeps it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from scripted import Desk, catalog_of, entry

if TYPE_CHECKING:
    from pathlib import Path

_BOTH = catalog_of(entry("tickets"), entry("macros"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def tap_that_writes(desk: Desk, *states: Any) -> list[str]:
    desk.config["states"] = states
    return desk.tap("""
    schema("tickets")
    schema("macros")
    record(1, stream="tickets")
    record(1, stream="macros")
    for value in config["states"]:
        bookmark(value)
    note(state=state)
    """)


def received(desk: Desk, catalog: Any = _BOTH, **options: Any) -> Any:
    """Begin a run in which the tap writes no state; give the one that it gets."""
    pipeline = desk.pipeline()
    if pipeline.first_run:
        pipeline.sync_destination()
    pipeline.extract(desk.source(tap_that_writes(desk), catalog, **options))
    return desk.notes()["state"]


_SDK = {
    "bookmarks": {
        "tickets": {"replication_key": "updated_at", "replication_key_value": "2024-05-01T00:00:00+00:00"},
        "macros": {"partitions": [{"context": {"group": 7}, "replication_key_value": 1.5}]},
    }
}


@pytest.mark.parametrize(
    "state",
    [
        _SDK,
        {"bookmarks": {"tickets": {"id": 3, "nested": {"of": [None, True, "é", 2**53 + 1]}}, "macros": {"id": 1}}},
        {"tickets": "2024-05-01", "cursor": 7},
        {"tickets": "2024-05-01", "macros": {"since": 4}, "cursor": {"at": [1, 2]}},
        {"cursor": "abc", "done": [1, 2]},
        {"bookmarks": {"tickets": {"id": 3}, "a stream of old": {"id": 4}}, "version": 2},
        {"bookmarks": {"tickets": "2024-05-01", "macros": 8}},
    ],
    ids=["SDK", "singer-python", "free", "at the top", "of no stream", "with more", "plain values"],
)
def test_a_state_comes_back_as_the_tap_wrote_it(desk: Desk, state: dict[str, Any]) -> None:
    desk.load(tap_that_writes(desk, {**state, "currently_syncing": None}), _BOTH)
    assert received(desk) == state
    shutil.rmtree(desk.folder / "pipelines")
    assert received(desk) == state


@pytest.mark.parametrize(
    "state",
    [{"tickets": 0, "cursor": 0}, {"bookmarks": {"tickets": {}}}, {"bookmarks": {"macros": 0}}, {}],
    ids=["zero", "nothing", "zero below bookmarks", "empty"],
)
def test_a_state_of_no_value_comes_back_as_the_tap_wrote_it(desk: Desk, state: dict[str, Any]) -> None:
    desk.load(tap_that_writes(desk, state), _BOTH)
    assert (received(desk) or {}) == state


def test_the_last_of_several_states_counts(desk: Desk) -> None:
    states = [{"bookmarks": {"tickets": {"id": number}}, "currently_syncing": "tickets"} for number in range(3)]
    desk.load(tap_that_writes(desk, *states, {"bookmarks": {"tickets": {"id": 9}}}), _BOTH)
    assert received(desk) == {"bookmarks": {"tickets": {"id": 9}}}
    assert desk.bookmark("tickets") == {"id": 9}


def test_a_tap_without_a_state_gets_none(desk: Desk) -> None:
    desk.load(tap_that_writes(desk), _BOTH)
    assert not desk.notes()["state"]
    assert not received(desk)


def test_rows_without_a_state_after_them_leave_the_bookmark_where_it_was(desk: Desk) -> None:
    desk.load(tap_that_writes(desk, _SDK), _BOTH)
    desk.load(tap_that_writes(desk), _BOTH)
    assert received(desk) == _SDK


def test_a_stream_that_is_read_in_full_begins_without_a_bookmark(desk: Desk) -> None:
    catalog = catalog_of(entry("tickets"), entry("macros", full=True))
    desk.load(tap_that_writes(desk, _SDK), catalog)
    assert received(desk, catalog) == {"bookmarks": {"tickets": _SDK["bookmarks"]["tickets"]}}


def test_a_stream_that_is_new_does_not_begin_where_a_state_of_all_streams_is(desk: Desk) -> None:
    desk.load(tap_that_writes(desk, {"cursor": 7}), _BOTH, streams=["tickets"])
    assert "cursor" not in (received(desk) or {})
    desk.pipeline().drop()
    assert received(desk, streams=["tickets"])["cursor"] == 7


def test_a_dropped_table_begins_again(desk: Desk) -> None:
    desk.load(tap_that_writes(desk, _SDK), _BOTH)
    source = desk.source(tap_that_writes(desk), _BOTH).with_resources("tickets")
    desk.pipeline().run(source, refresh="drop_resources")
    assert desk.notes()["state"] == {"bookmarks": {"macros": _SDK["bookmarks"]["macros"]}}
