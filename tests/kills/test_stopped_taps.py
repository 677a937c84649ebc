"""A tap that is told to stop, or that nobody reads any more: what it does in places where that is not easy."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import processes
import pytest

from support import command, config_for, sync
from taps.helpdesk.tap import TapHelpdesk
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPS = [signal.SIGTERM, signal.SIGINT]
_PIPE_SIZE = 1031  # F_SETPIPE_SZ
_SMALLEST = 8_192  # the first SCHEMA fits into it, so that there is a request
_BUFFERING = [{"PYTHONUNBUFFERED": ""}, {"PYTHONUNBUFFERED": "1"}]


class Tap:
    """A tap whose output goes into a small pipe, and is read only when that is asked for."""

    def __init__(self, folder: Path, config: dict[str, Any], name: str = "tap-helpdesk", *options: str) -> None:
        self._folder = folder
        (folder / "config.json").write_text(json.dumps(config))
        self._line = [command(name), "--config", "config.json", *options]
        self._log = folder / "tap.log"

    @contextlib.contextmanager
    def running(
        self, env: dict[str, str] | None = None, stderr: int | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._line,
                cwd=self._folder,
                env={**os.environ, **(env or {})},
                stdout=subprocess.PIPE,
                stderr=log if stderr is None else stderr,
                bufsize=0,
                start_new_session=True,
            )
        assert self.process.stdout
        fcntl.fcntl(self.process.stdout, _PIPE_SIZE, _SMALLEST)
        try:
            yield self.process
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.process.wait(10)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log.splitlines() if "| ERROR" in line or line.startswith("Stopped by")]

    def read(self) -> bytes:
        """Read to the end."""
        output = b""
        assert self.process.stdout
        while part := self.process.stdout.read(1 << 16):
            output += part
        return output

    def read_a_page(self) -> bytes:
        """Read as much as the pipe takes, and let the tap come to wait again."""
        assert self.process.stdout
        part: bytes = self.process.stdout.read(_SMALLEST)
        time.sleep(0.02)
        return part

    def wait_until_full(self, sandbox: Sandbox) -> None:
        """Wait until nothing moves any more."""
        assert processes.wait_for(lambda: bool(sandbox.requests))
        seen = -1
        while seen != len(sandbox.requests):
            seen = len(sandbox.requests)
            time.sleep(0.2)
        assert self.process.poll() is None

    def stop(self, sent: signal.Signals) -> float:
        """Send a signal; give the seconds until the end."""
        begun = time.monotonic()
        self.process.send_signal(sent)
        self.process.wait(20)
        return time.monotonic() - begun

    def assert_stopped(self, sent: signal.Signals) -> None:
        assert self.process.returncode == 128 + sent
        assert len(self.errors) == 1, self.log
        assert f"Stopped by {sent.name} before the sync was complete" in self.errors[0]
        assert "Traceback" not in self.log
        assert not processes.of_session(self.process.pid)


@pytest.fixture
def tap(tmp_path: Path, sandbox: Sandbox) -> Tap:
    return Tap(tmp_path, config_for(sandbox, page_size=2))


@pytest.mark.parametrize("sent", STOPS)
@pytest.mark.parametrize("env", _BUFFERING, ids=str)
def test_nobody_reads(tap: Tap, sandbox: Sandbox, sent: signal.Signals, env: dict[str, str]) -> None:
    with tap.running(env):
        tap.wait_until_full(sandbox)
        assert tap.stop(sent) <= 1
        tap.assert_stopped(sent)


@pytest.mark.parametrize("sent", STOPS)
def test_nobody_reads_the_log_either(tap: Tap, sent: signal.Signals) -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, _PIPE_SIZE, _SMALLEST)
    os.write(write, b"x" * _SMALLEST)
    with tap.running(stderr=write) as process:
        assert processes.wait_for(lambda: processes.answers(process.pid))
        time.sleep(0.8)  # it is at its first line
        assert process.poll() is None
        assert tap.stop(sent) <= 1
        assert process.returncode == 128 + sent
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("sent", STOPS)
@pytest.mark.parametrize("env", _BUFFERING, ids=str)
def test_whoever_still_reads_gets_whole_lines(
    tmp_path: Path, sandbox: Sandbox, sent: signal.Signals, env: dict[str, str]
) -> None:
    tap = Tap(tmp_path, config_for(sandbox))
    for pages in (3, 10, 17):
        sandbox.clear_requests()
        with tap.running(env) as process:
            tap.wait_until_full(sandbox)
            output = b"".join(tap.read_a_page() for _ in range(pages))  # so that a write has come half its way
            process.send_signal(sent)
            output += tap.read()
            process.wait(10)
            assert output.endswith(b"\n")
            assert [json.loads(line) for line in output.splitlines()]
            tap.assert_stopped(sent)


@pytest.mark.parametrize("env", _BUFFERING, ids=str)
def test_a_pause_costs_nothing(tmp_path: Path, sandbox: Sandbox, env: dict[str, str]) -> None:
    whole = sync(TapHelpdesk, config_for(sandbox)).counts
    sandbox.clear_requests()
    tap = Tap(tmp_path, config_for(sandbox))
    output = b""
    with tap.running(env) as process:
        tap.wait_until_full(sandbox)
        for _ in range(20):  # as Ctrl+Z does, and whoever freezes a container
            output += tap.read_a_page()
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.01)
            process.send_signal(signal.SIGCONT)
        output += tap.read()
        assert process.wait(20) == 0
    messages = [json.loads(line) for line in output.splitlines()]
    assert Counter(message["stream"] for message in messages if message["type"] == "RECORD") == whole


@pytest.mark.parametrize("sent", STOPS)
def test_a_tap_is_stopped_while_it_starts(tmp_path: Path, sandbox: Sandbox, sent: signal.Signals) -> None:
    tap = Tap(tmp_path, config_for(sandbox))
    sandbox.set_faults(["slow:seconds=30"])
    early = []
    for hundredths in range(0, 40, 5):
        with tap.running() as process:
            assert processes.wait_for(partial(processes.answers, process.pid))
            early.append("msgspec" not in Path(f"/proc/{process.pid}/maps").read_text())
            time.sleep(hundredths / 100)
            assert tap.stop(sent) <= 1
            tap.assert_stopped(sent)
    assert any(early), "a signal is handled only when most has been imported"


@pytest.mark.parametrize("sent", STOPS)
def test_whoever_is_told_twice_ends_at_once(tap: Tap, sandbox: Sandbox, sent: signal.Signals) -> None:
    with tap.running() as process:
        tap.wait_until_full(sandbox)
        process.send_signal(sent)
        assert processes.wait_for(lambda: bool(tap.errors))
        assert tap.stop(sent) < 0.3
        tap.assert_stopped(sent)


@pytest.mark.parametrize("sent", STOPS)
def test_a_token_that_is_on_its_way_is_not_lost(tmp_path: Path, sent: signal.Signals) -> None:
    with Sandbox("sales_engagement", size=10, faults=["slow:path=/oauth/token,seconds=0.2"]) as sandbox:
        config = config_for(sandbox, token_cache_path=str(tmp_path / "tokens.json"))
        tap = Tap(tmp_path, config, "tap-sales-engagement")
        with tap.running():
            assert processes.wait_for(lambda: any(request.path == "/oauth/token" for request in sandbox.requests))
            assert tap.stop(sent) <= 1
            tap.assert_stopped(sent)
        assert sandbox.sales_engagement.tokens_minted == 1
        output = sync(TapSalesEngagement, config, streams=["teams"])
        assert output.exit_code == 0, output.errors
        assert sandbox.sales_engagement.refused_refreshes == 0


@pytest.mark.parametrize("sent", STOPS)
def test_a_host_that_runs_a_tap_ends_in_its_own_way(sandbox: Sandbox, sent: signal.Signals) -> None:
    before = [signal.getsignal(number) for number in STOPS]
    try:
        TapHelpdesk(config=config_for(sandbox))
        with pytest.raises(SystemExit) as ended:  # so that its `finally` still counts
            signal.raise_signal(sent)
    finally:
        for number, handler in zip(STOPS, before, strict=True):
            signal.signal(number, handler)
    assert ended.value.code == 128 + sent


@pytest.mark.parametrize("options", [[], ["--discover"], ["--about", "--format=json"]], ids=str)
def test_a_reader_that_is_gone_from_the_start_is_one_line(tmp_path: Path, sandbox: Sandbox, options: list[str]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_for(sandbox)))
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [command("tap-helpdesk"), "--config", "config.json", *options],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if "| ERROR" in line]) == 1, done.stderr


def test_a_full_disk_is_one_line(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_for(sandbox)))
    line = f"{command('tap-helpdesk')} --config config.json > /dev/full"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    [error] = [line for line in done.stderr.splitlines() if "| ERROR" in line]
    assert "No space left on device" in error
