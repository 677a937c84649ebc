"""The bridge loads what `meltano run` with target-duckdb loads: the same tables, rows and values, for each tap.

Names and types of columns are each loader's own. A field is, in lower case, target-duckdb's column; dlt's is what its
naming convention makes of it. Values are compared as what the field's JSON Schema declares:

================  ======================  ============================  =====================================
declared          target-duckdb           dlt                           compared as
================  ======================  ============================  =====================================
object, array     `JSON`                  `JSON`                        parsed JSON, numbers with every digit
date-time         `TIMESTAMP`, in UTC     `TIMESTAMP WITH TIME ZONE`    instants
date              `VARCHAR`               `DATE`                        `YYYY-MM-DD`
integer           `HUGEINT`               `BIGINT`                      integers
number            `DOUBLE`                `DOUBLE`                      doubles
string, boolean   `VARCHAR`, `BOOLEAN`    `VARCHAR`, `BOOLEAN`          they are
================  ======================  ============================  =====================================

Two things cannot be equal, and are held against what they must be: target-duckdb makes NULL of an empty text, which
dlt keeps; and where the tap adds the time of reading, it lies within the run.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import pytest
from compared import exact

from support import ROOT
from taps.bridge import singer_source
from taps.sandbox.apis import APIS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dlt.pipeline.pipeline import Pipeline
    from pytest_httpserver import HTTPServer

    from taps.engine.stream import ApiStream

Row = dict[str, Any]
COLUMN_TYPES = {
    "json": ("JSON", "JSON"),
    "date-time": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
    "date": ("VARCHAR", "DATE"),
    "integer": ("HUGEINT", "BIGINT"),
    "number": ("DOUBLE", "DOUBLE"),
    "string": ("VARCHAR", "VARCHAR"),
    "boolean": ("BOOLEAN", "BOOLEAN"),
}


@dataclass(frozen=True)
class Table:
    """A table as DuckDB has it: the types of its columns, and its rows."""

    types: dict[str, str]
    rows: list[Row]


@dataclass(frozen=True)
class Loaded:
    """What a run has loaded.

    Attributes:
        tables: The tables by name.
        column: Tells what column a field is.
        which: Whether the types are the first or the second of `COLUMN_TYPES`.
        begun: When the run began.
        ended: When it ended.
    """

    tables: dict[str, Table]
    column: Callable[[str], str]
    which: int
    begun: datetime
    ended: datetime

    def rows(self, stream: str, declared: Mapping[str, Any], keys: Sequence[str]) -> dict[tuple[str, ...], Row]:
        """Give the rows of a stream by their keys, with the fields' own names and values that can be compared."""
        table = self.tables[stream]
        columns = {name: self.column(name) for name in declared}
        assert table.types == {columns[name]: COLUMN_TYPES[kind_of(declared[name])][self.which] for name in declared}
        rows = [
            {name: comparable(row[columns[name]], kind_of(declared[name])) for name in declared} for row in table.rows
        ]
        by_key = {tuple(str(row[key]) for key in keys): row for row in rows}
        assert len(by_key) == len(rows), f"a key comes twice in {stream}"
        return by_key


def read(file: Path, schema: str, added: str) -> dict[str, Table]:
    """Read all tables but for what the loader has added, whose names begin alike."""
    types: dict[str, dict[str, str]] = {}
    tables = {}
    with duckdb.connect(str(file), read_only=True) as connection:
        query = "select table_name, column_name, data_type from duckdb_columns() where schema_name = ?"
        for table, column, kind in connection.execute(query, [schema]).fetchall():
            if not table.startswith(added) and not column.startswith(added):
                types.setdefault(table, {})[column] = kind
        for table, columns in types.items():
            selected = ", ".join(f'"{column}"' for column in columns)
            rows = connection.execute(f'select {selected} from "{schema}"."{table}"').fetchall()
            tables[table] = Table(columns, [dict(zip(columns, values, strict=True)) for values in rows])
    return tables


def kind_of(declared: Mapping[str, Any]) -> str:
    kinds = {declared["type"]} if isinstance(declared["type"], str) else {*declared["type"]} - {"null"}
    if kinds & {"object", "array"}:
        return "json"
    (kind,) = kinds
    return declared["format"] if declared.get("format") in COLUMN_TYPES else kind


