"""A cluster of separate executor processes, one of which is killed while it reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pyspark
import pytest
from spark_session import NEEDED, java_is_there, options_for

from taps.sandbox.server import Sandbox

pytestmark = pytest.mark.skipif(not java_is_there(), reason=NEEDED)

JOB = Path(__file__).parent / "cluster_job.py"
EXECUTOR = b"CoarseGrainedExecutorBackend"


def executors(job: int) -> list[int]:
    """The processes of a job's executors."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            runs_one = EXECUTOR in (process / "cmdline").read_bytes()
            if runs_one and os.getpgid(int(process.name)) == job:
                found.append(int(process.name))
        except OSError:  # noqa: PERF203 - it has ended meanwhile
            continue
    return found


def spark_home(folder: Path) -> Path:
    """Give the installed Spark a place of the test's own, for the executors write their logs into it."""
    folder.mkdir()
    for entry in Path(pyspark.__file__).parent.iterdir():
        if entry.name != "work":
            (folder / entry.name).symlink_to(entry)
    return folder


def test_an_executor_that_is_killed_costs_no_row(tmp_path: Path) -> None:
    with Sandbox("helpdesk", size=80, seed=5, page_cap=5, latency=0.15) as desk:
        key = desk.config["api_key"]
        options = options_for(desk, stream="conversations", numPartitions=6, start_date="2021-01-01", max_concurrency=1)
        del options["api_key"]  # which the executors alone have, in their environment
        settings = {
            "spark.executorEnv.TAP_HELPDESK_API_KEY": key,
            "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|api[_.]?key",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.dir": tmp_path.as_uri(),
        }
        env = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}
        env |= {"PYTHONPATH": os.pathsep.join(sys.path), "SPARK_HOME": str(spark_home(tmp_path / "spark"))}
        command = [sys.executable, str(JOB), str(tmp_path), json.dumps(options), json.dumps(settings)]
        output = tmp_path / "output"
        with (
            output.open("wb") as file,
            subprocess.Popen(command, env=env, stdout=file, stderr=file, start_new_session=True) as job,
        ):
            deadline = time.monotonic() + 120
            while len(desk.requests) < 40 and job.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            victims = executors(job.pid)
            assert len(victims) == 2, output.read_text()
            os.kill(victims[0], signal.SIGKILL)
            assert job.wait(180) == 0, output.read_text()
        rows = pq.read_table(tmp_path / "rows")
        assert Counter(rows["id"].to_pylist()) == Counter(row["id"] for row in desk.helpdesk.records("conversations"))
        parents = Counter(request.path for request in desk.requests)
        assert max(parents.values()) > 1, "nothing was read again, so nobody was at work when he was killed"
    logs = [*(tmp_path / "spark" / "work").rglob("std*"), *tmp_path.glob("eventlog*/events*"), output]
    assert len(logs) >= 2 * 3 + 2, "each of three executors has two logs, the job has one, and so has its history"
    assert [path for path in logs if key.encode() in path.read_bytes()] == []
