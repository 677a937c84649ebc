"""A state that is given is used, refused, or said to be of no use; and clocks that differ are told."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from taps.engine.clocks import Clocks
from taps.engine.errors import InvalidInputError
from taps.engine.timestamps import format_timestamp
from taps.helpdesk.tap import TapHelpdesk

CONFIG = {"base_url": "https://acme.example.com", "api_key": "not-a-real-key"}
THEN = "2024-01-31T08:00:00Z"


def ahead(**span: float) -> str:
    return format_timestamp(datetime.now(timezone.utc) + timedelta(**span))


def bookmark(value: Any) -> dict[str, Any]:
    return {"replication_key": "updated_at", "replication_key_value": value}


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": {}},
        {"bookmarks": {"tickets": {}, "agents": {}}},
        {"bookmarks": {"tickets": bookmark(THEN)}},
        {"bookmarks": {"tickets": bookmark(None)}},
        {"bookmarks": {"tickets": {**bookmark(THEN), "starting_replication_value": THEN}}},
        {"bookmarks": {"tickets": {"starting_replication_value": THEN}}},
        {"bookmarks": {"tickets": bookmark(THEN), "conversations": {"parent_bookmark": THEN}}},
        {"bookmarks": {"conversations": {"parent_bookmark": None}}},
    ],
)
def test_what_a_tap_writes_is_taken_without_a_word(state: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    TapHelpdesk(config=CONFIG, state=state)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_clock_may_be_wrong_by_some_hours() -> None:
    TapHelpdesk(config=CONFIG, state={"bookmarks": {"tickets": bookmark(ahead(hours=23))}})
    with pytest.raises(InvalidInputError, match="but by this machine's clock it is"):
        TapHelpdesk(config=CONFIG, state={"bookmarks": {"tickets": bookmark(ahead(hours=25))}})


@pytest.mark.parametrize("value", ["soon", 5, [], {"at": THEN}, True])
@pytest.mark.parametrize("entry", ["tickets", "conversations"])
def test_a_bookmark_that_is_no_timestamp_is_refused_in_one_line(value: Any, entry: str) -> None:
    field = "replication_key_value" if entry == "tickets" else "parent_bookmark"
    with pytest.raises(InvalidInputError, match=f"the bookmark of stream '{entry}': .+ is no timestamp") as refused:
        TapHelpdesk(config=CONFIG, state={"bookmarks": {entry: {"replication_key": "updated_at", field: value}}})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"type": "STATE", "value": {"bookmarks": {}}}, "it is a whole STATE message"),
        ({"singer_state": {"bookmarks": {}}}, "it has no 'bookmarks', but 'singer_state'; give the value of"),
        ({f"stream_{number}": THEN for number in range(9)}, "'stream_4', …; give the value of"),
        ({"bookmarks": {"alerts": {}}}, "it has bookmarks of 'alerts', and none of a stream of this tap"),
    ],
)
def test_a_state_of_something_else_is_refused_with_what_it_is(state: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        TapHelpdesk(config=CONFIG, state=state)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (timedelta(minutes=-4), None),
        (timedelta(minutes=4), None),
        (timedelta(minutes=-90), "The clock of this machine is 1.5 h behind the API's"),
        (timedelta(days=3), "The clock of this machine is 72.0 h ahead of the API's"),
    ],
)
def test_clocks_that_differ_are_told_once(late: timedelta, words: str | None, caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks(logging.getLogger("tap-test"))
    for _ in range(3):
        clocks.compare(datetime.now(timezone.utc) - late)
    messages = [record.getMessage() for record in caplog.records]
    assert [message.partition(", which says")[0] for message in messages] == ([words] if words else [])
