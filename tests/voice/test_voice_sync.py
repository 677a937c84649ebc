"""The voice tap against the sandbox: two ways to sign, exports and their ends, snapshots, IVR pages read once."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from support import config_for, run_tap, sync
from taps.engine.errors import InvalidSettingsError
from taps.engine.links import Export
from taps.engine.timestamps import parse_timestamp
from taps.sandbox.server import Sandbox
from taps.voice.streams import CallLegs, Calls, IncrementalExport
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IVR = ["ivrs", "ivr_menus", "ivr_routes"]


@pytest.fixture
def voice() -> Iterator[Sandbox]:
    with Sandbox(api="voice", size=60, seed=5, page_cap=10, export_page=9) as running:
        yield running


def ids(records: list[dict[str, Any]]) -> list[int]:
    return [record["id"] for record in records]


# Ways to sign


def test_the_key_goes_into_each_query_even_where_a_next_link_has_none(voice: Sandbox) -> None:
    output = sync(TapVoice, config_for(voice))
    assert output.exit_code == 0, output.errors
    assert all(request.query.get("api_key") == voice.config["api_key"] for request in voice.requests)
    assert len([request for request in voice.requests if request.path == "/v1/stats/incremental/calls"]) > 5


def test_a_bearer_token_goes_into_the_header_instead(voice: Sandbox) -> None:
    config = {"base_url": voice.base_url, "access_token": "sandbox-token", "backoff_factor": 0}
    output = sync(TapVoice, config)
    assert output.exit_code == 0, output.errors
    assert not any("api_key" in request.query for request in voice.requests)


@pytest.mark.parametrize(
    ("credentials", "found"), [({}, "neither is set"), ({"api_key": "abcd", "access_token": "efgh"}, "both are set")]
)
def test_exactly_one_way_to_sign_must_be_configured(credentials: dict[str, str], found: str) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        TapVoice(config={"base_url": "https://voice.example.com", **credentials})
    assert refused.value.errors == [
        f"Of the settings 'api_key' and 'access_token' exactly one must be made, but {found}"
    ]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize(
    "fault", ["500:path=/v1/addresses", "html:path=/v1/addresses", "reset:path=/v1/addresses", "401"]
)
def test_the_key_is_in_no_output_although_it_is_in_the_url(
    voice: Sandbox, tmp_path: Path, level: str, fault: str
) -> None:
    voice.set_faults([fault])
    env = {**os.environ, "LOGLEVEL": level}
    output = run_tap("tap-voice", config=config_for(voice, max_retries=1), files=tmp_path, env=env)
    assert output.exit_code == 1
    assert fault.partition("path=")[2] in output.log
    assert voice.config["api_key"] not in output.log + output.text
    assert "Traceback" not in output.log or level == "DEBUG"


# Exports


@pytest.mark.parametrize("end", ["same", "null", "empty"])
def test_an_export_ends_however_the_api_lets_it_end(end: str) -> None:
    with Sandbox(api="voice", size=60, seed=5, export_page=9, export_end=end) as voice:
        output = sync(TapVoice, config_for(voice), streams=["calls", "call_legs"])
        assert output.exit_code == 0, output.errors
        for stream in ("calls", "call_legs"):
            assert Counter(ids(output.records(stream))) == Counter(ids(voice.voice.records(stream)))


@pytest.mark.parametrize("sharing", [1, 2, 3, 8])
def test_an_export_ends_where_its_last_records_share_a_second(voice: Sandbox, sharing: int) -> None:
    calls = sorted(voice.voice.records("calls"), key=lambda call: parse_timestamp(call["updated_at"]))
    for call in calls[-sharing:]:
        call["updated_at"] = "2025-12-31T23:59:59Z"
    voice.voice.put("calls", calls)
    output = sync(TapVoice, config_for(voice), streams=["calls"])
    assert output.exit_code == 0, output.errors
    assert Counter(ids(output.records("calls"))) == Counter(ids(calls))
    assert output.bookmark("calls") == "2025-12-31T23:59:59Z"


def test_a_second_with_more_records_than_a_page_is_an_error(voice: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IncrementalExport, "pagination", Export(full_page=9))
    calls = [{**call, "updated_at": "2025-06-01T00:00:00Z"} for call in voice.voice.records("calls")]
    voice.voice.put("calls", calls)
    output = sync(TapVoice, config_for(voice), streams=["calls", "addresses"])
    assert output.exit_code == 1
    assert (
        "Stream 'calls' failed: GET /v1/stats/incremental/calls: 9 records or more share the second 1748736000"
        in output.log
    )
    assert output.counts["addresses"] == len(voice.voice.records("addresses"))


def test_the_vendors_page_is_full_with_a_thousand() -> None:
    assert Calls.pagination == CallLegs.pagination == Export(full_page=1000)


def test_a_second_sync_reads_what_changed_late(voice: Sandbox) -> None:
    first = sync(TapVoice, config_for(voice), streams=["calls", "call_legs"])
    changed = voice.voice.change(calls=5, new=2)
    voice.clear_requests()
    second = sync(TapVoice, config_for(voice), streams=["calls", "call_legs"], state=first.state)
    held = {call["id"]: call for call in voice.voice.records("calls")}
    rows = {call["id"]: call for call in first.records("calls") + second.records("calls")}
    assert {key: row["updated_at"] for key, row in rows.items()} == {
        key: row["updated_at"] for key, row in held.items()
    }
    assert {*changed["calls"], *changed["new"]} <= set(ids(second.records("calls")))
    assert len(second.records("calls")) < len(first.records("calls")) // 2
    start = parse_timestamp(first.bookmark("calls") or "").timestamp()
    assert voice.requests[0].query["start_time"] == str(int(start))


def test_a_sync_resumed_from_any_state_loses_nothing(voice: Sandbox) -> None:
    config = config_for(voice, page_size=7)
    output = sync(TapVoice, config, streams=["calls"])
    everything = set(ids(output.records("calls")))
    for position, message in enumerate(output.messages):
        if message["type"] == "STATE":
            got = {before["record"]["id"] for before in output.messages[:position] if before["type"] == "RECORD"}
            resumed = sync(TapVoice, config, streams=["calls"], state=message["value"])
            assert got | set(ids(resumed.records("calls"))) == everything


# Snapshots and IVR


def test_each_sync_adds_a_row_to_the_snapshots(voice: Sandbox) -> None:
    streams = ["account_overview", "agents_overview", "current_queue_activity"]
    rows = [
        record
        for _ in range(2)
        for record in sync(TapVoice, config_for(voice), streams=streams).records("account_overview")
    ]
    assert len(rows) == len({row["current_timestamp"] for row in rows}) == 2
    assert all(abs(parse_timestamp(row["current_timestamp"]).timestamp() - time.time()) < 60 for row in rows)


def test_ivr_pages_are_asked_for_once_for_its_three_streams(voice: Sandbox) -> None:
    alone = sync(TapVoice, config_for(voice), streams=["ivrs"])
    once = [request.path for request in voice.requests].count("/v1/ivr")
    voice.clear_requests()
    output = sync(TapVoice, config_for(voice), streams=IVR)
    assert [request.path for request in voice.requests].count("/v1/ivr") == once
    assert output.records("ivrs") == alone.records("ivrs")


def test_menus_and_routes_carry_what_they_are_nested_in(voice: Sandbox) -> None:
    output = sync(TapVoice, config_for(voice), streams=IVR)
    menus = {menu["id"]: menu["ivr_id"] for menu in output.records("ivr_menus")}
    assert set(menus.values()) <= set(ids(output.records("ivrs")))
    assert output.records("ivr_routes")
    assert all(menus[route["ivr_menu_id"]] == route["ivr_id"] for route in output.records("ivr_routes"))


def test_greetings_have_text_ids(voice: Sandbox) -> None:
    output = sync(TapVoice, config_for(voice), streams=["greetings"])
    assert {type(greeting["id"]) for greeting in output.records("greetings")} == {str}
    assert any(greeting["id"].isdigit() for greeting in output.records("greetings"))
    assert any(not greeting["id"].isdigit() for greeting in output.records("greetings"))


def test_discovery_lists_13_streams(tmp_path: Path) -> None:
    output = run_tap("tap-voice", "--discover", files=tmp_path)
    assert len(json.loads(output.text)["streams"]) == 13
