"""Reads tickets, and their conversations where asked to, with dlt's REST source.

It extracts alone: dlt writes what it read to a load package on disk, and nothing is normalised or loaded. How many
items it read is told as one JSON line a resource at the end.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.rest_api import rest_api_source

if TYPE_CHECKING:
    from dlt.sources.rest_api.typing import EndpointResource


def _source(base: str, *, conversations: bool, parallel: bool) -> Any:
    tickets: EndpointResource = {
        "name": "tickets",
        "primary_key": "id",
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
    children: EndpointResource = {
        "name": "conversations",
        "primary_key": "id",
        "parallelized": parallel,
        "endpoint": {
            "path": "/v1/tickets/{resources.tickets.id}/conversations",
            "data_selector": "data",
            "params": {"limit": 100},
            "paginator": "header_link",
        },
    }
    return rest_api_source(
        {
            "client": {
                "base_url": base,
                "auth": {"type": "http_basic", "username": "sandbox-key", "password": "X"},
            },
            "resources": [tickets, children] if conversations else [tickets],
        }
    )


def _tell_first(source: Any) -> None:
    told = False

    def tell(item: Any) -> Any:
        nonlocal told
        if not told:
            told = True
            print('{"type": "RECORD", "stream": "tickets"}', flush=True)
        return item

    source.resources["tickets"].add_map(tell)


def main() -> None:
    """Extract what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("--folder", required=True, help="where dlt keeps its load package")
    parser.add_argument("--conversations", action="store_true", help="read the tickets' conversations too")
    parser.add_argument("--workers", type=int, help="read conversations in parallel, with so many workers")
    parser.add_argument("--tell-first", action="store_true", help="print a line when the first ticket has been read")
    arguments = parser.parse_args()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    if arguments.workers:
        os.environ["EXTRACT__WORKERS"] = str(arguments.workers)
        os.environ["EXTRACT__MAX_PARALLEL_ITEMS"] = str(max(20, 2 * arguments.workers))
    source = _source(arguments.base, conversations=arguments.conversations, parallel=bool(arguments.workers))
    if arguments.tell_first:
        _tell_first(source)
    info = dlt.pipeline("benchmark", pipelines_dir=arguments.folder).extract(source)
    for metrics in info.metrics.values():
        for step in metrics:
            for table, metric in step["table_metrics"].items():
                if not table.startswith("_dlt"):
                    print(json.dumps({"type": "COUNT", "stream": table, "count": metric.items_count}))


if __name__ == "__main__":
    main()
