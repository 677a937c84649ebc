"""Taps that nobody here wrote, installed from PyPI in environments of their own, run through the bridge into DuckDB.

`tap-rest-api-msdk` is on an old version of Meltano's SDK; `tap-rest-api` on singer-python, with a state that says which
stream is being read, a catalog without keys, and its selection in the schema.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import pytest
from werkzeug import Response

from taps.bridge import singer_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer
    from werkzeug import Request

_REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
_PAGE = 20
_EPOCH = datetime(2024, 1, 1, tzinfo=timezone.utc)


@dataclass
class Api:
    """An API of two lists, in pages, from a date on."""

    url: str
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"tickets": [], "macros": []})

    def add(self, stream: str, count: int) -> None:
        for number in range(len(self.rows[stream]), len(self.rows[stream]) + count):
            self.put(stream, number + 1, number)

    def put(self, stream: str, key: int, hour: int) -> None:
        """Make a row, or change it: it is the newest one."""
        self.rows[stream] = [row for row in self.rows[stream] if row["id"] != key]
        self.rows[stream].append(
            {
                "id": key,
                "updated_at": (_EPOCH + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "subject": f"Nº {key} at {hour}" if key % 3 else None,
                "score": key / 8,
                "open": key % 2 == 0,
                "tags": ["a", f"b{key}"],
            }
        )

    def answer(self, request: Request) -> Response:
        name = request.path.strip("/")
        since, page = request.args.get("since", "").rstrip("Z"), int(request.args.get("page", 1))
        rows = [row for row in self.rows[name] if row["updated_at"] >= since]
        begin = (page - 1) * _PAGE
        more = page + 1 if len(rows) > begin + _PAGE else None
        return Response(json.dumps({name: rows[begin : begin + _PAGE], "next": more}), mimetype="application/json")


@pytest.fixture
def api(httpserver: HTTPServer) -> Api:
    made = Api(httpserver.url_for("").rstrip("/"))
    for stream in made.rows:
        httpserver.expect_request(f"/{stream}").respond_with_handler(made.answer)
    made.add("tickets", 45)
    made.add("macros", 3)
    return made


@dataclass
class Tap:
    """A tap in an environment of its own, and its settings for the API above."""

    command: Path
    settings: Callable[[Api, Path], dict[str, Any]]

    def by_hand(self, config: dict[str, Any], folder: Path, state: Any = None) -> tuple[dict[str, list[Any]], Any]:
        """Run it as without the bridge: give the records of each stream, and the last state."""
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        run: list[str | Path] = [self.command, "--config", folder / "config.json"]
        catalog = json.loads(subprocess.run([*run, "--discover"], check=True, capture_output=True).stdout)
        for stream in catalog["streams"]:
            stream["schema"]["selected"] = True
        (folder / "catalog.json").write_text(json.dumps(catalog))
        run += ["--catalog", folder / "catalog.json"]
        if state:
            (folder / "state.json").write_text(json.dumps(state))
            run += ["--state", folder / "state.json"]
        lines = subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines()
        messages = [json.loads(line) for line in lines]
        records: dict[str, list[Any]] = {}
        for message in messages:
            if message["type"] == "RECORD":
                records.setdefault(message["stream"], []).append(message["record"])
        return records, [message["value"] for message in messages if message["type"] == "STATE"][-1]


def installed(name: str, factory: pytest.TempPathFactory) -> Path:
    """Install a tap apart from the project, as its users do: it needs other versions of what the project has."""
    folder = factory.mktemp(name)
    venv.create(folder, with_pip=False)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "-q"]
    pinned: list[str | Path] = ["--no-deps", "-r", _REQUIREMENTS / f"{name}.txt"]
    subprocess.run([*pip, *pinned], check=True, capture_output=True)
    return folder / "bin" / name


@pytest.fixture(scope="session")
def sdk_tap(tmp_path_factory: pytest.TempPathFactory) -> Tap:
    def settings(api: Api, _: Path) -> dict[str, Any]:
        of_all = {
            "primary_keys": ["id"],
            "replication_key": "updated_at",
            "start_date": "2024-01-01T00:00:00Z",
            "source_search_field": "since",
            "source_search_query": "$last_run_date",
        }
        return {
            "api_url": api.url,
            "next_page_token_path": "$.next",
            "pagination_request_style": "jsonpath_paginator",
            "pagination_response_style": "page",
            "streams": [
                {"name": name, "path": f"/{name}", "records_path": f"$.{name}[*]", **of_all} for name in api.rows
            ],
        }

    return Tap(installed("tap-rest-api-msdk", tmp_path_factory), settings)


@pytest.fixture(scope="session")
def old_tap(tmp_path_factory: pytest.TempPathFactory) -> Tap:
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "updated_at": {"type": ["null", "string"], "format": "date-time"},
            "subject": {"type": ["null", "string"]},
            "score": {"type": ["null", "number"]},
            "open": {"type": ["null", "boolean"]},
            "tags": {"type": ["null", "array"], "items": {"type": "string"}},
        },
    }

    def settings(api: Api, folder: Path) -> dict[str, Any]:
        schemas = folder / "schemas"
        schemas.mkdir(exist_ok=True)
        for name in api.rows:
            (schemas / f"{name}.json").write_text(json.dumps(schema))
        return {
            "url": f"{api.url}/{{stream}}?since={{start_datetime}}&page={{current_page_one_base}}",
            "streams": ",".join(api.rows),
            "record_list_level": {name: f"$.{name}[*]" for name in api.rows},
            "schema_dir": str(schemas),
            "datetime_key": "updated_at",
            "start_datetime": "2024-01-01T00:00:00Z",
            "url_param_isoformat_use_zulu": True,
            "items_per_page": _PAGE,
        }

    return Tap(installed("tap-rest-api", tmp_path_factory), settings)


@pytest.fixture(params=["sdk_tap", "old_tap"])
def tap(request: pytest.FixtureRequest) -> Tap:
    found: Tap = request.getfixturevalue(request.param)
    return found


class Warehouse:
    """A DuckDB that dlt fills."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "warehouse.duckdb"
        self.pipelines = folder / "pipelines"

    def pipeline(self) -> dlt.Pipeline:
        return dlt.pipeline(
            "foreign",
            destination=dlt.destinations.duckdb(str(self._file)),
            dataset_name="rows",
            pipelines_dir=str(self.pipelines),
        )

    def bookmarks(self) -> dict[str, Any]:
        resources = self.pipeline().state["sources"]["foreign"]["resources"]
        return {name: kept["bookmark"] for name, kept in resources.items()}

    def rows(self, stream: str) -> list[dict[str, Any]]:
        with closing(duckdb.connect(str(self._file))) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found = connection.execute(f"SELECT * FROM rows.{stream} ORDER BY id")
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def as_loaded(record: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """Give a record of a tap as a row of the database has it."""
    loaded = dict(record)
    if isinstance(like["updated_at"], datetime):
        loaded["updated_at"] = datetime.fromisoformat(record["updated_at"].replace("Z", "+00:00"))
    if isinstance(record["tags"], list):
        loaded["tags"] = json.dumps(record["tags"])  # a column of JSON has it as the tap writes it
    return loaded


def test_every_row_is_what_the_tap_gives_and_a_second_run_reads_what_changed(
    tap: Tap, api: Api, tmp_path: Path
) -> None:
    warehouse = Warehouse(tmp_path)
    config = tap.settings(api, tmp_path)

    def load() -> None:
        source = singer_source(
            str(tap.command),
            config,
            name="foreign",
            write_disposition="merge",
            primary_key="id",
            streams=list(api.rows),
        )
        warehouse.pipeline().run(source)

    load()
    records, state = tap.by_hand(config, tmp_path / "first")
    assert {stream: len(rows) for stream, rows in records.items()} == {"tickets": 45, "macros": 3}
    for stream, expected in records.items():
        found = warehouse.rows(stream)
        assert found == [as_loaded(record, found[0]) for record in expected]
    assert warehouse.bookmarks() == state["bookmarks"]

    api.add("tickets", 30)
    api.put("tickets", 7, 400)
    load()
    changed, later = tap.by_hand(config, tmp_path / "second", state)
    assert {record["id"] for record in changed["tickets"]} >= {7, *range(46, 76)}
    assert len(changed["tickets"]) <= 32
    of_key = {record["id"]: record for record in [*records["tickets"], *changed["tickets"]]}
    found = warehouse.rows("tickets")
    assert found == [as_loaded(of_key[key], found[0]) for key in range(1, 76)]
    assert warehouse.bookmarks() == later["bookmarks"]

    # On a new machine it goes on from what the destination knows.
    shutil.rmtree(warehouse.pipelines)
    load()
    assert warehouse.rows("tickets") == found
    assert warehouse.bookmarks() == later["bookmarks"]


def test_a_stream_alone_is_read_alone(tap: Tap, api: Api, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    source = singer_source(str(tap.command), tap.settings(api, tmp_path), name="foreign")
    assert set(source.resources) >= {"tickets", "macros"}
    warehouse.pipeline().run(source.with_resources("macros"))
    assert [row["id"] for row in warehouse.rows("macros")] == [1, 2, 3]
    with pytest.raises(duckdb.CatalogException):
        warehouse.rows("tickets")
