"""Batch files hold what RECORD messages would have said, and no STATE comes before the files that it covers."""

from __future__ import annotations

import errno
import gzip
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from support import config_for, sync
from taps.engine import setting_errors
from taps.engine.errors import InvalidSettingsError
from taps.engine.stream import ApiStream
from taps.engine.timestamps import parse_timestamp
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox
from taps_under_test import PROVIDED, TapUnderTest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Output

every_tap = pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name)
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["plain", "ragged"])
def served(request: pytest.FixtureRequest, tap: TapUnderTest) -> Iterator[Sandbox]:
    with tap.sandbox(size=60, seed=5, page_cap=5, ragged=request.param == "ragged") as sandbox:
        yield sandbox


def batches(folder: Path, kind: str = "jsonl", compression: str | None = "gzip", size: int = 10_000) -> dict[str, Any]:
    encoding = {"format": kind, **({"compression": compression} if compression else {})}
    storage = {"root": folder.as_uri(), "prefix": "of-a-test-"}
    return {"batch_config": {"encoding": encoding, "storage": storage, "batch_size": size}}


def read_file(url: str) -> list[dict[str, Any]]:
    path = Path(unquote(urlsplit(url).path))
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def rows_in(output: Output) -> Rows:
    rows: Rows = defaultdict(list)
    for message in output.messages:
        if message["type"] == "BATCH":
            rows[message["stream"]] += [row for url in message["manifest"] for row in read_file(url)]
    return rows


def rows_said(output: Output) -> Rows:
    rows: Rows = defaultdict(list)
    for message in output.messages:
        if message["type"] == "RECORD":
            rows[message["stream"]].append(message["record"])
    return rows


def without_times(rows: Rows, tap: TapUnderTest) -> Rows:
    for stream in tap.streams:
        for row in rows.get(stream.name, ()):
            row.pop(stream.snapshot_field or "", None)
    return rows


