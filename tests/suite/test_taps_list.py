"""`taps list`, and what holds for the command as a whole."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from suite_command import ESCAPE, row_of, taps, taps_on_a_terminal

from support import SCRIPTS
from taps_under_test import TAPS

NAMES = "tap-contact-center, tap-helpdesk, tap-oncall, tap-sales-engagement, tap-voice"


def test_the_taps_are_listed() -> None:
    ran = taps("list")
    assert (ran.exit_code, ran.err) == (0, "")
    assert row_of(ran.out, "tap-helpdesk") == [
        "tap-helpdesk",
        "28",
        "3",
        "generic, freshdesk",
        "Reads a help desk: tickets and their conversations, people, companies, forums, solutions, configuration.",
    ]
    for tap in TAPS:
        assert row_of(ran.out, tap.name)[0] == tap.name


def test_the_streams_of_one_are_listed() -> None:
    ran = taps("list", "oncall")
    assert ran.exit_code == 0
    assert ran.out.startswith("tap-oncall: Reads an on-call service: ")
    assert "provider jsm_ops: Jira Service Management Operations, alerts alone, 1 stream, experimental\n" in ran.out
    assert row_of(ran.out, "alerts") == ["alerts", "id", "updatedAt", "yes"]
    assert row_of(ran.out, "alert_logs") == ["alert_logs", "alert_id, offset", "alerts", "yes", "generic, opsgenie"]
    assert row_of(ran.out, "alert_notes")[-1] == "opsgenie"


def test_the_plans_of_a_product_are_told() -> None:
    assert (
        "provider freshdesk: Freshdesk, 28 streams; plans trial, growth, pro, enterprise\n"
        in taps("list", "tap-helpdesk").out
    )


def test_the_json_has_all_streams_of_all_taps() -> None:
    ran = taps("list", "--json")
    assert ran.err == ""
    found = {tap["name"]: tap for tap in ran.json["taps"]}
    for tap in TAPS:
        streams = {stream["name"]: stream for stream in found[tap.name]["streams"]}
        assert {stream.name for stream in tap.tap_class.stream_types} <= set(streams)
        for stream in tap.tap_class.stream_types:
            told = streams[stream.name]
            assert told["keys"] == list(stream.primary_keys)
            assert told["cursor"] == stream.replication_key
    assert found["tap-helpdesk"]["providers"][1] == {
        "name": "freshdesk",
        "title": "Freshdesk",
        "experimental": False,
        "plans": ["trial", "growth", "pro", "enterprise"],
        "streams": 28,
    }
    [conversations] = [s for s in found["tap-helpdesk"]["streams"] if s["name"] == "conversations"]
    assert conversations == {
        "name": "conversations",
        "description": "Replies and notes on a ticket.",
        "keys": ["id"],
        "cursor": None,
        "parent": "tickets",
        "selected_by_default": True,
        "providers": ["generic", "freshdesk"],
    }


@pytest.mark.parametrize("arguments", [["list"], ["check"], ["preview"]])
@pytest.mark.parametrize("name", ["helpdesc", "tap-", "target-helpdesk"])
def test_a_wrong_tap_is_a_line_that_names_the_right_ones(arguments: list[str], name: str) -> None:
    ran = taps(*arguments, name, *(["tickets"] if arguments == ["preview"] else []), "--json")
    assert ran == (2, "", f"Error: There is no tap '{name}'; there are {NAMES}\n")


def test_narrow_terminals_get_no_cut_word() -> None:
    wide, narrow = taps("list", "sales-engagement"), taps("list", "sales-engagement", columns=60)
    assert max(map(len, narrow.out.splitlines())) <= 60
    assert "…" not in narrow.out
    # One word each: the same ones, in whatever layout.
    ignored = {"stream", "keys", "cursor", "parent", "by", "default", "only", "of"}
    assert set(re.findall(r"[\w.-]+", wide.out)) - ignored == set(re.findall(r"[\w.-]+", narrow.out)) - ignored


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "xterm-256color", "NO_COLOR": "1"}])
def test_a_terminal_without_colours_gets_no_escape_code(variables: dict[str, str]) -> None:
    ran = taps_on_a_terminal("list", "oncall", columns=120, variables=variables)
    assert ran.exit_code == 0
    assert ESCAPE not in ran.out
    assert ran.out == taps("list", "oncall", columns=120).out


def test_a_terminal_gets_colours() -> None:
    assert ESCAPE in taps_on_a_terminal("list", "oncall", columns=120, variables={"TERM": "xterm-256color"}).out


def test_an_encoding_without_lines_gets_others() -> None:
    ran = taps("list", "oncall", variables={"PYTHONIOENCODING": "ascii"})
    assert ran.exit_code == 0
    assert ran.out.isascii()


def test_an_output_that_cannot_be_written_is_a_line() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        failed = subprocess.run([SCRIPTS / "taps", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr == "Error: The output cannot be written: No space left on device\n"


def test_a_reader_that_goes_away_ends_it_without_a_word() -> None:
    with subprocess.Popen(
        [SCRIPTS / "taps", "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_help_names_all_commands_and_the_exit_codes() -> None:
    ran = taps("--help")
    for name in ("list", "check", "preview", "dlt-config", "sandbox"):
        assert re.search(rf"^  {name} ", ran.out, re.MULTILINE)
    assert "Exit codes: 0 all is well, 1 something cannot be read, 2 bad usage or settings." in ran.words


def test_commands_import_nothing_that_they_do_not_need() -> None:
    program = (
        "import sys; sys.argv = ['taps', *sys.argv[1:]]\n"
        "from taps.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('requests', 'singer_sdk', 'dlt', 'pyarrow', 'starlette', 'rich') "
        "if name in sys.modules], file=sys.stderr)"
    )
    seen = {
        arguments: subprocess.run(
            [sys.executable, "-c", program, *arguments.split()], capture_output=True, text=True, check=True
        ).stderr
        for arguments in ("--help", "--version", "sandbox --help", "list")
    }
    assert seen["--help"] == seen["--version"] == seen["sandbox --help"] == "[]\n"
    assert not {"dlt", "pyarrow", "starlette"} & set(re.findall(r"\w+", seen["list"]))


def test_the_shell_completes_commands_and_options() -> None:
    variables = {"_TAPS_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    assert taps(variables={**variables, "COMP_WORDS": "taps "}).out.split() == [
        f"plain,{name}" for name in ("check", "list", "preview", "dlt-config", "sandbox")
    ]
    variables["COMP_CWORD"] = "2"
    assert "plain,--provider" in taps(variables={**variables, "COMP_WORDS": "taps sandbox --pro"}).out
    assert "plain,--output" in taps(variables={**variables, "COMP_WORDS": "taps dlt-config --out"}).out


class TestSandbox:
    def test_it_is_the_same_command(self) -> None:
        theirs = subprocess.run([SCRIPTS / "tap-sandbox", "--help"], capture_output=True, text=True, check=True).stdout
        assert taps("sandbox", "--help").out == theirs.replace("tap-sandbox", "taps sandbox")

    def test_a_wrong_name_is_an_error_in_a_line(self) -> None:
        ran = taps("sandbox", "--api", "nope")
        assert (ran.exit_code, ran.out) == (2, "")
        assert ran.err.startswith("taps sandbox: there is no API 'nope'; there are helpdesk, ")
        assert ran.err.count("\n") == 1

    def test_that_its_packages_are_missing_is_an_error_in_a_line(self) -> None:
        program = (
            "import sys; sys.modules['starlette'] = None; sys.argv = ['taps', 'sandbox']; "
            "from taps.cli import main; main()"
        )
        failed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert failed.returncode == 1
        assert failed.stderr.startswith("taps sandbox: the sandbox needs starlette")
        assert failed.stderr.endswith("install frontline-taps[sandbox]\n")
        assert failed.stderr.count("\n") == 1
