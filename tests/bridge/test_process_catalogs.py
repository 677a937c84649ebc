"""The catalogs of taps that nobody here wrote: what dlt makes of them, and which catalog the tap gets."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from scripted import TICKETS, Desk, entry

from taps.bridge.errors import TapConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def old_entry(stream: str, fields: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    """Make a stream's entry as taps on singer-python write it: all but the schema is in the metadata."""
    given = entry(stream)
    of_fields = {"id": {"inclusion": "automatic"}, "word": {"inclusion": "available"}, **(fields or {})}
    return {
        "tap_stream_id": stream,
        "stream": stream,
        "schema": {**given["schema"], "type": ["null", "object"]},
        "metadata": [
            *({"breadcrumb": ["properties", name], "metadata": metadata} for name, metadata in of_fields.items()),
            {"breadcrumb": [], "metadata": {name.replace("_", "-"): value for name, value in said.items()}},
        ],
    }


_OLD = {
    "streams": [
        old_entry(
            "tickets",
            table_key_properties=["id"],
            valid_replication_keys=["id"],
            forced_replication_method="INCREMENTAL",
        ),
        old_entry("macros", table_key_properties=["id"], forced_replication_method="FULL_TABLE", selected=True),
        old_entry(
            "events",
            valid_replication_keys=["id"],
            forced_replication_method={"replication-method": "INCREMENTAL", "reason": "so"},
        ),
        old_entry("brands", table_key_properties=["id"]),
        old_entry("views", view_key_properties=["id"], replication_method="INCREMENTAL", replication_key="id"),
        old_entry("secret", table_key_properties=["id"], selected=False),
    ]
}

_WRITES_ALL = """
catalog = read("--catalog") or read("--properties")
for stream in catalog["streams"]:
    name = stream["stream"]
    if any(item["metadata"].get("selected") for item in stream["metadata"] if item["breadcrumb"] == []):
        schema(name)
        for number in range(config["first"], config["first"] + 2):
            record(number, config["word"], stream=name)
bookmark({"bookmarks": {name: {"id": 2} for name in ("tickets", "events")}})
note(catalog=catalog, options=list(given))
"""
_ASKED = "print(json.dumps(config['catalog']))"


def ids(desk: Desk, table: str) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in desk.rows(f"SELECT id, word FROM {table} ORDER BY id, word")]


def selected(catalog: dict[str, Any]) -> dict[str, Any]:
    return {
        stream["stream"]: item["metadata"].get("selected")
        for stream in catalog["streams"]
        for item in stream["metadata"]
        if item["breadcrumb"] == []
    }


def test_metadata_of_old_taps_say_how_a_table_is_written(desk: Desk) -> None:
    desk.config["catalog"] = _OLD
    for first, word in ((1, "old"), (2, "new")):
        desk.config |= {"first": first, "word": word}
        desk.load(desk.tap(_WRITES_ALL, discovery=_ASKED), None)
    merged = [(1, "old"), (2, "new"), (3, "new")]
    assert ids(desk, "tickets") == merged
    assert ids(desk, "views") == merged
    assert ids(desk, "events") == [(1, "old"), (2, "new"), (2, "old"), (3, "new")]
    assert ids(desk, "macros") == [(2, "new"), (3, "new")]
    assert ids(desk, "brands") == [(2, "new"), (3, "new")]
    assert ids(desk, "secret") == []
    expected = dict.fromkeys(["tickets", "macros", "events", "brands", "views"], True)
    assert selected(desk.notes()["catalog"]) == {**expected, "secret": False}


def test_a_deselected_resource_is_deselected_in_the_catalog_that_the_tap_gets(desk: Desk) -> None:
    desk.config |= {"catalog": _OLD, "first": 1, "word": "old"}
    source = desk.source(desk.tap(_WRITES_ALL, discovery=_ASKED), None)
    assert set(source.selected_resources) == {"tickets", "macros", "events", "brands", "views"}
    source.resources["macros"].selected = False
    desk.pipeline().run(source.with_resources("tickets", "events"))
    given = desk.notes()["catalog"]
    assert {name for name, chosen in selected(given).items() if chosen} == {"tickets", "events"}
    assert all(chosen is not None for chosen in selected(given).values())
    assert {stream["schema"].get("selected", False) for stream in given["streams"][1:2]} == {False}
    assert ids(desk, "tickets") == [(1, "old"), (2, "old")]
    assert ids(desk, "macros") == []


