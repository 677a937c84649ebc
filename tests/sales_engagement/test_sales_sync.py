"""The sales engagement tap: tokens that rotate, JSON:API and flat records, filters, pages that are too heavy."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from support import command, config_for, run_tap, selected_catalog, sync
from taps.engine.timestamps import parse_timestamp
from taps.sales_engagement.streams import CreatedStream, UpdatedStream
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CORE = {
    *("accounts", "calls", "call_dispositions", "call_purposes", "mailboxes", "mailings", "opportunities", "personas"),
    *("prospects", "sequence_states", "sequence_steps", "sequences", "snippets", "stages", "tasks", "teams"),
    *("templates", "users"),
}


@pytest.fixture
def sales() -> Iterator[Sandbox]:
    with Sandbox(api="sales_engagement", size=50, seed=5, page_cap=20, rotate=True) as running:
        yield running


def held(sandbox: Sandbox) -> dict[str, int]:
    return {name: count for name, count in sandbox.sales_engagement.counts().items() if count}


def test_47_streams_with_the_18_of_the_core() -> None:
    names = {stream.name for stream in TapSalesEngagement.stream_types}
    assert len(names) == 47
    assert names >= CORE


def test_streams_are_incremental_where_the_api_can_be_asked() -> None:
    kinds = Counter(stream.replication_key for stream in TapSalesEngagement.stream_types)
    assert kinds == {"updatedAt": 36, "createdAt": 3, None: 8}


# Tokens


def test_tokens_are_renewed_when_they_end_in_mid_sync(sales: Sandbox, tmp_path: Path) -> None:
    with Sandbox(api="sales_engagement", size=50, seed=5, rotate=True, token_ttl=1, latency=0.02) as short:
        output = sync(
            TapSalesEngagement, config_for(short, token_cache_path=str(tmp_path / "tokens.json"), page_size=10)
        )
        assert output.exit_code == 0, output.errors
        assert dict(output.counts) == held(short)
        assert short.sales_engagement.tokens_minted > 1
        assert short.sales_engagement.refused_refreshes == 0


def test_a_token_that_is_refused_in_mid_sync_is_renewed_once(sales: Sandbox, tmp_path: Path) -> None:
    sales.set_faults(["401:every=9"])
    output = sync(TapSalesEngagement, config_for(sales, token_cache_path=str(tmp_path / "tokens.json")))
    assert output.exit_code == 0, output.errors
    assert dict(output.counts) == held(sales)


def test_ten_syncs_in_a_row_with_a_token_that_rotates(sales: Sandbox, tmp_path: Path) -> None:
    cache = tmp_path / "tokens.json"
    for _ in range(10):
        sales.sales_engagement.expire()
        output = sync(TapSalesEngagement, config_for(sales, token_cache_path=str(cache)), streams=["teams"])
        assert output.exit_code == 0, output.errors
    assert sales.sales_engagement.tokens_minted == 10
    assert sales.sales_engagement.refused_refreshes == 0
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert json.loads(cache.read_text())["refresh_token"] == sales.sales_engagement.current_refresh_token


def test_a_kill_right_after_the_token_came_locks_nobody_out(sales: Sandbox, tmp_path: Path) -> None:
    config = config_for(sales, token_cache_path=str(tmp_path / "tokens.json"))
    (tmp_path / "config.json").write_text(json.dumps(config))
    for round_ in range(1, 4):
        sales.set_faults(["slow:path=/v1/*,seconds=20"])
        process = subprocess.Popen(
            [command("tap-sales-engagement"), "--config", str(tmp_path / "config.json")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(400):
            if sales.sales_engagement.tokens_minted == round_:
                break
            time.sleep(0.01)
        deadline = time.monotonic() + 5
        while not (tmp_path / "tokens.json").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        sales.sales_engagement.expire()
    sales.set_faults([])
    output = sync(TapSalesEngagement, config, streams=["teams"])
    assert output.exit_code == 0, output.errors


def test_two_taps_started_at_once_do_not_void_each_others_token(sales: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_for(sales, token_cache_path=str(tmp_path / "tokens.json"))))
    taps = [
        subprocess.Popen(
            [command("tap-sales-engagement"), "--config", str(tmp_path / "config.json")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    logs = [tap.communicate(timeout=60)[1] for tap in taps]
    assert [tap.returncode for tap in taps] == [0, 0], logs
    assert sales.sales_engagement.tokens_minted == 1
    assert sales.sales_engagement.refused_refreshes == 0


def test_a_void_refresh_token_is_one_clear_line(sales: Sandbox, tmp_path: Path) -> None:
    output = run_tap(
        "tap-sales-engagement", config=config_for(sales, refresh_token="stale-refresh-token"), files=tmp_path
    )
    assert output.exit_code == 1
    assert len(output.errors) == 1
    assert "No stream could be read. POST /oauth/token: 400" in output.errors[0]
    assert "Check 'client_secret' and 'refresh_token'" in output.errors[0]
    assert "stale-refresh-token" not in output.log
    assert "Traceback" not in output.log


@pytest.mark.parametrize(
    "fault", ["500:path=/v1/teams", "malformed:path=/oauth/token", "401:path=/v1/teams", "reset:path=/v1/teams"]
)
def test_no_secret_is_in_any_output_of_a_failing_run(sales: Sandbox, tmp_path: Path, fault: str) -> None:
    sales.set_faults([fault])
    cache = tmp_path / "tokens.json"
    config = config_for(sales, token_cache_path=str(cache), max_retries=1)
    env = {**os.environ, "LOGLEVEL": "DEBUG"}
    output = run_tap("tap-sales-engagement", config=config, files=tmp_path, env=env)
    assert output.exit_code == 1
    tokens = (
        [value for value in json.loads(cache.read_text()).values() if isinstance(value, str)] if cache.exists() else []
    )
    for secret in [
        config["client_secret"],
        config["refresh_token"],
        sales.sales_engagement.current_refresh_token,
        *tokens,
    ]:
        assert secret not in output.log + output.text


# Records


@pytest.mark.parametrize("flat", [True, False])
def test_flat_and_jsonapi_records_become_the_same(flat: bool) -> None:  # noqa: FBT001
    with Sandbox(api="sales_engagement", size=30, seed=6, flat=flat) as sandbox:
        output = sync(TapSalesEngagement, config_for(sandbox), streams=["prospects"])
        rows = {row["id"]: row for row in output.records("prospects")}
        assert rows.keys() == {row["id"] for row in sandbox.sales_engagement.records("prospects")}
        for row in sandbox.sales_engagement.records("prospects"):
            assert rows[row["id"]]["ownerId"] == row["ownerId"]
            assert rows[row["id"]]["emailAddressIds"] == row["emailAddressIds"]


def test_collections_are_asked_for_by_change_sorted_and_in_milliseconds(sales: Sandbox) -> None:
    state = {
        "bookmarks": {
            "prospects": {"replication_key": "updatedAt", "replication_key_value": "2025-01-02T03:04:05.678901Z"}
        }
    }
    sync(TapSalesEngagement, config_for(sales), streams=["prospects", "events", "webhooks"], state=state)
    first = {request.path: request.query for request in reversed(sales.requests) if request.path.startswith("/v1/")}
    assert first["/v1/prospects"] == {
        "sort": "updatedAt",
        "count": "false",
        "filter[updatedAt]": "2025-01-02T03:04:05.678Z..inf",
        "page[size]": "1000",
    }
    assert first["/v1/events"]["filter[createdAt]"] == "1970-01-01T00:00:00Z..inf"
    assert first["/v1/webhooks"] == {"count": "false", "page[size]": "1000"}


def test_a_second_sync_brings_what_changed(sales: Sandbox, tmp_path: Path) -> None:
    config = config_for(sales, token_cache_path=str(tmp_path / "tokens.json"))
    first = sync(TapSalesEngagement, config)
    changed = sales.sales_engagement.change(prospects=4, accounts=2, new=3)
    second = sync(TapSalesEngagement, config, state=first.state)
    assert second.exit_code == 0, second.errors
    for stream in ("prospects", "accounts"):
        rows = {row["id"]: row for row in first.records(stream) + second.records(stream)}
        now = {row["id"]: row["updatedAt"] for row in sales.sales_engagement.records(stream)}
        assert {key: row["updatedAt"] for key, row in rows.items()} == now
    assert {*changed["prospects"], *changed["new"]} <= {row["id"] for row in second.records("prospects")}
    assert second.counts["prospects"] < first.counts["prospects"] // 2


def test_a_bookmark_moves_only_when_the_collection_is_done(sales: Sandbox) -> None:
    sales.set_faults(["500:path=/v1/prospects,after=1"])
    output = sync(TapSalesEngagement, config_for(sales, max_retries=0), streams=["prospects"])
    assert output.exit_code == 1
    assert output.records("prospects")
    assert output.bookmark("prospects") is None


def test_pages_that_are_too_heavy_are_asked_for_in_halves() -> None:
    with Sandbox(api="sales_engagement", size=120, seed=5, heavy="prospects=25") as heavy:
        output = sync(TapSalesEngagement, config_for(heavy, page_size=100), streams=["prospects"])
        assert output.exit_code == 0, output.errors
        keys: list[Any] = [row["id"] for row in output.records("prospects")]
        assert Counter(keys) == Counter(row["id"] for row in heavy.sales_engagement.records("prospects"))
        asked = [int(request.query["page[size]"]) for request in heavy.requests if request.path == "/v1/prospects"]
        assert asked[:5] == [100, 100, 50, 50, 25]
        assert set(asked[5:]) == {25}


def test_bookmarks_are_at_the_newest_record(sales: Sandbox) -> None:
    output = sync(TapSalesEngagement, config_for(sales))
    for stream in TapSalesEngagement.stream_types:
        if issubclass(stream, UpdatedStream | CreatedStream) and output.records(stream.name):
            newest = max(parse_timestamp(row[str(stream.replication_key)]) for row in output.records(stream.name))
            assert parse_timestamp(output.bookmark(stream.name) or "") == newest


def test_a_catalog_selects(sales: Sandbox) -> None:
    catalog = selected_catalog(TapSalesEngagement, config_for(sales), ["teams", "users"])
    assert set(sync(TapSalesEngagement, config_for(sales), catalog=catalog).counts) == {"teams", "users"}
