"""`spark.read.format("singer")` gives what `meltano run` loads, whatever the number of partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hard_values
import pytest
from loaders import DuckDB
from meltano_project import Project
from spark_frame import Frame
from truth import Truth, compare

from taps.sandbox.server import Sandbox
from taps_under_test import TAPS, TapUnderTest

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.api)
def test_a_dataframe_has_the_rows_that_meltano_loads(tap: TapUnderTest, tmp_path: Path, spark: SparkSession) -> None:
    with Sandbox(tap.api, size=40, seed=5, page_cap=20) as sandbox:
        hard_values.plant(sandbox)
        project = Project(tmp_path, sandbox)
        project.install(tap.name, "target-duckdb")
        project.run()
        truth = Truth(tap, sandbox, tmp_path)
        assert compare(tap, DuckDB(tmp_path, tap.api), truth, syncs=1) == []
        tokens = {"token_cache_path": str(tmp_path / "tokens")} if tap.api == "sales_engagement" else {}
        assert compare(tap, Frame(spark, sandbox, numPartitions=4, **tokens), truth, syncs=1) == []
