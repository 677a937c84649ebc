"""What a dlt user expects of a source: selection, limits, hints, refresh, renaming, configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.helpers import pipeline_drop

from support import config_for
from taps.bridge import more_to_read, singer_source
from taps.bridge.errors import (
    NameCollisionError,
    TapConfigError,
    TapNotFoundError,
    UnknownStreamError,
    ValueDoesNotFitError,
)
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from pathlib import Path

    from dlt.extract import DltSource

    from taps.sandbox.server import Sandbox

STREAMS = ["tickets", "conversations", "contacts", "agents"]


class Loading:
    """A pipeline into a DuckDB file of its own, and what is in there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pipeline = self.on_a_machine("first")

    def on_a_machine(self, name: str) -> dlt.Pipeline:
        return dlt.pipeline(
            "loading",
            pipelines_dir=str(self._folder / name),
            destination=dlt.destinations.duckdb(str(self._folder / "rows.duckdb")),
            dataset_name="desk",
        )

    def run(self, source: Any, **options: Any) -> dict[str, int]:
        """Load; give the rows of this run by table."""
        self.pipeline.run(source, **options)
        trace = self.pipeline.last_trace
        assert trace is not None
        assert trace.last_normalize_info is not None
        counts = trace.last_normalize_info.row_counts
        return {name: count for name, count in counts.items() if count and not name.startswith("_dlt")}

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self._folder / "rows.duckdb")) as database:
            database.execute("set schema = 'desk'")
            return database.execute(text).fetchall()

    def ids(self, table: str) -> list[int]:
        return [row[0] for row in self.query(f"select id from {table} order by id")]

    def bookmark(self, resource: str, source: str = "tap_helpdesk") -> Any:
        return self.pipeline.state["sources"][source].get("resources", {}).get(resource, {}).get("bookmark")


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(tmp_path)


def desk(sandbox: Sandbox, *, streams: list[str] | None = None, page_size: int = 100, **options: Any) -> DltSource:
    return singer_source(
        "tap-helpdesk", config_for(sandbox, page_size=page_size), streams=streams or STREAMS, **options
    )


def held(sandbox: Sandbox, stream: str) -> list[int]:
    return sorted(record["id"] for record in sandbox.helpdesk.records(stream))


# What there is before anything is read


def test_a_resource_tells_what_its_stream_is(shared_sandbox: Sandbox) -> None:
    source = singer_source("tap-helpdesk", config_for(shared_sandbox))
    assert source.name == "tap_helpdesk"
    assert set(source.resources) == set(TapHelpdesk(config=config_for(shared_sandbox)).streams)
    tickets = source.tickets.compute_table_schema()
    assert tickets["columns"]["id"] == {
        "name": "id",
        "data_type": "bigint",
        "nullable": False,
        "primary_key": True,
        "description": tickets["columns"]["id"]["description"],
    }
    assert tickets["columns"]["updated_at"]["data_type"] == "timestamp"
    assert tickets["columns"]["custom_fields"]["data_type"] == "json"
    assert tickets["columns"]["subject"]["nullable"] is True
    assert tickets["columns"]["subject"]["description"]
    dispositions = {name: resource.write_disposition for name, resource in source.resources.items()}
    assert dispositions["tickets"] == "merge"
    assert dispositions["conversations"] == "merge", "only those of changed tickets are read"
    assert dispositions["agents"] == "replace"


