"""`taps preview`, against the sandbox over HTTP."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from suite_command import row_of, taps

from support import config_for, sync
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def preview(sandbox: Sandbox, files: Path, stream: str, *arguments: str, columns: int = 100, **settings: Any) -> Any:
    config = config_for(sandbox, **settings)
    return taps("preview", "helpdesk", stream, *arguments, config=config, files=files, columns=columns)


def test_rows_are_shown_with_the_fields_that_are_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    fields: dict[str, Any] = {"custom_fields": {"size": 1.1, "größe": "特大"}, "domains": [], "note": None}
    text = "Line one\nand\ttwo " + "so on and so forth " * 20
    sandbox.helpdesk.put("companies", [{"id": 7, "name": "Acme", "description": text, **fields}])
    ran = preview(sandbox, tmp_path, "companies", "--fields", "id,name,description,custom_fields,domains,note")
    assert ran.exit_code == 0
    assert row_of(ran.out, "id") == ["id", "name", "description", "custom_fields", "domains"], "no column for nulls"
    _, name, description, custom, domains = row_of(ran.out.replace("\n ", "\n"), "7")
    assert (name, domains) == ("Acme", "[]")
    assert description.startswith("Line one and two so on")
    assert description.endswith("…")
    assert custom == '{"size": 1.1, "größe": "特大"}'
    assert max(map(cell_len, ran.out.splitlines())) <= 100


def test_without_fields_the_keys_and_what_fits_are_shown(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = preview(shared_sandbox, tmp_path, "contacts", "--limit", "4")
    head, _, *rows = ran.out.splitlines()
    assert head.split()[:2] == ["id", "updated_at"]
    assert len(rows) == 4
    assert max(map(cell_len, ran.out.splitlines())) <= 100
    assert " more fields: " in ran.err
    assert "--json" in " ".join(ran.err.split())


def test_a_row_that_is_too_wide_is_shown_below_its_key(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    fields = "id,updated_at,created_at,subject,description_text,custom_fields"
    ran = preview(shared_sandbox, tmp_path, "tickets", "--limit", "1", "--fields", fields, columns=60)
    lines = ran.out.splitlines()
    assert lines[0].isdecimal()
    assert [line.split()[0] for line in lines if line[:2] == "  " and line[2] != " "] == fields.split(",")[1:]


def test_json_has_whole_rows_as_a_sync_writes_them(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    for stream in ("tickets", "conversations"):
        ran = preview(shared_sandbox, tmp_path, stream, "--limit", "5", "--json")
        assert (ran.exit_code, ran.err) == (0, "")
        rows = [json.loads(line, parse_float=Decimal) for line in ran.out.splitlines()]
        assert len(rows) == 5
        written = sync(TapHelpdesk, config_for(shared_sandbox), streams=[stream]).records(stream)
        assert rows == written[:5]


def test_json_with_fields_has_these(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = preview(shared_sandbox, tmp_path, "agents", "--limit", "1", "--json", "--fields", "id,signature")
    assert list(json.loads(ran.out)) == ["id", "signature"]


@pytest.mark.parametrize(("limit", "pages"), [(1, 1), (3, 1), (4, 2), (9, 3)])
def test_no_more_pages_are_read_than_needed(sandbox: Sandbox, tmp_path: Path, limit: int, pages: int) -> None:
    assert len(sandbox.helpdesk.records("contacts")) > 9
    ran = preview(sandbox, tmp_path, "contacts", "--limit", str(limit), "--json", page_size=3)
    assert len(ran.out.splitlines()) == limit
    assert [seen.path for seen in sandbox.requests] == ["/v1/contacts"] * pages
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.json"], "and nothing is written"


def test_no_row_comes_twice_where_pages_overlap(sandbox: Sandbox, tmp_path: Path) -> None:
    ran = preview(sandbox, tmp_path, "tickets", "--limit", "28", "--json", page_size=10)
    ids = [json.loads(line)["id"] for line in ran.out.splitlines()]
    assert len(ids) == len(set(ids)) == 28


def test_a_child_is_read_for_the_first_parents_that_have_any(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["404:times=1,path=/v1/discussions/forums/*/topics"])
    ran = preview(sandbox, tmp_path, "discussion_topics", "--limit", "1", "--json")
    assert len(ran.out.splitlines()) == 1
    paths = [seen.path.rpartition("/")[2] for seen in sandbox.requests]
    assert paths[:3] == ["categories", "forums", "topics"]
    assert set(paths[3:]) == {"topics"}, "the forum that was gone, and those after it until one has a topic"


def test_it_ends_where_no_parent_has_a_child(tmp_path: Path) -> None:
    with Sandbox("helpdesk", tickets=90, seed=5) as sandbox:
        sandbox.set_faults(["404:path=/v1/tickets/*/conversations"])
        ran = preview(sandbox, tmp_path, "conversations", columns=200)
        assert len(sandbox.requests) == 50
    assert (ran.exit_code, ran.out) == (0, "")
    assert ran.err == (
        "50 requests in a row brought no row of conversations; it ends here\n"
        "conversations has no row, as far as was read\n"
    )


def test_a_stream_that_is_refused_is_a_line(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["403:path=/v1/skills", "403:path=/v1/tickets/*/conversations"])
    ran = preview(sandbox, tmp_path, "skills", "--json")
    assert (ran.exit_code, ran.out) == (1, "")
    assert ran.err.startswith("Error: Stream 'skills' could not be read. GET /v1/skills: 403 Forbidden: ")
    ran = preview(sandbox, tmp_path, "conversations")
    assert ran.exit_code == 1
    assert ran.err.startswith("Error: Stream 'conversations': GET /v1/tickets/")
    assert "If the plan or the key lacks it, deselect the stream" in ran.err


def test_a_wrong_key_is_a_line(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    ran = preview(shared_sandbox, tmp_path, "agents", api_key="wrong-key-4711", max_retries=0)
    assert (ran.exit_code, ran.out) == (1, "")
    assert ran.err.startswith("Error: Stream 'agents' could not be read. GET /v1/agents: 401 Unauthorized: ")
    assert "wrong-key-4711" not in ran.err
    assert ran.err.count("\n") == 1


def test_a_key_in_a_row_is_not_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.helpdesk.put("roles", [{"id": 1, "name": f"Key {sandbox.api_key}", "description": sandbox.api_key}])
    for arguments in ([], ["--json"]):
        ran = preview(sandbox, tmp_path, "roles", *arguments)
        assert "Key ***" in ran.out
        assert sandbox.api_key not in ran.out + ran.err


def test_a_key_of_digits_leaves_json_that_can_be_read(tmp_path: Path) -> None:
    with Sandbox("helpdesk", tickets=3, seed=5, api_key="4711") as sandbox:
        sandbox.helpdesk.put("roles", [{"id": 1471100, "name": "Agent", "default": True}])
        ran = preview(sandbox, tmp_path, "roles", "--json", "--fields", "id,name,default")
    assert json.loads(ran.out) == {"id": "1***00", "name": "Agent", "default": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ticket"], "tap-helpdesk has no stream 'ticket'; did you mean 'tickets'?"),
        (["xyz"], "tap-helpdesk has no stream 'xyz'; there are agents, business_hours, "),
        (["roles", "--fields", "id,nam"], "roles has no field 'nam'; did you mean 'name'?"),
        (["roles", "--fields", "xyz"], "roles has no field 'xyz'; there are id, "),
    ],
)
def test_wrong_names_are_a_line(shared_sandbox: Sandbox, tmp_path: Path, arguments: list[str], message: str) -> None:
    ran = preview(shared_sandbox, tmp_path, *arguments)
    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.err.startswith(f"Error: {message}")
    assert ran.err.count("\n") == 1


def test_other_taps_are_previewed_too(tmp_path: Path) -> None:
    for api, tap, stream in (("oncall", "oncall", "alert_logs"), ("contact_center", "contact_center", "account")):
        with Sandbox(api, size=20, seed=5) as sandbox:
            streams = taps("list", tap, "--json").json["taps"][0]["streams"]
            name = stream if stream in {s["name"] for s in streams} else streams[0]["name"]
            ran = taps("preview", tap, name, "--limit", "2", config=config_for(sandbox), files=tmp_path)
        assert ran.exit_code == 0, ran.err
        assert ran.out
