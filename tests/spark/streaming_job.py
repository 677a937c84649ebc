"""A streaming query in a process of its own, which a test may end: `streaming_job.py FOLDER OPTIONS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spark_session import spark_session, stream_into


def main() -> None:
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    with spark_session() as spark:
        stream_into(folder, spark, options)


if __name__ == "__main__":
    main()
