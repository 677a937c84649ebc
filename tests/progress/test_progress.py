"""What a user sees of a sync: a live view on a terminal, lines elsewhere, and each stream's account at the end."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from terminal import Terminal

from support import config_for, run_tap, selected_catalog
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def desk() -> Iterator[Sandbox]:
    with Sandbox(api="helpdesk", size=60, seed=3) as sandbox:
        yield sandbox


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """Two seconds of conversations."""
    with Sandbox(api="helpdesk", size=120, seed=3, latency=0.05) as sandbox:
        yield sandbox


def conversations_come(text: str) -> bool:
    return re.search(r"^conversations +[1-9]", text, re.MULTILINE) is not None


def rows(path: Path) -> int:
    return sum(json.loads(line)["type"] == "RECORD" for line in path.read_text().splitlines())


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Runs the tap on a terminal, and ends it if a test does not wait for its end."""
    with ExitStack() as stack:

        def begin(config: dict[str, Any], **options: Any) -> Terminal:
            terminal = Terminal(tmp_path, config, **options)
            stack.callback(terminal.close)
            return terminal

        yield begin


class TestTerminal:
    def test_streams_are_seen_while_they_are_read_and_their_accounts_at_the_end(
        self, slow: Sandbox, run: Callable[..., Terminal]
    ) -> None:
        terminal = run(config_for(slow))
        during = terminal.until(conversations_come)
        assert re.search(r"^stream +rows +requests +retries +waited +rows/s$", during, re.MULTILINE)
        assert re.search(r"^tap-helpdesk: \d+ of 28 streams, [\d,]+ rows, \d+ requests, \d+ s$", during, re.MULTILINE)
        assert terminal.is_divided()
        after = terminal.to_the_end()
        assert terminal.process.returncode == 0
        assert not terminal.is_divided()
        assert b"\x1b[?25l" not in terminal.raw, "the cursor is never hidden, so that any end leaves it visible"
        assert re.search(r"^stream +rows +requests +retries +waited +bookmark$", after, re.MULTILINE)
        assert re.search(rf"^tickets +120 +\d +0 +0\.0 s +none → {TIME}$", after, re.MULTILINE)
        assert re.search(r"^conversations +\d+ +120 +0 +0\.0 s +below tickets$", after, re.MULTILINE)
        assert re.search(r"^agents +\d+ +1 +0 +0\.0 s +read in full$", after, re.MULTILINE)
        read = rows(terminal.output)
        assert f"tap-helpdesk: 28 of 28 streams, {read:,} rows" in after
        assert after.count("tickets ") == 1, "the live view is gone"
        assert "METRIC" not in after

    def test_warnings_and_errors_stand_above_it_whole(self, slow: Sandbox, run: Callable[..., Terminal]) -> None:
        slow.set_faults(["403:path=/v1/agents", "503:path=/v1/groups,times=1,retry_after=1"])
        terminal = run(config_for(slow), columns=70, lines=200)
        terminal.to_the_end()
        assert terminal.process.returncode == 1
        lines = terminal.raw.decode().replace("\r", "").splitlines()
        assert any(re.search(r"GET /v1/groups: 503 .*; try 2 of 4 in 1\.0 s", line) for line in lines)
        assert any("Stream 'agents' failed: GET /v1/agents: 403 Forbidden" in line for line in lines)
        assert any("agents: failed, 0 rows, 1 request" in line for line in lines)
        assert any(re.search(r"groups: \d+ rows, 1 request, 1 retry, 1\.\d s waited", line) for line in lines)

    def test_what_the_target_writes_stays_whole_above_it(self, slow: Sandbox, run: Callable[..., Terminal]) -> None:
        target = 'while read -r line; do n=$((n+1)); [ $((n % 20)) = 0 ] && echo "target: line $n" >&2; done; :'
        terminal = run(config_for(slow), target=target, lines=200)
        during = terminal.until(conversations_come)
        assert len(re.findall("^stream +rows", during, re.MULTILINE)) == 1, during
        after = terminal.to_the_end()
        said = re.findall(r"^target: line (\d+)$", after, re.MULTILINE)
        assert len(said) > 20
        assert said == [str(20 * number) for number in range(1, len(said) + 1)]

    @pytest.mark.parametrize(("columns", "lines"), [(90, 30), (140, 60)])
    def test_the_window_may_change_its_size(
        self, slow: Sandbox, run: Callable[..., Terminal], columns: int, lines: int
    ) -> None:
        terminal = run(config_for(slow))
        terminal.until(conversations_come)
        terminal.resize(columns, lines)
        during = terminal.until(lambda text: text.splitlines()[-1].startswith("tap-helpdesk: "))
        assert len(re.findall("^stream +rows", during, re.MULTILINE)) == 1, during
        terminal.to_the_end()
        assert not terminal.is_divided()

    def test_one_too_low_for_it_is_left_alone(self, desk: Sandbox, run: Callable[..., Terminal]) -> None:
        terminal = run(config_for(desk), lines=3)
        terminal.to_the_end()
        assert terminal.process.returncode == 0
        assert not terminal.is_divided()

    def test_a_wait_is_seen(self, desk: Sandbox, run: Callable[..., Terminal]) -> None:
        config = config_for(desk, requests_per_minute=12)
        terminal = run(config)
        seen = terminal.until(lambda text: "waiting" in text)
        assert re.search(r"^waiting \d s: as requests_per_minute says$", seen, re.MULTILINE)

    @pytest.mark.parametrize("columns", [40, 60])
    def test_a_narrow_one_has_fewer_columns_and_no_cut_words(
        self, slow: Sandbox, run: Callable[..., Terminal], columns: int
    ) -> None:
        terminal = run(config_for(slow), columns=columns)
        during = terminal.until(conversations_come)
        assert re.search(r"^stream +rows +requests$", during, re.MULTILINE)
        assert "…" not in during

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_stop_tells_how_far_it_came_and_gives_the_cursor_back(
        self, slow: Sandbox, run: Callable[..., Terminal], number: signal.Signals
    ) -> None:
        terminal = run(config_for(slow))
        terminal.until(conversations_come)
        terminal.process.send_signal(number)
        begun = time.monotonic()
        after = terminal.to_the_end()
        assert time.monotonic() - begun < 1
        assert terminal.process.returncode == 128 + number
        assert not terminal.is_divided()
        assert not terminal.hides_cursor()
        assert re.search(r"^conversations \(stopped\) +\d+ +\d+", after, re.MULTILINE)
        assert re.search(r"^time_entries \(not begun\)$", after, re.MULTILINE)
        assert f"Stopped by {number.name} before the sync was complete" in terminal.raw.decode()

    @pytest.mark.parametrize(
        ("settings", "env", "output_too"),
        [({"progress": False}, {}, False), ({}, {"TERM": "dumb"}, False), ({}, {"CI": "true"}, False), ({}, {}, True)],
        ids=["switched off", "a dumb one", "nobody looks", "the records go there too"],
    )
    def test_there_are_lines_instead_where_it_is_not_wanted(
        self,
        desk: Sandbox,
        run: Callable[..., Terminal],
        settings: dict[str, Any],
        env: dict[str, str],
        output_too: bool,  # noqa: FBT001
    ) -> None:
        terminal = run(config_for(desk, **settings), env=env, output_too=output_too)
        terminal.to_the_end()
        assert terminal.process.returncode == 0
        assert b"\x1b" not in terminal.raw
        assert b"agents: " in terminal.raw

    def test_without_colours_it_has_none(self, desk: Sandbox, run: Callable[..., Terminal]) -> None:
        terminal = run(config_for(desk), env={"NO_COLOR": "1"})
        assert "28 of 28 streams" in terminal.to_the_end()
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.raw)


