"""The loaders of `meltano.yml`: how to point each at a folder or database, and what it makes of a value.

A loader's rows are compared in the form that `Loader.stored` gives them, with what `Loader.expected` says of the tap's
record: where the two agree for a value that arrives whole, nothing is said; what is said here is what a loader loses.
"""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
from compared import exact
from meltano_project import variable

from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from postgres_server import Postgres

    from taps.engine.stream import ApiStream

Row = dict[str, Any]
Declared = dict[str, Any]


def kinds_of(declared: Declared) -> set[str]:
    kinds = declared["type"]
    return {kinds} if isinstance(kinds, str) else {*kinds} - {"null"}


def structured(declared: Declared) -> bool:
    return bool(kinds_of(declared) & {"object", "array"})


def doubles(value: Any) -> Any:
    """Make doubles of what has a fraction or an exponent."""
    if isinstance(value, dict):
        return {name: doubles(item) for name, item in value.items()}
    if isinstance(value, list):
        return [doubles(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def moment(text: str) -> datetime:
    return parse_timestamp(text).astimezone(timezone.utc)


class Loader(ABC):
    """A loader with a place of its own to load into."""

    name: ClassVar[str]
    appends: ClassVar[bool] = False
    """Whether each run adds rows, so that of those with the same key the last one counts."""

    settings: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        return {variable(self.name, setting): value for setting, value in self.settings.items()}

    @abstractmethod
    def rows(self, stream: str) -> list[Row]:
        """Give all rows of a stream in their order, with the columns of the loader's own left out."""

    def column(self, field: str) -> str:
        return field

    def stored(self, value: Any, declared: Declared) -> Any:
        return value

    def expected(self, value: Any, declared: Declared) -> Any:
        return value


class Jsonl(Loader):
    """Decimals become doubles."""

    name = "target-jsonl"
    appends = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "jsonl"
        self.settings = {"destination_path": str(self.folder)}

    def rows(self, stream: str) -> list[Row]:
        file = self.folder / f"{stream}.jsonl"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]

    def expected(self, value: Any, declared: Declared) -> Any:
        return doubles(value)


class Csv(Loader):
    """Null is an empty text, and an object or an array is written as Python has it, not as JSON."""

    name = "target-csv"
    appends = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "csv"
        self.settings = {"output_path": str(self.folder), "batch_size_rows": "25"}

    def rows(self, stream: str) -> list[Row]:
        csv.field_size_limit(10_000_000)
        rows: list[Row] = []
        for path in sorted(self.folder.glob(f"{stream}-2*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows += csv.DictReader(file, strict=True)
        return rows

    def stored(self, value: Any, declared: Declared) -> Any:
        if value == "":
            return None
        kinds = kinds_of(declared)
        if structured(declared):
            return python_literal(value)
        if "boolean" in kinds:
            return {"True": True, "False": False}[value]
        if kinds & {"integer", "number"}:
            return Decimal(value)
        if declared.get("format") == "date-time":
            return datetime.fromisoformat(value).astimezone(timezone.utc)
        return value

    def expected(self, value: Any, declared: Declared) -> Any:
        if value == "":
            return None
        return moment(value) if value is not None and declared.get("format") == "date-time" else value


class PostgreSQL(Loader):
    """NUL is U+FFFD, a time is one in UTC; elements of an array are all of the type that its column has."""

    name = "target-postgres"

    def __init__(self, postgres: Postgres, database: str, schema: str) -> None:
        self.postgres, self.database, self.schema = postgres, database, f"sandbox_{schema}"
        self.settings = {
            "host": postgres.host,
            "port": str(postgres.port),
            "user": postgres.user,
            "password": postgres.password,
            "database": database,
            "batch_size_rows": "25",
        }

    def rows(self, stream: str) -> list[Row]:
        tables = "select table_name from information_schema.tables where table_schema = %s and table_name = %s"
        if not self.postgres.rows(self.database, tables, (self.schema, stream)):
            return []
        rows = self.postgres.rows(self.database, f'select * from "{self.schema}"."{stream}"')
        return [{name: row[name] for name in row if not name.startswith("_sdc_")} for row in rows]

    def stored(self, value: Any, declared: Declared) -> Any:
        if isinstance(value, datetime):
            return value.replace(tzinfo=timezone.utc)
        return value.isoformat() if isinstance(value, date) else value

    def expected(self, value: Any, declared: Declared) -> Any:
        if value is not None and declared.get("format") == "date-time":
            return moment(value)
        if isinstance(value, list) and {*declared.get("items", {}).get("type", ())} >= {"integer", "string"}:
            return [item if item is None else str(item) for item in value]
        return value


class DuckDB(Loader):
    """An empty text is NULL, a decimal is a double, also in JSON, a time is one in UTC; columns are in lower case."""

    name = "target-duckdb"

    def __init__(self, folder: Path, schema: str) -> None:
        self.file, self.schema = folder / "warehouse.duckdb", schema
        self.settings = {"path": str(self.file), "batch_size_rows": "25"}

    def rows(self, stream: str) -> list[Row]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            tables = "select 1 from information_schema.tables where table_schema = ? and table_name = ?"
            if not connection.execute(tables, [self.schema, stream]).fetchall():
                return []
            found = connection.execute(f'select * from "{self.schema}"."{stream}"')
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, values, strict=True)) for values in found.fetchall()]
        return [{name: row[name] for name in names if not name.startswith("_sdc_")} for row in rows]

    def column(self, field: str) -> str:
        return field.lower()

    def stored(self, value: Any, declared: Declared) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=timezone.utc)
        return json.loads(value) if structured(declared) else value

    def expected(self, value: Any, declared: Declared) -> Any:
        if value == "":
            return None
        if value is not None and declared.get("format") == "date-time":
            return moment(value)
        return float(value) if kinds_of(declared) == {"number"} and value is not None else doubles(value)


