"""How the time of a job falls with the number of Spark's executors, and what Spark itself costs.

`.venv/bin/python -m benchmarks.spark [ACCOUNTS] [TICKETS] [TURNS]` reads the tickets of many accounts of a sandbox and
their conversations (a request for each ticket) from a server that answers after 0.2 s: by the tap alone, account after
account, and by clusters of 1, 2 and 4 executors of one core, each a process of its own on this machine. Then it reads
one account from a server without delay, to see what is Spark's part. Each way takes its turn; the least time counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

from taps.sandbox.accounts import SandboxAccounts
from taps.spark import SingerDataSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXECUTORS = (1, 2, 4)
LATENCY = 0.2  # seconds
STREAMS = ("tickets", "conversations")
TAP = str(Path(sysconfig.get_path("scripts")) / "tap-helpdesk")


@contextmanager
def session(master: str) -> Iterator[SparkSession]:
    """Start Spark, and stop it again."""
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    spark.dataSource.register(SingerDataSource)
    try:
        yield spark
    finally:
        spark.stop()


def with_spark(spark: SparkSession, accounts: list[dict[str, Any]]) -> int:
    """Read the streams of all accounts into Parquet files; give the rows."""
    rows = 0
    for stream in STREAMS:
        with tempfile.TemporaryDirectory() as folder:
            reader = spark.read.format("singer").option("tap", "tap-helpdesk").option("stream", stream)
            reader.option("accounts", json.dumps(accounts)).load().write.parquet(f"{folder}/rows")
            rows += spark.read.parquet(f"{folder}/rows").count()
    return rows


def with_the_tap(accounts: list[dict[str, Any]], catalog: Path) -> int:
    """Read the streams of all accounts with the tap's command, one after another, into files; give the rows."""
    rows = 0
    for account in accounts:
        with tempfile.TemporaryDirectory() as folder:
            settings, output = Path(folder) / "config.json", Path(folder) / "messages"
            settings.write_text(json.dumps({name: value for name, value in account.items() if name != "account"}))
            with output.open("wb") as file:
                command = [TAP, "--config", str(settings), "--catalog", str(catalog)]
                subprocess.run(command, check=True, stdout=file, stderr=subprocess.DEVNULL)
            rows += output.read_bytes().count(b'{"type":"RECORD"')
    return rows


def catalog_of(account: dict[str, Any], path: Path) -> Path:
    """Write a catalog with the streams that are read."""
    settings = path.with_name("config.json")
    settings.write_text(json.dumps({name: value for name, value in account.items() if name != "account"}))
    found = subprocess.run([TAP, "--config", str(settings), "--discover"], check=True, capture_output=True)
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["stream"] in STREAMS
    path.write_text(json.dumps(catalog))
    return path


def timed(function: Callable[[], int], due: int) -> float:
    """Give the seconds that a function takes, whose rows have to be all that there are."""
    begun = time.perf_counter()
    rows = function()
    seconds = time.perf_counter() - begun
    if rows != due:
        raise SystemExit(f"{rows} rows came, though {due} were due")
    return seconds


def measure(took: dict[str, list[float]], sandboxes: SandboxAccounts, masters: dict[str, str], catalog: Path) -> int:
    """Have each way read all accounts once; give the rows."""
    accounts: list[dict[str, Any]] = list(sandboxes.listed)
    due = sum(len(each.helpdesk.records(stream)) for each in sandboxes.values() for stream in STREAMS)
    took["the tap"].append(timed(lambda: with_the_tap(accounts, catalog), due))
    for name, master in masters.items():
        begun = time.perf_counter()
        with session(master) as spark:
            spark.range(8).repartition(8).count()  # the executors are there, and warm
            took[f"{name}: start"].append(time.perf_counter() - begun)
            took[name].append(timed(lambda: with_spark(spark, accounts), due))
    return due


def show(title: str, took: dict[str, list[float]]) -> None:
    """Print the least time of each way, as a ratio to that of the tap."""
    least = min(took["the tap"])
    print(f"\n{title}; {least:.1f} s is 1")
    for way, times in took.items():
        if not way.endswith(": start"):
            start = min(took.get(f"{way}: start", [0.0]))
            print(f"{min(times) / least:7.2f}  {way}" + (f", and {start / least:.2f} to start it" if start else ""))


def main(accounts: int = 16, tickets: int = 60, turns: int = 2) -> None:
    """Measure and print."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    many: defaultdict[str, list[float]] = defaultdict(list)
    one: defaultdict[str, list[float]] = defaultdict(list)
    clusters = {f"{count} executors": f"local-cluster[{count},1,1024]" for count in EXECUTORS}
    with tempfile.TemporaryDirectory() as folder:
        with SandboxAccounts("helpdesk", accounts, size=tickets, latency=LATENCY) as sandboxes:
            catalog = catalog_of(sandboxes.listed[0], Path(folder) / "catalog.json")
            for _ in range(turns):
                rows = measure(many, sandboxes, clusters, catalog)
        show(f"{rows:,} rows of {accounts} accounts, answers after {LATENCY} s, least of {turns} turns", many)
        with SandboxAccounts("helpdesk", 1, size=tickets * accounts) as sandboxes:
            for _ in range(turns):
                rows = measure(one, sandboxes, {"local[1]": "local[1]"}, catalog)
        show(f"{rows:,} rows of one account, answers at once, least of {turns} turns", one)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
