"""The repository's `meltano.yml` beyond one run: its jobs, schedules and mapper, `select`, `config`, states, accounts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from meltano_project import Copy

from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGINS = ["tap-helpdesk", "tap-voice", "target-duckdb", "target-jsonl", "meltano-map-transformer"]
STATE_ID = "dev:tap-helpdesk-to-target-duckdb"


@pytest.fixture(scope="module")
def helpdesk() -> Iterator[Sandbox]:
    with Sandbox("helpdesk", size=40, seed=4) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def voice() -> Iterator[Sandbox]:
    with Sandbox("voice", size=40, seed=4) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, helpdesk: Sandbox, voice: Sandbox) -> Copy:
    copy = Copy(tmp_path_factory.mktemp("project"), {"tap-helpdesk": helpdesk, "tap-voice": voice})
    copy.meltano("install", *PLUGINS)
    return copy


def state(project: Copy, state_id: str) -> dict[str, Any]:
    got: dict[str, Any] = json.loads(project.meltano("state", "get", state_id).stdout)
    return got


def lines(project: Copy, stream: str) -> list[dict[str, Any]]:
    """What target-jsonl has appended since this was asked last."""
    file = project.folder / "output" / "sandbox" / "helpdesk" / f"{stream}.jsonl"
    held = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    file.unlink(missing_ok=True)
    return held


def test_the_job_of_the_night_loads_both_and_the_schedule_runs_the_job_of_the_hour(
    project: Copy, helpdesk: Sandbox, voice: Sandbox
) -> None:
    schedules = json.loads(project.meltano("schedule", "list", "--format=json").stdout)["schedules"]
    jobs = {schedule["name"]: schedule["job"]["name"] for schedule in schedules["job"]}
    assert jobs == {"nightly": "support", "hourly": "tickets"}
    project.meltano("run", "support")
    assert project.rows("select count(*) from helpdesk.tickets") == [(helpdesk.helpdesk.counts()["tickets"],)]
    assert project.rows("select count(*) from voice.calls") == [(len(voice.voice.records("calls")),)]

    changed = helpdesk.helpdesk.change(tickets=3, new=2)
    project.meltano("schedule", "run", "hourly")
    assert project.rows("select count(*) from helpdesk.tickets") == [(helpdesk.helpdesk.counts()["tickets"],)]
    ids = {ticket for (ticket,) in project.rows("select id from helpdesk.tickets")}
    assert set(changed["new"]) <= ids
    listed = project.meltano("state", "list").stdout.split()
    names = ["tap-helpdesk-tickets", "tap-helpdesk", "tap-voice"]
    assert sorted(listed) == sorted(f"dev:{name}-to-target-duckdb" for name in names)


@pytest.mark.parametrize("salt", ["", "pepper"])
def test_the_mapper_hashes_addresses_and_without_a_salt_gives_none(project: Copy, salt: str) -> None:
    project.meltano(
        "run", "--full-refresh", "--state-id-suffix=mapped", "tap-helpdesk", "hash-emails", "target-duckdb",
        env={
            "EMAIL_SALT": salt,
            "TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA": f"mapped_{salt}",
            "TAP_HELPDESK__SELECT": '["tickets.*", "contacts.*", "conversations.*"]',
        },
    )  # fmt: skip
    for table, column in (("contacts", "email"), ("tickets", "email"), ("conversations", "from_email")):
        given = {value for (value,) in project.rows(f'select "{column}" from mapped_{salt}.{table}')}
        addresses = {value for value in given if value}
        assert not [value for value in addresses if not re.fullmatch("[0-9a-f]{64}", value)], table
        assert bool(addresses) == bool(salt), table
    columns = {name for (name, *_) in project.rows(f"describe mapped_{salt}.contacts")}
    assert not {"phone", "mobile", "other_emails", "other_phone_numbers"} & columns


def test_a_child_is_read_without_its_parent_and_an_object_by_its_fields(project: Copy, helpdesk: Sandbox) -> None:
    run = ["run", "--state-id-suffix=chosen", "--full-refresh", "tap-helpdesk", "target-jsonl"]
    project.meltano(*run, env={"TAP_HELPDESK__SELECT": '["conversations.*", "!conversations.body*"]'})
    conversations = lines(project, "conversations")
    assert len(conversations) == helpdesk.helpdesk.counts()["conversations"]
    assert not {"body", "body_text"} & set(conversations[0])
    assert not lines(project, "tickets")

    project.meltano(*run, env={"TAP_HELPDESK__SELECT": '["tickets.requester.name"]'})
    tickets = lines(project, "tickets")
    assert len(tickets) == helpdesk.helpdesk.counts()["tickets"]
    assert {frozenset(ticket) for ticket in tickets} == {frozenset({"id", "updated_at", "requester"})}
    assert {frozenset(ticket["requester"] or {"name": 0}) for ticket in tickets} == {frozenset({"name"})}
    assert not lines(project, "conversations")


def test_what_is_set_in_an_environment_holds_there_alone(project: Copy) -> None:
    before = project.held()
    project.meltano("--environment=prod", "config", "set", "tap-helpdesk", "page_size", "50")
    project.meltano("--environment=prod", "config", "set", "tap-helpdesk", "provider", "freshdesk")
    for environment, size in (("prod", 50), ("dev", 100)):
        printed = project.meltano(f"--environment={environment}", "config", "print", "tap-helpdesk").stdout
        assert json.loads(printed)["page_size"] == size
    failed = project.meltano("--environment=prod", "config", "test", "tap-helpdesk", fails=True)
    assert "domain" in failed.stderr
    assert "Traceback" not in failed.stderr
    project.write(before)


def test_a_state_in_a_folder_is_used_set_copied_and_cleared(project: Copy, helpdesk: Sandbox) -> None:
    project.env["MELTANO_STATE_BACKEND_URI"] = f"file://{project.folder / 'states'}"
    try:
        selected = {"TAP_HELPDESK__SELECT": '["tickets.*"]'}
        pair = ["tap-helpdesk", "target-jsonl"]
        state_id = "dev:tap-helpdesk-to-target-jsonl"
        project.meltano("run", *pair, env=selected)
        all_tickets = helpdesk.helpdesk.counts()["tickets"]
        assert len(lines(project, "tickets")) == all_tickets
        assert (project.folder / "states").is_dir()
        held = state(project, state_id)
        newest = held["singer_state"]["bookmarks"]["tickets"]["replication_key_value"]
        assert newest == max(ticket["updated_at"] for ticket in helpdesk.helpdesk.records("tickets"))

        helpdesk.helpdesk.change(tickets=2)
        project.meltano("run", *pair, env=selected)
        assert 2 <= len(lines(project, "tickets")) < all_tickets
        project.meltano("run", "--full-refresh", *pair, env=selected)
        assert len(lines(project, "tickets")) == all_tickets

        project.meltano("state", "copy", "--force", state_id, f"{state_id}:copy")
        held["singer_state"]["bookmarks"]["tickets"]["replication_key_value"] = "2024-01-01T00:00:00Z"
        project.meltano("state", "set", "--force", state_id, json.dumps(held))
        project.meltano("run", *pair, env=selected)
        later = [one for one in helpdesk.helpdesk.records("tickets") if one["updated_at"] >= "2024-01-01"]
        assert len(lines(project, "tickets")) == len(later) < all_tickets
        project.meltano("state", "clear", "--force", state_id)
        assert project.meltano("state", "list").stdout.split() == [f"{state_id}:copy"]
    finally:
        del project.env["MELTANO_STATE_BACKEND_URI"]


def test_a_run_that_is_out_of_time_keeps_what_was_loaded_and_the_next_goes_on(project: Copy, helpdesk: Sandbox) -> None:
    settings = {
        "TAP_HELPDESK__SELECT": '["tickets.*"]',
        "TAP_HELPDESK__LOAD_SCHEMA": "steps",
        "TAP_HELPDESK_PAGE_SIZE": "4",
        "TAP_HELPDESK_MAX_CONCURRENCY": "1",
        "TARGET_DUCKDB_BATCH_SIZE_ROWS": "2",
    }
    pair = ["--state-id-suffix=steps", "tap-helpdesk", "target-duckdb"]
    state_id = f"{STATE_ID}:steps"
    helpdesk.set_faults(["slow:seconds=60,path=/v1/tickets,after=2"])  # the time is up before the third page has come
    stopped = project.meltano("run", "--timeout=20", *pair, fails=True, env=settings)
    assert "Run timed out" in stopped.stderr
    reached = state(project, state_id)["singer_state"]["bookmarks"]["tickets"]["replication_key_value"]
    [(loaded,)] = project.rows("select count(*) from steps.tickets")
    assert 0 < loaded < helpdesk.helpdesk.counts()["tickets"]

    helpdesk.set_faults([])
    helpdesk.clear_requests()
    project.meltano("run", *pair, env=settings)
    asked = [request.query for request in helpdesk.requests if request.path == "/v1/tickets"]
    assert reached[:10] in str(asked[0])
    assert project.rows("select count(*) from steps.tickets") == [(helpdesk.helpdesk.counts()["tickets"],)]


def test_ten_accounts_inherit_one_extractor(project: Copy, helpdesk: Sandbox) -> None:
    before = project.held()
    made = project.held()
    names = [f"tap-helpdesk-{number}" for number in range(10)]
    made["plugins"]["extractors"] += [
        {"name": name, "inherit_from": "tap-helpdesk", "load_schema": name.replace("-", "_"), "select": ["agents.*"]}
        for name in names
    ]
    project.write(made)
    last = names[-1].upper().replace("-", "_")
    pairs = [part for name in names for part in (name, "target-duckdb")]
    failed = project.meltano("run", *pairs, fails=True, env={f"{last}_API_KEY": "a-key-that-was-revoked"})
    assert "401" in failed.stderr + failed.stdout
    assert "a-key-that-was-revoked" not in failed.stderr + failed.stdout
    agents = helpdesk.helpdesk.counts()["agents"]
    for name in names[:-1]:
        assert project.rows(f"select count(*) from {name.replace('-', '_')}.agents") == [(agents,)]
    listed = project.meltano("state", "list").stdout.split()
    assert {f"dev:{name}-to-target-duckdb" for name in names[:-1]} <= set(listed)
    project.write(before)
