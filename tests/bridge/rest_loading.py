"""Sandboxes and pipelines for the tests of what dlt's own REST source loads with our configuration."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import pytest
from dlt.sources.rest_api import rest_api_source

import taps_under_test
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from dlt.extract import DltSource

    from taps.bridge.rest_config import RestApiConfig
    from taps.engine.stream import ApiStream

TAPS = {tap.api: tap.tap_class for tap in taps_under_test.TAPS}
PAGE = {"oncall": 2}  # it has few records of those kinds that are covered


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """No telemetry and no log of dlt's, in a module that imports this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
        yield


def served(api: str, **settings: Any) -> Sandbox:
    """An API with pages of a few records, so that lists come in several."""
    return Sandbox(api=api, **{"size": 60, "seed": 3, "page_cap": PAGE.get(api, 5), **settings})


def held(sandbox: Sandbox, stream: str) -> list[dict[str, Any]]:
    """The records that the server has."""
    records: list[dict[str, Any]] = getattr(sandbox, sandbox.api.name).records(stream)
    return records


class Loading:
    """A pipeline into a DuckDB of its own."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "loaded.duckdb"
        self._pipeline = dlt.pipeline(
            "rest",
            pipelines_dir=str(folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.database)),
            dataset_name="data",
        )

    def run(self, rest: RestApiConfig, *streams: str) -> dict[str, list[dict[str, Any]]]:
        """Load all streams, or some; give the records as they came from the source."""
        source = rest_api_source(rest.config, name=rest.name)
        came = recorded(source)
        self._pipeline.run(source.with_resources(*streams) if streams else source, loader_file_format="jsonl")
        return came

    def rows(self, table: str, *fields: str) -> list[tuple[Any, ...]]:
        return self.tables({table: fields})[table]

    def tables(self, wanted: Mapping[str, Collection[str]]) -> dict[str, list[tuple[Any, ...]]]:
        """Read fields of tables; of a table without any, a 1 for each row."""
        naming = self._pipeline.default_schema.naming
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return {
                table: connection.execute(
                    f"SELECT {', '.join(map(naming.normalize_path, fields)) or 1} "
                    f"FROM data.{naming.normalize_table_identifier(table)}"
                ).fetchall()
                for table, fields in wanted.items()
            }


def by_name(rest: RestApiConfig) -> dict[str, type[ApiStream]]:
    """The tap's streams that are covered."""
    return {stream.name: stream for stream in TAPS[rest.name].stream_types if stream.name not in rest.uncovered}


def keys_of(stream: type[ApiStream]) -> list[str]:
    """What tells records apart; the time of a snapshot does not."""
    return [key for key in stream.primary_keys if key != stream.snapshot_field]


def counted(rows: list[tuple[Any, ...]]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(map(str, row)) for row in rows)


def recorded(source: DltSource) -> dict[str, list[dict[str, Any]]]:
    """Take down what each resource gives, once it does."""
    came: dict[str, list[dict[str, Any]]] = {name: [] for name in source.resources}

    def note(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda record: came[name].append(dict(record)) or record  # type: ignore[func-returns-value]

    for name, resource in source.resources.items():
        resource.add_map(note(name))
    return came
