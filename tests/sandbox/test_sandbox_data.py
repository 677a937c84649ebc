from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import Client

from taps.sandbox.helpdesk.store import HelpdeskStore
from taps.sandbox.helpdesk.streams import STREAMS
from taps.sandbox.instants import instant, stamp
from taps.sandbox.server import Sandbox

ALL = "1970-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def store() -> HelpdeskStore:
    return HelpdeskStore(tickets=2_000, seed=42)


def test_two_servers_of_one_seed_give_the_same_bytes() -> None:
    paths = [stream.path for stream in STREAMS.values() if not stream.parent]
    paths += [f"/v1/tickets?updated_since={ALL}&include=description,requester,stats", "/v1/tickets/5/conversations"]

    def bodies(seed: int, *, warm: bool = False) -> list[bytes]:
        with Sandbox(tickets=60, seed=seed, warm=warm) as sandbox, Client(sandbox) as client:
            return [client.get(path).content for path in paths]

    first = bodies(11)
    assert first == bodies(11, warm=True)
    assert first != bodies(12)


@pytest.mark.parametrize("tickets", [0, 1, 2, 7])
def test_tiny_help_desks_work(tickets: int) -> None:
    with Sandbox(tickets=tickets) as sandbox, Client(sandbox) as client:
        counts = sandbox.helpdesk.counts()
        assert counts["tickets"] == tickets
        assert len(client.data("/v1/tickets", updated_since=ALL)) == tickets
        assert client.get("/v1/tickets").status_code == 200
        for stream in STREAMS.values():
            if not stream.parent and stream.name not in {"settings", "tickets"}:
                assert len(client.linked(stream.path)) == counts[stream.name]


def test_the_usual_proportions(store: HelpdeskStore) -> None:
    counts = store.counts()
    assert counts["agents"] == 60
    assert counts["contacts"] == 700
    assert counts["companies"] == 250
    assert counts["satisfaction_ratings"] == 150
    assert counts["time_entries"] == 300
    assert counts["groups"] == 12
    assert 4_500 < counts["conversations"] < 5_500
    assert all(counts.values())


def test_keys_are_unique(store: HelpdeskStore) -> None:
    for stream in STREAMS:
        if stream != "settings":
            numbers = [row["id"] for row in store.records(stream)]
            assert len(set(numbers)) == len(numbers)


def test_references_lead_somewhere(store: HelpdeskStore) -> None:
    ids = {stream: {row.get("id") for row in store.records(stream)} for stream in STREAMS}
    targets = {
        "requester_id": "contacts",
        "responder_id": "agents",
        "agent_id": "agents",
        "company_id": "companies",
        "group_id": "groups",
        "ticket_id": "tickets",
        "survey_id": "surveys",
        "product_id": "products",
        "email_config_id": "email_configs",
    }
    for stream in STREAMS:
        for row in store.records(stream):
            for field, target in targets.items():
                assert row.get(field) is None or row[field] in ids[target], (stream, field)


def test_cursors_are_fixed_varied_and_shared(store: HelpdeskStore) -> None:
    for stream in ("tickets", "contacts", "satisfaction_ratings"):
        moments = [row["updated_at"] for row in store.records(stream)]
        assert all(instant(moment) is not None for moment in moments)
        assert max(moments) < "2026"
        fractions = sum("." in moment for moment in moments)
        offsets = sum("+02:00" in moment for moment in moments)
        assert 0 < fractions < len(moments) / 10
        assert 0 < offsets < len(moments) / 10
    tickets = [row["updated_at"] for row in store.records("tickets")]
    assert Counter(tickets).most_common(1)[0][1] >= 5
    assert len({moment[:4] for moment in tickets}) == 5


def test_a_record_is_not_updated_before_it_is_made(store: HelpdeskStore) -> None:
    for stream in STREAMS:
        for row in store.records(stream):
            if "created_at" in row and "updated_at" in row:
                made, changed = instant(row["created_at"]), instant(row["updated_at"])
                assert made is not None
                assert changed is not None
                assert made <= changed


def test_the_traps_are_all_there(store: HelpdeskStore) -> None:
    choices = [row.get("choices") for row in store.records("ticket_fields")]
    assert any(isinstance(choice, list) and choice for choice in choices)
    values = [next(iter(choice.values())) for choice in choices if isinstance(choice, dict) and choice]
    assert {type(value) for value in values} == {int, list, dict}
    assert {type(row["auto_ticket_assign"]) for row in store.records("groups")} == {int, bool}
    assert all(row["org_contact_id"] > 2**53 for row in store.records("contacts"))
    custom = [row["custom_fields"] for row in store.records("tickets")]
    assert any(fields.get("cf_meter") == 2**53 + 1 for fields in custom)
    assert any(fields.get("cf_serial", 0) > 2**64 for fields in custom)
    assert any(fields["cf_amount"] == 0.1 for fields in custom)
    assert any("other_companies" not in row for row in store.records("contacts"))
    assert any("value" not in action for row in store.records("scenario_automations") for action in row["actions"])
    assert any(row["escalation"] == {} for row in store.records("sla_policies"))
    assert "user_id" not in {name for stream in STREAMS for row in store.records(stream) for name in row}
    for stream in (
        "conversations",
        "satisfaction_ratings",
        "discussion_topics",
        "discussion_comments",
        "solution_articles",
    ):
        assert all(row["customer_id"] for row in store.records(stream))


def test_texts_are_of_many_scripts(store: HelpdeskStore) -> None:
    text = "".join(
        f"{row['subject']}{row['requester']['name']}{row['description_text']}" for row in store.records("tickets")
    )
    scripts = {unicodedata.name(sign, "?").split()[0] for sign in set(text) if sign.isalpha()}
    assert {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "THAI",
        "HIRAGANA",
        "CJK",
        "HANGUL",
    } <= scripts
    assert "\u0301" in text
    assert "\u200d" in text
    assert "😢" in text
    assert any(re.search(r"<(p|div|br|ul)\b", row["description"]) for row in store.records("tickets"))


def test_empty_values_of_both_kinds_occur(store: HelpdeskStore) -> None:
    def values(stream: str, field: str) -> set[Any]:
        return {row[field] for row in store.records(stream)}

    assert {None, ""} <= values("tickets", "type")
    assert {None, ""} <= values("contacts", "address")
    assert {None, ""} <= values("satisfaction_ratings", "feedback")


@given(st.integers(-2_000_000_000, 8_000_000_000), st.integers(0, 6), st.integers(-11, 12))
def test_stamps_can_be_read_back(seconds: int, digits: int, hours: int) -> None:
    moment = seconds * 1_000_000
    assert instant(stamp(moment, digits=digits, offset_hours=hours)) == moment
    assert instant(stamp(moment + 123_456, digits=6, offset_hours=hours)) == moment + 123_456


@pytest.mark.parametrize("text", [None, 5, "", "2025", "2025-02-30", "2025-01-01T25:00:00Z", "2025-01-01 00:00:00Z"])
def test_what_is_no_stamp_is_none(text: object) -> None:
    assert instant(text) is None
