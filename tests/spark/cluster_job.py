"""A batch read on a cluster of separate executor processes: `cluster_job.py FOLDER OPTIONS SETTINGS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spark_session import frame, spark_session


def main() -> None:
    folder, options, settings = Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
    with spark_session("local-cluster[2,1,1024]", **settings) as spark:
        frame(spark, options).write.parquet(str(folder / "rows"))


if __name__ == "__main__":
    main()
