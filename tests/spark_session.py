"""Spark with the data source, and DataFrames of the taps' streams as a user makes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

from taps.spark import SingerDataSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import DataFrame

    from taps.sandbox.server import Sandbox

OLDEST_JAVA = 17
NEEDED = f"Spark needs Java {OLDEST_JAVA} or later, in PATH or named by JAVA_HOME"


def java_is_there() -> bool:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        return False
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return version is not None and int(version[1]) >= OLDEST_JAVA


@contextmanager
def spark_session(master: str = "local[2]", **settings: str) -> Iterator[SparkSession]:
    """A session of Spark's whose Python is this one, with the data source."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(master).appName("frontline-taps")
    for name, value in {
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        **settings,
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    session.dataSource.register(SingerDataSource)
    try:
        yield session
    finally:
        session.stop()


def options_for(sandbox: Sandbox, **options: Any) -> dict[str, str]:
    """The options that read from a sandbox, beside those given."""
    made = {"tap": sandbox.api.tap, **sandbox.config, "backoff_factor": 0, **options}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in made.items()}


def frame(spark: SparkSession, options: Mapping[str, str], columns: str | None = None) -> DataFrame:
    reader = spark.read.format("singer").options(**options)
    return (reader.schema(columns) if columns else reader).load()


def stream_into(folder: Path, spark: SparkSession, options: Mapping[str, str]) -> bool:
    """Stream what there is into Parquet files, from the folder's checkpoint on; tell whether it came to its end."""
    stream = spark.readStream.format("singer").options(**options).load()
    query = (
        stream.writeStream.format("parquet")
        .option("checkpointLocation", str(folder / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(folder / "rows"))
    )
    return bool(query.awaitTermination(120))


def rows_of(made: DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = made.toArrow().to_pylist()
    return rows
