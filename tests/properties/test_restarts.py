"""Syncs of a list that changes, fail anywhere and stop anywhere: whoever goes on from the last STATE loses nothing.

A stop after any message is what the target has of the output: its beginning. So a sync runs to its end, and the target
takes as many lines as it got; the next sync begins with the last STATE among them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from repeated import examples_of, in_both_runs
from wire import BASE_URL, JSON, Reply, wired

from taps.engine.errors import SyncFailedError
from taps.engine.timestamps import format_timestamp, parse_timestamp
from taps.engine.writer import MessageWriter
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from wire import Asked

_TEXTS = {"tickets": "subject", "contacts": "name", "agents": "signature"}
_PLACES = st.integers(1, 12)
_WHICH = st.integers(0, 200)


class _Written(MessageWriter):
    """Keeps what goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.text = bytearray()

    def flush(self) -> None:
        self.text += self._buffer
        self._buffer = bytearray()

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in bytes(self.text).splitlines()]


class _Server:
    """A help desk: tickets with conversations, sorted by their last change; contacts, by their ids; and agents."""

    def __init__(self) -> None:
        # In the past, so that the clock of this machine has no part in it, and by the second, so that many share one.
        self._clock = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=2)
        self._ids = itertools.count(1)
        self.rows: dict[str, dict[int, dict[str, Any]]] = {
            name: {} for name in ("tickets", "conversations", "contacts", "agents")
        }
        self.asked = 0
        self.changes: dict[int, list[Callable[[], None]]] = {}
        self.refusals: set[int] = set()

    def pass_time(self, seconds: int) -> None:
        self._clock += timedelta(seconds=seconds)

    def put(self, stream: str, which: int | None = None) -> None:
        """Add a row, or change one."""
        rows = self.rows[stream]
        key = next(self._ids) if which is None or not rows else sorted(rows)[which % len(rows)]
        now = format_timestamp(self._clock)
        rows[key] = {"id": key, "updated_at": now}
        rows[key][_TEXTS[stream]] = f"v{next(self._ids)}"

    def reply_to(self, which: int) -> None:
        """Add a conversation, which changes its ticket."""
        tickets = self.rows["tickets"]
        if tickets:
            ticket = sorted(tickets)[which % len(tickets)]
            key = next(self._ids)
            self.rows["conversations"][key] = {"id": key, "ticket_id": ticket, "body": f"v{key}"}
            tickets[ticket] = {**tickets[ticket], "updated_at": format_timestamp(self._clock)}

    def delete(self, stream: str, which: int) -> None:
        rows = self.rows[stream]
        if rows:
            key = sorted(rows)[which % len(rows)]
            del rows[key]
            if stream == "tickets":
                conversations = self.rows["conversations"]
                for child in [child for child, row in conversations.items() if row["ticket_id"] == key]:
                    del conversations[child]

    def answer(self, asked: Asked) -> Reply:
        self.asked += 1
        for change in self.changes.pop(self.asked, ()):
            change()
        headers = {**JSON, "Date": format_datetime(self._clock, usegmt=True)}
        if self.asked in self.refusals:
            return Reply(b'{"message":"no"}', headers, 400)
        _, _, *path = asked.path.split("/")
        if path[0] == "tickets" and len(path) > 1:
            if int(path[1]) not in self.rows["tickets"]:
                return Reply(b"{}", headers, 404)
            found = [row for row in self.rows["conversations"].values() if row["ticket_id"] == int(path[1])]
            return self._linked(asked, [{k: v for k, v in row.items() if k != "ticket_id"} for row in found], headers)
        if path[0] == "tickets":
            size, number = int(asked.params["limit"]), int(asked.params["page"])
            rows = sorted(
                self._since("tickets", asked, "updated_since"), key=lambda row: (row["updated_at"], row["id"])
            )
            return _page(rows[(number - 1) * size : number * size], headers)
        rows = (
            self._since("contacts", asked, "_updated_since")
            if path[0] == "contacts"
            else list(self.rows["agents"].values())
        )
        return self._linked(asked, rows, headers)

    def _since(self, stream: str, asked: Asked, param: str) -> list[dict[str, Any]]:
        since = parse_timestamp(asked.params[param])
        return [row for row in self.rows[stream].values() if parse_timestamp(row["updated_at"]) >= since]

    @staticmethod
    def _linked(asked: Asked, rows: list[dict[str, Any]], headers: dict[str, str]) -> Reply:
        """Give a page by id, and a link that goes on behind the last one, so that nothing shifts."""
        size, after = int(asked.params["limit"]), int(asked.params.get("after", 0))
        left = sorted((row for row in rows if row["id"] > after), key=lambda row: int(row["id"]))
        if len(left) > size:
            query = "&".join(f"{name}={value}" for name, value in asked.params.items() if name != "after")
            link = f"{BASE_URL}{asked.path}?{query}&after={left[size - 1]['id']}"
            headers = {**headers, "Link": f'<{link}>; rel="next"'}
        return _page(left[:size], headers)


def _page(rows: list[dict[str, Any]], headers: dict[str, str]) -> Reply:
    return Reply(json.dumps({"data": rows}).encode(), headers)