def comparable(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "json":
        return exact(json.loads(value, parse_float=Decimal))
    if isinstance(value, datetime):  # DuckDB gives a TIMESTAMP, which is in UTC here, without a zone
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
    return value.isoformat() if isinstance(value, date) else value


def differences(
    stream: type[ApiStream],
    declared: Mapping[str, Any],
    meltano: Loaded,
    bridge: Loaded,
    held: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """Compare the tables of a stream; the records that the API has say where a text is empty."""
    keys = [key for key in stream.primary_keys if key != stream.snapshot_field]
    by_meltano, by_bridge = (loaded.rows(stream.name, declared, keys) for loaded in (meltano, bridge))
    records = {tuple(str(record[key]) for key in keys): record for record in held}
    if not by_meltano.keys() == by_bridge.keys() == records.keys():
        yield f"{stream.name} has {len(records)} records, {len(by_meltano)} and {len(by_bridge)} rows of other keys"
        return
    for key, row in by_bridge.items():
        for name, value in row.items():
            other = by_meltano[key][name]
            if type(value) is type(other) and value == other:
                continue
            if value == "" and other is None and records[key][name] == "":
                continue
            if (
                name == stream.snapshot_field
                and bridge.begun <= value <= bridge.ended
                and meltano.begun <= other <= meltano.ended
            ):
                continue
            yield f"{stream.name} {', '.join(key)}: {name} is {other!r} by Meltano and {value!r} by the bridge"


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")


def load_by_meltano(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Run Meltano as the demo does: with the project of this clone, and a state and a file of its own."""
    api = sandbox.api.name
    pipeline, worlds, subjects = (
        importlib.import_module(f"demo_support.{module}") for module in ("pipeline", "sandbox", "subjects")
    )
    monkeypatch.setattr(pipeline, "LOGS", home)
    world = worlds.World(subjects.SUBJECTS[api], sandbox.config)
    project = pipeline.Pipeline(home, [world])
    project.install()
    begun = datetime.now(tz=timezone.utc)
    project.run(world, 1)
    ended = datetime.now(tz=timezone.utc)
    return Loaded(read(project.warehouse, api, "_sdc_"), str.lower, 0, begun, ended)


def pipeline_into(file: Path, dataset: str) -> Pipeline:
    return dlt.pipeline(
        f"equals_{dataset}",
        destination=dlt.destinations.duckdb(str(file)),
        dataset_name=dataset,
        pipelines_dir=str(file.with_name("pipelines")),
    )


def load_by_bridge(sandbox: Sandbox, home: Path) -> Loaded:
    api, config = sandbox.api.name, dict(sandbox.config)
    if "refresh_token" in config:
        config["token_cache_path"] = str(home / "tokens-of-bridge.json")
    file = home / "bridge.duckdb"
    pipeline = pipeline_into(file, api)
    begun = datetime.now(tz=timezone.utc)
    pipeline.run(singer_source(sandbox.api.tap, config))
    ended = datetime.now(tz=timezone.utc)
    return Loaded(read(file, api, "_dlt_"), pipeline.default_schema.naming.normalize_identifier, 1, begun, ended)


@pytest.mark.parametrize("api", APIS)
def test_every_stream_has_the_same_rows_and_values_as_by_meltano(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(api, size=120, seed=21, page_cap=40) as sandbox:
        bridge = load_by_bridge(sandbox, tmp_path)
        meltano = load_by_meltano(sandbox, tmp_path, monkeypatch)
        streams: list[type[ApiStream]] = importlib.import_module("demo_support.subjects").SUBJECTS[api].streams
        held = {stream.name: getattr(sandbox, api).records(stream.name) for stream in streams}
    assert bridge.tables.keys() == meltano.tables.keys() == held.keys()
    lines: list[str] = []
    for stream in streams:
        schema = json.loads((ROOT / "schemas" / api / f"{stream.name}.json").read_text(encoding="utf-8"))
        lines += differences(stream, schema["properties"], meltano, bridge, held[stream.name])
    assert lines == []


def test_what_target_duckdb_cannot_load_is_loaded_too(httpserver: HTTPServer, tmp_path: Path) -> None:
    # Half of a surrogate pair, which JSON can hold and UTF-8 cannot, ends a run of target-duckdb; the tap passes it on.
    company = r"""{
        "id": 9007199254740993, "name": "a\ud83db\u0000c", "note": "\ud83d\ude42", "domains": ["\udc00", "", null],
        "custom_fields": {"a\ud800": "\ud83d\ude42", "n": 123456789012345678901234567890.10, "s": [true, 1, "1"]},
        "created_at": "2024-01-31T23:30:00.123456789-02:30", "updated_at": "2024-01-31T08:00:00Z"
    }"""
    httpserver.expect_request("/v1/companies").respond_with_data(f'{{"data": [{company}]}}')
    config = {"base_url": httpserver.url_for("").rstrip("/"), "api_key": "key"}
    pipeline = pipeline_into(tmp_path / "bridge.duckdb", "hard")
    pipeline.run(singer_source("tap-helpdesk", config, streams=["companies"]))
    (row,) = read(tmp_path / "bridge.duckdb", "hard", "_dlt_")["companies"].rows
    assert row["id"] == 9007199254740993
    assert row["name"] == "a\ufffdb\0c"
    assert row["note"] == "\U0001f642"
    assert comparable(row["domains"], "json") == ["\ufffd", "", None]
    assert comparable(row["custom_fields"], "json") == {
        "a\ufffd": "\U0001f642",
        "n": Decimal("123456789012345678901234567890.10"),
        "s": [("boolean", True), 1, "1"],
    }
    created = datetime(2024, 2, 1, 2, 0, 0, 123456, tzinfo=timezone.utc)
    assert comparable(row["created_at"], "date-time") == created
    assert row["industry"] is None


NOON = datetime(2024, 1, 31, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("kind", "by_meltano", "by_bridge", "same"),
    [
        ({"type": ["object", "null"]}, '{"a": 1.50, "b": []}', '{"b":[],"a":1.5}', True),
        ({"type": ["object", "null"]}, '{"a": null}', "{}", False),
        ({"type": ["object", "null"]}, "{}", None, False),
        ({"type": ["object", "null"]}, '{"a": 1}', '{"a": true}', False),
        ({"type": ["object", "null"]}, '{"a": 1}', '{"a": "1"}', False),
        ({"type": ["array", "null"]}, "[0.30000000000000004]", "[0.3]", False),
        ({"type": ["array", "null"]}, "[9007199254740993]", "[9007199254740992.0]", False),
        ({"type": ["string", "null"]}, None, "", True),
        ({"type": ["string", "null"]}, None, " ", False),
        ({"type": ["string", "null"]}, "", None, False),
        ({"type": ["string", "null"], "format": "date"}, "2024-01-31", NOON.date(), True),
        ({"type": ["string", "null"], "format": "date-time"}, NOON.replace(tzinfo=None), NOON, True),
        ({"type": ["string", "null"], "format": "date-time"}, datetime(2024, 1, 31, 13), NOON, False),  # noqa: DTZ001
    ],
)
def test_the_comparison_tells_values_apart(
    kind: dict[str, Any], by_meltano: Any, by_bridge: Any, *, same: bool
) -> None:
    stream: Any = SimpleNamespace(name="things", primary_keys=("id",), snapshot_field=None)
    declared = {"id": {"type": "integer"}, "theValue": kind}
    types = [COLUMN_TYPES[kind_of(kind)][which] for which in (0, 1)]
    meltano = Table({"id": "HUGEINT", "thevalue": types[0]}, [{"id": 1, "thevalue": by_meltano}])
    bridge = Table({"id": "BIGINT", "the_value": types[1]}, [{"id": 1, "the_value": by_bridge}])
    lines = list(
        differences(
            stream,
            declared,
            Loaded({"things": meltano}, str.lower, 0, NOON, NOON),
            Loaded({"things": bridge}, lambda name: "the_value" if name == "theValue" else name, 1, NOON, NOON),
            [{"id": 1, "theValue": by_bridge}],
        )
    )
    assert (lines == []) is same
