"""What `docs/spark.md` says to run is run, one block after the other, against a sandbox."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from meltano_project import clean_environment
from page_blocks import blocks_of
from spark_session import NEEDED, java_is_there

from support import ROOT
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not java_is_there(), reason=NEEDED)
SERVED_AT = "http://127.0.0.1:8080"  # as the page has it


def test_the_blocks_of_the_page_run(tmp_path: Path) -> None:
    blocks = [block.text for block in blocks_of(ROOT / "docs" / "spark.md") if block.language == "python"]
    assert len(blocks) == 4
    with Sandbox("helpdesk", size=40, seed=5) as desk:
        script = "\n".join([*blocks, "print(latest.count(), exact.columns)"]).replace(SERVED_AT, desk.base_url)
        script = script.replace('processingTime="5 minutes"', "availableNow=True")
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**clean_environment(), "PYSPARK_PYTHON": sys.executable},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "40 ['id', 'sentiment_score', 'custom_fields', 'updated_at']" in done.stdout
        assert "only showing top 20 rows" in done.stdout
        rows = pq.read_table(tmp_path / "lake" / "tickets", columns=["id"])
        assert sorted(rows["id"].to_pylist()) == sorted(ticket["id"] for ticket in desk.helpdesk.records("tickets"))
