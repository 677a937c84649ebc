"""`taps check`, against the sandbox over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from suite_command import ESCAPE, row_of, taps, taps_on_a_terminal

from support import config_for
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

UNREACHABLE = "http://127.0.0.1:9"


def check(sandbox: Sandbox, files: Path, *arguments: str, columns: int | None = None, **settings: Any) -> Any:
    return taps("check", "helpdesk", *arguments, config=config_for(sandbox, **settings), files=files, columns=columns)


def test_all_that_can_be_read_is_told(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = check(shared_sandbox, tmp_path)
    assert (ran.exit_code, ran.err) == (0, "")
    assert ran.out.startswith(
        f"tap-helpdesk, provider generic: the settings are good\n{shared_sandbox.base_url} answers\n"
    )
    assert row_of(ran.out, "agents")[:2] == ["agents", "yes"]
    assert row_of(ran.out, "conversations")[3:] == ["at least 30", "at least 30 tickets"]
    assert "All 28 streams can be read.\n" in ran.out
    assert "No limit is set, so the tap goes by what the API's answers say.\n" in ran.out
    assert not list(tmp_path.glob("*state*"))


def test_the_shape_of_its_json(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = check(shared_sandbox, tmp_path, "--streams", "agents,tickets,conversations", "--json", requests_per_minute=60)
    assert (ran.exit_code, ran.err) == (0, "")
    found = ran.json
    assert {name: value for name, value in found.items() if name != "streams"} == {
        "tap": "tap-helpdesk",
        "provider": "generic",
        "address": shared_sandbox.base_url,
        "errors": [],
        "reachable": True,
        "requests": {"number": 33, "how": "at least"},
        "counted": {"number": 33, "how": "at least"},
        "limits": [{"name": "60 requests a minute", "set": True, "minutes": 0.55}],
    }
    agents, tickets, conversations = found["streams"]
    assert agents == {
        "name": "agents",
        "read": "yes",
        "problem": None,
        "rows_on_first_page": len(shared_sandbox.helpdesk.records("agents")),
        "undeclared_fields": [],
        "requests": {"number": 1, "how": "exactly"},
        "rests_on": "its only page",
    }
    assert tickets["requests"] == {"number": 2, "how": "at least"}
    assert conversations["rests_on"] == "at least 30 tickets"


def test_what_cannot_be_read_is_told_with_its_reason(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["403:path=/v1/discussions/categories"])
    sandbox.helpdesk.put("roles", [{"id": 1, "name": "Agent", "new_field": 1}])
    ran = check(sandbox, tmp_path)
    assert ran.exit_code == 1
    assert row_of(ran.out, "discussion_categories")[1] == "no"
    assert "GET /v1/discussions/categories: 403 Forbidden: You are not authorized to perform this action." in ran.words
    assert row_of(ran.out, "roles")[-1] == "1 undeclared: new_field"
    assert "24 of 28 streams can be read.\n" in ran.out
    assert ran.err == (
        "Error: 4 of 28 streams cannot be read: discussion_categories, discussion_forums, discussion_topics, "
        "discussion_comments\n"
    )
    found = check(sandbox, tmp_path, "--json").json
    by_name = {stream["name"]: stream for stream in found["streams"]}
    assert by_name["discussion_forums"]["problem"] == "not tried: 'discussion_categories' cannot be read"
    assert by_name["roles"]["undeclared_fields"] == ["new_field"]
    assert found["errors"][0].startswith("4 of 28 streams cannot be read")


def test_skipped_streams_are_not_readable_ones(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["403:path=/v1/skills"])
    ran = check(sandbox, tmp_path, "--streams", "skills,agents", skip_inaccessible_streams=True)
    assert ran.exit_code == 0
    assert "1 of 2 streams can be read, 1 is skipped.\n" in ran.out
    assert "; skipped, as skip_inaccessible_streams says" in ran.words


@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_key_is_a_line(shared_sandbox: Sandbox, tmp_path: Path, as_json: bool) -> None:  # noqa: FBT001
    ran = check(
        shared_sandbox, tmp_path, *(["--json"] if as_json else []), api_key="wrong-key-4711", max_retries=0, page_size=5
    )
    assert ran.exit_code == 1
    assert ran.err == (
        "Error: No stream could be read. GET /v1/agents: 401 Unauthorized: You have to be logged in to perform this "
        f"action. Check 'api_key', and that it belongs to 'base_url' ({shared_sandbox.base_url})\n"
    )
    assert "wrong-key-4711" not in ran.out
    if as_json:
        assert ran.json["reachable"] is True
        assert ran.json["errors"] == [ran.err.removeprefix("Error: ").strip()]
    else:
        assert f"{shared_sandbox.base_url} answers\n" in ran.out


def test_a_host_that_is_not_there_is_a_line(tmp_path: Path) -> None:
    config = {"base_url": UNREACHABLE, "api_key": "some-key-4711", "max_retries": 0}
    ran = taps("check", "tap-helpdesk", config=config, files=tmp_path)
    assert ran.exit_code == 1
    assert ran.err.startswith(f"Error: No stream could be read. GET /v1/agents: no connection to {UNREACHABLE}: ")
    assert ran.err.count("\n") == 1
    assert f"{UNREACHABLE} cannot be reached\n" in ran.out
    assert taps("check", "helpdesk", "--json", config=config, files=tmp_path).json["reachable"] is False


def test_bad_settings_are_a_line_each(tmp_path: Path) -> None:
    config = {"base_url": "acme.example.com", "api_key": "some-key-4711", "page_size": 0, "page_sise": 3}
    ran = taps("check", "helpdesk", config=config, files=tmp_path)
    assert (ran.exit_code, ran.out) == (2, "")
    first, second, third = ran.err.splitlines()
    assert first.startswith("Error: Setting 'base_url' is \"acme.example.com\"; it must be an http or https address")
    assert second == "Error: Setting 'page_size' is 0; it must be a whole number from 1 to 100"
    assert third == "Error: Setting 'page_sise' is unknown and has no effect; did you mean 'page_size'?"
    found = taps("check", "helpdesk", "--json", config=config, files=tmp_path)
    assert found.exit_code == 2
    assert found.json["errors"] == [line.removeprefix("Error: ") for line in (first, second, third)]
    assert found.json["streams"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "The config file config.json cannot be read: No such file or directory"),
        ("{", "The config file config.json is no JSON: "),
        ("[]", "The config file config.json holds no JSON object, but list"),
    ],
)
def test_a_config_that_cannot_be_used_is_a_line(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    ran = taps("check", "helpdesk", "--config", "config.json", files=tmp_path)
    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.err.startswith(f"Error: {message}")
    assert ran.err.count("\n") == 1


def test_settings_come_from_the_environment_and_from_several_files(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    variables = {"TAP_HELPDESK_API_KEY": shared_sandbox.api_key, "TAP_HELPDESK_BASE_URL": shared_sandbox.base_url}
    ran = taps("check", "helpdesk", "--config", "ENV", "--streams", "agents", files=tmp_path, variables=variables)
    assert "The stream can be read.\n" in ran.out
    ran = taps("check", "helpdesk", "--streams", "agents", files=tmp_path, variables=variables)
    assert ran.exit_code == 2
    assert "settings are read from there only with --config ENV" in ran.err
    given: dict[str, dict[str, Any]] = {
        "a": {"api_key": "x", "page_size": 3},
        "b": {"api_key": shared_sandbox.api_key},
    }
    for name, settings in given.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"base_url": shared_sandbox.base_url, **settings}))
    ran = taps("check", "helpdesk", "--config", "a.json", "--config", "b.json", "--streams", "agents", files=tmp_path)
    assert row_of(ran.out, "agents")[:3] == ["agents", "yes", "3"]


def test_a_wrong_stream_is_a_line(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = check(shared_sandbox, tmp_path, "--streams", "agents,ticket")
    assert ran == (2, "", "Error: tap-helpdesk has no stream 'ticket'; did you mean 'tickets'?\n")


def test_the_minutes_are_told_for_each_plan(tmp_path: Path) -> None:
    with Sandbox("helpdesk", provider="freshdesk", tickets=150, seed=5) as sandbox:
        ran = check(sandbox, tmp_path, "--streams", "tickets,conversations", plan="growth")
        found = check(sandbox, tmp_path, "--streams", "tickets,conversations", "--json", plan="growth").json
    assert ran.out.startswith("tap-helpdesk, provider freshdesk, plan growth: the settings are good\n")
    assert "A first sync takes at least 102 requests that count for at least 114.\n" in ran.out
    assert "200 requests a minute, as set   at least 0.6 minutes\n" in ran.out
    assert "trial, 50 a minute              at least 2.3 minutes\n" in ran.out
    assert [(limit["name"], limit["set"]) for limit in found["limits"]] == [
        ("200 requests a minute", True),
        ("trial, 50 a minute", False),
        ("growth, 200 a minute", False),
        ("pro, 400 a minute", False),
        ("enterprise, 700 a minute", False),
    ]


def test_it_is_readable_on_sixty_columns(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["403:path=/v1/skills"])
    ran = check(sandbox, tmp_path, columns=60)
    assert max(map(len, ran.out.splitlines())) <= 60
    assert "…" not in ran.out
    assert "canned_response_folders\n  read      yes\n" in ran.out
    assert "GET /v1/skills: 403 Forbidden: You are not authorized to perform this action." in ran.words


def test_a_terminal_without_colours_gets_no_escape_code(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    config = config_for(shared_sandbox)
    arguments = ["check", "helpdesk", "--streams", "agents,roles"]
    for variables in ({"TERM": "dumb"}, {"TERM": "xterm-256color", "NO_COLOR": "1"}):
        assert ESCAPE not in taps_on_a_terminal(*arguments, config=config, files=tmp_path, variables=variables).out
    assert (
        ESCAPE
        in taps_on_a_terminal(*arguments, config=config, files=tmp_path, variables={"TERM": "xterm-256color"}).out
    )
