"""A tap's state is the same when it comes back, whatever a tap makes of it, and through JSON as dlt keeps it."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.json import json as dlt_json
from dlt.common.pipeline import StateInjectableContext
from hypothesis import given
from hypothesis import strategies as st

from taps.bridge.bookmarks import Bookmarks, without_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES = {"tickets": "tickets", "macros": "macros", "users": "renamed"}


@contextmanager
def extraction(kept: dict[str, Any]) -> Iterator[None]:
    """Be where dlt extracts a source, with this as the pipeline's state."""
    container = Container()
    with (
        container.injectable_context(StateInjectableContext(state=kept)),  # type: ignore[arg-type]
        container.injectable_context(ConfigSectionContext(sections=("sources", "tap"), source_state_key="tap")),
    ):
        yield


def through_json(kept: dict[str, Any]) -> dict[str, Any]:
    """Give the state as it comes back from the destination."""
    again: dict[str, Any] = dlt_json.typed_loads(dlt_json.typed_dumps(kept))
    return again


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=6)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
# A bookmark that is null is as good as none.
ENTRIES = VALUES.filter(lambda value: value is not None)
SDK_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "replication_key": TEXTS,
        "replication_key_value": VALUES,
        "partitions": st.lists(st.fixed_dictionaries({"context": st.dictionaries(TEXTS, SCALARS, max_size=2)})),
        "progress_markers": st.dictionaries(TEXTS, VALUES, max_size=2),
    },
)
NAMES = st.sampled_from(list(RESOURCES))
OTHERS = TEXTS.filter(lambda name: name not in {*RESOURCES, "bookmarks", "currently_syncing"})
MEMBERS = st.dictionaries(OTHERS, VALUES, max_size=2)
SYNCING = st.fixed_dictionaries({}, optional={"currently_syncing": NAMES | st.none()})


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda made: {name: value for part in made for name, value in part.items()})


BELOW = merged(st.dictionaries(NAMES, SDK_ENTRIES | ENTRIES, max_size=3), MEMBERS)
STATES = (
    merged(st.fixed_dictionaries({"bookmarks": BELOW}), SYNCING)
    | merged(st.fixed_dictionaries({"bookmarks": BELOW}), MEMBERS, SYNCING)
    | merged(st.dictionaries(NAMES, ENTRIES, max_size=3), MEMBERS, SYNCING)
    | merged(st.dictionaries(NAMES, ENTRIES, max_size=3), st.fixed_dictionaries({"bookmarks": BELOW}), MEMBERS)
    | st.fixed_dictionaries({"bookmarks": VALUES})
)


def without_syncing(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "currently_syncing"}


@given(STATES)
def test_a_state_comes_back_as_the_tap_wrote_it(state: dict[str, Any]) -> None:
    written, kept = copy.deepcopy(state), {}  # type: tuple[dict[str, Any], dict[str, Any]]
    with extraction(kept):
        Bookmarks(RESOURCES, RESOURCES).keep(state)
        assert state == written, "it is the tap's"
        assert Bookmarks(RESOURCES, RESOURCES).state() == without_syncing(state)
    with extraction(through_json(kept)):
        assert Bookmarks(RESOURCES, RESOURCES).state() == without_syncing(state)


@given(st.lists(STATES, min_size=2, max_size=3))
def test_nothing_is_left_of_a_state_before(states: list[dict[str, Any]]) -> None:
    with extraction({}):
        bookmarks = Bookmarks(RESOURCES, RESOURCES)
        for state in states:
            bookmarks.keep(state)
        assert bookmarks.state() == without_syncing(states[-1])


@given(STATES)
def test_what_the_tap_does_to_its_state_is_not_kept(state: dict[str, Any]) -> None:
    with extraction({}):
        bookmarks = Bookmarks(RESOURCES, RESOURCES)
        bookmarks.keep(state)
        before = json.dumps(bookmarks.state(), sort_keys=True)
        given_out = bookmarks.state()
        for value in [given_out, *given_out.values()]:
            if isinstance(value, dict):
                value["more"] = 1
        assert json.dumps(bookmarks.state(), sort_keys=True) == before


@pytest.mark.parametrize("form", [lambda entries: {"bookmarks": entries}, dict], ids=["below", "at the top"])
def test_a_stream_that_is_replaced_is_not_kept(form: Any) -> None:
    kept: dict[str, Any] = {}
    with extraction(kept):
        bookmarks = Bookmarks(RESOURCES, RESOURCES, replaced=["macros"])
        bookmarks.keep(form({"tickets": 1, "macros": 2, "users": 3}))
        assert bookmarks.state() == form({"tickets": 1, "users": 3})
        assert not bookmarks.loaded("macros")
        assert bookmarks.loaded("users")
    assert kept["sources"]["tap"]["resources"] == {"tickets": {"bookmark": 1}, "renamed": {"bookmark": 3}}


@pytest.mark.parametrize(
    "more", [{"cursor": 7}, {"bookmarks": {"of old": 1}}, {"cursor": 7, "bookmarks": {"tickets": 1}}]
)
def test_a_stream_that_was_never_loaded_withholds_what_belongs_to_no_stream(more: dict[str, Any]) -> None:
    with extraction({}):
        Bookmarks(RESOURCES, ["tickets"]).keep(more)
        assert Bookmarks(RESOURCES, ["tickets"]).state() == more
        of_tickets = {"bookmarks": {"tickets": 1}} if "tickets" in more.get("bookmarks", {}) else {}
        assert Bookmarks(RESOURCES, ["tickets", "users"]).state() == of_tickets
        # One that is read in full says nothing of the others.
        assert Bookmarks(RESOURCES, ["tickets", "users"], replaced=["users"]).state() == more
        Bookmarks(RESOURCES, ["tickets", "users"]).keep(more)
        assert Bookmarks(RESOURCES, ["tickets", "users"]).state() == more


def test_a_stream_without_a_bookmark_of_its_own_counts_as_loaded() -> None:
    with extraction({}):
        bookmarks = Bookmarks(RESOURCES, ["tickets", "users"])
        assert not bookmarks.loaded("users")
        bookmarks.keep({"bookmarks": {"tickets": {"id": 1}}})
        assert bookmarks.loaded("users")
        assert not bookmarks.loaded("macros"), "it is not selected"


def test_a_stream_that_is_not_selected_keeps_the_bookmark_that_it_had() -> None:
    with extraction({}):
        Bookmarks(RESOURCES, RESOURCES).keep({"bookmarks": {"tickets": 1, "users": 2}})
        Bookmarks(RESOURCES, ["tickets"]).keep({"bookmarks": {"tickets": 3}})
        assert Bookmarks(RESOURCES, RESOURCES).state() == {"bookmarks": {"tickets": 3, "users": 2}}


@given(VALUES, SYNCING)
def test_what_saves_no_work_is_no_progress(value: Any, syncing: dict[str, Any]) -> None:
    state = {"bookmarks": {"tickets": value}}
    markers = {"progress_markers": {"note": 1}, "starting_replication_value": 2, "replication_key_signpost": 3}
    entry = {"replication_key_value": value}
    assert without_progress({**state, **syncing}) == without_progress(state)
    assert without_progress({"a": {**entry, **markers}}) == without_progress({"a": entry})
    assert without_progress({"a": 1}) != without_progress({"a": 2})
