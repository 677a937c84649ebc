"""`meltano run tap-helpdesk target-duckdb` with the repository's own project file, as a user runs it.

Every tap goes this way in `test_demo.py`; here are the help desk's values, its failures, and what Meltano knows.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from meltano_project import PLUGINS, Project

from support import ROOT
from taps.contact_center.tap import TapContactCenter
from taps.engine.timestamps import parse_timestamp
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.tap import ApiTap

TAP_CLASSES = [TapHelpdesk, TapVoice, TapSalesEngagement, TapOncall, TapContactCenter]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tickets=150, seed=21, page_cap=40) as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Project:
    project = Project(tmp_path_factory.mktemp("meltano"), sandbox)
    project.install(*PLUGINS)
    return project


def counts(project: Project, sandbox: Sandbox) -> dict[str, int]:
    return {name: project.rows(f'select count(*) from helpdesk."{name}"')[0][0] for name in sandbox.helpdesk.counts()}


def test_every_stream_has_its_rows_in_duckdb_and_a_second_run_reads_what_changed(
    project: Project, sandbox: Sandbox
) -> None:
    first = project.run()
    assert first == sandbox.helpdesk.counts()
    assert counts(project, sandbox) == sandbox.helpdesk.counts()

    changed = sandbox.helpdesk.change(tickets=7, new=3)
    sandbox.clear_requests()
    second = project.run()
    assert counts(project, sandbox) == sandbox.helpdesk.counts()
    read = {request.path.split("/")[3] for request in sandbox.requests if request.path.endswith("/conversations")}
    assert {str(ticket) for ticket in [*changed["tickets"], *changed["new"]]} <= read
    assert second["tickets"] == len(read) < 20


def test_values_come_through_to_the_tables(project: Project, sandbox: Sandbox) -> None:
    held = {ticket["id"]: ticket for ticket in sandbox.helpdesk.records("tickets")}
    columns = ["id", "subject", "description", "tags", "custom_fields", "due_by", "spam", "priority", "requester"]
    rows = project.rows(f"select {', '.join(columns)} from helpdesk.tickets")
    assert len(rows) == len(held)
    for row in (dict(zip(columns, values, strict=True)) for values in rows):
        ticket = held[row["id"]]
        for name in ("subject", "description", "spam", "priority"):
            assert row[name] == ticket[name], name
        for name in ("tags", "custom_fields", "requester"):
            exact = json.loads(json.dumps(ticket[name]), parse_float=Decimal)
            assert json.loads(row[name], parse_float=Decimal) == exact, name
        assert as_utc(row["due_by"]) == (parse_timestamp(ticket["due_by"]) if ticket["due_by"] else None)


def as_utc(value: datetime | None) -> datetime | None:
    """Give DuckDB's timestamp, which is in UTC and without a zone, its zone."""
    return value and value.replace(tzinfo=timezone.utc)


def test_a_run_that_fails_is_a_failed_run_and_the_next_one_completes_it(project: Project, sandbox: Sandbox) -> None:
    sandbox.helpdesk.change(tickets=5, new=2)
    sandbox.set_faults(["403:path=/v1/time_entries"])
    failed = project.meltano("run", *PLUGINS)
    assert failed.returncode != 0
    assert "Stream 'time_entries' failed: GET /v1/time_entries: 403 Forbidden" in failed.stderr + failed.stdout
    sandbox.set_faults([])
    project.run()
    assert counts(project, sandbox) == sandbox.helpdesk.counts()


@pytest.mark.parametrize("tap_class", TAP_CLASSES, ids=lambda tap_class: tap_class.name)
def test_meltano_knows_settings_and_secrets(project: Project, tap_class: type[ApiTap]) -> None:
    secret = "made-up-and-not-to-be-seen"
    declared = tap_class.config_jsonschema["properties"]
    prefix = tap_class.name.upper().replace("-", "_")
    secrets = {f"{prefix}_{name.upper()}": secret for name in declared if declared[name].get("secret")}
    listed = project.meltano("config", "list", "--all", tap_class.name, env=secrets)
    assert listed.returncode == 0, listed.stderr
    assert not [setting for setting in declared if f"{prefix}_{setting.upper()}" not in listed.stdout]
    assert secrets
    assert secret not in listed.stdout + listed.stderr


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_tokens_are_kept_apart_for_each_environment(project: Project, environment: str) -> None:
    printed = project.meltano(f"--environment={environment}", "config", "print", "tap-sales-engagement")
    assert printed.returncode == 0, printed.stderr
    settings = json.loads(printed.stdout)
    assert settings["token_cache_path"] == str(ROOT / f"output/tokens/tap-sales-engagement-{environment}.json")
