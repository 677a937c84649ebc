"""Requests side by side: as many as allowed, in one order, ended at once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

from support import command, config_for, selected_catalog, sync
from taps.contact_center.tap import TapContactCenter
from taps.engine.budget import BudgetClosedError
from taps.engine.timestamps import format_timestamp, parse_timestamp
from taps.engine.writer import MessageWriter
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOTH = ["tickets", "conversations"]


def without_times(text: str) -> str:
    return re.sub(r'"time_extracted":"[^"]*"', '"time_extracted":""', text)


class Desk:
    """A server of tickets and conversations that knows how many requests were under way at once."""

    def __init__(self, tickets: int, *, seconds: float) -> None:
        self.tickets = tickets
        self.seconds = seconds
        self.changed_at_once = 100
        self.under_way = self.most = 0
        self.asked: list[int] = []
        self._lock = threading.Lock()

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1

    def serve(self, request: Request) -> Response:
        with self.counted():
            time.sleep(self.seconds)
            if request.path.endswith("/conversations"):
                ticket = int(request.path.split("/")[3])
                self.asked.append(ticket)
                return self.page([{"id": ticket * 10, "ticket_id": ticket}])
            begun = datetime(2024, 1, 1, tzinfo=timezone.utc)
            since = max(0, int((parse_timestamp(request.args["updated_since"]) - begun).total_seconds()))
            size, together = int(request.args["limit"]), self.changed_at_once
            found = [
                {"id": number, "updated_at": format_timestamp(begun + timedelta(seconds=number // together))}
                for number in range(since * together, self.tickets)
            ]
            start = (int(request.args["page"]) - 1) * size
            return self.page(found[start : start + size])

    def page(self, records: list[dict[str, Any]]) -> Response:
        return Response(json.dumps({"data": records}), content_type="application/json")


@pytest.fixture
def desk(request: pytest.FixtureRequest) -> Iterator[tuple[Desk, dict[str, Any]]]:
    from pytest_httpserver import HTTPServer  # noqa: PLC0415 - it is a plug-in, whose import at the top pytest warns of

    desk = Desk(120, seconds=0.02)
    with HTTPServer(threaded=True) as server:
        server.expect_request(re.compile(".*")).respond_with_handler(lambda request: desk.serve(request))  # noqa: PLW0108 - tests replace it
        yield desk, {"base_url": server.url_for("").rstrip("/"), "api_key": "key", "backoff_factor": 0}


def test_the_output_does_not_depend_on_which_answer_comes_first() -> None:
    with Sandbox(size=150, jitter=0.01) as sandbox:
        texts = {
            without_times(sync(TapHelpdesk, config_for(sandbox, max_concurrency=number, page_size=40)).text)
            for number in (1, 2, 5, 16, 16)
        }
    assert len(texts) == 1


@pytest.mark.parametrize("number", [1, 4, 16])
def test_as_many_requests_are_under_way_as_allowed(desk: tuple[Desk, dict[str, Any]], number: int) -> None:
    served, config = desk
    begun = time.monotonic()
    output = sync(TapHelpdesk, {**config, "max_concurrency": number}, streams=BOTH)
    seconds = time.monotonic() - begun
    assert output.counts == {"tickets": 120, "conversations": 120}
    assert number * 0.75 <= served.most <= number
    assert seconds < 0.02 * 125 / number * 1.5 + 0.6


def test_children_are_read_ahead_in_a_window_and_not_all_at_once(desk: tuple[Desk, dict[str, Any]]) -> None:
    served, config = desk

    class Stop(Exception):  # noqa: N818
        pass

    class Writer(MessageWriter):
        def write_records(self, stream: str, *args: Any, **kwargs: Any) -> None:
            time.sleep(0.3)
            raise Stop

    tap = TapHelpdesk(config={**config, "max_concurrency": 4}, message_writer=Writer())
    for name, stream in tap.streams.items():
        stream.selected = name in BOTH
    with pytest.raises(Stop):
        tap.sync_all()
    assert 4 <= len(served.asked) <= 4 * 4 + 1
    asked = len(served.asked)
    time.sleep(0.3)
    assert len(served.asked) - asked <= 4, "requests go on after the sync has ended"


def test_the_first_error_ends_a_child_stream_and_no_other(
    desk: tuple[Desk, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, config = desk
    whole = served.serve

    def broken(request: Request) -> Response:
        return Response(status=422) if request.path == "/v1/tickets/7/conversations" else whole(request)

    monkeypatch.setattr(served, "serve", broken)
    output = sync(TapHelpdesk, {**config, "max_concurrency": 16}, streams=BOTH)
    assert [record["ticket_id"] for record in output.records("conversations")] == list(range(7))
    assert output.counts["tickets"] == 120
    assert output.exit_code == 1
    assert sum("GET /v1/tickets/7/conversations: 422" in line for line in output.errors) == 1
    assert len(served.asked) < 7 + 4 * 16 + 1, "the children of later parents are read for nothing"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("fault", ["429:retry_after=300", "slow:seconds=60"])
def test_a_tap_that_waits_is_stopped_at_once(tmp_path: Path, number: signal.Signals, code: int, fault: str) -> None:
    with Sandbox(size=30) as sandbox:
        config = config_for(sandbox, max_concurrency=8)
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "catalog.json").write_text(json.dumps(selected_catalog(TapHelpdesk, config, BOTH)))
        sandbox.set_faults([f"{fault},path=/v1/tickets/*/conversations"])
        process = subprocess.Popen(
            [command("tap-helpdesk"), "--config", "config.json", "--catalog", "catalog.json"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while not any("conversations" in request.path for request in sandbox.requests):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)  # all of its threads wait now
        begun = time.monotonic()
        process.send_signal(number)
        output, log = process.communicate(timeout=30)
        assert time.monotonic() - begun < 1.5
    assert process.returncode == code
    assert "Traceback" not in log
    assert not any('"tickets"' in line for line in output.splitlines() if '"STATE"' in line)


def test_an_offset_is_counted_on_while_pages_are_full_and_little_is_wasted() -> None:
    with Sandbox("contact_center", size=1_000, latency=0.02) as sandbox:
        output = sync(TapContactCenter, config_for(sandbox, max_concurrency=4, page_size=10))
        wanted: dict[str, int] = {}
        for stream in TapContactCenter.stream_types:
            asked = [r for r in sandbox.requests if r.path == stream.path]
            needed = -(-output.counts[stream.name] // 10) + 1
            wanted[stream.name] = len(asked) - needed
            assert len({request.query["offset"] for request in asked}) == len(asked), "a page was asked for twice"
    assert output.exit_code == 0
    assert all(0 <= wasted <= 4 for wasted in wanted.values()), wanted


def test_tickets_are_asked_for_ahead_while_pages_are_full_and_little_is_wasted(
    desk: tuple[Desk, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, config = desk
    served.tickets, served.changed_at_once, whole = 2_050, 2, served.serve
    asked: list[str] = []

    def serve(request: Request) -> Response:
        asked.append(request.query_string.decode())
        return whole(request)

    monkeypatch.setattr(served, "serve", serve)
    needed = 0
    for number in (1, 4):
        asked.clear()
        output = sync(TapHelpdesk, {**config, "max_concurrency": number}, streams=["tickets"])
        assert [record["id"] for record in output.records("tickets")] == list(range(2_050))
        assert served.most == number
        assert len(set(asked)) == len(asked), "a page was asked for twice"
        needed = needed or len(asked)
    assert needed <= len(asked) <= needed + 4


def test_a_linked_page_is_asked_for_before_the_body_that_comes_before_it_is_there() -> None:
    from pytest_httpserver import HTTPServer  # noqa: PLC0415

    second = threading.Event()

    def serve(request: Request) -> Response:
        if "cursor" in request.args:
            second.set()
            return Response(json.dumps({"data": [{"id": 2}]}), content_type="application/json")

        def body() -> Iterator[bytes]:
            yield b'{"data": ['
            yield b'{"id": %d}]}' % (1 if second.wait(5) else 99)

        link = f'<{request.base_url}?cursor=1>; rel="next"'
        return Response(body(), content_type="application/json", headers={"Link": link})

    with HTTPServer(threaded=True) as server:
        server.expect_request("/v1/agents").respond_with_handler(serve)
        config = {"base_url": server.url_for("").rstrip("/"), "api_key": "key"}
        output = sync(TapHelpdesk, config, streams=["agents"])
    assert [record["id"] for record in output.records("agents")] == [1, 2]


def test_pages_that_are_packed_are_all_given_and_in_their_order_before_a_failure() -> None:
    """Such a page is held back until the next one comes, or does not."""
    with Sandbox(size=500, latency=0.01) as sandbox:
        whole = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
        asked = len([request for request in sandbox.requests if request.path == "/v1/tickets"])
        sandbox.set_faults([f"500:path=/v1/tickets,after={asked // 2}"])
        broken = sync(TapHelpdesk, config_for(sandbox, max_retries=0), streams=["tickets"])
    assert broken.exit_code == 1
    got = [record["id"] for record in broken.records("tickets")]
    assert 100 < len(got) < 500
    assert got == [record["id"] for record in whole.records("tickets")][: len(got)]


def test_a_packed_page_does_not_wait_for_a_slow_one_behind_it() -> None:
    with Sandbox(size=500, latency=0.3) as sandbox:
        tap = TapHelpdesk(config=config_for(sandbox))
        begun = time.monotonic()
        pages = tap.streams["tickets"].pages(None)  # type: ignore[attr-defined]
        next(pages)
        seconds = time.monotonic() - begun
        pages.close()
        tap.close()
    assert seconds < 0.55, "the first page came with the second"


def test_packed_pages_that_are_begun_early_are_all_given_in_their_order() -> None:
    with Sandbox(size=3_000, page_cap=7, jitter=0.003) as sandbox:
        held = [record["id"] for record in sandbox.helpdesk.records("contacts")]
        for _ in range(5):
            output = sync(TapHelpdesk, config_for(sandbox, max_concurrency=8), streams=["contacts"])
            assert [record["id"] for record in output.records("contacts")] == held


def test_a_sync_that_cannot_go_on_leaves_nothing_running(desk: tuple[Desk, dict[str, Any]]) -> None:
    served, config = desk
    tap = TapHelpdesk(config={**config, "backoff_factor": 60})
    served.serve = lambda request: Response(status=503)  # type: ignore[method-assign]
    ends: list[BaseException] = []

    def run() -> None:
        try:
            tap.sync_all()
        except BudgetClosedError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    tap.close()
    thread.join(2)
    assert ends
    time.sleep(0.2)
    assert not [thread for thread in threading.enumerate() if thread in tap.workers.threads]