def test_a_stream_that_the_catalog_deselects_can_be_asked_for(desk: Desk) -> None:
    desk.config |= {"catalog": _OLD, "first": 1, "word": "old"}
    desk.load(desk.tap(_WRITES_ALL, discovery=_ASKED), None, streams=["secret"])
    assert ids(desk, "secret") == [(1, "old"), (2, "old")]
    assert [name for name, chosen in selected(desk.notes()["catalog"]).items() if chosen] == ["secret"]


def test_all_else_of_a_catalog_reaches_the_tap_as_it_was(desk: Desk) -> None:
    fields = {"word": {"inclusion": "available", "selected": False}, "more": {"inclusion": "unsupported"}}
    given = old_entry("tickets", fields, table_key_properties=["id"], database_name="desk", row_count=3)
    before = copy.deepcopy(given)
    desk.config |= {"first": 1, "word": "old"}
    desk.load(desk.tap(_WRITES_ALL), {"streams": [given], "version": 1})
    assert given == before
    (got,) = desk.notes()["catalog"]["streams"]
    assert got["schema"].pop("selected") is True  # where the oldest taps look
    assert got["metadata"].pop()["metadata"] == {**before["metadata"].pop()["metadata"], "selected": True}
    assert got == before


def test_fields_are_selected_but_those_that_the_tap_would_leave_out(desk: Desk) -> None:
    fields = {
        "word": {"inclusion": "available"},
        "more": {"inclusion": "available", "selected-by-default": False},
        "wide": {"inclusion": "available", "selected": False},
    }
    desk.config |= {"first": 1, "word": "old"}
    desk.load(desk.tap(_WRITES_ALL), {"streams": [old_entry("tickets", fields)]})
    (got,) = desk.notes()["catalog"]["streams"]
    chosen = {item["breadcrumb"][1]: item["metadata"].get("selected") for item in got["metadata"] if item["breadcrumb"]}
    assert chosen == {"id": None, "word": True, "more": None, "wide": False}


@pytest.mark.parametrize("given", ["dict", "text", "path"])
def test_a_catalog_can_be_given_instead_of_asking_for_it(desk: Desk, given: str) -> None:
    catalog: Any = {"streams": [entry("tickets", key_properties=["word"])]}
    path = desk.folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    desk.config |= {"first": 1, "word": "one"}
    desk.load(desk.tap(_WRITES_ALL), {"dict": catalog, "text": str(path), "path": path}[given])
    assert ids(desk, "tickets") == [(2, "one")]  # the last of the two that have this word for a key


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("/nowhere/catalog.json", "No such file or directory"),
        (__file__, "catalog file"),
        ({"streams": 7}, "no list 'streams'"),
        ([], "no list 'streams'"),
    ],
)
def test_a_catalog_that_cannot_be_used_is_an_error_to_read(desk: Desk, given: Any, words: str) -> None:
    with pytest.raises(TapConfigError) as caught:
        desk.source(desk.tap(""), given)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("option", ["--catalog", "--properties"])
def test_the_option_that_takes_the_catalog_has_the_name_that_the_tap_knows(desk: Desk, option: str) -> None:
    desk.config |= {"first": 1, "word": "old"}
    desk.load(desk.tap(_WRITES_ALL), TICKETS, catalog_option=option)
    assert {"--catalog", "--properties"} & set(desk.notes()["options"]) == {option}
    assert ids(desk, "tickets") == [(1, "old"), (2, "old")]


def test_arguments_of_a_command_come_before_those_of_the_bridge(desk: Desk) -> None:
    tap = desk.tap("schema()\nnote(given=sys.argv[1:])")
    desk.load(" ".join(tap) + " --mode 'two words'")
    assert desk.notes()["given"][:3] == ["--mode", "two words", "--config"]
