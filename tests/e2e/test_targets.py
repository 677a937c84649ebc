"""`meltano run` of each tap into each loader of `meltano.yml`: what of the values arrives, and in which form.

What a loader loses is said by its class in `loaders.py`, and in docs/targets.md.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

import hard_values
import pytest
from loaders import Csv, DuckDB, Jsonl, Loader, PostgreSQL
from meltano_project import Project, variable
from truth import Truth, compare

from support import ROOT
from taps.sandbox.server import Sandbox
from taps_under_test import TAPS, TapUnderTest

if TYPE_CHECKING:
    from pathlib import Path

    from postgres_server import Postgres
    from pytest_httpserver import HTTPServer

LOADERS = ("target-jsonl", "target-csv", "target-duckdb", "target-postgres")
every_loader = pytest.mark.parametrize("name", LOADERS)


@pytest.fixture(scope="module", autouse=True)
def _plugins(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Sandbox(size=1) as unread:
        project = Project(tmp_path_factory.mktemp("meltano"), unread)
    project.install(*(tap.name for tap in TAPS), *LOADERS)


def make_loader(name: str, api: str, folder: Path, request: pytest.FixtureRequest) -> Loader:
    if name == "target-postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        database = folder.name
        postgres.create(database)
        return PostgreSQL(postgres, database, api)
    if name == "target-duckdb":
        return DuckDB(folder, api)
    return Jsonl(folder) if name == "target-jsonl" else Csv(folder)


@every_loader
@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.api)
def test_every_row_and_value_arrives_and_a_second_run_brings_what_changed(
    tap: TapUnderTest,
    name: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    changes = importlib.import_module("demo_support.subjects").SUBJECTS[tap.api].changes
    loader = make_loader(name, tap.api, tmp_path, request)
    with Sandbox(tap.api, size=40, seed=5, page_cap=20) as sandbox:
        hard_values.plant(sandbox)
        project = Project(tmp_path, sandbox)
        project.env |= loader.env
        project.run(name)
        assert compare(tap, loader, Truth(tap, sandbox, tmp_path), syncs=1) == []
        if name in {
            "target-jsonl",
            "target-duckdb",
        }:  # one appends as CSV does, of the other test_demo.py has both runs
            return
        getattr(sandbox, tap.api).change(**changes)
        project.run(name)
        assert compare(tap, loader, Truth(tap, sandbox, tmp_path), syncs=2) == []


@pytest.mark.parametrize("tap", TAPS[:2], ids=lambda tap: tap.api)
def test_batch_files_load_what_records_load(tap: TapUnderTest, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A target made with the SDK reads the files that BATCH messages name.

    It hands their timestamps to PostgreSQL as they are, whose columns have no zone: offsets are lost (docs/batch.md).
    """
    loader = make_loader("target-postgres", tap.api, tmp_path, request)
    files = tmp_path / "batches"
    files.mkdir()
    encoding = {"format": "jsonl", "compression": "gzip"}
    batches = {"encoding": encoding, "storage": {"root": files.as_uri()}, "batch_size": 25}
    with Sandbox(tap.api, size=40, seed=5, page_cap=20) as sandbox:
        project = Project(tmp_path, sandbox)
        project.env |= {**loader.env, variable(tap.tap_class.name, "batch_config"): json.dumps(batches)}
        project.run("target-postgres")
        assert list(files.iterdir())
        differences = compare(tap, loader, Truth(tap, sandbox, tmp_path), syncs=1)
        assert all(" is datetime.datetime(" in difference for difference in differences), differences


DEEP_NUL = r'{"id": 1, "custom_fields": {"a": {"b": "c\u0000"}}}'
REFUSED = [
    ("target-postgres", '{"id": 9223372036854775808}', "bigint out of range"),
    ("target-postgres", DEEP_NUL, "unsupported Unicode escape sequence"),
    ("target-postgres", r'{"id": 1, "name": "\ud83d"}', "surrogates not allowed"),
    ("target-postgres", '{"id": 1, "renewal_date": "2016-12-31T23:59:60Z"}', "Could not parse value"),
    ("target-duckdb", r'{"id": 1, "name": "\ud83d"}', "surrogates not allowed"),
    ("target-csv", r'{"id": 1, "name": "\ud83d"}', "surrogates not allowed"),
]


@pytest.fixture
def companies(httpserver: HTTPServer, tmp_path: Path) -> Project:
    """A project that reads the companies of a server which answers word for word what it is told to."""
    with Sandbox(size=1) as unread:
        project = Project(tmp_path, unread)
    base_url = httpserver.url_for("").rstrip("/")
    project.env |= {"TAP_HELPDESK_BASE_URL": base_url, "TAP_HELPDESK__SELECT": '["companies.*"]'}
    return project


@pytest.mark.parametrize(("name", "company", "message"), REFUSED)
def test_what_a_target_cannot_take_ends_the_run(  # noqa: PLR0917 - fixtures
    name: str,
    company: str,
    message: str,
    companies: Project,
    httpserver: HTTPServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    httpserver.expect_request("/v1/companies").respond_with_data(f'{{"data": [{company}]}}')
    loader = make_loader(name, "helpdesk", tmp_path, request)
    done = companies.meltano("run", "tap-helpdesk", name, env=loader.env)
    assert done.returncode != 0
    assert message in done.stderr + done.stdout


def test_postgresql_gets_another_character_for_nul(
    companies: Project, httpserver: HTTPServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    company = r'{"id": 1, "name": "a\u0000b", "domains": ["c\u0000"], "custom_fields": {"d": "\u0000e"}}'
    httpserver.expect_request("/v1/companies").respond_with_data(f'{{"data": [{company}]}}')
    loader = make_loader("target-postgres", "helpdesk", tmp_path, request)
    companies.env |= loader.env
    companies.run("target-postgres")
    (row,) = loader.rows("companies")
    assert (row["name"], row["domains"], row["custom_fields"]) == ("a\ufffdb", ["c\ufffd"], {"d": "\ufffde"})
