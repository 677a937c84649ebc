"""A help desk in Dagster: an asset for each stream, loaded by dlt, every hour."""

import os
from collections.abc import Iterator
from typing import Any

import dlt
from dagster import AssetExecutionContext, Backoff, Definitions, RetryPolicy, ScheduleDefinition, define_asset_job
from dagster_dlt import DagsterDltResource, dlt_assets

from taps.bridge import singer_source


@dlt_assets(
    dlt_source=singer_source(
        "tap-helpdesk",
        {"base_url": os.environ["HELPDESK_URL"], "api_key": os.environ["HELPDESK_KEY"]},
        name="helpdesk",
    ),
    dlt_pipeline=dlt.pipeline(
        "helpdesk", destination=dlt.destinations.duckdb(os.environ["WAREHOUSE"]), dataset_name="helpdesk"
    ),
    name="helpdesk",
)
def helpdesk(context: AssetExecutionContext, loader: DagsterDltResource) -> Iterator[Any]:
    """Load the streams that are selected: where some assets alone are materialized, these alone are read."""
    yield from loader.run(context=context)


sync = define_asset_job(
    "sync",
    selection=[helpdesk],
    # Beside the tap's own retries, which are over within a minute.
    op_retry_policy=RetryPolicy(max_retries=2, delay=300, backoff=Backoff.EXPONENTIAL),
)
defs = Definitions(
    assets=[helpdesk],
    jobs=[sync],
    schedules=[ScheduleDefinition(job=sync, cron_schedule="0 * * * *")],
    resources={"loader": DagsterDltResource()},
)
