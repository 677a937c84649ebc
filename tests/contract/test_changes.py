"""What changes while it is read is there in the end: after this sync, or after the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from compared import key_of, same_value, schema_of

from support import config_for, sync
from taps.sandbox.server import Sandbox
from taps_under_test import TAPS, TapUnderTest

if TYPE_CHECKING:
    from support import Output
    from taps.engine.stream import ApiStream

#: What changes with the requests, and how many records a page has. Where a second has more records than the voice API
#: gives at once, nobody can read it. The contact centre has snapshots alone.
CHURN = {
    "helpdesk": [
        ("tickets=1,new=1,delete=1,contacts=1", 3),
        ("tickets=1,new=1,delete=1,contacts=1", 10),
        ("tickets=4,every=3", 3),
        ("delete=2,every=2", 3),
        ("delete=1,new=1,every=2", 10),
    ],
    "voice": [("calls=1,new=1,every=4", 10)],
    "sales_engagement": [
        ("prospects=1,accounts=1,tasks=1,new=1,events=1,every=2", 3),
        ("expire=1,prospects=2,every=5", 10),
    ],
    "oncall": [("alerts=1,new=1,incidents=1", 10), ("alerts=3,every=4", 3)],
}
OPTIONS: dict[str, dict[str, Any]] = {"voice": {"export_page": 20}}
CASES = [
    pytest.param(tap, *case, id=f"{tap.name} {case[0]} by {case[1]}") for tap in TAPS for case in CHURN.get(tap.api, [])
]

TOO_FAST = "the list changes faster than its pages can be read"

Tables = dict[str, dict[tuple[str, ...], dict[str, Any]]]


def streams_of(tap: TapUnderTest, sandbox: Sandbox) -> list[type[ApiStream]]:
    return [stream for stream in tap.served(sandbox) if not stream.snapshot_field]


def on_server(tap: TapUnderTest, sandbox: Sandbox) -> Tables:
    held = tap.held(sandbox)
    return {
        stream.name: {key_of(stream, record): record for record in held[stream.name]}
        for stream in streams_of(tap, sandbox)
    }


def load(tables: Tables, tap: TapUnderTest, sandbox: Sandbox, output: Output) -> None:
    """Put what a sync gave into tables, as a target that merges by key does."""
    for stream in streams_of(tap, sandbox):
        rows = {key_of(stream, record): record for record in output.records(stream.name)}
        tables.setdefault(stream.name, {}).update(rows)


@pytest.mark.parametrize(("tap", "churn", "page_cap"), CASES)
def test_nothing_that_stays_is_missing(tap: TapUnderTest, churn: str, page_cap: int) -> None:
    tables: Tables = {}
    with Sandbox(api=tap.api, size=40, seed=7, page_cap=page_cap, churn=churn, **OPTIONS.get(tap.api, {})) as sandbox:
        names = [stream.name for stream in streams_of(tap, sandbox)]
        before = on_server(tap, sandbox)
        first = sync(tap.tap_class, config_for(sandbox), streams=names)
        # A small desk may change as a whole while a page of it is read; the tap then says so, and goes on next time.
        whole = first.exit_code == 0
        assert whole or all(TOO_FAST in line or "streams failed" in line for line in first.errors), first.errors
        load(tables, tap, sandbox, first)
        meanwhile = on_server(tap, sandbox)
        assert before != meanwhile
        for name, records in before.items():
            untouched = {key for key, record in records.items() if meanwhile[name].get(key) == record}
            assert not whole or untouched <= tables[name].keys(), name

        sandbox.set_churn(None)
        second = sync(tap.tap_class, config_for(sandbox), streams=names, state=first.state)
        assert second.exit_code == 0, second.errors
        load(tables, tap, sandbox, second)
        for stream in streams_of(tap, sandbox):
            properties = schema_of(tap, stream)["properties"]
            for key, record in on_server(tap, sandbox)[stream.name].items():
                assert key in tables[stream.name], f"{stream.name} {key} is missing"
                got = tables[stream.name][key]
                wrong = {
                    name: (got.get(name), value)
                    for name, value in record.items()
                    if not same_value(got.get(name), value, properties.get(name, {}))
                }
                assert not wrong, f"{stream.name} {key}: {wrong}"