class _Restarts(RuleBasedStateMachine):
    """Changes, syncs that stop or fail, and in the end one that does not."""

    streams: ClassVar[tuple[str, ...]]
    incremental: ClassVar[str | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.server = _Server()
        self.target: dict[str, dict[int, dict[str, Any]]] = {stream: {} for stream in self.streams}
        self.state: dict[str, Any] = {}

    @rule(seconds=st.sampled_from([0, 0, 1, 1, 5]))
    def time_passes(self, seconds: int) -> None:
        self.server.pass_time(seconds)

    @rule(stream=st.integers(0, 9), count=st.integers(1, 4))
    def rows_are_added(self, stream: int, count: int) -> None:
        for _ in range(count):
            self._change(stream, 0, None)

    @rule(stream=st.integers(0, 9), kind=st.integers(0, 3), which=_WHICH)
    def a_row_changes(self, stream: int, kind: int, which: int) -> None:
        self._change(stream, kind, which)

    @rule(place=_PLACES, stream=st.integers(0, 9), kind=st.integers(0, 4), which=_WHICH, seconds=st.integers(0, 1))
    def a_row_will_change_while_it_is_read(self, place: int, stream: int, kind: int, which: int, seconds: int) -> None:
        def change() -> None:
            self.server.pass_time(seconds)
            self._change(stream, kind, None if kind == 4 else which)

        self.server.changes.setdefault(place, []).append(change)

    @rule(place=_PLACES)
    def a_request_will_be_refused(self, place: int) -> None:
        self.server.refusals.add(place)

    @rule(size=st.integers(1, 5), stop=st.integers(0, 30) | st.just(10_000))
    def a_sync_stops(self, size: int, stop: int) -> None:
        self._sync(size, stop)

    def teardown(self) -> None:
        """Sync once more without a failure: what exists is then in the target as it is."""
        self.server.changes.clear()
        self.server.refusals.clear()
        self.server.pass_time(1)
        self._sync(3, 10_000)
        for stream in self.streams:
            for key, row in self.server.rows[stream].items():
                assert self.target[stream].get(key) == row, f"{stream} {key} is lost"

    def _change(self, stream: int, kind: int, which: int | None) -> None:
        name = self.streams[stream % len(self.streams)]
        if name == "conversations":
            self.server.reply_to(which or 0)
        elif kind == 3 and which is not None:
            self.server.delete(name, which)
        else:
            self.server.put(name, which)

    def _sync(self, size: int, stop: int) -> None:
        server, writer = self.server, _Written()
        server.asked = 0
        tap = wired(
            TapHelpdesk,
            server.answer,
            writer=writer,
            state=json.loads(json.dumps(self.state)),
            page_size=size,
            max_concurrency=1,
            start_date="2020-01-01",
        )
        for name, stream in tap.streams.items():
            stream.selected = name in self.streams
        with contextlib.suppress(SyncFailedError):
            tap.sync_all()
        tap.close()
        before = self._bookmark(self.state)
        for message in writer.messages[:stop]:
            if message["type"] == "RECORD":
                self.target[message["stream"]][message["record"]["id"]] = message["record"]
            elif message["type"] == "STATE":
                self.state = message["value"]
                self._check_bookmark(before)
        server.changes.clear()
        server.refusals.clear()

    def _bookmark(self, state: dict[str, Any]) -> str:
        entry = state.get("bookmarks", {}).get(self.incremental, {})
        return str(entry.get("replication_key_value", ""))

    def _check_bookmark(self, before: str) -> None:
        """No bookmark is behind the one that the sync began with, or ahead of a row that the target has not."""
        bookmark = self._bookmark(self.state)
        assert bookmark >= before, "the bookmark went back"
        if not self.incremental or not bookmark:
            return
        for key, row in self.server.rows[self.incremental].items():
            if self.target[self.incremental].get(key) != row:
                assert row["updated_at"] >= bookmark, f"{key} is skipped"
        for key, row in self.server.rows["conversations"].items():
            if "conversations" in self.streams and key not in self.target["conversations"]:
                assert self.server.rows["tickets"][row["ticket_id"]]["updated_at"] >= bookmark, f"{key} is skipped"


class _SortedWithAChild(_Restarts):
    streams = ("tickets", "conversations")
    incremental = "tickets"


class _Unsorted(_Restarts):
    streams = ("contacts",)
    incremental = "contacts"


class _FullTable(_Restarts):
    streams = ("agents",)


def _holds(machine: type[_Restarts], examples: int) -> None:
    chosen = settings(examples_of(examples, _ORDINARY), stateful_step_count=_STEPS)
    run_state_machine_as_test(machine, settings=chosen)


_ORDINARY = 60
_STEPS = 20


@in_both_runs(_ORDINARY, 5_000)
def test_a_sorted_list_with_children_loses_nothing(examples: int) -> None:
    _holds(_SortedWithAChild, examples)


@in_both_runs(_ORDINARY, 5_000)
def test_an_unsorted_list_loses_nothing(examples: int) -> None:
    _holds(_Unsorted, examples)


@in_both_runs(_ORDINARY, 5_000)
def test_a_full_table_loses_nothing(examples: int) -> None:
    _holds(_FullTable, examples)
