"""Shares of a stream: all of them together have each record once, however it is divided."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pyspark.sql.types import StringType, StructField, StructType
from spark_session import options_for

from taps.engine.share import Share
from taps.engine.timestamps import parse_timestamp
from taps.spark.columns import Columns
from taps.spark.options import Job, job_of
from taps.spark.planning import times
from taps.spark.reading import batches
from taps_under_test import PROVIDED, TapUnderTest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from taps.sandbox.server import Sandbox

DIVIDED = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


def root_of(stream: Any) -> Any:
    return stream if stream.parent_stream_type is None else root_of(stream.parent_stream_type)


def in_time(tap: TapUnderTest) -> list[Any]:
    """Some of the streams that can be divided by time, and all children of such."""
    able = [s for s in tap.streams if root_of(s).start_param and (root_of(s).is_sorted or not root_of(s).lookback)]
    roots = [stream for stream in able if stream.parent_stream_type is None]
    return [*roots[:2], *roots[2:][-1:], *(stream for stream in able if stream.parent_stream_type)]


def cases(choose: Callable[[TapUnderTest], Iterable[Any]]) -> pytest.MarkDecorator:
    found = [(tap, stream) for tap in PROVIDED for stream in choose(tap)]
    return pytest.mark.parametrize(("tap", "stream"), found, ids=[f"{tap.name} {s.name}" for tap, s in found])


@pytest.fixture
def served(tap: TapUnderTest, tmp_path: Path) -> Iterator[tuple[Sandbox, dict[str, Any]]]:
    own = {"token_cache_path": str(tmp_path / "tokens")} if tap.api == "sales_engagement" else {}
    parts = [part.setting for stream in tap.streams for part in stream.parts if part.setting]
    with tap.sandbox(size=30, seed=5, page_cap=7) as sandbox:
        yield sandbox, {**own, **dict.fromkeys(parts, True)}


def read(job: Job, shares: Iterable[Share]) -> Counter[str]:
    """The rows of these shares, each as JSON, with how often it came."""
    [account] = job.accounts
    stream = job.stream_type(account)
    names = job.schema().fieldNames()
    texts = StructType([StructField(name, StringType()) for name in names if name != stream.snapshot_field])
    columns = Columns(job.stream, stream.primary_keys, texts)
    rows = [
        row
        for share in shares
        for batch in batches(job, account, share, columns, texts.fieldNames())
        for row in batch.to_pylist()
    ]
    return Counter(json.dumps(row, sort_keys=True) for row in rows)


def moments(tap: TapUnderTest, sandbox: Sandbox, stream: Any) -> list[datetime]:
    """Times at which to cut: those of records, and close to them."""
    held = sorted(
        parse_timestamp(record[stream.replication_key])
        for record in tap.held(sandbox)[stream.name]
        if record.get(stream.replication_key)
    )
    return [moment + timedelta(seconds=off) for moment in [*held[::3], held[-1]] for off in (-1, 0, 1)]


@cases(in_time)
@DIVIDED
@given(data=st.data())
def test_times_have_each_record_once(
    tap: TapUnderTest, stream: Any, served: tuple[Sandbox, dict[str, Any]], data: st.DataObject
) -> None:
    sandbox, own = served
    job = job_of(options_for(sandbox, stream=stream.name, **own))
    cuts = data.draw(st.lists(st.sampled_from(moments(tap, sandbox, root_of(stream))), max_size=4))
    whole = read(job, [Share()])
    assert set(whole.values()) == {1}
    assert read(job, times(None, None, cuts)) == whole


@cases(lambda tap: [stream for stream in tap.streams if stream.parent_stream_type])
def test_pieces_of_the_parents_have_each_record_once(
    tap: TapUnderTest, stream: Any, served: tuple[Sandbox, dict[str, Any]]
) -> None:
    sandbox, own = served
    job = job_of(options_for(sandbox, stream=stream.name, **own))
    for pieces in (2, 5):
        shares = [Share(piece=piece, pieces=pieces) for piece in range(pieces)]
        assert read(job, shares) == read(job, [Share()])


KEYS = st.lists(st.one_of(st.integers(), st.text()), min_size=1, max_size=2).map(tuple)
INSTANTS = st.one_of(st.none(), st.datetimes(timezones=st.just(parse_timestamp("2024-01-01").tzinfo)))


@given(KEYS, INSTANTS, st.lists(INSTANTS.filter(bool), max_size=4), st.integers(1, 7))
def test_each_record_has_one_share(
    key: tuple[Any, ...], instant: datetime | None, cuts: list[datetime], pieces: int
) -> None:
    shares = [
        replace(share, piece=piece, pieces=pieces) for share in times(None, None, cuts) for piece in range(pieces)
    ]
    assert sum(share.has(key, instant) for share in shares) == 1


@given(st.integers(1, 2_000), st.integers(1, 40))
def test_the_shares_of_a_rate_are_all_of_it(rate: int, readers: int) -> None:
    parts = [Share(reader=reader, readers=readers).of(rate) for reader in range(readers)]
    assert sum(parts) == max(rate, readers)
    assert max(parts) - min(parts) <= 1
