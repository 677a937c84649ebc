"""Taps that run as processes: how they end, what they write, what they leave behind."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from scripted import FULL, TICKETS, Desk, is_running, wait_for
from typing_extensions import Self

from support import config_for
from taps.bridge.errors import (
    BatchNotSupportedError,
    DiscoveryError,
    IncompleteError,
    MessageError,
    TapConfigError,
    TapFailedError,
    TapNotFoundError,
)

if TYPE_CHECKING:
    from taps.sandbox.server import Sandbox

HERE = Path(__file__).resolve().parent
SECRET = "ring-ding/dong+9"
OLD = [(1, "old"), (2, "old")]
OLD_BOOKMARK = {"replication_key_value": 2}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def used_desk(desk: Desk) -> Desk:
    """A desk whose last run loaded two tickets."""
    desk.load(
        desk.tap("""
        schema()
        record(1, "old")
        record(2, "old")
        bookmark({"bookmarks": {"tickets": {"replication_key_value": 2}}})
        """)
    )
    assert desk.rows() == OLD
    return desk


# The settings


_NOTE_SETTINGS = """
path = given["--config"]
note(path=path, mode=os.stat(path).st_mode & 0o777, above=os.stat(os.path.dirname(path)).st_mode & 0o777, pid=os.getpid())
"""


def settings_are_private(desk: Desk) -> bool:
    notes = desk.notes()
    return (notes["mode"], notes["above"]) == (0o600, 0o700)


def settings_are_there(desk: Desk) -> bool:
    return Path(desk.notes()["path"]).parent.exists()


def test_the_settings_are_in_a_private_file_that_is_gone_after_the_run(desk: Desk) -> None:
    desk.load(desk.tap(_NOTE_SETTINGS + "schema()"))
    assert settings_are_private(desk)
    assert not settings_are_there(desk)


def test_the_settings_are_gone_after_a_failure(desk: Desk) -> None:
    desk.failure(desk.tap(_NOTE_SETTINGS + "sys.exit(3)"))
    assert settings_are_private(desk)
    assert not settings_are_there(desk)


def test_the_settings_are_gone_after_discovery(desk: Desk) -> None:
    tap = desk.tap("", discovery=_NOTE_SETTINGS + "\nsys.exit(3)")
    with pytest.raises(DiscoveryError):
        desk.source(tap, None)
    assert settings_are_private(desk)
    assert not settings_are_there(desk)


# Processes that outlive nobody


_LINGER = """
note(path=given["--config"], processes=[os.getpid(), os.getppid(), start_child()])
schema()
for number in range(30_000):
    record(number)
