"""Rows between a tap and dlt: in order, many at once but not too many, and none twice where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taps.bridge import gathering
from taps.bridge.errors import ValueDoesNotFitError
from taps.bridge.gathering import Gathering
from taps.bridge.rows import RowShape, raw_rows
from taps.engine.rows import RowType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dlt.common.schema.typing import TColumnSchema

COLUMNS: dict[str, TColumnSchema] = {
    "id": {"name": "id", "data_type": "bigint", "nullable": False},
    "text": {"name": "text", "data_type": "text"},
}
STREAMS = ["one", "two"]
ROW_TYPE = RowType({"properties": {"id": {"type": "integer"}, "text": {"type": ["string", "null"]}}}, required=["id"])


def gathered(*, arrow: bool = True, once: Collection[str] = ()) -> tuple[Gathering, dict[str, RowShape]]:
    shapes = {name: RowShape(name, COLUMNS, ["id"]) for name in STREAMS}
    return Gathering(shapes, arrow=arrow, once=once), shapes


def rows_of(ids: Sequence[int], text: str = "") -> list[Any]:
    return raw_rows([{"id": number, "text": text} for number in ids])


def structs_of(ids: Sequence[int]) -> list[Any]:
    rows: list[Any] = msgspec.json.decode(
        msgspec.json.encode([{"id": number, "text": ""} for number in ids]),
        type=list[ROW_TYPE.struct],  # type: ignore[name-defined]
    )
    return rows


def listed(item: Any) -> list[dict[str, Any]]:
    return list(item.to_pylist() if isinstance(item, pa.Table) else item)


def taken(waiting: Gathering) -> dict[str, list[int]]:
    return {stream: [row["id"] for row in listed(item)] for stream, item, _ in waiting.take()}


PAGES = st.lists(
    st.tuples(st.sampled_from(STREAMS), st.integers(1, 250), st.booleans(), st.booleans()), min_size=1, max_size=12
)


@pytest.mark.parametrize("arrow", [True, False])
@given(pages=PAGES)
@settings(max_examples=40, deadline=None)
def test_each_stream_keeps_the_order_of_its_rows(pages: list[tuple[str, int, bool, bool]], *, arrow: bool) -> None:
    waiting, _ = gathered(arrow=arrow)
    sent: dict[str, list[int]] = {name: [] for name in STREAMS}
    received: dict[str, list[int]] = {name: [] for name in STREAMS}

    def receive() -> None:
        for stream, ids in taken(waiting).items():
            received[stream] += ids

    number = 0
    for stream, size, compiled, take in pages:
        ids = range(number, number + size)
        number += size
        waiting.add(stream, structs_of(ids) if compiled else rows_of(ids))
        sent[stream] += ids
        if take:
            receive()
    receive()
    assert received == sent
    assert list(waiting.take()) == []


def handed(rows: Iterator[list[Any]], *, arrow: bool) -> list[tuple[int, int]]:
    """Take whenever it is time; give the rows and the bytes of each time."""
    waiting, _ = gathered(arrow=arrow)
    sizes = []

    def take() -> None:
        for _, item, _ in waiting.take():
            size = item.nbytes if isinstance(item, pa.Table) else len(msgspec.json.encode(item))
            sizes.append((len(item), size))

    for page in rows:
        waiting.add("one", page)
        if waiting.is_full:
            take()
    take()
    return sizes


@pytest.mark.parametrize("arrow", [True, False])
@pytest.mark.parametrize("page", [1, 100, 5_000])
def test_small_rows_are_handed_over_many_at_once(page: int, *, arrow: bool) -> None:
    row = rows_of([1])
    sizes = handed((row * page for _ in range(50_000 // page)), arrow=arrow)
    assert sum(rows for rows, _ in sizes) == 50_000
    assert len(sizes) == 3
    for rows, _ in sizes[:-1]:
        assert gathering._MOST_ROWS <= rows <= gathering._MOST_ROWS + max(page, gathering._ROWS_AT_ONCE)


@pytest.mark.parametrize("arrow", [True, False])
@pytest.mark.parametrize("page", [1, 20])
def test_large_rows_are_handed_over_before_they_are_too_many_bytes(page: int, *, arrow: bool) -> None:
    length = 300_000
    row = rows_of([1], "x" * length)
    sizes = handed((row * page for _ in range(400 // page)), arrow=arrow)
    assert sum(rows for rows, _ in sizes) == 400
    # Nobody knows how large the first ones are until they have been converted.
    assert sizes[0][0] <= gathering._FIRST_AT_ONCE + page
    for _, size in sizes[1:]:
        assert size <= gathering._MOST_BYTES + gathering._BYTES_AT_ONCE + page * (length + 100)
    for _, size in sizes[1:-1]:
        assert size >= gathering._MOST_BYTES


def test_rows_of_many_megabytes_go_one_by_one() -> None:
    row = rows_of([1], "x" * gathering._MOST_BYTES)
    sizes = handed((row for _ in range(gathering._FIRST_AT_ONCE // 50)), arrow=True)
    assert [rows for rows, _ in sizes] == [4]
    waiting, _ = gathered()
    waiting.add("one", row)
    assert len(list(waiting.take())) == 1
    for _ in range(3):
        waiting.add("one", row)
        assert waiting.is_full
        assert taken(waiting) == {"one": [1]}


@pytest.mark.parametrize("arrow", [True, False])
def test_keys_are_seen_once_where_asked_in_whichever_form_they_come(*, arrow: bool) -> None:
    waiting, _ = gathered(arrow=arrow, once=["one"])
    for stream in STREAMS:
        waiting.add(stream, rows_of([1, 2, 1]))
        waiting.add(stream, structs_of([2, 3]))
    assert taken(waiting) == {"one": [1, 2, 3], "two": [1, 2, 1, 2, 3]}
    for stream in STREAMS:
        waiting.add(stream, structs_of([3, 1]))
    # What was handed over before counts as well, and nothing is handed over of what has nothing new.
    assert taken(waiting) == {"two": [3, 1]}


def test_rows_without_a_key_are_all_handed_over() -> None:
    waiting = Gathering({"one": RowShape("one", COLUMNS)}, arrow=True, once=["one"])
    waiting.add("one", rows_of([1, 1]))
    assert taken(waiting) == {"one": [1, 1]}


def test_a_column_that_turns_up_is_null_before() -> None:
    waiting, shapes = gathered()
    waiting.add("one", rows_of(range(gathering._FIRST_AT_ONCE)))
    waiting.add("one", raw_rows([{"id": -1, "new": [1]}]))
    [(stream, table, added)] = waiting.take()
    assert stream == "one"
    assert list(added) == ["new"]
    assert table.schema.names == ["id", "text", "new"]
    assert [row["new"] for row in table.to_pylist()] == [None] * gathering._FIRST_AT_ONCE + ["[1]"]
    assert not shapes["two"].added


def test_a_column_that_the_tap_announces_is_there_from_then_on() -> None:
    waiting, shapes = gathered()
    waiting.add("one", rows_of([1]))
    assert [list(table.schema.names) for _, table, _ in waiting.take()] == [["id", "text"]]
    shapes["one"].declare({"at": {"name": "at", "data_type": "timestamp", "nullable": True}})
    waiting.add("one", rows_of([2]))
    [(_, table, added)] = waiting.take()
    assert (table.schema.names, list(added)) == (["id", "text", "at"], ["at"])


def test_a_value_that_does_not_fit_is_told_at_the_latest_when_rows_are_taken() -> None:
    waiting, _ = gathered()
    waiting.add("two", raw_rows([{"id": "x"}]))
    with pytest.raises(ValueDoesNotFitError, match="Stream 'two', field 'id'"):
        list(waiting.take())