class TestLines:
    def test_each_stream_has_one_at_the_end(self, desk: Sandbox, tmp_path: Path) -> None:
        output = run_tap("tap-helpdesk", config=config_for(desk), files=tmp_path)
        lines = [line.partition("| tap-helpdesk                   | ")[2] for line in output.log.splitlines()]
        assert [line for line in lines if re.match("tickets: ", line)] == [
            f"tickets: 60 rows, 3 requests, 0 retries, 0.0 s waited, bookmark none → {output.bookmark('tickets')}"
        ]
        assert [line for line in lines if re.match("settings: ", line)] == [
            "settings: 1 row, 1 request, 0 retries, 0.0 s waited, read in full"
        ]
        accounts = [line for line in lines if re.match(r"\w+: .* waited, ", line)]
        assert len(accounts) == 28
        (tmp_path / "state.json").write_text(json.dumps(output.state))
        again = run_tap("tap-helpdesk", "--state", "state.json", config=config_for(desk), files=tmp_path)
        bookmark = output.bookmark("tickets")
        assert f"0.0 s waited, bookmark {bookmark} → {bookmark}" in again.log

    def test_structured_logs_have_it_as_fields(self, desk: Sandbox, tmp_path: Path) -> None:
        logging = {
            "version": 1,
            "formatters": {"structured": {"()": "singer_sdk.logging.StructuredFormatter"}},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"level": "INFO", "handlers": ["console"]},
        }
        (tmp_path / "logging.json").write_text(json.dumps(logging))
        desk.set_faults(["503:path=/v1/agents,times=1,retry_after=1"])
        env = {"SINGER_SDK_LOG_CONFIG": str(tmp_path / "logging.json")}
        output = run_tap("tap-helpdesk", config=config_for(desk), files=tmp_path, env={**os.environ, **env})
        records = [json.loads(line) for line in output.log.splitlines()]
        accounts = {
            record["extra"]["summary"]["stream"]: record["extra"]["summary"]
            for record in records
            if "summary" in record.get("extra", {})
        }
        assert len(accounts) == 28
        assert accounts["agents"].pop("waited") >= 1
        assert accounts["agents"] == {
            "stream": "agents",
            "outcome": "read",
            "rows": output.counts["agents"],
            "requests": 1,
            "retries": 1,
            "parent": None,
            "replication_key": None,
            "bookmark_from": None,
            "bookmark_to": None,
        }
        assert accounts["tickets"]["bookmark_to"] == output.bookmark("tickets")
        assert accounts["conversations"]["parent"] == "tickets"

    def test_a_wrong_key_is_one_line_still(self, desk: Sandbox, tmp_path: Path) -> None:
        output = run_tap("tap-helpdesk", config=config_for(desk, api_key="wrong", max_retries=0), files=tmp_path)
        assert len(output.errors) == 1
        assert "not begun" not in output.log

    def test_a_parent_that_is_read_for_its_children_alone_has_its_account(self, desk: Sandbox, tmp_path: Path) -> None:
        catalog = selected_catalog(TapHelpdesk, config_for(desk), ["conversations"])
        (tmp_path / "catalog.json").write_text(json.dumps(catalog))
        output = run_tap("tap-helpdesk", "--catalog", "catalog.json", config=config_for(desk), files=tmp_path)
        assert "tickets: 0 rows, 3 requests, 0 retries, 0.0 s waited, " in output.log

    def test_waits_side_by_side_count_once(self, desk: Sandbox, tmp_path: Path) -> None:
        desk.set_faults(["429:path=/v1/tickets/,every=20,retry_after=1"])
        begun = time.monotonic()
        output = run_tap("tap-helpdesk", config=config_for(desk), files=tmp_path)
        waited = float(re.search(r"conversations: .* retr\w+, ([\d.]+) s waited", output.log)[1])  # type: ignore[index]
        assert 1 <= waited < time.monotonic() - begun