def test_a_snapshot_adds_to_the_ones_before() -> None:
    source = singer_source("tap-voice", {"base_url": "https://voice.example.com", "api_key": "abcdef"})
    assert source.resources["account_overview"].write_disposition == "merge"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"tap": "tap-nonsense"}, TapNotFoundError, "There is no executable 'tap-nonsense'"),
        ({"tap": "nowhere:Tap"}, TapNotFoundError, "there is no module 'nowhere'"),
        ({"tap": "taps.helpdesk:Nothing"}, TapNotFoundError, "the module has no class 'Nothing'"),
        ({"tap": "json:JSONDecoder"}, TapNotFoundError, "is no tap of the Singer SDK"),
        ({"tap": ""}, TapNotFoundError, "tap is empty"),
        ({"config": {"base_url": "https://x.example.com"}}, TapConfigError, "Setting 'api_key' is missing"),
        ({"streams": ["tickets", "tocks"]}, UnknownStreamError, "tap-helpdesk has no stream 'tocks'; it has agents, "),
        ({"nested": "columns"}, TapConfigError, "nested is 'columns'; it must be 'json' or 'tables'"),
        ({"nested": "tables", "arrow": True}, TapConfigError, "arrow=True does not go with nested='tables'"),
        ({"streams": []}, TapConfigError, "streams is empty; name a stream, or leave it out for all of them"),
        ({"streams": "tocks"}, UnknownStreamError, "tap-helpdesk has no stream 'tocks'"),
        (
            {"write_disposition": {"tocks": "merge"}},
            UnknownStreamError,
            "write_disposition: tap-helpdesk has no stream",
        ),
        ({"primary_key": {"tocks": "id"}}, UnknownStreamError, "primary_key: tap-helpdesk has no stream 'tocks'"),
        ({"primary_key": {"agents": "di"}}, TapConfigError, "The key 'di' of stream 'agents' is no field of it"),
        (
            {"write_disposition": "upsert"},
            TapConfigError,
            "'agents' is 'upsert'; it must be append, merge, replace, skip",
        ),
        (
            {"write_disposition": {"agents": {"disposition": "merge", "strategy": "scd2"}}},
            TapConfigError,
            "write_disposition of 'agents' is scd2, which needs arrow=False",
        ),
        ({"tap": ".venv-tap/bin/tap-x"}, TapNotFoundError, "Install the tap there, or mend the path"),
        ({"tap": "tap-helpdsk"}, TapNotFoundError, "or one of tap-contact-center, tap-helpdesk, "),
        ({"max_records": 0}, TapConfigError, "max_records is 0; it must be greater than 0"),
        ({"name": "help desk"}, TapConfigError, "name is 'help desk'; it must be usable as a name in Python"),
        ({"catalog": "missing.json"}, TapConfigError, "The catalog file missing.json cannot be used"),
        ({"catalog": {"tables": []}}, TapConfigError, "The catalog cannot be used: the catalog has no list 'streams'"),
    ],
)
def test_what_cannot_be_is_an_error_in_one_line(
    shared_sandbox: Sandbox, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        singer_source(**{"tap": "tap-helpdesk", "config": config_for(shared_sandbox), **arguments})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_become_one_in_the_destination_are_refused(shared_sandbox: Sandbox) -> None:
    catalog = TapHelpdesk(config=config_for(shared_sandbox)).catalog_dict
    agents = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "agents")
    agents["schema"]["properties"] |= {"userId": {"type": "string"}, "user_id": {"type": "string"}}
    with pytest.raises(
        NameCollisionError, match=r"'userId' and 'user_id' of 'agents' would both be the column 'user_id'"
    ):
        singer_source("tap-helpdesk", config_for(shared_sandbox), catalog=catalog)
    agents["metadata"].append({"breadcrumb": ["properties", "userId"], "metadata": {"selected": False}})
    source = singer_source("tap-helpdesk", config_for(shared_sandbox), catalog=catalog)
    assert "userId" not in source.agents.compute_table_schema()["columns"]


# Selection


def test_only_selected_resources_are_read(sandbox: Sandbox, loading: Loading) -> None:
    assert set(loading.run(desk(sandbox).with_resources("agents", "contacts"))) == {"agents", "contacts"}
    assert {request.path for request in sandbox.requests} == {"/v1/agents", "/v1/contacts"}


def test_a_child_that_is_selected_later_is_read_from_the_beginning(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox).with_resources("tickets"))
    sandbox.helpdesk.change(tickets=3)
    loading.run(desk(sandbox))
    assert loading.ids("conversations") == held(sandbox, "conversations")
    assert loading.ids("tickets") == held(sandbox, "tickets")


def test_a_child_is_read_without_its_parent(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox).with_resources("conversations"))
    assert loading.ids("conversations") == held(sandbox, "conversations")
    loading.run(desk(sandbox))
    assert loading.ids("tickets") == held(sandbox, "tickets"), "its bookmark did not move without its rows"


