"""The page loop and the SDK's own loop say the same of every stream."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from support import config_for, sync
from taps.engine.reader import PageReader
from taps.engine.selector import listed_at
from taps.engine.stream import ApiStream
from taps_under_test import PROVIDED, TapUnderTest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support import Output
    from taps.engine.page import Content
    from taps.sandbox.server import Sandbox

every_tap = pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name)


@pytest.fixture(params=["plain", "ragged"])
def served(request: pytest.FixtureRequest, tap: TapUnderTest) -> Iterator[Sandbox]:
    with tap.sandbox(size=60, seed=5, page_cap=5, ragged=request.param == "ragged") as sandbox:
        yield sandbox


def streams(tap: TapUnderTest, served: Sandbox) -> list[str]:
    return [stream.name for stream in tap.served(served)]


def by_stream(output: Output, tap: TapUnderTest) -> dict[str, list[dict[str, Any]]]:
    """All messages but STATE, by stream and in order, without the times of reading."""
    snapshots = {stream.name: stream.snapshot_field for stream in tap.streams}
    found: dict[str, list[dict[str, Any]]] = {}
    for message in output.messages:
        if message["type"] != "STATE":
            if message["type"] == "RECORD":
                assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", message.pop("time_extracted"))
                message["record"].pop(snapshots[message["stream"]], None)
            found.setdefault(message["stream"], []).append(message)
    return found


@every_tap
def test_both_loops_write_the_same_messages(
    tap: TapUnderTest, served: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: dict[str, Any] = {}
    for _ in ("first", "again, from the state of the first"):
        paged = sync(tap.tap_class, config_for(served), streams=streams(tap, served), state=begun)
        with monkeypatch.context() as patched:
            patched.setattr(ApiStream, "_takes_pages", lambda _: False)
            single = sync(tap.tap_class, config_for(served), streams=streams(tap, served), state=begun)
        assert paged.exit_code == single.exit_code == 0, paged.errors + single.errors
        assert by_stream(paged, tap) == by_stream(single, tap)
        assert paged.state == single.state
        if not begun:
            assert set(paged.counts) == set(streams(tap, served))
        begun = paged.state


@every_tap
def test_each_childs_records_come_before_its_parents_in_their_order(tap: TapUnderTest, served: Sandbox) -> None:
    """What is below a page is written before it, so that a bookmark written after it covers both."""
    output = sync(tap.tap_class, config_for(served), streams=streams(tap, served))
    records = [message for message in output.messages if message["type"] == "RECORD"]
    for stream in tap.streams:
        parent: Any = stream.parent_stream_type
        if parent is None:
            continue
        keys = re.findall(r"{(\w+)}", stream.path)
        order: list[Any] = []
        pending: set[Any] = set()
        for message in records:
            if message["stream"] == stream.name:
                key = message["record"][keys[0]]
                if key not in order:
                    order.append(key)
                pending.add(key)
            elif message["stream"] == parent.name:
                pending.discard(message["record"][parent.primary_keys[0]])
        parents = [m["record"][parent.primary_keys[0]] for m in records if m["stream"] == parent.name]
        assert order == [key for key in parents if key in set(order)], f"{stream.name}: not in the parents' order"
        assert not pending, f"{stream.name}: children after their parent"


@every_tap
def test_lists_fit_their_compiled_schema(tap: TapUnderTest, served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else all is as it should be, but slow. What comes in other types than declared is known after the first."""
    pages: Counter[str] = Counter()
    misfits: Counter[str] = Counter()
    rows, dictionaries = PageReader.rows, PageReader.dictionaries

    def count_rows(self: PageReader, body: bytes, parent: Mapping[str, Any]) -> Content:
        pages[self._instance.name] += 1
        return rows(self, body, parent)

    def count_dictionaries(self: PageReader, body: bytes, parent: Mapping[str, Any]) -> Content:
        misfits[self._instance.name] += 1
        return dictionaries(self, body, parent)

    monkeypatch.setattr(PageReader, "rows", count_rows)
    monkeypatch.setattr(PageReader, "dictionaries", count_dictionaries)
    assert sync(tap.tap_class, config_for(served), streams=streams(tap, served)).exit_code == 0
    listed = {stream.name for stream in tap.streams if listed_at(stream.records_jsonpath)}
    assert all(misfits[name] <= 4 for name in listed), misfits
    assert sum(misfits[name] for name in listed) < max(3, sum(pages[name] for name in listed) / 10)