def plain(value: Any) -> Any:
    """What Parquet keeps: nothing that is null, numbers by their value, and JSON where types are mixed."""
    if isinstance(value, dict):
        members = {name: plain(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member not in (None, {})}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def unpacked(value: Any, expected: Any) -> Any:
    return (
        json.loads(value, parse_float=Decimal)
        if isinstance(value, str) and isinstance(expected, dict | list)
        else value
    )


@every_tap
@pytest.mark.parametrize(("compression", "size"), [("gzip", 7), (None, 10_000)])
def test_lines_hold_the_records_in_their_order(
    tap: TapUnderTest, served: Sandbox, tmp_path: Path, compression: str | None, size: int
) -> None:
    names = [stream.name for stream in tap.served(served)]
    said = sync(tap.tap_class, config_for(served), streams=names)
    batched = sync(
        tap.tap_class, config_for(served, **batches(tmp_path, compression=compression, size=size)), streams=names
    )
    assert said.exit_code == batched.exit_code == 0, batched.errors
    assert not [message for message in batched.messages if message["type"] == "RECORD"]
    assert without_times(rows_in(batched), tap) == without_times(rows_said(said), tap)
    assert batched.state == said.state
    schemas = [[m for m in output.messages if m["type"] == "SCHEMA"] for output in (batched, said)]
    assert sorted(schemas[0], key=lambda m: m["stream"]) == sorted(schemas[1], key=lambda m: m["stream"])
    ending = "*.json.gz" if compression else "*.json"
    assert len(list(tmp_path.glob(f"of-a-test-{tap.tap_class.name}--{ending}"))) == len(list(tmp_path.iterdir()))
    for message in batched.messages:
        if message["type"] == "BATCH":
            assert message["encoding"] == {"format": "jsonl", **({"compression": compression} if compression else {})}
            assert all(1 <= len(read_file(url)) <= size for url in message["manifest"])


@every_tap
def test_parquet_holds_the_records(tap: TapUnderTest, served: Sandbox, tmp_path: Path) -> None:
    names = [stream.name for stream in tap.served(served)]
    said = without_times(rows_said(sync(tap.tap_class, config_for(served), streams=names)), tap)
    output = sync(tap.tap_class, config_for(served, **batches(tmp_path, "parquet", size=30)), streams=names)
    assert output.exit_code == 0, output.errors
    held = without_times(rows_in(output), tap)
    assert held.keys() == said.keys()
    for name, rows in said.items():
        for row, record in zip(held[name], rows, strict=True):
            got = {field: unpacked(value, record.get(field)) for field, value in row.items()}
            assert plain(got) == plain(record), name


@every_tap
def test_each_state_covers_no_more_than_the_files_before_it(tap: TapUnderTest, served: Sandbox, tmp_path: Path) -> None:
    streams = {stream.name: stream for stream in tap.served(served)}
    output = sync(tap.tap_class, config_for(served, **batches(tmp_path, size=11)), streams=list(streams))
    held = tap.held(served)
    named: Rows = defaultdict(list)
    checked = 0
    for message in output.messages:
        if message["type"] == "BATCH":
            named[message["stream"]] += [row for url in message["manifest"] for row in read_file(url)]
        if message["type"] != "STATE":
            continue
        for name, entry in message["value"]["bookmarks"].items():
            value, stream = entry.get("replication_key_value"), streams[name]
            if value is None or not stream.is_sorted:
                continue
            keys = {tuple(row[key] for key in stream.primary_keys) for row in named[name]}
            for record in held[name]:
                cursor = record.get(stream.replication_key or "")
                if cursor and parse_timestamp(cursor) < parse_timestamp(value):
                    assert tuple(record[key] for key in stream.primary_keys) in keys
                    checked += 1
    if any(stream.is_sorted and stream.replication_key for stream in streams.values()):
        assert checked


def test_children_share_files_and_come_before_the_state_of_their_parents(tmp_path: Path) -> None:
    """Files of 20 tickets, and pages of 5, so that one is full when a page ends."""
    with Sandbox(api="helpdesk", tickets=60, seed=3, page_cap=5) as sandbox:
        config = config_for(sandbox, **batches(tmp_path, size=20))
        output = sync(TapHelpdesk, config, streams=["tickets", "conversations"])
        conversations = sandbox.helpdesk.records("conversations")
    kinds = [(message["type"], message.get("stream")) for message in output.messages]
    assert kinds.count(("BATCH", "tickets")) == 3
    assert kinds.count(("BATCH", "conversations")) < 15, "not one for each ticket"
    named: set[int] = set()
    tickets: set[int] = set()
    states = 0
    for message in output.messages:
        if message["type"] == "BATCH":
            keys = {row["id"] for url in message["manifest"] for row in read_file(url)}
            (tickets if message["stream"] == "tickets" else named).update(keys)
        elif message["type"] == "STATE" and tickets:
            assert {each["id"] for each in conversations if each["ticket_id"] in tickets} <= named
            states += 1
    assert states > 2


def test_what_was_read_before_a_failure_is_named(tmp_path: Path) -> None:
    with Sandbox(api="helpdesk", tickets=60, seed=3, page_cap=5) as sandbox:
        sandbox.set_faults(["500:path=/v1/tickets,after=3"])
        config = config_for(sandbox, max_retries=0, max_concurrency=1, **batches(tmp_path))
        failed = sync(TapHelpdesk, config, streams=["tickets"])
        sandbox.set_faults([])
        rest = sync(TapHelpdesk, config, streams=["tickets"], state=failed.state)
    assert failed.exit_code == 1
    assert 10 < len(rows_in(failed)["tickets"]) < 20
    assert failed.bookmark("tickets")
    assert len({row["id"] for output in (failed, rest) for row in rows_in(output)["tickets"]}) == 60


@pytest.mark.parametrize(
    "changes", [{"stream_maps": {"tickets": {"id": "id"}}}, {"flattening_enabled": True, "flattening_max_depth": 1}]
)
def test_what_changes_records_does_not_go_with_batches(tmp_path: Path, changes: dict[str, Any]) -> None:
    """The SDK would write them into the files unchanged, names that are to be masked among them."""
    settings = {"base_url": "http://127.0.0.1:9", "api_key": "k", **changes, **batches(tmp_path)}
    with pytest.raises(InvalidSettingsError, match=f"'batch_config' and '{next(iter(changes))}' do not go together"):
        TapHelpdesk(config=settings)


def test_a_file_of_no_records_is_no_file(tmp_path: Path) -> None:
    settings = {"base_url": "http://127.0.0.1:9", "api_key": "k", **batches(tmp_path, size=0)}
    with pytest.raises(InvalidSettingsError, match="has the batch_size 0; it must be 1 or more"):
        TapHelpdesk(config=settings)


def test_parquet_without_its_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting_errors, "find_spec", lambda _: None)
    settings = {"base_url": "http://127.0.0.1:9", "api_key": "k", **batches(tmp_path, "parquet")}
    with pytest.raises(InvalidSettingsError, match=r"needs pyarrow; .* pip install 'frontline-taps\[parquet\]'"):
        TapHelpdesk(config=settings)


class LoginError(Exception):
    """As a storage in a cloud raises it."""


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), LoginError("No space left on device")], ids=type
)
def test_a_file_that_cannot_be_written_is_one_line_and_no_state_covers_it(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def full(*arguments: Any, **named: Any) -> Any:
        nonlocal written
        written += 1
        if written == 3:
            raise error
        return original(*arguments, **named)

    with Sandbox(api="helpdesk", tickets=60, seed=3, page_cap=5) as sandbox:
        config = config_for(sandbox, **batches(tmp_path, size=10))
        original = LocalFileSystem._open
        with monkeypatch.context() as patched:
            patched.setattr(LocalFileSystem, "_open", full)
            failed = sync(TapHelpdesk, config, streams=["tickets", "time_entries"])
        rest = sync(TapHelpdesk, config, streams=["tickets"], state=failed.state)
    assert failed.exit_code == 1
    assert "Stream 'tickets' failed: The batch file of-a-test-tap-helpdesk--tickets-" in failed.errors[0]
    assert f"cannot be written to {tmp_path.as_uri()}: No space left on device" in failed.errors[0]
    assert rows_in(failed)["time_entries"], "the others are still read"
    assert len({row["id"] for output in (failed, rest) for row in rows_in(output)["tickets"]}) == 60


def test_the_page_loop_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiStream, "get_batches", lambda *_: pytest.fail("the SDK's way, record by record"))
    with Sandbox(api="helpdesk", tickets=5, seed=3) as sandbox:
        output = sync(TapHelpdesk, config_for(sandbox, **batches(tmp_path)), streams=["tickets", "conversations"])
    assert output.exit_code == 0, output.errors
    assert len(rows_in(output)["tickets"]) == 5
