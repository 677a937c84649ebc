"""`spark.read.format("singer")` as its user sees it: columns, accounts, errors, and what is written where."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from pyspark.errors import PythonException
from pyspark.errors.exceptions.captured import AnalysisException
from spark_session import frame, options_for, rows_of

from taps.sandbox.server import Sandbox
from taps.spark.options import job_of
from taps.spark.partitions import Partitions, PlannedPartition
from taps.spark.planning import planned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

KEY = "sk-live-4f9a1c77d2"


@pytest.fixture(scope="module")
def desk() -> Iterator[Sandbox]:
    with Sandbox("helpdesk", size=40, seed=5, page_cap=20, api_key=KEY) as sandbox:
        yield sandbox


def test_only_the_columns_that_are_wanted_are_read(spark: SparkSession, desk: Sandbox) -> None:
    options = options_for(desk, stream="tickets")
    records = {ticket["id"]: ticket for ticket in desk.helpdesk.records("tickets")}
    few = frame(spark, {**options, "fields": "subject, id"})
    assert few.schema.simpleString() == "struct<id:bigint,subject:string>"
    assert {row["id"]: row["subject"] for row in rows_of(few)} == {
        key: each["subject"] for key, each in records.items()
    }
    own = frame(spark, options, "custom_fields MAP<STRING, STRING>, id DECIMAL(38, 0), updated_at STRING")
    for row in rows_of(own):
        record = records[int(row["id"])]
        assert row["updated_at"] == record["updated_at"]
        assert dict(row["custom_fields"]).keys() == record["custom_fields"].keys()


def test_a_misspelt_column_is_named(spark: SparkSession, desk: Sandbox) -> None:
    with pytest.raises(AnalysisException, match="Stream 'tickets' has no field 'subjekt'; did you mean 'subject'"):
        frame(spark, options_for(desk, stream="tickets"), "id BIGINT, subjekt STRING").count()


def test_rows_of_several_accounts_tell_of_which_they_are(spark: SparkSession, desk: Sandbox) -> None:
    with Sandbox("helpdesk", size=10, seed=6, api_key="other") as other:
        accounts = [
            {"account": "acme", "base_url": desk.base_url, "api_key": KEY},
            {"account": "beta", "base_url": other.base_url, "api_key": "other"},
        ]
        options = {"tap": "tap-helpdesk", "stream": "tickets", "accounts": json.dumps(accounts), "numPartitions": "2"}
        rows = Counter((row["account"], row["id"]) for row in rows_of(frame(spark, {**options, "fields": "id"})))
        held = {("acme", ticket["id"]) for ticket in desk.helpdesk.records("tickets")}
        held |= {("beta", ticket["id"]) for ticket in other.helpdesk.records("tickets")}
        assert set(rows) == held
        assert set(rows.values()) == {1}


def test_a_record_that_moves_to_the_last_part_once_that_was_read_is_not_missed() -> None:
    for stream in ("tickets", "conversations"):
        with Sandbox("helpdesk", size=40, seed=5) as desk:
            job = job_of(options_for(desk, stream=stream, numPartitions=3))
            partitions = Partitions(job, job.schema())
            made = partitions.of([(job.accounts[0], None, None)])
            rows: Counter[int] = Counter()
            for number, part in enumerate(reversed(made)):
                rows.update(row["id"] for batch in partitions.read(part) for row in batch.to_pylist())
                if number == 0:
                    changed = desk.helpdesk.change(tickets=8)
            held = desk.helpdesk.records(stream)
            assert set(rows) == {record["id"] for record in held}
            again = {record["id"] for record in held if record.get("ticket_id", record["id"]) in changed["tickets"]}
            assert {key for key, count in rows.items() if count > 1} <= again


def test_an_account_that_fails_is_named_in_a_line(spark: SparkSession, desk: Sandbox) -> None:
    accounts = [{"account": "acme", "base_url": desk.base_url, "api_key": "sk-wrong-77", "max_retries": 0}]
    options = {"tap": "tap-helpdesk", "stream": "tickets", "accounts": json.dumps(accounts)}
    with pytest.raises(PythonException) as error:
        frame(spark, options).count()
    told = str(error.value)
    assert (
        "taps.spark.errors.ReadError: Account 'acme': Stream 'tickets': GET /v1/tickets: 401 Unauthorized: You have to be "
        f"logged in to perform this action. Check 'api_key', and that it belongs to 'base_url' ({desk.base_url})"
    ) in told
    assert "sk-wrong-77" not in told


def test_a_value_that_does_not_fit_says_how_to_read_it(spark: SparkSession, desk: Sandbox) -> None:
    with pytest.raises(PythonException, match=r"field 'subject': .* does not go into a column of the type BIGINT"):
        frame(spark, options_for(desk, stream="tickets"), "id BIGINT, subject BIGINT").count()


def test_secrets_are_in_no_plan_and_in_no_page_of_the_ui(
    spark: SparkSession, desk: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    accounts = [{"account": "acme", **desk.config}]
    shown = ""
    for options in (options_for(desk, stream="tickets"), options_for(desk, stream="tickets", accounts=accounts)):
        made = frame(spark, options)
        for mode in ("simple", "extended", "codegen", "cost", "formatted"):
            made.explain(mode)
        made.createOrReplaceTempView("tickets")
        spark.sql("describe extended tickets").show(truncate=False)
        spark.sql("explain extended select * from tickets").show(truncate=False)
        assert made.where("id > 0").count() == 40
        assert made.rdd.map(lambda row: row["id"]).count() == 40
        shown += f"{made!r} {made.rdd.toDebugString()!r}"
        job = job_of(options)
        [partition] = [PlannedPartition(one) for one in planned(job, [(job.accounts[0], None, None)])]
        assert KEY.encode() in pickle.dumps(partition), "an executor without it could read nothing"
        shown += repr(partition)
    ui = spark.sparkContext.uiWebUrl
    assert ui is not None
    application = f"/api/v1/applications/{spark.sparkContext.applicationId}"
    pages = ["/jobs/", "/stages/", "/SQL/", "/environment/", "/executors/", f"{application}/sql?details=true"]
    pages += [f"/SQL/execution/?id={number}" for number in range(3)] + [f"{application}/environment"]
    for page in pages:
        with urlopen(f"{ui}{page}") as answer:  # noqa: S310 - of this test's own Spark
            shown += answer.read().decode()
    captured = capfd.readouterr()
    shown += captured.out + captured.err
    assert "BatchScan singer" in shown
    assert KEY not in shown
