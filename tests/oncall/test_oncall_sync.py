"""The on-call tap: keys with prefixes, windows of 20,000, children with keys of their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support import config_for, run_tap, sync
from taps.engine.links import BodyLink
from taps.engine.timestamps import parse_timestamp
from taps.oncall.streams import Alerts, Incidents, SearchedStream
from taps.oncall.tap import TapOncall
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def oncall() -> Iterator[Sandbox]:
    with Sandbox(api="oncall", size=40, seed=5, page_cap=10) as running:
        yield running


@pytest.mark.parametrize(("served", "configured"), [("", ""), ("GenieKey ", "GenieKey"), ("GenieKey ", "GenieKey ")])
def test_the_key_is_in_the_header_after_its_prefix(served: str, configured: str) -> None:
    with Sandbox(api="oncall", size=5, auth_prefix=served) as oncall:
        output = sync(TapOncall, config_for(oncall, auth_prefix=configured), streams=["teams"])
        assert output.exit_code == 0, output.errors
        assert oncall.requests[0].headers["authorization"] == f"{served}{oncall.config['api_key']}"


def test_alerts_are_searched_by_change(oncall: Sandbox) -> None:
    state = {
        "bookmarks": {
            "alerts": {"replication_key": "updatedAt", "replication_key_value": "2025-01-02T03:04:05.678901Z"}
        }
    }
    sync(TapOncall, config_for(oncall), streams=["alerts"], state=state)
    assert oncall.requests[0].query == {
        "query": "updatedAt >= 1735787045678",
        "sort": "updatedAt",
        "order": "asc",
        "limit": "100",
    }


def test_teams_and_integrations_are_not_paginated(oncall: Sandbox) -> None:
    sync(TapOncall, config_for(oncall), streams=["teams", "integrations"])
    assert [(request.path, request.query) for request in oncall.requests] == [
        ("/v2/integrations", {}),
        ("/v2/teams", {}),
    ]


def test_the_vendors_window_is_the_default() -> None:
    assert Alerts.pagination == Incidents.pagination == BodyLink("paging.next", window=20_000)


@pytest.mark.parametrize("window_end", ["refused", "no-link"])
@pytest.mark.parametrize("size", [39, 40, 41, 200])
def test_alerts_beyond_a_window_arrive_once(window_end: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SearchedStream, "pagination", BodyLink("paging.next", window=40))
    with Sandbox(api="oncall", size=size, seed=5, query_window=40, window_end=window_end) as oncall:
        output = sync(TapOncall, config_for(oncall, page_size=10), streams=["alerts", "incidents"])
        assert output.exit_code == 0, output.errors
        for stream in ("alerts", "incidents"):
            expected = Counter(row["id"] for row in oncall.oncall.records(stream))
            assert Counter(row["id"] for row in output.records(stream)) == expected


def test_25_000_alerts_arrive_through_a_window_of_20_000() -> None:
    with Sandbox(api="oncall", size=25_000, seed=5) as oncall:
        output = sync(TapOncall, config_for(oncall), streams=["alerts"])
        assert output.exit_code == 0, output.errors
        keys = [row["id"] for row in output.records("alerts")]
        assert len(keys) == len(set(keys)) == 25_000


def test_a_second_sync_brings_what_changed_with_its_children(oncall: Sandbox) -> None:
    first = sync(TapOncall, config_for(oncall))
    changed = oncall.oncall.change(alerts=5, new=2, incidents=1)
    second = sync(TapOncall, config_for(oncall), state=first.state)
    assert second.exit_code == 0, second.errors
    touched = {*changed["alerts"], *changed["new"]}
    assert touched <= {row["id"] for row in second.records("alerts")}
    assert second.counts["alerts"] < first.counts["alerts"] // 2
    rows = {(row["alert_id"], row["offset"]) for row in first.records("alert_logs") + second.records("alert_logs")}
    assert rows == {(row["alert_id"], row["offset"]) for row in oncall.oncall.records("alert_logs")}
    assert {row["alert_id"] for row in second.records("alert_logs")} >= touched


def test_children_have_keys_of_their_parents_and_of_what_is_nested(oncall: Sandbox) -> None:
    output = sync(TapOncall, config_for(oncall))
    recipients = output.records("alert_recipients")
    assert recipients
    assert all(row["user_id"] == row["user"]["id"] for row in recipients)
    assert {row["alert_id"] for row in recipients} <= {row["id"] for row in output.records("alerts")}
    assert {row["user_id"] for row in output.records("user_teams")} <= {row["id"] for row in output.records("users")}


def test_timestamps_of_any_precision_are_ordered(oncall: Sandbox) -> None:
    output = sync(TapOncall, config_for(oncall), streams=["alerts"])
    newest = max(parse_timestamp(row["updatedAt"]) for row in output.records("alerts"))
    assert output.bookmark("alerts") == newest.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_key_is_in_no_output(oncall: Sandbox, tmp_path: Path) -> None:
    oncall.set_faults(["500:path=/v2/teams"])
    output = run_tap("tap-oncall", config=config_for(oncall, max_retries=0), files=tmp_path)
    assert output.exit_code == 1
    assert "Stream 'teams' failed: GET /v2/teams: 500" in output.log
    assert oncall.config["api_key"] not in output.log + output.text