def python_literal(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return Decimal(text) if text.isdigit() else text
    return eval(text, {"Decimal": Decimal, "__builtins__": {}})  # noqa: S307 - what target-csv wrote of data of ours


def differences(
    loader: Loader,
    stream: type[ApiStream],
    fields: Mapping[str, Declared],
    records: Sequence[Row],
    syncs: int,
) -> list[str]:
    """Hold a stream's rows against the tap's records: a line for each field in which some differ."""
    name, keys = stream.name, [key for key in stream.primary_keys if key != stream.snapshot_field]
    rows = loader.rows(name)
    lines: dict[str, str] = {}
    if rows and (more := {*rows[0]} - {loader.column(field) for field in fields}):
        lines["columns"] = f"has the columns {', '.join(more)}, which are no fields"
    # Where the key is the time of reading, each sync adds rows, and they all are held against the record of now.
    held = {tuple(str(record[key]) for key in keys): record for record in records}
    found = {tuple(str(row[loader.column(key)]) for key in keys): row for row in rows}
    if held.keys() != found.keys():
        lines["keys"] = f"has {len(found)} keys, though {len(held)} are due"
    due = len(held) * (syncs if stream.snapshot_field in stream.primary_keys else 1)
    if len(rows) < due or (len(rows) > due and not (loader.appends and syncs > 1)):
        lines["rows"] = f"has {len(rows)} rows, though {due} are due"
    for key, record in held.items():
        for field, declared in fields.items():
            value = found.get(key, {}).get(loader.column(field))
            if field == stream.snapshot_field:
                if value is None:
                    lines.setdefault(field, f"{key}: {field} is not there")
                continue
            got, want = exact(loader.stored(value, declared)), exact(loader.expected(record.get(field), declared))
            if got != want:
                lines.setdefault(field, f"{key}: {field} is {shown(got)}, though {shown(want)} is due")
    return [f"{name} {line}" for line in lines.values()]


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:150]} … ({len(text)} characters)"
