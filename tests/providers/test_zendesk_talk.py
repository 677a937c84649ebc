"""What the voice tap does for Zendesk Talk alone."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response

from support import Output, config_for, sync
from taps.sandbox.server import Sandbox
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

EXPORTS = ["calls", "call_legs"]


def voice(**options: Any) -> Sandbox:
    return Sandbox(api="voice", provider="zendesk_talk", size=60, seed=3, page_cap=5, **options)


def read(sandbox: Sandbox, *streams: str, state: dict[str, Any] | None = None, **settings: Any) -> Output:
    return sync(TapVoice, config_for(sandbox, **settings), streams=list(streams) or None, state=state)


def test_the_key_is_of_an_agent_and_goes_into_no_address() -> None:
    with voice() as sandbox:
        assert read(sandbox, "addresses").exit_code == 0
        assert not any("api_key" in request.query_string for request in sandbox.requests)
        wrong = read(sandbox, "addresses", email="somebody@else.example")
    assert wrong.exit_code == 1
    assert "401" in wrong.errors[0]


def test_a_bearer_token_is_taken_instead() -> None:
    with voice() as sandbox:
        config = {"provider": "zendesk_talk", "base_url": sandbox.base_url, **sandbox.alternatives}
        assert sync(TapVoice, config, streams=["addresses"]).exit_code == 0


def test_what_the_signature_is(httpserver: HTTPServer) -> None:
    """`{email}/token:{api_token}`, as the vendor has it (developer.zendesk.com, "Security and authentication")."""
    httpserver.expect_request(
        "/addresses", headers={"Authorization": "Basic " + base64.b64encode(b"jane@acme.com/token:k").decode()}
    ).respond_with_json({"addresses": [], "next_page": None})
    config = {"provider": "zendesk_talk", "base_url": httpserver.url_for(""), "email": "jane@acme.com", "api_key": "k"}
    assert sync(TapVoice, config, streams=["addresses"]).exit_code == 0


def test_menus_that_the_plan_lacks_are_skipped_with_a_warning() -> None:
    with voice(lacks="ivrs,ivr_menus,ivr_routes") as sandbox:
        output = read(sandbox)
        assert output.exit_code == 0, output.errors
        held = {name for name, count in sandbox.voice.counts().items() if count}
        assert held - output.counts.keys() == {"ivrs", "ivr_menus", "ivr_routes"}
    assert "the plan or the key does not include it" in output.log


def test_exports_end_and_go_on_from_the_last_change() -> None:
    with voice(export_page=7) as sandbox:
        first = read(sandbox, *EXPORTS)
        assert first.exit_code == 0, first.errors
        held = sandbox.voice.counts()
        assert first.counts == {name: held[name] for name in EXPORTS}
        newest = max(str(call["updated_at"]) for call in first.records("calls"))
        assert (first.bookmark("calls") or "")[:19] == newest[:19]
        second = read(sandbox, *EXPORTS, state=first.state)
    assert set(second.counts) <= set(EXPORTS)
    assert second.counts["calls"] < 7


class TestWhatIsTooRecent:
    """The vendor's exports may refuse to be asked for the last minute."""

    def test_a_bookmark_of_the_last_minute_is_taken_back(self) -> None:
        state = {
            "bookmarks": {
                name: {
                    "replication_key": "updated_at",
                    "replication_key_value": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                for name in EXPORTS
            }
        }
        with voice(recent_seconds=60) as sandbox:
            output = read(sandbox, *EXPORTS, state=state)
            assert output.exit_code == 0, output.errors
            assert {request.status for request in sandbox.requests} == {200}

    def test_a_list_that_has_begun_ends_there_and_the_rest_comes_with_the_next_sync(
        self, httpserver: HTTPServer
    ) -> None:
        recent = datetime.now(timezone.utc) - timedelta(seconds=10)
        calls = [
            {"id": 1, "updated_at": "2024-01-01T00:00:00Z"},
            {"id": 2, "updated_at": recent.strftime("%Y-%m-%dT%H:%M:%SZ")},
        ]

        def answer(request: Request) -> Response:
            start = int(request.args["start_time"])
            if start > time.time() - 60:
                return Response('{"error": "Unprocessable", "description": "start_time is too recent"}', 422)
            following = f"{httpserver.url_for('/stats/incremental/calls')}?start_time={int(recent.timestamp())}"
            body = {"calls": calls, "count": 2, "next_page": following}
            return Response(json.dumps(body), content_type="application/json")

        httpserver.expect_request("/stats/incremental/calls").respond_with_handler(answer)
        config = {"provider": "zendesk_talk", "base_url": httpserver.url_for(""), "access_token": "t"}
        output = sync(TapVoice, config, streams=["calls"])
        assert output.exit_code == 0, output.errors
        assert output.counts["calls"] == 2
        assert "what is so recent comes with the next sync" in output.log
        assert output.bookmark("calls") == calls[1]["updated_at"]


def test_the_limit_of_exports_is_obeyed() -> None:
    with voice(export_page=20, export_limit=3, rate_window=1) as sandbox:
        output = read(sandbox, "calls")
        assert output.exit_code == 0, output.errors
        assert output.counts["calls"] == sandbox.voice.counts()["calls"]
        assert [request.status for request in sandbox.requests].count(429) == 1
