"""What an account may be asked in a minute, however many partitions and batches ask."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from spark_session import frame, options_for

from taps.engine.budget import RateBudget
from taps.engine.lanes import Lane, Limit
from taps.sandbox.server import Sandbox
from taps.spark.options import job_of
from taps.spark.planning import planned

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

RATE = 240  # requests a minute


@pytest.mark.parametrize("options", [{}, {"partitionsAtOnce": 2}], ids=["all at once", "two at once"])
def test_partitions_together_keep_to_the_rate(spark: SparkSession, options: dict[str, int]) -> None:
    # A server whose minute has five seconds, so that a few of them tell.
    limit = {"rate_limit": RATE * 5 // 60, "rate_window": 5, "rate_kind": "sliding"}
    with Sandbox("helpdesk", size=20, seed=5, page_cap=20, **limit) as desk:  # type: ignore[arg-type]
        own = {"numPartitions": 4, "requests_per_minute": RATE - 30, **options}
        given = options_for(desk, stream="conversations", start_date="2021-01-01", **own)
        assert frame(spark, given).count() == len(desk.helpdesk.records("conversations"))
        assert {request.status for request in desk.requests} == {200}


def test_batches_that_follow_one_another_keep_to_the_rate(spark: SparkSession, tmp_path: Path) -> None:
    with Sandbox("helpdesk", size=5, seed=5) as desk:
        options = {"settleSeconds": "0", **options_for(desk, stream="tickets", requests_per_minute=30)}
        stream = spark.readStream.format("singer").options(**options).load()
        query = stream.writeStream.format("noop").option("checkpointLocation", str(tmp_path)).start()
        time.sleep(12)
        query.stop()
        assert 2 <= len(desk.requests) <= 30 * 12 / 60 + 1


def test_a_share_that_follows_another_waits_for_its_first_turn() -> None:
    now = 100.0
    budget = RateBudget(60, sent_before=7, clock=lambda: now)
    assert 7 <= budget._wait(now) < 7.2
    assert Lane(Limit(20), binding=True, sent_before=True, clock=lambda: now).wait() == pytest.approx(3, abs=0.1)
    assert Lane(Limit(20), binding=True, clock=lambda: now).wait() == 0


def test_a_batch_follows_another_and_a_whole_read_does_not() -> None:
    with Sandbox("helpdesk", size=5, seed=5) as desk:
        job = job_of(options_for(desk, stream="tickets", state={"bookmarks": {}}))
        until = datetime.now(timezone.utc) - timedelta(seconds=1)
        [batch], [whole] = (planned(job, [(job.accounts[0], None, end)]) for end in (until, None))
        assert (batch.share.follows, whole.share.follows) == (True, False)
