"""A streaming query in a process of its own, which a test may end: `streaming_job.py FOLDER OPTIONS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spark_session import spark_session


def main() -> None:
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    with spark_session() as spark:
        stream = spark.readStream.format("singer").options(**options).load()
        query = (
            stream.writeStream.format("parquet")
            .option("checkpointLocation", str(folder / "checkpoint"))
            .trigger(availableNow=True)
            .start(str(folder / "rows"))
        )
        query.awaitTermination()


if __name__ == "__main__":
    main()
