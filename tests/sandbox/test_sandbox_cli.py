from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from taps.sandbox import cli
from taps.sandbox.apis import APIS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-W", "error", "-m", "taps.sandbox.cli"]
SERVES = re.compile(r"tap-sandbox serves the help desk API at (http://127\.0\.0\.1:\d+) \(api_key: (\S+)\)\n")


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = SERVES.fullmatch(line)
            assert match, line
            yield process, match[1], match[2]
        finally:
            process.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(number: signal.Signals) -> None:
    with (
        started("--api", "helpdesk", "--tickets", "7", "--fault", "503:at=2") as (process, url, key),
        requests.Session() as session,
    ):
        session.auth = (key, "X")
        assert session.get(f"{url}/v1/tickets", params={"updated_since": "1970-01-01"}, timeout=10).status_code == 200
        assert session.get(f"{url}/v1/groups", timeout=10).status_code == 503
        assert requests.get(f"{url}/_sandbox/helpdesk/counts", timeout=10).json()["tickets"] == 7
        assert process.stdout is not None
        config = json.loads(process.stdout.readline().partition(": ")[2])
        assert config == {"base_url": url, "api_key": key}
        # The session still holds its connection.
        began = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=5)
        assert time.monotonic() - began < 1
        assert process.returncode == 0
        assert err == ""


def test_quiet_prints_the_address_alone() -> None:
    with started("--quiet", "--size", "1", "--api", "helpdesk", "--api-key", "another") as (process, _, key):
        assert key == "another"
        process.terminate()
        assert process.communicate(timeout=5) == ("", "")


def test_a_rate_limit_can_be_had_in_several_ways() -> None:
    limited = ("--rate-limit", "1", "--rate-window", "30", "--rate-kind", "sliding", "--rate-headers", "reset")
    with started("--api", "helpdesk", "--size", "1", *limited) as (_, url, key), requests.Session() as session:
        session.auth = (key, "X")
        answers = [session.get(f"{url}/v1/groups", timeout=10) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].headers["x-ratelimit-reset"] == "30"


def lines_of(*arguments: str, count: int) -> list[str]:
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(count)]
            process.terminate()
            assert process.communicate(timeout=5) == ("", "")
        finally:
            process.kill()
    return lines


def free_ports(count: int) -> int:
    """The first of some ports in a row that are free; whoever else takes one meanwhile is unlucky."""
    for first in range(42_000, 60_000, 16):
        try:
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    pytest.fail("no free ports in a row")


def test_all_apis_are_served_each_at_a_port_of_its_own() -> None:
    first = free_ports(len(APIS))
    lines = lines_of("--port", str(first), "--quiet", "--size", "3", count=len(APIS))
    for port, (api, line) in enumerate(zip(APIS.values(), lines, strict=True), first):
        assert line.startswith(f"tap-sandbox serves the {api.title} at http://127.0.0.1:{port} (")
        for name in api.credentials:
            assert f"{name}: " in line
    assert SERVES.fullmatch(lines[0])


def test_an_apis_credentials_and_options_are_its_own() -> None:
    chosen = ("--api", "contact_center", "--api", "voice", "--api", "voice", "--option", "access_token=tea")
    lines = lines_of(*chosen, "--option", "single_object=yes", "--size", "3", count=6)
    assert lines[0].startswith("tap-sandbox serves the contact centre API at http://127.0.0.1:")
    assert lines[2].startswith("tap-sandbox serves the voice API at http://127.0.0.1:")
    assert lines[2].endswith(" (api_key: sandbox-key)\n")
    config = json.loads(lines[3].removeprefix("tap-voice config: "))
    assert sorted(config) == ["api_key", "base_url"]
    assert lines[4] == 'tap-voice takes instead: {"access_token": "tea"}\n'
    assert "/_sandbox/requests" in lines[5]


def test_a_vendors_dialect_is_served_with_its_settings() -> None:
    chosen = ("--provider", "zendesk_talk", "--provider", "jsm_ops", "--size", "3", "--option", "cloud_id=site")
    lines = lines_of(*chosen, count=6)
    assert re.match(
        r"tap-sandbox serves the voice API of Zendesk Talk at http://\S+/api/v2/channels/voice \(", lines[0]
    )
    config = json.loads(lines[1].removeprefix("tap-voice config: "))
    assert (config["provider"], config["email"]) == ("zendesk_talk", "agent@sandbox.example")
    assert lines[2] == 'tap-voice takes instead: {"access_token": "sandbox-token"}\n'
    assert "(experimental)" in lines[3]
    config = json.loads(lines[4].removeprefix("tap-oncall config: "))
    assert config["base_url"].endswith("/jsm/ops/api/site/v1")
    # Of the first one's server, but not below its API.
    assert re.fullmatch(r"what was asked: http://127\.0\.0\.1:\d+/_sandbox/requests  \(Ctrl\+C stops\)\n", lines[5])


