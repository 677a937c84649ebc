"""`spark.readStream.format("singer")`: what changes comes once, whatever stops the query in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import StreamingQueryException
from spark_session import frame, options_for, rows_of, stream_into

from taps.engine.share import Share
from taps.engine.timestamps import parse_timestamp
from taps.sandbox.server import Sandbox
from taps.spark.columns import Columns
from taps.spark.errors import ReadError
from taps.spark.options import job_of
from taps.spark.reading import batches
from taps.spark.streaming import SingerStreamReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

TICKETS = 40
JOB = Path(__file__).parent / "streaming_job.py"


@pytest.fixture
def desk() -> Iterator[Sandbox]:
    with Sandbox("helpdesk", size=TICKETS, seed=5, page_cap=20) as sandbox:
        yield sandbox


class Query:
    """A streaming query into Parquet files; each run reads what there is, and stops."""

    def __init__(self, spark: SparkSession, folder: Path, **options: str) -> None:
        self.spark, self.folder, self.options = spark, folder, {"settleSeconds": "0", **options}

    def run(self) -> None:
        assert stream_into(self.folder, self.spark, self.options)

    def rows(self) -> list[dict[str, Any]]:
        return rows_of(self.spark.read.parquet(str(self.folder / "rows")))

    def offsets(self) -> list[dict[str, Any]]:
        files = sorted((self.folder / "checkpoint" / "offsets").glob("[0-9]*"), key=lambda file: int(file.name))
        return [json.loads(file.read_text().splitlines()[-1]) for file in files]


def versions(rows: list[dict[str, Any]]) -> Counter[tuple[Any, datetime]]:
    return Counter((row["id"], row["updated_at"]) for row in rows)


def held(desk: Sandbox) -> set[tuple[Any, datetime]]:
    return {(ticket["id"], parse_timestamp(ticket["updated_at"])) for ticket in desk.helpdesk.records("tickets")}


def test_each_version_of_a_record_comes_once(spark: SparkSession, tmp_path: Path, desk: Sandbox) -> None:
    query = Query(spark, tmp_path, **options_for(desk, stream="tickets"))
    due = held(desk)
    query.run()
    for _ in range(3):
        desk.helpdesk.change(tickets=3, new=2)
        due |= held(desk)
        time.sleep(1.1)  # a batch ends with a whole second
        query.run()
    rows = versions(query.rows())
    assert set(rows) == due
    assert set(rows.values()) == {1}
    assert len(due) == TICKETS + 3 * 5


def test_an_offset_is_a_singer_state_that_the_tap_goes_on_from(
    spark: SparkSession, tmp_path: Path, desk: Sandbox
) -> None:
    query = Query(spark, tmp_path, **options_for(desk, stream="tickets", state='{"bookmarks": {}}'))
    query.run()
    [offset] = query.offsets()
    entry = offset["bookmarks"].pop("tickets")
    assert offset == {"bookmarks": {}}
    assert entry["replication_key"] == "updated_at"
    assert (
        timedelta()
        < datetime.now(timezone.utc) - parse_timestamp(entry["replication_key_value"])
        < timedelta(minutes=2)
    )
    desk.helpdesk.change(new=2)
    state = json.dumps({"bookmarks": {"tickets": entry}})
    read = frame(spark, options_for(desk, stream="tickets", state=state))
    assert read.count() == 2


def test_children_come_with_what_their_parents_have_changed(spark: SparkSession, tmp_path: Path, desk: Sandbox) -> None:
    query = Query(spark, tmp_path, **options_for(desk, stream="conversations"))
    query.run()
    first = Counter(row["id"] for row in query.rows())
    assert set(first.values()) == {1}
    assert set(first) == {record["id"] for record in desk.helpdesk.records("conversations")}
    changed = desk.helpdesk.change(tickets=2)
    time.sleep(1.1)
    query.run()
    again = Counter(row["ticket_id"] for row in query.rows()) - Counter(
        row["ticket_id"] for row in desk.helpdesk.records("conversations")
    )
    assert {row["id"] for row in query.rows()} == {record["id"] for record in desk.helpdesk.records("conversations")}
    assert set(again) <= set(changed["tickets"])


def test_an_account_that_is_added_begins_at_its_beginning(spark: SparkSession, tmp_path: Path, desk: Sandbox) -> None:
    with Sandbox("helpdesk", size=10, seed=6) as other:
        accounts = [{"account": name, **each.config} for name, each in (("a", desk), ("b", other))]
        options = options_for(desk, stream="tickets", accounts=accounts[:1])
        Query(spark, tmp_path, **options).run()
        query = Query(spark, tmp_path, **options | {"accounts": json.dumps(accounts)})
        query.run()
        query.run()
        rows = Counter((row["account"], row["id"]) for row in query.rows())
        assert set(rows.values()) == {1}
        assert Counter(account for account, _ in rows) == {"a": TICKETS, "b": 10}


def test_a_query_that_was_killed_goes_on_from_its_checkpoint(
    spark: SparkSession, tmp_path: Path, desk: Sandbox
) -> None:
    options = {"settleSeconds": "0", **options_for(desk, stream="tickets", numPartitions=4, page_size=5)}
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for requests in (2, 5):
        desk.clear_requests()
        with subprocess.Popen(
            [sys.executable, JOB, tmp_path, json.dumps(options)], env=env, start_new_session=True
        ) as job:
            deadline = time.monotonic() + 60
            while len(desk.requests) < requests and time.monotonic() < deadline:
                time.sleep(0.005)
            os.killpg(job.pid, signal.SIGKILL)
        assert len(desk.requests) >= requests
        desk.helpdesk.change(tickets=2, new=1)
    due = held(desk)
    time.sleep(1.1)
    query = Query(spark, tmp_path, **options)
    query.run()
    query.run()
    rows = versions(query.rows())
    assert set(rows.values()) == {1}
    assert due <= set(rows)


def test_a_stream_without_a_replication_key_says_so(spark: SparkSession, tmp_path: Path, desk: Sandbox) -> None:
    for stream, whose in (("agents", "it"), ("discussion_topics", "its parent 'discussion_categories'")):
        with pytest.raises(StreamingQueryException) as error:
            Query(spark, tmp_path / stream, **options_for(desk, stream=stream)).run()
        assert (
            f"Stream '{stream}' cannot be read with readStream, for {whose} has no replication key that tells what is "
            f"new; read it in full, with spark.read"
        ) in str(error.value)


def test_what_an_api_does_not_give_yet_is_left_to_a_later_batch() -> None:
    with Sandbox("voice", provider="zendesk_talk", size=10, seed=5) as voice:
        job = job_of({"settleSeconds": "0", **options_for(voice, stream="calls")})
        reader = SingerStreamReader(job, job.schema())
        latest = reader.latestOffset(reader.initialOffset())["bookmarks"]["calls"]["replication_key_value"]
        assert datetime.now(timezone.utc) - parse_timestamp(latest) >= timedelta(seconds=60)
        early = Share(until=datetime.now(timezone.utc) - timedelta(seconds=57))
        columns = Columns("calls", ["id"], job.schema())
        begun = time.monotonic()
        assert sum(batch.num_rows for batch in batches(job, job.accounts[0], early, columns, ())) == 10
        assert time.monotonic() - begun > 2


def test_a_time_is_read_when_it_is_over_by_the_clock_of_the_api(desk: Sandbox) -> None:
    job = job_of(options_for(desk, stream="tickets"))
    columns = Columns("tickets", ["id"], job.schema())
    begun = datetime.now(timezone.utc)
    soon = Share(until=begun + timedelta(seconds=2))
    rows = sum(batch.num_rows for batch in batches(job, job.accounts[0], soon, columns, ()))
    assert rows == TICKETS
    assert datetime.now(timezone.utc) - begun >= timedelta(seconds=2)
    late = Share(until=begun + timedelta(hours=1))
    with pytest.raises(ReadError, match="s from now by the API's clock; set the clock of the driver right"):
        list(batches(job, job.accounts[0], late, columns, ()))
