"""Damaged bodies: records that are valid, or one of our errors in one line; never a crash, a hang or a memory hog.

Streams that the same code reads by the same declarations are of one kind: the same API with its envelope, pagination,
place of the records, and whether these are flattened, nested, copied out, snapshots, incremental or children (see
`recorded.Body.kind`). Every stream of a kind has its turn, so each schema gets its share of the kind's bodies.
"""

from __future__ import annotations

import gzip
import random
import re
import time
import tracemalloc
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from exact import problems, read_lines, same, timeless, without
from mutations import mutated
from recorded import bodies
from repeated import in_both_runs
from singer_sdk.exceptions import SyncError
from wire import Reply, stream_of, wired

from taps.engine.errors import TransferError
from taps.engine.reading import Reading
from taps.engine.writer import MessageWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recorded import Body
    from wire import Asked

    from taps.engine.page import Page
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

_KINDS = [
    "contact_center Offset lone snapshot",
    "helpdesk HeaderLink",
    "helpdesk HeaderLink child",
    "helpdesk HeaderLink incremental",
    "helpdesk PageNumber incremental",
    "helpdesk SinglePage one",
    "oncall BodyLink",
    "oncall BodyLink child",
    "oncall BodyLink copied child",
    "oncall BodyLink incremental",
    "oncall SinglePage",
    "sales_engagement BodyLink flattened",
    "sales_engagement BodyLink flattened incremental",
    "voice BodyLink",
    "voice BodyLink nested",
    "voice Export incremental",
    "voice SinglePage snapshot one",
]
_SECONDS = 5.0
_BEYOND = re.compile(rb"[0-9]{4301}|[eE][+-]?[0-9]{18}")
_DEEP = 900
_ROOM = 1_000_000  # bytes, for what does not depend on the body
_TIMES = 40
_GZIP = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def test_every_kind_of_stream_is_fuzzed() -> None:
    assert sorted(bodies()) == _KINDS


@cache
def _reader(body: Body) -> _Reader:
    return _Reader(body)


class _Reader:
    """Reads one stream's answers, whatever they are."""

    def __init__(self, body: Body) -> None:
        self._reply: Reply | None = None
        self._declared = body.stream
        self.tap: ApiTap = wired(body.tap_class, self._answer, max_concurrency=1)
        self.stream: ApiStream = stream_of(self.tap, body.stream)
        self.stream.selected = True
        self._context = dict(body.parent) or None

    def _answer(self, _: Asked) -> Reply:
        self.tap.http._kept.clear()
        reply, self._reply = self._reply, None
        # What comes after the damaged page is no matter of this test.
        return reply or Reply(b"", status=410)

    def lines(self, reply: Reply) -> tuple[bytes, SyncError | None]:
        """Read an answer as a sync does: the RECORD lines of its page, and the error that it ended with."""
        self._reply = reply
        return self._read(Reading(self.stream, self._context, MessageWriter()).pages())

    def plain(self, reply: Reply) -> tuple[list[dict[str, Any]], SyncError | None]:
        """Read it in the plain way, into dictionaries."""
        self._reply = reply
        records: list[dict[str, Any]] = []
        try:
            for page in Reading(self.stream, self._context).pages():
                records += page.records
        except SyncError as error:
            return records, error
        return records, None

    @staticmethod
    def _read(pages: Iterator[Page]) -> tuple[bytes, SyncError | None]:
        lines = b""
        try:
            for page in pages:
                lines += page.records.text if hasattr(page.records, "text") else b"".join(page.records)
        except SyncError as error:
            return lines, error
        return lines, None


def _check(body: Body, reply: Reply) -> bool:
    """Read an answer both ways; tell whether it gave records."""
    reader = _reader(body)
    begun = time.perf_counter()
    lines, error = reader.lines(reply)
    records, plain_error = reader.plain(reply)
    assert time.perf_counter() - begun < _SECONDS
    for told in (error, plain_error):
        assert told is None or (str(told) and len(str(told).splitlines()) == 1), repr(told)
    got = read_lines(lines)
    for record in got:
        assert not problems(reader.stream, record)
    if _is_unreadable(reply.body) and plain_error is not None:
        return bool(got)  # compiled code passes over what it leaves out, such as fields that are not declared
    snapshot = body.stream.snapshot_field
    assert timeless(str(error)) == timeless(str(plain_error)), "both ways end in the same error, if any"
    assert same(without(got, snapshot), without(records, snapshot)), "both ways give the same records"
    return bool(got)


def _is_unreadable(text: bytes) -> bool:
    """Tell whether something in a text cannot be read although its JSON is well formed."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return bool(_BEYOND.search(text)) or text.count(b"[") + text.count(b"{") > _DEEP


@pytest.mark.parametrize("kind", _KINDS)
@in_both_runs(500, 10_000)
def test_a_damaged_body_gives_valid_records_or_one_of_our_errors(kind: str, examples: int) -> None:
    streams = bodies()[kind]
    read = 0
    for number in range(examples):
        body = streams[number % len(streams)]
        seed = f"{kind} {number}"
        damaged = mutated(body.text, seed)
        try:
            read += _check(body, Reply(damaged))
        except Exception as crash:
            text = f"stream {body.stream.name}, seed {seed!r}: {crash!r:.2000} of {damaged!r:.2000}"
            raise AssertionError(text) from crash
    assert examples / 20 < read < examples, "the damage is too little or too much to tell anything"


@pytest.mark.parametrize("kind", _KINDS)
@in_both_runs(20, 200)
def test_a_damaged_body_takes_a_small_multiple_of_its_size(kind: str, examples: int) -> None:
    streams = bodies()[kind]
    for number in range(examples):
        body = streams[number % len(streams)]
        reader, reply = _reader(body), Reply(mutated(body.text, f"{kind} {number} in memory"))
        reader.lines(reply)
        tracemalloc.start()
        try:
            reader.lines(reply)
            reader.plain(reply)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < _ROOM + _TIMES * len(reply.body), f"stream {body.stream.name}, number {number}"


@in_both_runs(300, 10_000)
def test_a_damaged_gzip_stream_is_never_taken_for_records(examples: int) -> None:
    """What is unpacked is what was packed, for it has a checksum; or else it is an error."""
    [*every] = [body for streams in bodies().values() for body in streams]
    failed = 0
    for number in range(examples):
        body = every[number % len(every)]
        reader, chance = _reader(body), random.Random(f"gzip {number}")  # noqa: S311
        packed = bytearray(gzip.compress(body.text, mtime=0))
        for _ in range(chance.choice([1, 2, 5])):
            packed[chance.randrange(len(packed))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.3:
            packed = packed[: chance.randrange(len(packed))]
        whole, _ = reader.lines(Reply(body.text))
        lines, error = reader.lines(Reply(bytes(packed), _GZIP))
        assert not lines or _records(lines, body) == _records(whole, body), f"stream {body.stream.name} {number}"
        failed += isinstance(error, TransferError)
    assert failed > examples / 2


def _records(lines: bytes, body: Body) -> Any:
    return without(read_lines(lines), body.stream.snapshot_field)
