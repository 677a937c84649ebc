"""`scripts/demo.py` for each tap: sandbox, Meltano and DuckDB, two runs with changes between, every value compared."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from support import ROOT
from taps.sandbox.apis import APIS
from taps_under_test import TAPS

if TYPE_CHECKING:
    from pathlib import Path

LOGS = ROOT / ".cache" / "logs"
SECRETS = ("api_key", "client_secret", "refresh_token")


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "demo.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


STREAMS = {tap.api: len(tap.streams) for tap in TAPS}


@pytest.mark.parametrize("api", APIS)
def test_every_value_of_every_stream_is_in_duckdb_after_a_full_run_and_after_one_that_reads_changes(
    api: str, tmp_path: Path
) -> None:
    tap = APIS[api].tap
    done = demo("--tap", tap, "--size", "120", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert f"{tap} into schema {api}" in done.stdout
    assert "Every row in DuckDB has been held against the sandbox's record" in done.stdout
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as warehouse:
        query = "select table_schema, count(*) from information_schema.tables group by all"
        assert warehouse.execute(query).fetchall() == [(api, STREAMS[api])]

    secrets = [value for name, value in APIS[api].credentials.items() if name in SECRETS]
    tokens = tmp_path / "tokens.json"
    secrets += (
        [value for value in json.loads(tokens.read_text()).values() if isinstance(value, str)]
        if tokens.exists()
        else []
    )
    for number in (1, 2):
        log = (LOGS / f"demo-{tap}-{number}.log").read_text(encoding="utf-8")
        assert log
        assert not [secret for secret in secrets if secret in log]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tap", "tap-fax"), "there is no tap 'tap-fax'; there are tap-helpdesk, tap-voice, "),
        (("--all", "--tap", "voice"), "not allowed with argument"),
        (("--output", str(ROOT / "schemas")), "--output schemas is not empty"),
    ],
)
def test_what_is_asked_for_wrongly_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = demo(*arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert done.stderr.startswith("demo: ")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


class TestComparison:
    """What makes the demo fail when a row or a value is not as it should be."""

    THINGS = SimpleNamespace(name="things", primary_keys=("id",), snapshot_field=None)
    NOW = SimpleNamespace(name="now", primary_keys=("current_timestamp",), snapshot_field="current_timestamp")

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        with duckdb.connect(str(tmp_path / "w.duckdb")) as warehouse:
            warehouse.execute("create schema api")
            warehouse.execute("create table api.things (id bigint, updatedat timestamp, tags json, name varchar)")
            warehouse.execute("""insert into api.things values (1, '2024-01-31 08:00:00.5', '["1"]', null)""")
            warehouse.execute("create table api.now (current_timestamp timestamp, waiting bigint)")
            warehouse.executemany("insert into api.now values (?, 3)", [[datetime(2024, 1, day)] for day in (1, 2)])  # noqa: DTZ001
        return tmp_path / "w.duckdb"

    def differences(self, file: Path, monkeypatch: pytest.MonkeyPatch, stream: Any, *records: dict[str, Any]) -> Any:
        monkeypatch.syspath_prepend(str(ROOT / "scripts"))
        warehouse = importlib.import_module("demo_support.warehouse")
        return warehouse.differences(file, "api", [stream], {stream.name: records}, syncs=2)

    def test_equal_rows_are_equal_whatever_form_duckdb_gives_them(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = {"id": 1, "updatedAt": "2024-01-31T09:00:00.500+01:00", "tags": [1], "name": ""}
        assert self.differences(file, monkeypatch, self.THINGS, record) == []
        assert self.differences(file, monkeypatch, self.NOW, {"waiting": 3}) == []

    @pytest.mark.parametrize(
        ("change", "difference"),
        [
            ({"id": 2}, "things has row 1, which is no record"),
            ({"updatedAt": "2024-01-31T08:00:00Z"}, "things has in row 1 another updatedAt than the record"),
            ({"tags": [1, 2]}, "things has in row 1 another tags than the record"),
            ({"name": "x"}, "things has in row 1 another name than the record"),
            ({"colour": None}, "things has in row 1 another colour than the record"),
        ],
    )
    def test_what_differs_is_named(
        self, file: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], difference: str
    ) -> None:
        record = {"id": 1, "updatedAt": "2024-01-31T08:00:00.5Z", "tags": ["1"], "name": None}
        assert self.differences(file, monkeypatch, self.THINGS, {**record, **change}) == [difference]

    def test_missing_rows_are_counted(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = self.differences(file, monkeypatch, self.THINGS, {"id": 1}, {"id": 2})
        assert lines == ["things has 1 rows, though 2 are due"]
        assert self.differences(file, monkeypatch, self.NOW, {"waiting": 4}) == [
            "now has in a row another waiting than the record"
        ]
