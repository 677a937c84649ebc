"""What holds for every stream of every tap; a new stream needs no line here."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from compared import key_of, same_value, schema_of
from jsonschema import Draft202012Validator

from support import Output, config_for, sync
from taps.engine.pagination import SinglePage
from taps.engine.provider import GENERIC
from taps.engine.schemas import schema_directory
from taps_under_test import PROVIDED, TapUnderTest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.stream import ApiStream
    from taps.sandbox.server import Sandbox

STREAMS = [
    pytest.param(tap, stream, id=f"{tap.name}.{stream.name}")
    for tap in PROVIDED
    for stream in tap.streams
    if tap.provider == GENERIC or stream not in tap.tap_class.stream_types  # those that a provider declares anew
]
every_stream = pytest.mark.parametrize(("tap", "stream"), STREAMS)
every_tap = pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name)


def declared_fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, declared in schema.get("properties", {}).items():
        yield f"{path}{name}", declared
        yield from declared_fields(declared, f"{path}{name}.")
        if "items" in declared:
            yield from declared_fields(declared["items"], f"{path}{name}[].")


@every_tap
def test_every_schema_file_belongs_to_a_stream(tap: TapUnderTest) -> None:
    files = {path.stem for path in schema_directory(tap.api).iterdir()}
    assert files == {stream.name for other in PROVIDED if other.api == tap.api for stream in other.streams}


@every_tap
def test_parents_stand_before_their_children(tap: TapUnderTest) -> None:
    streams = list(tap.streams)
    for stream in streams:
        if stream.parent_stream_type:
            assert streams.index(stream.parent_stream_type) < streams.index(stream)  # type: ignore[arg-type]


@every_tap
def test_the_sandbox_serves_every_stream(tap: TapUnderTest) -> None:
    with tap.sandbox(size=5) as sandbox:
        missing = {stream.name for stream in tap.streams} - {stream.name for stream in tap.served(sandbox)}
    assert not missing, (
        f"taps/sandbox/{tap.api} does not serve these streams, so that no sync of them is tested: {missing}"
    )


@every_stream
def test_the_schema_is_valid_and_every_field_described(tap: TapUnderTest, stream: type[ApiStream]) -> None:
    schema = schema_of(tap, stream)
    Draft202012Validator.check_schema(schema)
    assert schema.get("$schema") == "https://json-schema.org/draft/2020-12/schema", "the schema does not name its draft"
    for name, declared in declared_fields(schema):
        assert declared.get("type"), f"{name} has no type"
        assert len(declared.get("description", "")) > 5, f"{name} has no description"
        added = {*stream.enclosing_ids.values(), *re.findall(r"{(\w+)}", stream.path)}
        required = name in stream.primary_keys or name in added
        assert ("null" in declared["type"]) is not required, f"{name}: only keys are not nullable"


@every_stream
def test_keys_and_cursor_are_in_the_schema(tap: TapUnderTest, stream: type[ApiStream]) -> None:
    schema = schema_of(tap, stream)
    properties = schema["properties"]
    assert len({name.lower() for name in properties}) == len(properties), (
        "most databases cannot tell names by their case"
    )
    assert not stream.lookback or "lookback_days" in tap.tap_class.config_jsonschema["properties"]
    assert schema.get("required") == list(stream.primary_keys), "'required' names the primary keys, in their order"
    added = {
        *stream.primary_keys,
        *re.findall(r"{(\w+)}", stream.path),
        *stream.enclosing_ids.values(),
        *stream.copied_fields,
    }
    assert added <= set(properties), f"the schema lacks fields that the stream declares: {added - set(properties)}"
    if stream.replication_key:
        assert properties[stream.replication_key]["format"] == "date-time"
        assert stream.start_param
    if stream.parent_stream_type:
        assert "{" in stream.path


@every_stream
def test_the_stream_is_documented(tap: TapUnderTest, stream: type[ApiStream]) -> None:
    assert stream.__doc__
    assert stream.path.startswith("/")


@pytest.fixture(scope="module", params=["plain", "ragged"])
def full_sync(request: pytest.FixtureRequest, tap: TapUnderTest) -> Iterator[tuple[Sandbox, Output]]:
    """Sync all of a tap's streams, with pages of a few records; `ragged` ones are short or empty in the middle."""
    with tap.sandbox(size=60, seed=3, page_cap=5, ragged=request.param == "ragged") as sandbox:
        yield sandbox, sync(tap.tap_class, config_for(sandbox), streams=[stream.name for stream in tap.served(sandbox)])


@pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name, scope="module")
class TestFullSync:
    """One sync, looked at from many sides."""

    def test_it_ends_well_and_says_nothing_of_undeclared_fields(
        self, full_sync: tuple[Sandbox, Output], tap: TapUnderTest
    ) -> None:
        _, output = full_sync
        assert output.exit_code == 0, output.errors
        assert "does not declare" not in output.log

    def test_every_record_arrives_once(self, full_sync: tuple[Sandbox, Output], tap: TapUnderTest) -> None:
        sandbox, output = full_sync
        held = tap.held(sandbox)
        for stream in tap.served(sandbox):
            keys = Counter(key_of(stream, record) for record in output.records(stream.name))
            assert keys == Counter(key_of(stream, record) for record in held[stream.name]), stream.name
            assert max(keys.values()) == 1, stream.name
            assert all(
                None not in (record.get(key) for key in stream.primary_keys) for record in output.records(stream.name)
            )

    def test_every_value_arrives_as_it_is(self, full_sync: tuple[Sandbox, Output], tap: TapUnderTest) -> None:
        sandbox, output = full_sync
        held = tap.held(sandbox)
        for stream in tap.served(sandbox):
            schema = schema_of(tap, stream)
            by_key = {key_of(stream, record): record for record in held[stream.name]}
            for record in output.records(stream.name):
                original = by_key[key_of(stream, record)]
                wrong = {
                    name: (record.get(name), value)
                    for name, value in original.items()
                    if not same_value(record.get(name), value, schema["properties"].get(name, {}))
                }
                assert not wrong, f"{stream.name}: {wrong}"
                assert record.keys() - {stream.snapshot_field} == original.keys() - {stream.snapshot_field}, stream.name

    def test_records_are_valid_for_the_schema_that_was_announced(
        self, full_sync: tuple[Sandbox, Output], tap: TapUnderTest
    ) -> None:
        sandbox, output = full_sync
        for stream in tap.served(sandbox):
            announced = output.schema(stream.name)
            assert announced["key_properties"] == list(stream.primary_keys)
            validator = Draft202012Validator(announced["schema"])
            for record in output.records(stream.name):
                problems = [
                    error.message for error in validator.iter_errors(json.loads(json.dumps(record, default=float)))
                ]
                assert not problems, f"{stream.name}: {problems}"

    def test_lists_came_in_several_pages(self, full_sync: tuple[Sandbox, Output], tap: TapUnderTest) -> None:
        sandbox, _ = full_sync
        requests = Counter(request.path for request in sandbox.requests)
        root = urlsplit(sandbox.base_url).path
        several = 0
        for stream in tap.served(sandbox):
            if not stream.parent_stream_type and not isinstance(stream.pagination, SinglePage):
                several += requests[f"{root}{stream.path}"] > 1
        assert several >= max(1, len(tap.streams) // 4)

    def test_incremental_streams_leave_a_bookmark_at_their_newest_record(
        self, full_sync: tuple[Sandbox, Output], tap: TapUnderTest
    ) -> None:
        sandbox, output = full_sync
        for stream in tap.served(sandbox):
            bookmark = output.bookmark(stream.name)
            assert bool(bookmark) is bool(stream.replication_key), stream.name
            assert "progress_markers" not in output.state["bookmarks"][stream.name]
            assert "partitions" not in output.state["bookmarks"][stream.name]
