"""What the SDK offers on top of any tap still works on ours."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from support import config_for, sync
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

# The SDK builds its suite when this module is read and runs it later, so this server lives as long as the module.
_sandbox = Sandbox(tickets=30, seed=11, page_cap=10)
_sandbox.__enter__()


def teardown_module() -> None:
    _sandbox.__exit__(None, None, None)


# Some fields are in a product's answers and in none of the sandbox's. That no field is lost on the way is tested with
# each value: tests/contract/test_streams.py.
TestStandardSuite = pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning")(
    get_tap_test_class(
        tap_class=TapHelpdesk,
        config=config_for(_sandbox),
        suite_config=SuiteConfig(max_records_limit=500),
    )
)


def test_stream_maps_rename_and_filter(shared_sandbox: Sandbox) -> None:
    maps = {"tickets": {"shout": "subject.upper()", "__else__": None, "id": "id"}, "agents": "__NULL__"}
    output = sync(TapHelpdesk, config_for(shared_sandbox, stream_maps=maps), streams=["tickets", "agents"])
    assert output.exit_code == 0
    assert set(output.counts) == {"tickets"}
    assert output.records("tickets")[0].keys() == {"id", "shout"}


def test_flattening_makes_columns_of_nested_fields(shared_sandbox: Sandbox) -> None:
    config = config_for(shared_sandbox, flattening_enabled=True, flattening_max_depth=1)
    output = sync(TapHelpdesk, config, streams=["tickets"])
    assert "requester__name" in output.records("tickets")[0]
    assert "requester__name" in output.schema("tickets")["schema"]["properties"]


def test_batches_hold_every_record(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    batch_config = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": f"file://{tmp_path}"}}
    output = sync(TapHelpdesk, config_for(shared_sandbox, batch_config=batch_config), streams=["tickets"])
    files = [path for message in output.messages if message["type"] == "BATCH" for path in message["manifest"]]
    rows = [
        json.loads(line)
        for path in files
        for line in gzip.decompress(Path(urlsplit(path).path).read_bytes()).splitlines()
    ]
    assert {row["id"] for row in rows} == {ticket["id"] for ticket in shared_sandbox.helpdesk.records("tickets")}


def test_deselected_fields_are_left_out_and_keys_never(
    shared_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    tap = TapHelpdesk(config=config_for(shared_sandbox))
    for field in ("id", "updated_at", "description"):
        tap.streams["tickets"].metadata["properties", field].selected = False
    for name, stream in tap.streams.items():
        stream.selected = name == "tickets"
    tap.sync_all()
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert all("description" not in record and record["id"] and record["updated_at"] for record in records)
    assert messages[-1]["value"]["bookmarks"]["tickets"]["replication_key_value"]