wait_long()
"""


def nothing_is_left(desk: Desk) -> None:
    processes = desk.notes()["processes"]
    assert len(processes) == 3
    wait_for(lambda: not any(map(is_running, processes)), 5)
    wait_for(lambda: not settings_are_there(desk), 5)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("doing", ["run", "discover"])
def test_a_tap_does_not_outlive_a_killed_dlt(desk: Desk, by: signal.Signals, doing: str) -> None:
    if doing == "run":
        desk.tap(_LINGER)
    else:
        desk.tap("", discovery=_LINGER)
    host = subprocess.Popen(
        [sys.executable, HERE / "killed_host.py", desk.folder, doing], stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        assert all(map(is_running, desk.notes()["processes"]))
        host.send_signal(by)
        _, log = host.communicate(timeout=20)
    finally:
        host.kill()
        host.wait()
    assert host.returncode != 0, log
    nothing_is_left(desk)
    assert desk.rows() == []


def test_what_a_tap_leaves_running_does_not_outlive_a_dlt_that_was_killed_after_the_tap_had_ended(desk: Desk) -> None:
    desk.tap("""
    note(path=given["--config"], processes=[os.getpid(), os.getppid(), start_child()])
    while not os.path.exists(os.path.join(config["notes"], "go")):
        time.sleep(0.02)
    """)
    host = subprocess.Popen(
        [sys.executable, HERE / "killed_host.py", desk.folder, "run"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        tap, *_ = desk.notes()["processes"]
        host.send_signal(signal.SIGSTOP)
        (desk.folder / "go").touch()
        wait_for(lambda: not is_running(tap), 10)
    finally:
        host.kill()
        host.wait()
    nothing_is_left(desk)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_tap_does_not_outlive_an_error_in_dlt(desk: Desk, error: type[BaseException]) -> None:
    def refuse(rows: Any) -> Any:
        raise error

    source = desk.source(desk.tap(_LINGER))
    source.resources["tickets"].add_map(refuse)
    with pytest.raises((PipelineStepFailed, KeyboardInterrupt)):
        desk.pipeline().run(source)
    nothing_is_left(desk)
    assert desk.rows() == []


def test_what_a_tap_leaves_running_ends_with_it(desk: Desk) -> None:
    desk.load(
        desk.tap(
            "schema()\nrecord(1)\nnote(path=given['--config'], processes=[os.getpid(), os.getppid(), start_child()])"
        )
    )
    assert desk.rows() == [(1, None)]
    nothing_is_left(desk)


def handlers() -> list[Any]:
    return [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)]


def test_a_process_leaves_the_signal_handlers_of_its_host_alone(desk: Desk) -> None:
    before = handlers()
    desk.config["catalog"] = TICKETS
    source = desk.source(desk.tap("schema()\nrecord(1)", discovery="write(config['catalog'])"), None)
    assert handlers() == before
    desk.pipeline().run(source)
    assert handlers() == before
    desk.failure(desk.tap("sys.exit(1)"))
    assert handlers() == before


@pytest.mark.parametrize("tap", ["sdk_taps:TapTickets", "tap-helpdesk"])
def test_a_tap_of_the_sdk_leaves_the_signal_handlers_of_its_host_alone(
    desk: Desk, shared_sandbox: Sandbox, tap: str
) -> None:
    desk.config = config_for(shared_sandbox) if tap == "tap-helpdesk" else {"word": "new"}
    before = handlers()
    source = desk.source(tap, None, streams=["tickets"])
    assert handlers() == before
    desk.pipeline().run(source)
    assert handlers() == before
    assert desk.rows("SELECT count(*) FROM tickets") == [(30 if tap == "tap-helpdesk" else 200,)]


# The log


def test_megabytes_of_log_hold_nothing_up_and_show_no_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    desk.config |= {"api_key": SECRET, "nested": [{"client_secret": "second-secret"}]}
    desk.load(
        desk.tap("""
        from base64 import b64encode
        from urllib.parse import quote

        for number in range(5000):
            log(f"{number}: " + "x" * 1000)
        schema()
        record(1)
        secret = config["api_key"]
        log(f"GET /?key={secret} {quote(secret, safe='')} {b64encode(secret.encode()).decode()} {[secret]}")
        log(config["nested"][0]["client_secret"])
        log("the last word")
        """)
    )
    ours = [record for record in caplog.records if record.name.startswith("taps.bridge.")]
    assert len(ours) == 5003
    assert ours[-1].getMessage() == "the last word"
    for form in (SECRET, "ring-ding%2Fdong%2B9", base64.b64encode(SECRET.encode()).decode(), "second-secret"):
        assert form not in caplog.text
    assert "GET /?key=***" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        "log('no entry with ' + config['api_key'])\nsys.exit(1)",
        "raw(f'My key is {config[\"api_key\"]}\\n'.encode())",
        "schema()\nraw(('{\"type\": \"RECORD\", \"x' + 'y' * 94 + config['api_key']).encode())",
    ],
    ids=["log", "output", "cut excerpt"],
)
def test_no_secret_gets_into_an_error(desk: Desk, body: str) -> None:
    desk.config["api_key"] = SECRET
    error = desk.failure(desk.tap(body))
    assert SECRET[:6] not in str(error)
    assert "***" in str(error)


def test_no_secret_gets_into_an_error_of_discovery(desk: Desk) -> None:
    desk.config["api_key"] = SECRET
    for discovery in ("raw(b'y' * 112 + config['api_key'].encode())", "log(config['api_key'])\nsys.exit(1)"):
        with pytest.raises(DiscoveryError) as caught:
            desk.source(desk.tap("", discovery=discovery), None)
        assert SECRET[:6] not in str(caught.value)


def test_a_secret_of_the_environment_is_no_less_a_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    error = desk.failure(desk.tap("log(os.environ['TAP_API_KEY'])\nsys.exit(1)"), env={"TAP_API_KEY": SECRET})
    assert SECRET not in str(error) + caplog.text
    assert "***" in str(error)


def test_a_secret_of_many_lines_is_a_secret_line_by_line(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    desk.config["private_key"] = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    error = desk.failure(desk.tap("log(config['private_key'])\nsys.exit(1)"))
    assert "MIIEvQIBADANBgkq" not in str(error) + caplog.text
    assert "hkiG9w0BAQEFAASC" not in str(error) + caplog.text


def test_the_password_in_an_address_is_a_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    desk.config["sqlalchemy_url"] = f"postgresql://desk:{SECRET.replace('/', '%2F')}@db.example/desk"
    error = desk.failure(desk.tap(f"log('cannot reach ' + config['sqlalchemy_url'])\nlog('{SECRET}')\nsys.exit(1)"))
    assert "ring-ding" not in str(error) + caplog.text
    assert "postgresql://desk:***@db.example/desk" in str(error)


def test_a_log_without_line_ends_does_not_fill_an_error(desk: Desk) -> None:
    error = desk.failure(desk.tap("sys.stderr.write('z' * 3_000_000 + '\\r\\x0b\\u2028')\nlog('the end')\nsys.exit(1)"))
    assert "zzz" in str(error)
    assert len(str(error)) < 5000


# How a tap ends


def test_a_failed_tap_loads_nothing(used_desk: Desk) -> None:
    error = used_desk.failure(
        used_desk.tap("""
        schema()
        for number in range(30_000):
            record(number, "new")
        bookmark({"bookmarks": {"tickets": {"replication_key_value": 30_000}}})
        for number in range(1, 21):
            log(f"word {number}")
        sys.exit(41)
        """)
    )
    assert isinstance(error, TapFailedError)
    assert error.exit_code == 41
    assert "exit code 41" in str(error)
    assert [word for word in range(1, 21) if f"word {word} |" in f"{error} |"] == list(range(11, 21))
    assert used_desk.rows() == OLD
    assert used_desk.bookmark() == OLD_BOOKMARK
    used_desk.load(used_desk.tap("schema()\nrecord(3, 'new')\nnote(state=state)"))
    assert used_desk.rows() == [*OLD, (3, "new")]
    assert used_desk.notes()["state"] == {"bookmarks": {"tickets": OLD_BOOKMARK}}


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_tap_is_said_to_be_killed(desk: Desk, by: signal.Signals) -> None:
    error = desk.failure(desk.tap(f"schema()\nrecord(1)\nsys.stdout.flush()\nos.kill(os.getpid(), {int(by)})"))
    assert isinstance(error, TapFailedError)
    assert error.exit_code == -by
    assert f"was killed by {by.name}" in str(error)
    assert desk.rows() == []


def test_a_tap_whose_whole_group_is_killed_is_said_to_be_killed(desk: Desk) -> None:
    error = desk.failure(desk.tap(_NOTE_SETTINGS + "schema()\nraw(b'')\nos.killpg(0, signal.SIGKILL)"))
    assert isinstance(error, TapFailedError)
    assert "was killed by SIGKILL" in str(error)
    assert not settings_are_there(desk)


@pytest.mark.parametrize("how", ["class", "executable"])
@pytest.mark.parametrize("stop", ["terminate the group", "terminate the tap", "interrupt the tap"])
def test_a_signal_does_not_make_half_a_table_of_a_whole_one(desk: Desk, how: str, stop: str) -> None:
    desk.config = {"word": "old"}
    tap = "sdk_taps:TapTickets" if how == "class" else [sys.executable, HERE / "sdk_taps.py"]
    desk.load(tap, None)
    desk.config = {"word": "new", "stop": stop}
    try:
        desk.load(tap, FULL)
    except PipelineStepFailed as failed:
        assert isinstance(failed.__cause__, IncompleteError | TapFailedError)  # noqa: PT017 - either end is right
        expected = "old"
    else:
        expected = "new"
    assert desk.rows("SELECT word, count(*) FROM tickets GROUP BY word") == [(expected, 200)]


def test_a_tap_of_the_sdk_that_leaves_without_a_word_did_not_give_everything(desk: Desk) -> None:
    desk.config = {"word": "old"}
    desk.load("sdk_taps:TapTickets", FULL)
    desk.config = {"word": "new", "stop": "leave"}
    error = desk.failure("sdk_taps:TapTickets", FULL)
    assert isinstance(error, IncompleteError)
    assert "exit code 0, but it was stopped on its way" in str(error)
    assert desk.rows("SELECT word, count(*) FROM tickets GROUP BY word") == [("old", 200)]


_METRIC = '{"type": "timer", "metric": "sync_duration", "value": 1.5, "tags": {"stream": "tickets", "status": "%s"}}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("bookmark({'currently_syncing': 'tickets', 'bookmarks': {'tickets': {'id': 3}}})", "still reading 'tickets'"),
        (f"log('INFO METRIC: {_METRIC % 'failed'}')", "did not come to the end of tickets"),
    ],
    ids=["state", "metric"],
)
def test_exit_code_0_is_no_proof_where_the_tap_says_otherwise(used_desk: Desk, body: str, words: str) -> None:
    error = used_desk.failure(used_desk.tap(f"schema()\nrecord(3, 'new')\n{body}\nlog('bye')"))
    assert isinstance(error, IncompleteError)
    assert words in str(error)
    assert "bye" in str(error)
    assert used_desk.rows() == OLD
    assert used_desk.bookmark() == OLD_BOOKMARK


def test_a_tap_may_say_what_it_reads_as_long_as_it_says_in_the_end_that_it_is_done(desk: Desk) -> None:
    desk.load(
        desk.tap(f"""
        bookmark({{"currently_syncing": "tickets"}})
        schema()
        record(1)
        log('INFO METRIC: {_METRIC % "succeeded"}')
        log('INFO METRIC: {{"metric": "http_request_duration", "tags": {{"status": "failed"}}}}')
        log('INFO METRIC: {{not JSON}}')
        bookmark({{"currently_syncing": None, "bookmarks": {{}}}})
        """)
    )
    assert desk.rows() == [(1, None)]


def test_a_table_is_not_replaced_by_a_stream_that_was_never_announced(desk: Desk) -> None:
    desk.load(desk.tap("schema()\nrecord(1)"), FULL)
    error = desk.failure(desk.tap("bookmark({})"), FULL)
    assert isinstance(error, IncompleteError)
    assert "without a SCHEMA message of tickets" in str(error)
    assert desk.rows() == [(1, None)]
    desk.load(desk.tap("schema()"), FULL)
    assert desk.rows() == []


# What a tap writes


_RECORD = '{"type": "RECORD", "stream": "tickets", "record": {"id": 1}}'


@pytest.mark.parametrize(
    ("body", "error_class", "line", "words"),
    [
        ("raw(b'Hello, world\\n')", MessageError, 3, "no JSON: Hello, world"),
        (f"raw(b'{_RECORD[:-10]}\\xff\"}}}}\\n')", MessageError, 3, "no UTF-8: "),
        ("raw(b'[1, 2]\\n')", MessageError, 3, "no Singer message"),
        ("raw(b'17\\n')", MessageError, 3, "no Singer message"),
        ("raw(b'{\"id\": 5}\\n')", MessageError, 3, 'missing required field `type`): {"id": 5}'),
        ("record(1, stream='macros')", MessageError, 3, "stream 'macros' before its SCHEMA message"),
        ("write({'type': 'RECORD', 'stream': 'tickets'})", MessageError, 3, "has no 'record'"),
        ("write({'type': 'RECORD', 'stream': 'tickets', 'record': [1]})", MessageError, 3, "no Singer message"),
        ("write({'type': 'SCHEMA', 'stream': 'tickets'})", MessageError, 3, "no 'schema'"),
        ("write({'type': 'STATE'})", MessageError, 3, "no 'value'"),
        ("record(float('nan'))", MessageError, 3, "no JSON"),
        ('raw(b\'{"type": "RECORD", "stream": "tick\')', MessageError, 3, '"stream": "tick'),
        ("write({'type': 'BATCH', 'stream': 'tickets'})", BatchNotSupportedError, 3, "batch_config"),
        ("raw(b'\\n\\n  \\n')\nraw(b'oops\\n')", MessageError, 6, "oops"),
        ("raw('a\\rb\\x0bc\\u2028d\\x85e\\tf'.encode())", MessageError, 3, "a b c d e f"),
        ("raw(b'o' * 20_000_000)", MessageError, 3, "o" * 120 + "…"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_a_line_that_is_no_message_is_shown(
    desk: Desk, body: str, error_class: type[MessageError], line: int, words: str
) -> None:
    error = desk.failure(desk.tap(f"schema()\nrecord(1)\n{body}"))
    assert type(error) is error_class
    assert error.line == line
    assert f"line {line} of its output" in str(error)
    assert words in str(error)
    assert len(str(error)) < 400
    assert desk.rows() == []
    assert desk.bookmark() is None


def test_the_first_line_of_the_output_can_be_the_wrong_one(desk: Desk) -> None:
    error = desk.failure(desk.tap("record(1)\nschema()"))
    assert isinstance(error, MessageError)
    assert error.line == 1


def test_huge_lines_empty_ones_and_a_last_one_without_an_end_arrive(desk: Desk) -> None:
    desk.load(
        desk.tap("""
        schema()
        for number in range(3):
            raw(b"\\n \\r\\n")
            record(number, str(number) * 20_000_000)
        write({"type": "ACTIVATE_VERSION", "stream": "tickets", "version": 1})
        raw(b'{"type": "RECORD", "stream": "tickets", "record": {"id": 9, "word": "last"}}')
        """)
    )
    expected = [(n, hashlib.md5(str(n).encode() * 20_000_000).hexdigest()) for n in range(3)]  # noqa: S324 - no secret
    expected.append((9, hashlib.md5(b"last").hexdigest()))  # noqa: S324
    assert desk.rows("SELECT id, md5(word) FROM tickets ORDER BY id") == expected


class _Memory:
    """Watches how much memory this process has, while a test waits for something."""

    def __init__(self) -> None:
        self.before = self.most = self._now()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.most = max(self.most, self._now())

    @staticmethod
    def _now() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read where Linux tells it")
def test_half_a_surrogate_pair_is_replaced_and_the_rest_of_its_record_kept(desk: Desk) -> None:
    desk.load(
        desk.tap(r"""
        schema()
        record(1, "half \ud83d of a pair")
        record(2, "a whole \ud83d\ude00 one")
        """)
    )
    assert desk.rows() == [(1, "half \ufffd of a pair"), (2, "a whole \U0001f600 one")]


def test_a_million_records_pass_through_little_memory(desk: Desk) -> None:
    tap = desk.tap("""
    schema()
    sys.stdout.flush()
    word = "w" * 200
    for thousand in range(1000):
        raw("".join(
            f'{{"type": "RECORD", "stream": "tickets", "record": {{"id": {number}, "word": "{word}"}}}}\\n'
            for number in range(thousand * 1000, thousand * 1000 + 1000)
        ).encode())
    """)
    begun = time.monotonic()
    with _Memory() as memory:
        info = desk.pipeline().extract(desk.source(tap))
    tables = [step["table_metrics"] for steps in info.metrics.values() for step in steps]
    assert sum(table["tickets"].items_count for table in tables if "tickets" in table) == 1_000_000
    assert time.monotonic() - begun < 60
    assert memory.most - memory.before < 200_000_000  # of 270 MB that the tap writes


# A tap that is not there, or does not say what it has


@pytest.mark.parametrize(
    ("tap", "words"),
    [
        ("/nowhere/bin/tap-nothing --verbose", "no executable '/nowhere/bin/tap-nothing'"),
        (["tap-nothing"], "'.venv-tap/bin/tap-nothing'"),
        ("no_such_module:TapNothing", "no module 'no_such_module'"),
        ("sdk_taps:TapNothing", "no class 'TapNothing'"),
        ("sdk_taps:Tickets", "no tap of the Singer SDK"),
        ("", "tap is empty"),
    ],
)
def test_a_tap_that_is_not_there_is_named(desk: Desk, tap: Any, words: str) -> None:
    with pytest.raises(TapNotFoundError) as caught:
        desk.source(tap, None)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_command_whose_interpreter_is_gone_is_an_error_to_read(desk: Desk) -> None:
    path = desk.folder / "tap-moved"
    path.write_text("#!/nowhere/bin/python\n")
    path.chmod(0o755)
    with pytest.raises(DiscoveryError, match=r"tap-moved.*No such file or directory"):
        desk.source(str(path), None)


@pytest.mark.parametrize(
    ("discovery", "words"),
    [
        ("log('no entry')\nsys.exit(3)", "ended with exit code 3: no entry"),
        ("os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("print('Welcome!\\n\\nto\\x0bthe tap')", "wrote no catalog, but: Welcome! to the tap"),
        ("pass", "wrote no catalog, but: nothing"),
        ("raw(b'\\xff\\xfe')", "wrote no catalog"),
        ("print('{\"streams\": [')", "wrote no catalog"),
        ("print('[]')", "wrote no catalog"),
        ("print('{}')", "no list 'streams'"),
        ('print(\'{"streams": [{"stream": "tickets"}]}\')', "no 'schema'"),
        ("print('{\"streams\": [7]}')", "no 'tap_stream_id' or no 'schema'"),
    ],
)
def test_a_tap_that_does_not_list_its_streams_is_an_error(desk: Desk, discovery: str, words: str) -> None:
    with pytest.raises(DiscoveryError) as caught:
        desk.source(desk.tap("", discovery=discovery), None)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_discovery_that_hangs_is_ended_after_a_while(desk: Desk) -> None:
    begun = time.monotonic()
    tap = desk.tap("", discovery=_LINGER.replace("range(30_000)", "range(3)"))
    with pytest.raises(DiscoveryError, match=r"did not list its streams in 0.5 seconds \(discovery_timeout\)"):
        desk.source(tap, None, discovery_timeout=0.5)
    assert time.monotonic() - begun < 10
    nothing_is_left(desk)


def test_discovery_that_closes_its_output_and_hangs_is_ended_after_a_while(desk: Desk) -> None:
    begun = time.monotonic()
    tap = desk.tap("", discovery="print('{\"streams\": []}', flush=True)\nos.close(1)\nos.close(2)\ntime.sleep(600)")
    with pytest.raises(DiscoveryError, match="discovery_timeout"):
        desk.source(tap, None, discovery_timeout=0.5)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("catalog", [None, TICKETS], ids=["discovered", "given"])
def test_settings_that_a_class_does_not_take_are_an_error_of_the_settings(desk: Desk, catalog: Any) -> None:
    desk.config = {"wrod": "new"}
    with pytest.raises((TapConfigError, PipelineStepFailed)) as caught:
        desk.load("sdk_taps:TapTickets", catalog)
    error = caught.value.__cause__ if isinstance(caught.value, PipelineStepFailed) else caught.value
    assert isinstance(error, TapConfigError)
    assert "'word' is a required property" in str(error)
    assert len(str(error).splitlines()) == 1
