"""Loads each help desk account every quarter of an hour with Meltano, which keeps a state for each of them.

An account is a connection of Airflow: `host` is the address of the API, `password` its key. Where Meltano and its
project are, and what the target needs, is in the environment of the workers.
"""

import os
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

ACCOUNTS = ["helpdesk_europe", "helpdesk_america"]
MELTANO = os.environ.get("MELTANO", "/opt/meltano/bin/meltano")
PROJECT = os.environ.get("MELTANO_PROJECT_ROOT", "/opt/warehouse")

with DAG(
    "support",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # the state says from where to read, not the time of the run
    max_active_runs=1,
    max_active_tasks=1,  # DuckDB has one writer; leave this out where the target has several
    default_args={
        "retries": 4,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "execution_timeout": timedelta(hours=6),
    },
):
    for account in ACCOUNTS:
        BashOperator(
            task_id=account,
            bash_command=f"{MELTANO} --environment=prod run --state-id-suffix={account} tap-helpdesk target-duckdb",
            cwd=PROJECT,
            append_env=True,
            env={
                "TAP_HELPDESK_BASE_URL": f"{{{{ conn.{account}.host }}}}",
                "TAP_HELPDESK_API_KEY": f"{{{{ conn.{account}.password }}}}",
                "TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA": account,  # two accounts have the same ids
                "NO_COLOR": "1",
            },
        )
