"""`scripts/demo.py --dlt`: sandbox, the bridge and DuckDB, two runs with changes between, every value compared."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from support import ROOT
from taps.sandbox.apis import APIS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

LOGS = ROOT / ".cache" / "logs"
ROW = re.compile(r"│ (\w+) +│ +([\d,]+) │ +([\d,]+) │ +([\d,]+) │ +([\d,]+) │")


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "demo.py"), "--dlt", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)


def test_every_stream_is_in_duckdb_after_a_run_and_after_one_that_reads_changes(tmp_path: Path) -> None:
    done = demo("--size", "120", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "tap-helpdesk through dlt into schema helpdesk" in done.stdout
    assert "Every row in DuckDB has been held against the sandbox's record" in done.stdout

    shown = {name: [int(number.replace(",", "")) for number in numbers] for name, *numbers in ROW.findall(done.stdout)}
    streams = {path.stem for path in (ROOT / "schemas" / "helpdesk").iterdir()}
    assert shown.keys() == streams
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as warehouse:
        for stream, (_, _, in_duckdb, in_sandbox) in shown.items():
            count = warehouse.execute(f"select count(*) from helpdesk.{stream}").fetchone()
            assert count == (in_duckdb,)
            assert in_duckdb == in_sandbox, stream
    assert shown["tickets"][0] == 120
    assert shown["tickets"][3] == 125
    assert 30 <= shown["tickets"][1] < 60

    for number in (1, 2):
        log = (LOGS / f"demo-dlt-tap-helpdesk-{number}.log").read_text(encoding="utf-8")
        assert "Beginning" in log
        assert APIS["helpdesk"].credentials["api_key"] not in log


def test_what_is_asked_for_wrongly_is_one_line() -> None:
    done = demo("--output", str(ROOT / "schemas"))
    assert done.returncode != 0
    assert done.stderr == "demo: --output schemas is not empty; name a folder that is, or one that is not there yet\n"
    assert not done.stdout


class TestDifferences:
    """What makes the demo end with an error."""

    @pytest.fixture
    def parts(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        monkeypatch.syspath_prepend(str(ROOT / "scripts"))
        for name, value in {"RUNTIME__DLTHUB_TELEMETRY": "false", "NO_PROXY": "*", "no_proxy": "*"}.items():
            monkeypatch.setenv(name, value)  # so that what the demo sets is undone
        bridge = importlib.import_module("demo_support.bridge")
        monkeypatch.setattr(bridge, "LOGS", tmp_path)
        return importlib.import_module("demo"), bridge, importlib.import_module("demo_support.subjects").SUBJECTS

    def world(self, sandbox: Sandbox, subject: Any, **settings: Any) -> Any:
        worlds = importlib.import_module("demo_support.sandbox")
        return worlds.World(subject, {**sandbox.config, **settings})

    def test_a_row_or_a_value_that_is_not_the_sandboxs_is_named(self, parts: Any, tmp_path: Path) -> None:
        demo, bridge, subjects = parts
        with Sandbox("contact_center", size=20) as sandbox:
            world = self.world(sandbox, subjects["contact_center"])
            pipeline = bridge.Bridge(tmp_path, [world])
            pipeline.install()
            sync = pipeline.run(world, 1)
            held = world.records()
            assert sync.rows == {name: len(records) for name, records in held.items()}
            demo.compare(pipeline, world.subject, held, syncs=1)
            with duckdb.connect(str(pipeline.warehouse)) as warehouse:
                (key,) = warehouse.execute("select min(id) from contact_center.agents_overview").fetchone() or ()
                warehouse.execute("update contact_center.agents_overview set name = 'x' where id = ?", [key])
                table = "contact_center.account_overview"
                warehouse.execute(f"delete from {table} where id = (select min(id) from {table})")
            with pytest.raises(demo.DemoError) as raised:
                demo.compare(pipeline, world.subject, held, syncs=1)
        rows = len(held["account_overview"])
        assert f"account_overview has {rows - 1} rows, though {rows} are due" in str(raised.value)
        assert f"agents_overview has in row {key} another name than the record" in str(raised.value)

    def test_a_load_that_fails_is_one_line(self, parts: Any, tmp_path: Path) -> None:
        demo, bridge, subjects = parts
        with Sandbox("contact_center", size=20) as sandbox:
            world = self.world(sandbox, subjects["contact_center"], api_key="not-this-one")
            with pytest.raises(demo.DemoError, match="401") as raised:
                bridge.Bridge(tmp_path, [world]).run(world, 1)
        message = str(raised.value)
        assert message.startswith("dlt could not load tap-contact-center (")
        assert "\n" not in message
        assert "not-this-one" not in message + (tmp_path / "demo-dlt-tap-contact-center-1.log").read_text()
