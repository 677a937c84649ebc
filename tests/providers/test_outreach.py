"""What the sales engagement tap does for Outreach alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support import Output, config_for, sync
from taps.engine.timestamps import parse_timestamp
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def sales(**options: Any) -> Sandbox:
    return Sandbox(api="sales_engagement", provider="outreach", size=60, seed=3, page_cap=5, **options)


def read(sandbox: Sandbox, *streams: str, state: dict[str, Any] | None = None, **settings: Any) -> Output:
    return sync(TapSalesEngagement, config_for(sandbox, **settings), streams=list(streams) or None, state=state)


def test_all_47_collections_are_read() -> None:
    with sales() as sandbox:
        output = read(sandbox)
        held = {name for name, count in sandbox.sales_engagement.counts().items() if count}
        assert output.exit_code == 0, output.errors
        assert set(output.counts) == held
        assert len(TapSalesEngagement(config=config_for(sandbox)).streams) == 47


def test_a_scope_that_is_missing_is_a_warning_and_the_other_streams_are_read() -> None:
    with sales(lacks="users,audit_logs") as sandbox:
        output = read(sandbox, "users", "audit_logs", "accounts")
        assert output.exit_code == 0, output.errors
        assert set(output.counts) == {"accounts"}
    skipped = [line for line in output.log.splitlines() if "the plan or the key does not include it" in line]
    assert len(skipped) == 2


def test_scopes_for_none_of_what_is_selected_are_an_error_that_says_so() -> None:
    with sales(lacks="users,teams") as sandbox:
        output = read(sandbox, "users", "teams")
    assert output.exit_code == 1
    assert "The access token lacks the scope teams.read" in output.errors[0]
    assert "Check what the plan and the scopes of 'client_secret' and 'refresh_token' include" in output.errors[0]


def test_a_token_endpoint_that_is_out_of_tokens_is_no_matter_of_the_secrets() -> None:
    with sales() as sandbox:
        sandbox.set_faults(["429:path=/oauth/token,retry_after=0"])
        output = read(sandbox, "users")
    assert output.exit_code == 1
    assert "POST /oauth/token: 429 Too Many Requests: " in output.errors[0]
    assert "(4 tries). Run again in some minutes" in output.errors[0]
    assert "have runs share a 'token_cache_path'" in output.errors[0]
    assert "client_secret" not in output.errors[0]


@pytest.mark.parametrize("stream", ["accounts", "prospects"])
def test_unsorted_pages_move_the_bookmark_at_the_end_and_to_the_latest(stream: str) -> None:
    with sales(unsorted=True) as sandbox:
        output = read(sandbox, stream)
        newest = max(parse_timestamp(record["updatedAt"]) for record in output.records(stream))
        *before, last = output.states
        assert not any("replication_key_value" in state["bookmarks"].get(stream, {}) for state in before)
        assert parse_timestamp(last["bookmarks"][stream]["replication_key_value"]) == newest
        again = read(sandbox, stream, state=output.state)
        assert 0 < again.counts[stream] < output.counts[stream]
        sandbox.set_faults([f"500:path=/api/v2/{stream},after=2"])
        failed = read(sandbox, stream, max_retries=0)
        assert failed.exit_code == 1
        assert not any("replication_key_value" in state["bookmarks"].get(stream, {}) for state in failed.states)


def test_filters_have_milliseconds() -> None:
    with sales() as sandbox:
        state = {"bookmarks": {"accounts": {"replication_key": "updatedAt", "replication_key_value": MICROSECONDS}}}
        output = read(sandbox, "accounts", state=state)
        assert output.exit_code == 0, output.errors
        [first, *_] = [request for request in sandbox.requests if request.path.endswith("/accounts")]
        assert "filter%5BupdatedAt%5D=2023-05-06T07%3A08%3A09.123Z..inf" in first.query_string


MICROSECONDS = "2023-05-06T07:08:09.123456Z"


def test_the_rotated_token_is_kept_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    with sales(rotate=True) as sandbox:
        first = read(sandbox, "stages", token_cache_path=str(path))
        assert first.exit_code == 0, first.errors
        kept = json.loads(path.read_text())
        assert kept["refresh_token"] != sandbox.credentials["refresh_token"]
        assert read(sandbox, "stages", token_cache_path=str(path)).exit_code == 0


def test_relationships_are_ids() -> None:
    with sales() as sandbox:
        [prospect, *_] = read(sandbox, "prospects").records("prospects")
    assert {"ownerId", "accountId"} <= prospect.keys()
    assert not {"attributes", "relationships", "type"} & prospect.keys()