def test_a_stream_that_is_deselected_meanwhile_loses_nothing(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    sandbox.helpdesk.change(tickets=4, new=3, contacts=2)
    loading.run(desk(sandbox).with_resources("contacts", "tickets"))
    loading.run(desk(sandbox))
    for stream in STREAMS:
        assert loading.ids(stream) == held(sandbox, stream), stream


# What stays, what goes


def test_a_second_run_reads_what_changed(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    changed = sandbox.helpdesk.change(tickets=4, new=2)
    counts = loading.run(desk(sandbox))
    touched = len(changed["tickets"]) + len(changed["new"])
    assert touched <= counts["tickets"] <= touched + 1, "and the one at the bookmark"
    for stream in STREAMS:
        assert loading.ids(stream) == held(sandbox, stream), stream


def test_what_is_gone_from_a_full_list_is_gone_from_its_table(sandbox: Sandbox, loading: Loading) -> None:
    source = desk(sandbox, streams=["agents"])
    loading.run(source)
    first, *others = held(sandbox, "agents")
    sandbox.helpdesk.delete("agents", first)
    loading.run(source)
    assert loading.ids("agents") == others
    assert source.agents.write_disposition == "replace"
    for agent in others:
        sandbox.helpdesk.delete("agents", agent)
    loading.run(source)
    assert loading.ids("agents") == []


def test_an_empty_stream_makes_a_table(sandbox: Sandbox, loading: Loading) -> None:
    for agent in held(sandbox, "agents"):
        sandbox.helpdesk.delete("agents", agent)
    loading.run(desk(sandbox, streams=["agents"]))
    assert loading.ids("agents") == []
    columns = {row[0]: row[1] for row in loading.query("describe agents")}
    assert columns["created_at"] == "TIMESTAMP WITH TIME ZONE"


def test_a_failed_stream_leaves_everything_as_it_was(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    before = {stream: loading.ids(stream) for stream in STREAMS}
    bookmark = loading.bookmark("tickets")
    sandbox.helpdesk.change(tickets=4, new=2)
    sandbox.set_faults(["500:path=/v1/agents"])
    with pytest.raises(PipelineStepFailed) as caught:
        loading.run(desk(sandbox))
    assert "tap-helpdesk failed: 1 of 4 streams failed: agents" in str(caught.value)
    assert {stream: loading.ids(stream) for stream in STREAMS} == before
    assert loading.bookmark("tickets") == bookmark
    sandbox.set_faults([])
    loading.run(desk(sandbox))
    assert loading.ids("tickets") == held(sandbox, "tickets")


@pytest.mark.parametrize("mode", ["drop_sources", "drop_resources", "drop_data"])
def test_a_refresh_reads_everything_again(sandbox: Sandbox, loading: Loading, mode: Any) -> None:
    first = loading.run(desk(sandbox))
    assert loading.run(desk(sandbox), refresh=mode) == first
    for stream in STREAMS:
        assert loading.ids(stream) == held(sandbox, stream), stream


def test_a_refreshed_child_comes_whole_though_its_parent_does_not(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    counts = loading.run(desk(sandbox).with_resources("conversations"), refresh="drop_resources")
    assert counts == {"conversations": len(held(sandbox, "conversations"))}
    assert len(loading.ids("tickets")) == len(held(sandbox, "tickets"))


def test_a_dropped_resource_comes_whole_again(sandbox: Sandbox, loading: Loading) -> None:
    first = loading.run(desk(sandbox))
    pipeline_drop(loading.pipeline, resources=["conversations", "contacts"])()
    counts = loading.run(desk(sandbox))
    assert counts["conversations"] == first["conversations"]
    assert counts["contacts"] == first["contacts"]
    for stream in STREAMS:
        assert loading.ids(stream) == held(sandbox, stream), stream


def test_replace_reads_everything_again(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    counts = loading.run(desk(sandbox, write_disposition="replace"))
    assert counts["tickets"] == len(held(sandbox, "tickets"))
    assert loading.bookmark("tickets") is None
    assert loading.ids("tickets") == held(sandbox, "tickets")


def test_a_new_machine_goes_on_from_the_destination(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    loading.pipeline = loading.on_a_machine("second")
    assert loading.run(desk(sandbox)).get("tickets", 0) <= 1
    assert loading.bookmark("tickets")


# Names and hints


def test_a_table_gets_another_name(sandbox: Sandbox, loading: Loading) -> None:
    source = desk(sandbox)
    source.tickets.apply_hints(table_name="issues")
    loading.run(source)
    assert loading.ids("issues") == held(sandbox, "tickets")


def test_a_resource_gets_another_name_and_a_state_of_its_own(sandbox: Sandbox, loading: Loading) -> None:
    loading.run(desk(sandbox))
    source = desk(sandbox)
    source.resources.add(source.tickets.with_name("issues"))
    source.tickets.selected = False
    counts = loading.run(source)
    assert counts["issues"] == len(held(sandbox, "tickets"))
    assert loading.bookmark("issues") == loading.bookmark("tickets")
    assert loading.ids("issues") == held(sandbox, "tickets")


def test_hints_of_the_user_decide(sandbox: Sandbox, loading: Loading) -> None:
    source = desk(sandbox)
    source.tickets.apply_hints(columns={"updated_at": {"data_type": "text"}, "sentiment_score": {"data_type": "text"}})
    loading.run(source)
    types = {row[0]: row[1] for row in loading.query("describe tickets")}
    assert types["updated_at"] == "VARCHAR"
    texts = {record["id"]: record["updated_at"] for record in sandbox.helpdesk.records("tickets")}
    assert dict(loading.query("select id, updated_at from tickets")) == texts


def test_keys_and_dispositions_by_stream(sandbox: Sandbox) -> None:
    source = desk(sandbox, write_disposition={"agents": "append"}, primary_key={"contacts": ["id", "email"]})
    assert source.agents.write_disposition == "append"
    assert source.tickets.write_disposition == "merge"
    assert source.contacts.compute_table_schema()["columns"]["email"]["primary_key"] is True


@pytest.mark.parametrize("parallel", [False, True])
def test_maps_and_parallel_resources(sandbox: Sandbox, loading: Loading, *, parallel: bool) -> None:
    source = desk(sandbox, arrow=False)
    source.agents.add_map(lambda agent: {**agent, "name": "somebody"})
    if parallel:
        source = source.parallelize()
    loading.run(source)
    for stream in STREAMS:
        assert loading.ids(stream) == held(sandbox, stream), stream
    columns = [row[0] for row in loading.query("describe agents")]
    assert "_dlt_id" in columns
    assert loading.query("select distinct name from agents") == [("somebody",)]


def test_nested_fields_become_tables(sandbox: Sandbox, loading: Loading) -> None:
    counts = loading.run(desk(sandbox, streams=["tickets"], nested="tables"))
    tags = [tag for ticket in sandbox.helpdesk.records("tickets") for tag in ticket["tags"]]
    assert counts["tickets__tags"] == len(tags)
    assert sorted(row[0] for row in loading.query("select value from tickets__tags")) == sorted(tags)
    assert "requester__name" in [row[0] for row in loading.query("describe tickets")]


def test_a_transformer_gets_the_rows_of_a_stream_that_is_not_selected_itself(
    sandbox: Sandbox, loading: Loading
) -> None:
    source = desk(sandbox)
    ids = dlt.transformer(lambda rows: rows.select(["id"]), name="ids")
    loading.run(source.tickets | ids)
    assert loading.ids("ids") == held(sandbox, "tickets")


@pytest.mark.parametrize("arrow", [True, False])
def test_a_record_without_its_key_is_an_error_that_names_it(sandbox: Sandbox, loading: Loading, *, arrow: bool) -> None:
    with pytest.raises(PipelineStepFailed) as caught:
        loading.run(desk(sandbox, primary_key={"contacts": ["id", "twitter_id"]}, arrow=arrow))
    assert isinstance(caught.value.__cause__, ValueDoesNotFitError)
    assert "Stream 'contacts', field 'twitter_id': a record has none, though it is a key" in str(caught.value)


# Steps


def test_a_source_that_never_ran_has_nothing_to_tell_of(loading: Loading) -> None:
    with pytest.raises(TapConfigError, match="The pipeline 'loading' has run no source 'tap-helpdesk'"):
        more_to_read(loading.pipeline, "tap-helpdesk")


def test_a_backfill_in_steps_ends_with_everything(sandbox: Sandbox, loading: Loading) -> None:
    counts: list[dict[str, int]] = []
    while not counts or more_to_read(loading.pipeline, "tap_helpdesk"):
        counts.append(loading.run(desk(sandbox, page_size=10, max_records=12)))
        assert len(counts) < 30
    assert len(counts) > 3
    assert all(count["agents"] == len(held(sandbox, "agents")) for count in counts), "what is replaced comes whole"
    for stream in STREAMS:
        assert loading.ids(stream) == held(sandbox, stream), stream


def test_seconds_are_a_limit_too(sandbox: Sandbox, loading: Loading) -> None:
    counts = loading.run(desk(sandbox, page_size=5, max_seconds=0.001))
    assert sum(counts.get(name, 0) for name in ("tickets", "contacts")) < 20
    assert more_to_read(loading.pipeline, desk(sandbox))
    loading.run(desk(sandbox))
    assert not more_to_read(loading.pipeline, "tap_helpdesk")
    assert loading.ids("tickets") == held(sandbox, "tickets")


# Configuration


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings of its own, as a dlt project has."""
    (tmp_path / ".dlt").mkdir()
    monkeypatch.chdir(tmp_path)
    Container()[PluggableRunContext].reload(str(tmp_path))
    return tmp_path


def reload(project: Path, secrets: str) -> None:
    (project / ".dlt" / "secrets.toml").write_text(secrets)
    Container()[PluggableRunContext].reload(str(project))


def test_settings_come_from_secrets_toml(project: Path, shared_sandbox: Sandbox) -> None:
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in shared_sandbox.config.items())
    reload(project, f"[sources.tap_helpdesk.config]\n{settings}\n[sources.second.config]\n{settings}\n")
    assert len(list(singer_source("tap-helpdesk", streams=["agents"]))) == 1
    assert len(list(singer_source("tap-helpdesk", streams=["agents"], name="second"))) == 1


def test_settings_come_from_the_environment(
    project: Path, shared_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__TAP_HELPDESK__CONFIG", json.dumps(shared_sandbox.config))
    assert len(list(singer_source("tap-helpdesk", streams=["agents"]))) == 1
    monkeypatch.setenv("SOURCES__TAP_HELPDESK__CONFIG", json.dumps({**shared_sandbox.config, "api_key": "another"}))
    monkeypatch.setenv("SOURCES__TAP_HELPDESK__CONFIG__API_KEY", shared_sandbox.api_key)
    assert len(list(singer_source("tap-helpdesk", streams=["agents"]))) == 1
    monkeypatch.delenv("SOURCES__TAP_HELPDESK__CONFIG")
    reload(project, "[sources.tap_helpdesk.config]\nbase_url = 'http://127.0.0.1:9'\npage_size = 7\n")
    monkeypatch.setenv("SOURCES__TAP_HELPDESK__CONFIG__API_KEY", shared_sandbox.api_key)
    monkeypatch.setenv("SOURCES__TAP_HELPDESK__CONFIG__BASE_URL", shared_sandbox.base_url)
    monkeypatch.setenv("SOURCES__TAP_HELPDESK__CONFIG__MAX_CONCURRENCY", "2")
    assert len(list(singer_source("tap-helpdesk", streams=["agents"]))) == 1


def test_what_is_no_secret_may_be_in_config_toml(project: Path, shared_sandbox: Sandbox) -> None:
    url = json.dumps(shared_sandbox.base_url)
    (project / ".dlt" / "config.toml").write_text(f"[sources.tap_helpdesk.config]\nbase_url = {url}\n")
    reload(project, f"[sources.tap_helpdesk.config]\napi_key = {json.dumps(shared_sandbox.api_key)}\n")
    assert len(list(singer_source("tap-helpdesk", None, streams=["agents"]))) == 1


def test_missing_settings_are_told_as_dlt_does(project: Path) -> None:
    with pytest.raises(ConfigFieldMissingException, match="SOURCES__TAP_HELPDESK__CONFIG"):
        singer_source("tap-helpdesk")
