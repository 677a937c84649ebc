"""The bridge into PostgreSQL, and into files of Parquet: what of the values arrives, and in which form."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dlt
import hard_values
import pyarrow.parquet as pq
import pytest
from loaders import Declared, Loader, Row, kinds_of, moment, structured
from truth import Truth, compare

from taps.bridge import singer_source
from taps.sandbox.server import Sandbox
from taps_under_test import TAPS, TapUnderTest

if TYPE_CHECKING:
    from pathlib import Path

    from dlt.pipeline.pipeline import Pipeline
    from postgres_server import Postgres


class Dlt(Loader):
    """A number is a double; a time is one in UTC; columns are named as dlt names them."""

    name = "dlt"

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.naming = pipeline, pipeline.default_schema.naming

    def column(self, field: str) -> str:
        return self.naming.normalize_identifier(field)

    def stored(self, value: Any, declared: Declared) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(timezone.utc)
        if isinstance(value, date):
            return value.isoformat()
        return json.loads(value, parse_float=Decimal) if structured(declared) and isinstance(value, str) else value

    def expected(self, value: Any, declared: Declared) -> Any:
        if value is not None and declared.get("format") == "date-time":
            return moment(value)
        return float(value) if kinds_of(declared) == {"number"} and value is not None else value


class DltPostgres(Dlt):
    """From CSV, which is dlt's choice for PostgreSQL, an empty text becomes NULL; from inserts it does not."""

    def __init__(self, pipeline: Pipeline, postgres: Postgres, database: str, file_format: str) -> None:
        super().__init__(pipeline)
        self.postgres, self.database, self.file_format = postgres, database, file_format

    def expected(self, value: Any, declared: Declared) -> Any:
        return None if value == "" and self.file_format == "csv" else super().expected(value, declared)

    def rows(self, stream: str) -> list[Row]:
        tables = "select 1 as one from information_schema.tables where table_schema = %s and table_name = %s"
        if not self.postgres.rows(self.database, tables, (self.pipeline.dataset_name, stream)):
            return []
        rows = self.postgres.rows(self.database, f'select * from "{self.pipeline.dataset_name}"."{stream}"')
        return [{name: row[name] for name in row if not name.startswith("_dlt_")} for row in rows]

    def stored(self, value: Any, declared: Declared) -> Any:
        return value if structured(declared) else super().stored(value, declared)


class DltParquet(Dlt):
    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        super().__init__(pipeline)
        self.folder = folder

    def rows(self, stream: str) -> list[Row]:
        rows: list[Row] = []
        for file in sorted((self.folder / self.pipeline.dataset_name / stream).glob("*.parquet")):
            rows += pq.read_table(file).to_pylist()
        return [{name: row[name] for name in row if not name.startswith("_dlt_")} for row in rows]


def pipeline_for(destination: Any, tap: TapUnderTest, folder: Path) -> Pipeline:
    return dlt.pipeline(
        f"values_{tap.api}", destination=destination, dataset_name=tap.api, pipelines_dir=str(folder / "pipelines")
    )


def source_of(sandbox: Sandbox, folder: Path) -> Any:
    config = dict(sandbox.config)
    if "refresh_token" in config:
        config["token_cache_path"] = str(folder / "tokens.json")
    return singer_source(sandbox.api.tap, config)


@pytest.mark.parametrize("file_format", ["insert_values", "csv"])
def test_postgresql_has_every_row_and_value_and_after_a_second_run_what_changed(
    file_format: Any, postgres: Postgres, tmp_path: Path
) -> None:
    tap = next(tap for tap in TAPS if tap.api == "helpdesk")
    database = f"by_dlt_{file_format}"
    postgres.create(database)
    pipeline = pipeline_for(dlt.destinations.postgres(postgres.url(database)), tap, tmp_path)
    with Sandbox(tap.api, size=40, seed=5, page_cap=20) as sandbox:
        hard_values.plant(sandbox)
        pipeline.run(source_of(sandbox, tmp_path), loader_file_format=file_format)
        loader = DltPostgres(pipeline, postgres, database, file_format)
        assert compare(tap, loader, Truth(tap, sandbox, tmp_path), syncs=1) == []
        sandbox.helpdesk.change(tickets=5, new=2)
        pipeline.run(source_of(sandbox, tmp_path), loader_file_format=file_format)
        assert compare(tap, loader, Truth(tap, sandbox, tmp_path), syncs=2) == []


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.api)
def test_parquet_files_have_every_row_and_value(tap: TapUnderTest, tmp_path: Path) -> None:
    destination = dlt.destinations.filesystem(str(tmp_path / "files"))
    pipeline = pipeline_for(destination, tap, tmp_path)
    with Sandbox(tap.api, size=40, seed=5, page_cap=20) as sandbox:
        hard_values.plant(sandbox)
        pipeline.run(source_of(sandbox, tmp_path), loader_file_format="parquet")
        loader = DltParquet(pipeline, tmp_path / "files")
        assert compare(tap, loader, Truth(tap, sandbox, tmp_path), syncs=1) == []
