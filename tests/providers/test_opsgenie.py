"""What the on-call tap does for Opsgenie and its successor alone."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from support import Output, config_for, sync
from taps.engine.timestamps import parse_timestamp
from taps.oncall.tap import TapOncall
from taps.sandbox.server import Sandbox

BOTH = pytest.mark.parametrize("provider", ["opsgenie", "jsm_ops"])


def service(provider: str = "opsgenie", *, size: int = 60, page_cap: int | None = 5, **options: Any) -> Sandbox:
    return Sandbox(api="oncall", provider=provider, size=size, seed=3, page_cap=page_cap, **options)


def read(sandbox: Sandbox, *streams: str, state: dict[str, Any] | None = None, **settings: Any) -> Output:
    return sync(TapOncall, config_for(sandbox, **settings), streams=list(streams) or None, state=state)


@BOTH
def test_25_000_alerts_arrive_through_20_000_a_query(provider: str) -> None:
    with service(provider, size=25_000, page_cap=None) as sandbox:
        output = read(sandbox, "alerts")
        assert output.exit_code == 0, output.errors
        keys = Counter(alert["id"] for alert in output.records("alerts"))
        assert len(keys) == keys.total() == 25_000
        assert {request.status for request in sandbox.requests} == {200}


@BOTH
def test_alerts_are_searched_by_creation_with_a_look_back_of_30_days(provider: str) -> None:
    with service(provider) as sandbox:
        first = read(sandbox, "alerts")
        bookmark = first.bookmark("alerts")
        assert bookmark
        assert parse_timestamp(bookmark) <= max(parse_timestamp(a["createdAt"]) for a in first.records("alerts"))
        sandbox.clear_requests()
        second = read(sandbox, "alerts", state=first.state)
        [asked, *_] = [request.query_string for request in sandbox.requests]
        start = parse_timestamp(bookmark) - timedelta(days=30)
        assert f"createdAt+%3E%3D+{int(start.timestamp() * 1000)}" in asked
        assert "updatedAt" not in asked
        expected = [a for a in first.records("alerts") if parse_timestamp(a["createdAt"]) >= start]
        assert second.counts["alerts"] == len(expected) < 60
        assert second.bookmark("alerts") == bookmark
        shorter = read(sandbox, "alerts", state=first.state, lookback_days=0)
        assert 0 < shorter.counts["alerts"] < second.counts["alerts"] or len(expected) == 1


def test_what_changes_late_is_found_with_its_children() -> None:
    with service() as sandbox:
        first = read(sandbox, "alerts", "alert_logs", "alert_recipients", "alert_notes")
        assert first.counts == {
            name: sandbox.oncall.counts()[name] for name in ("alerts", "alert_logs", "alert_recipients", "alert_notes")
        }
        answer = requests.post(f"{sandbox.root_url}/_sandbox/oncall/change?alerts=3&new=2", timeout=10)
        assert answer.status_code == 200
        second = read(sandbox, "alerts", "alert_logs", state=first.state)
        assert second.exit_code == 0, second.errors
        newest = {alert["id"]: alert for alert in first.records("alerts")} | {
            alert["id"]: alert for alert in second.records("alerts")
        }
        held = {record["id"]: record for record in sandbox.oncall.records("alerts")}
        bookmark = parse_timestamp(first.bookmark("alerts") or "")
        for key, alert in held.items():
            if parse_timestamp(alert["createdAt"]) >= bookmark - timedelta(days=30):
                assert newest[key]["updatedAt"] == alert["updatedAt"]


def test_an_account_is_in_one_of_two_regions() -> None:
    addresses = {
        region: TapOncall(config={"provider": "opsgenie", "api_key": "k", "region": region}).config["base_url"]
        for region in ("us", "eu")
    }
    assert addresses == {"us": "https://api.opsgenie.com", "eu": "https://api.eu.opsgenie.com"}


@pytest.mark.parametrize("status", ["402", "403", "404"])
def test_services_that_the_plan_lacks_can_be_skipped(status: str) -> None:
    with service(lacks=f"services={status}") as sandbox:
        assert read(sandbox, "services", "teams").exit_code == 1
        skipped = read(sandbox, "services", "teams", skip_inaccessible_streams=True)
        assert skipped.exit_code == 0, skipped.errors
        assert skipped.counts["teams"]


def test_timestamps_of_any_precision_arrive_as_they_are() -> None:
    with service() as sandbox:
        alerts = read(sandbox, "alerts").records("alerts")
    fractions = {len(alert["createdAt"].partition(".")[2].rstrip("Z")) for alert in alerts}
    assert len(fractions) > 3, fractions


def test_notes_come_with_this_product_alone() -> None:
    with service() as sandbox:
        assert read(sandbox, "alerts", "alert_notes").counts["alert_notes"]
    assert "alert_notes" not in TapOncall(config={"base_url": "https://a.example", "api_key": "k"}).streams


def test_the_successor_gives_alerts_alone() -> None:
    with service("jsm_ops") as sandbox:
        output = read(sandbox)
    assert set(output.counts) == {"alerts"}
    assert output.exit_code == 0


def test_a_state_on_another_cursor_is_told_and_begins_anew() -> None:
    entry = {"replication_key": "updatedAt", "replication_key_value": datetime.now(timezone.utc).isoformat()}
    with service() as sandbox:
        output = read(sandbox, "alerts", state={"bookmarks": {"alerts": entry}})
    assert output.counts["alerts"] == 60
    assert "is on 'updatedAt', and this tap's is on 'createdAt'" in output.log
