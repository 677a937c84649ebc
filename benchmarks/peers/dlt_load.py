"""Loads tickets into DuckDB with dlt: a whole run of a new pipeline, from our bridge or from dlt's own REST source.

What came of it is told as JSON lines at the end: how many tickets the table has, and how long `pipeline.run` and
each of its phases took.
"""

from __future__ import annotations

import argparse
import json
import os
from contextlib import closing, nullcontext
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource
    from dlt.sources.rest_api.typing import EndpointResource

_KEY = "sandbox-key"


def _bridge(base: str) -> DltSource:
    from taps.bridge import singer_source  # noqa: PLC0415 - only where it is measured

    return singer_source("tap-helpdesk", {"base_url": base, "api_key": _KEY}, streams=["tickets"])


def _rest(base: str) -> DltSource:
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415 - only where it is measured

    tickets: EndpointResource = {
        "name": "tickets",
        "primary_key": "id",
        "write_disposition": "merge",
        # For the same columns as ours: of two it would make two each, others it would leave out.
        "columns": {
            "sentiment_score": {"data_type": "double"},
            "initial_sentiment_score": {"data_type": "double"},
            "facebook_id": {"data_type": "text"},
            "twitter_id": {"data_type": "text"},
        },
        "endpoint": {
            "path": "/v1/tickets",
            "data_selector": "data",
            "params": {
                "updated_since": "1970-01-01T00:00:00Z",
                "order_by": "updated_at",
                "order_type": "asc",
                "include": "description,requester,stats",
                "limit": 100,
            },
            "paginator": {
                "type": "page_number",
                "base_page": 1,
                "page_param": "page",
                "total_path": None,
                "stop_after_empty_page": True,
            },
        },
    }
    return rest_api_source(
        {
            "client": {"base_url": base, "auth": {"type": "http_basic", "username": _KEY, "password": "X"}},
            "resources": [tickets],
        }
    )


_SOURCES = {"bridge": _bridge, "rest": _rest}


def _phases(pipeline: Pipeline) -> dict[str, float]:
    return {
        step.step: (step.finished_at - step.started_at).total_seconds()
        for step in (pipeline.last_trace.steps if pipeline.last_trace else ())
        if step.finished_at and step.step in {"extract", "normalize", "load"}
    }


def _count(pipeline: Pipeline) -> int:
    with pipeline.sql_client() as client:
        answer = client.execute_sql("SELECT count(*), count(DISTINCT id) FROM tickets")
    rows, keys = answer[0] if answer else (0, 0)
    if rows != keys:
        raise SystemExit(f"{rows} rows, but {keys} keys")
    return int(rows)


def _tell(**line: Any) -> None:
    print(json.dumps(line))


def main() -> None:
    """Load what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("source", choices=_SOURCES)
    parser.add_argument("--folder", type=Path, required=True, help="where dlt keeps its files, and the database is")
    parser.add_argument("--format", help="dlt's loader_file_format")
    parser.add_argument("--one-table", action="store_true", help="keep nested values in columns of JSON")
    parser.add_argument(
        "--kept", action="store_true", help="give dlt an open connection, which it does not close after each job"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of dlt's")
    arguments = parser.parse_args()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    for setting in arguments.set:
        name, _, value = setting.partition("=")
        os.environ[name] = value

    import dlt  # noqa: PLC0415 - it reads some settings when it is imported
    import duckdb  # noqa: PLC0415 - dlt would import it when the time is running

    source = _SOURCES[arguments.source](arguments.base)
    if arguments.one_table:
        source.max_table_nesting = 0
    database = str(arguments.folder / "benchmark.duckdb")
    with closing(duckdb.connect(database)) if arguments.kept else nullcontext(database) as credentials:
        pipeline = dlt.pipeline(
            "benchmark",
            pipelines_dir=str(arguments.folder / "pipelines"),
            destination=dlt.destinations.duckdb(credentials),
            dataset_name="helpdesk",
        )
        begin = perf_counter()
        pipeline.run(source, loader_file_format=arguments.format)
        seconds = perf_counter() - begin
        rows = _count(pipeline)
    _tell(type="PHASES", seconds={"run": seconds, **_phases(pipeline)})
    _tell(type="COUNT", stream="tickets", count=rows)


if __name__ == "__main__":
    main()