def test_other_apis_are_served_beside_a_vendors_if_they_are_named() -> None:
    chosen = ("--api", "voice", "--api", "helpdesk", "--provider", "freshdesk", "--provider", "generic")
    lines = lines_of(*chosen, "--size", "3", "--quiet", count=2)
    assert "the voice API at" in lines[0]
    assert "the help desk API of Freshdesk at" in lines[1]


def test_accounts_are_listed_as_the_data_source_takes_them() -> None:
    arguments = ("--api", "helpdesk", "--api", "voice", "--accounts", "12", "--size", "3")
    lines = lines_of(*arguments, count=5)
    assert re.fullmatch(
        r"tap-sandbox serves 12 accounts of the help desk API at http://127\.0\.0\.1:(\d+)/account-01 to "
        r"http://127\.0\.0\.1:\1/account-12 \(api_key: sandbox-key-01 to sandbox-key-12\)\n",
        lines[0],
    )
    listed = json.loads(lines[1].removeprefix("tap-helpdesk accounts: "))
    assert [account["account"] for account in listed] == [f"account-{number:02}" for number in range(1, 13)]
    assert listed[6].keys() == {"account", "base_url", "api_key"}
    assert listed[6]["base_url"].endswith("/account-07")
    assert "serves 12 accounts of the voice API at" in lines[2]
    assert "/account-01/_sandbox/requests" in lines[4]


def test_accounts_are_written_to_a_file_before_their_address_is_told(tmp_path: Path) -> None:
    listed = tmp_path / "accounts.json"
    arguments = ("--provider", "freshdesk", "--accounts", "2", "--accounts-file", str(listed), "--size", "3")
    lines = lines_of(*arguments, count=3)
    assert lines[1] == f"tap-helpdesk accounts: {listed}\n"
    found = json.loads(listed.read_text())
    assert [account["account"] for account in found] == ["account-01", "account-02"]
    assert found[1]["base_url"] in lines[0]
    assert found[1]["provider"] == "freshdesk"


def test_a_file_of_accounts_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--api", "voice", "--accounts", "1", "--size", "1", "--accounts-file", str(tmp_path / "no" / "file")]
    assert "No such file or directory" in assert_one_line(arguments, capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--accounts", "0"],
        ["--accounts", "2", "--accounts-file", "accounts.json"],
        ["--api", "voice", "--accounts-file", "accounts.json"],
        ["--provider", "nonsense"],
        ["--api", "voice", "--provider", "freshdesk"],
        ["--provider", "opsgenie", "--provider", "jsm_ops"],
        ["--provider", "freshdesk", "--option", "lacks=nonsense"],
        ["--api", "helpdesk", "--option", "lacks=skills"],
        ["--fault", "nonsense"],
        ["--port", "70000"],
        ["--tickets", "many"],
        ["--page-cap", "101"],
        ["--rate-window", "0"],
        ["--rate-kind", "nonsense"],
        ["--no-such-option"],
        ["stray"],
        ["--host", "256.0.0.1"],
        ["--api", "nonsense"],
        ["--port", "65535"],
        ["--option", "nonsense=1"],
        ["--option", "export_page"],
        ["--option", "export_page=many"],
        ["--option", "export_page=0"],
        ["--option", "export_end=nonsense"],
        ["--option", "huge_numbers=perhaps"],
        ["--cache-mb", "0"],
    ],
)
def test_a_bad_option_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert_one_line(arguments, capsys)


def test_a_busy_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "Address already in use" in assert_one_line(["--port", str(port)], capsys)


def assert_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
    finally:
        for number, handler in handlers:
            signal.signal(number, handler)
    assert caught.value.code not in {0, None}
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tap-sandbox: ")
    assert err.count("\n") == 1
    return err


def test_problems_end_the_command_without_a_traceback() -> None:
    ended = run("--fault", "503:never=1")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("tap-sandbox: bad fault '503:never=1'")


def test_help_is_no_problem() -> None:
    ended = run("--help")
    assert ended.returncode == 0
    assert "--rate-limit" in ended.stdout


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "faker", "httptools"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from taps.sandbox.cli import main; main(['--port', '0'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "install frontline-taps[sandbox]" in ended.stderr
