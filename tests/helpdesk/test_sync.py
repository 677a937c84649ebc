"""The help desk tap against the sandbox: windows, increments, children, failures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from support import config_for, run_tap, selected_catalog, sync
from taps.engine.counting import PageNumber
from taps.engine.timestamps import parse_timestamp
from taps.helpdesk.streams import Tickets
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer


def ids(records: list[dict[str, Any]]) -> list[int]:
    return [record["id"] for record in records]


# Tickets and their window


@pytest.mark.parametrize("tickets", [0, 1, 15, 16, 100])
def test_tickets_beyond_the_last_page_of_a_query_arrive_once(tickets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tickets, "pagination", PageNumber(window=5))
    with Sandbox(tickets=tickets, seed=7, page_cap=3, max_ticket_pages=5) as sandbox:
        output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
        assert output.exit_code == 0, output.errors
        assert sorted(ids(output.records("tickets"))) == sorted(ids(sandbox.helpdesk.records("tickets")))
        assert all(int(request.query["page"]) <= 5 for request in sandbox.requests)


def test_the_vendors_number_of_pages_is_the_default() -> None:
    assert Tickets.pagination == PageNumber(window=300)


def test_a_window_of_tickets_that_all_changed_in_one_instant_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tickets, "pagination", PageNumber(window=5))
    with Sandbox(tickets=40, seed=7, page_cap=3, max_ticket_pages=5) as sandbox:
        sandbox.helpdesk.put(
            "tickets",
            [{**ticket, "updated_at": "2024-05-05T05:05:05Z"} for ticket in sandbox.helpdesk.records("tickets")],
        )
        output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "agents"])
        assert output.exit_code == 1
        assert (
            "Stream 'tickets' failed: GET /v1/tickets: the API gives at most 5 pages a query, and all of these records have updated_at 2024-05-05T05:05:05Z: the sync cannot get past this second"
            in output.log
        )
        assert output.counts["agents"] == len(sandbox.helpdesk.records("agents"))


def test_old_tickets_come_because_the_start_is_always_sent(sandbox: Sandbox) -> None:
    sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
    first = next(request for request in sandbox.requests if request.path == "/v1/tickets")
    assert first.query == {
        "updated_since": "1970-01-01T00:00:00Z",
        "order_by": "updated_at",
        "order_type": "asc",
        "include": "description,requester,stats",
        "page": "1",
        "limit": "100",
    }


def test_tickets_come_with_description_requester_and_stats(sandbox: Sandbox) -> None:
    output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
    assert all({"description", "requester", "stats"} <= record.keys() for record in output.records("tickets"))


def test_numbers_keep_every_digit(httpserver: HTTPServer) -> None:
    numbers = (
        '{"a":0.1,"b":9007199254740993,"c":12345678901234567890123,"d":0.12345678901234567890123,"e":1E+400,"f":1.10}'
    )
    page = f'{{"data": [{{"id": 9223372036854775808, "custom_fields": {numbers}}}]}}'
    httpserver.expect_request("/v1/tickets").respond_with_handler(
        lambda request: Response(page if request.args["page"] == "1" else '{"data": []}')
    )
    output = sync(TapHelpdesk, {"base_url": httpserver.url_for(""), "api_key": "k3y-k3y"}, streams=["tickets"])
    assert output.exit_code == 0, output.errors
    assert f'{{"id":9223372036854775808,"custom_fields":{numbers}}}' in output.text


# Increments


def test_a_second_sync_reads_what_changed_and_its_conversations(sandbox: Sandbox) -> None:
    first = sync(TapHelpdesk, config_for(sandbox))
    changed = sandbox.helpdesk.change(tickets=4, new=2, contacts=3)
    sandbox.clear_requests()
    second = sync(TapHelpdesk, config_for(sandbox), state=first.state)

    touched = set(changed["tickets"]) | set(changed["new"])
    at_bookmark = {
        record["id"]
        for record in first.records("tickets")
        if parse_timestamp(record["updated_at"]) >= parse_timestamp(first.bookmark("tickets") or "")
    }
    assert touched <= set(ids(second.records("tickets"))) <= touched | at_bookmark
    assert set(changed["contacts"]) <= set(ids(second.records("contacts")))
    assert len(second.records("contacts")) < len(first.records("contacts"))
    assert {record["ticket_id"] for record in second.records("conversations")} <= touched | at_bookmark
    asked = {request.path for request in sandbox.requests if request.path.endswith("/conversations")}
    assert asked == {f"/v1/tickets/{ticket}/conversations" for ticket in ids(second.records("tickets"))}
    assert second.counts["agents"] == first.counts["agents"], "what is not incremental is read in full"


def test_together_two_syncs_bring_the_servers_state(sandbox: Sandbox) -> None:
    rows: dict[int, dict[str, Any]] = {}
    state = None
    for _ in range(3):
        output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"], state=state)
        rows |= {record["id"]: record for record in output.records("tickets")}
        state = output.state
        held = {record["id"]: record for record in sandbox.helpdesk.records("tickets")}
        assert {key: row["updated_at"] for key, row in rows.items()} == {
            key: row["updated_at"] for key, row in held.items()
        }
        sandbox.helpdesk.change(tickets=5, new=3)


def test_a_sync_resumed_from_any_state_loses_nothing(sandbox: Sandbox) -> None:
    config = config_for(sandbox, page_size=4)
    output = sync(TapHelpdesk, config, streams=["tickets", "conversations"])
    everything = {
        "tickets": set(ids(output.records("tickets"))),
        "conversations": set(ids(output.records("conversations"))),
    }
    states = 0
    for position, message in enumerate(output.messages):
        if message["type"] != "STATE":
            continue
        states += 1
        got: dict[str, set[int]] = {"tickets": set(), "conversations": set()}
        for before in output.messages[:position]:
            if before["type"] == "RECORD":
                got[before["stream"]].add(before["record"]["id"])
        resumed = sync(TapHelpdesk, config, streams=["tickets", "conversations"], state=message["value"])
        for name, before_the_stop in got.items():
            assert before_the_stop | set(ids(resumed.records(name))) == everything[name]
    assert states >= 7


def test_state_and_schema_do_not_grow_with_the_parents(sandbox: Sandbox) -> None:
    output = sync(TapHelpdesk, config_for(sandbox, page_size=10), streams=["tickets", "conversations"])
    pages = [request for request in sandbox.requests if request.path == "/v1/tickets"]
    assert len(output.states) <= len(pages) + 1
    assert len(json.dumps(output.state)) < 1000
    assert [message["stream"] for message in output.messages if message["type"] == "SCHEMA"] == [
        "tickets",
        "conversations",
    ]


def test_the_log_does_not_grow_with_the_parents(sandbox: Sandbox) -> None:
    output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"])
    assert len([line for line in output.log.splitlines() if "Skipping deselected" not in line]) < 20
    counted = [json.loads(line.partition("METRIC: ")[2]) for line in output.log.splitlines() if "METRIC: " in line]
    records = {point["tags"]["stream"]: point["value"] for point in counted if point["metric"] == "record_count"}
    assert records == dict(output.counts)
    requests = {point["tags"]["stream"]: point["value"] for point in counted if point["metric"] == "http_request_count"}
    assert requests["conversations"] >= output.counts["tickets"]


def test_start_date_bounds_the_first_sync(sandbox: Sandbox) -> None:
    held = sandbox.helpdesk.records("tickets")
    middle = sorted(parse_timestamp(ticket["updated_at"]) for ticket in held)[len(held) // 2]
    output = sync(TapHelpdesk, config_for(sandbox, start_date=middle.isoformat()), streams=["tickets"])
    assert set(ids(output.records("tickets"))) == {t["id"] for t in held if parse_timestamp(t["updated_at"]) >= middle}


def test_ratings_are_asked_for_with_a_look_back(sandbox: Sandbox) -> None:
    first = sync(TapHelpdesk, config_for(sandbox), streams=["satisfaction_ratings"])
    state = {
        "bookmarks": {
            "satisfaction_ratings": {"replication_key": "updated_at", "replication_key_value": "2025-03-15T12:00:00Z"}
        }
    }
    for days, since in ((14, "2025-03-01T12:00:00Z"), (0, "2025-03-15T12:00:00Z"), (0.5, "2025-03-15T00:00:00Z")):
        sandbox.clear_requests()
        sync(TapHelpdesk, config_for(sandbox, lookback_days=days), streams=["satisfaction_ratings"], state=state)
        assert sandbox.requests[0].query["created_since"] == since
    assert first.counts["satisfaction_ratings"] == len(sandbox.helpdesk.records("satisfaction_ratings"))


def test_a_bookmark_stays_at_or_before_the_start_of_the_sync(sandbox: Sandbox) -> None:
    tickets = sandbox.helpdesk.records("tickets")
    sandbox.helpdesk.put("tickets", [*tickets[:-1], {**tickets[-1], "updated_at": "2199-01-01T00:00:00Z"}])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
    assert output.bookmark("tickets")
    assert "2025" < str(output.bookmark("tickets")) < "2100"


def test_forced_full_table_still_sends_the_start(sandbox: Sandbox) -> None:
    catalog = json.loads(TapHelpdesk(config=config_for(sandbox)).catalog_json_text)
    for entry in catalog["streams"]:
        entry["metadata"][0]["metadata"] |= {"selected": entry["tap_stream_id"] == "tickets"}
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"] |= {"selected": entry["tap_stream_id"] == "tickets"}
        if entry["tap_stream_id"] == "tickets":
            entry["replication_method"], entry["replication_key"] = "FULL_TABLE", None
    state = {
        "bookmarks": {"tickets": {"replication_key": "updated_at", "replication_key_value": "2025-12-01T00:00:00Z"}}
    }
    output = sync(TapHelpdesk, config_for(sandbox), catalog=catalog, state=state)
    assert output.counts == {"tickets": len(sandbox.helpdesk.records("tickets"))}


# Children


def test_children_carry_their_parents_key(sandbox: Sandbox) -> None:
    output = sync(TapHelpdesk, config_for(sandbox))
    for stream, key, parent in (
        ("canned_responses", "folder_id", "canned_response_folders"),
        ("conversations", "ticket_id", "tickets"),
        ("discussion_forums", "category_id", "discussion_categories"),
        ("discussion_topics", "forum_id", "discussion_forums"),
        ("discussion_comments", "topic_id", "discussion_topics"),
        ("solution_folders", "category_id", "solution_categories"),
        ("solution_articles", "folder_id", "solution_folders"),
    ):
        assert output.records(stream), stream
        assert {record[key] for record in output.records(stream)} <= set(ids(output.records(parent)))


def test_a_child_is_read_without_its_parent_being_selected(sandbox: Sandbox) -> None:
    output = sync(TapHelpdesk, config_for(sandbox), streams=["discussion_comments"])
    assert output.counts == {"discussion_comments": len(sandbox.helpdesk.records("discussion_comments"))}


def test_a_parent_deleted_meanwhile_is_a_warning_and_has_no_children(sandbox: Sandbox) -> None:
    gone = sandbox.helpdesk.records("tickets")[3]["id"]
    sandbox.set_faults([f"404:path=/v1/tickets/{gone}/conversations"])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"])
    assert output.exit_code == 0
    assert f"WARNING tap-helpdesk.conversations GET /v1/tickets/{gone}/conversations: 404 Not Found" in output.log
    expected = [record["id"] for record in sandbox.helpdesk.records("conversations") if record["ticket_id"] != gone]
    assert sorted(ids(output.records("conversations"))) == sorted(expected)


# Failures


@pytest.mark.parametrize(
    "fault",
    [
        "429:every=5,retry_after=0",
        "503:every=4",
        "reset:every=6",
        "truncated:every=7",
        "malformed:every=5",
        "html:every=9",
        "empty:every=8",
        "401:every=6",
    ],
)
@pytest.mark.parametrize("number", [1, 4, 16])
def test_faults_that_pass_cost_nothing(sandbox: Sandbox, fault: str, number: int) -> None:
    """Of requests side by side the same could be struck each time, by chance; so the last tries are made alone."""
    sandbox.set_faults([fault])
    output = sync(TapHelpdesk, config_for(sandbox, max_concurrency=number))
    assert output.exit_code == 0, output.errors
    assert dict(output.counts) == {name: count for name, count in sandbox.helpdesk.counts().items() if count}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", "500 Internal Server Error"),
        ("html", "the answer cannot be used: it is no JSON"),
        ("shape", "the answer cannot be used"),
        ("null", "the answer cannot be used: there is null where an object with 'data' is due"),
        ("reset", "connection lost"),
        ("truncated", "answer cut short"),
        ("foreign-link", "is not the origin of base_url"),
        ("self-link", "loop"),
        ("403", "403 Forbidden"),
        ("404", "404 Not Found"),
    ],
)
def test_one_stream_that_fails_for_good_is_one_line_and_the_others_arrive(
    sandbox: Sandbox, fault: str, words: str
) -> None:
    sandbox.set_faults([f"{fault}:path=/v1/companies"])
    output = sync(TapHelpdesk, config_for(sandbox, max_retries=1))
    assert output.exit_code == 1
    lines = [line for line in output.errors if line.startswith("ERROR")]
    assert len(lines) == 1
    assert lines[0].startswith("ERROR tap-helpdesk Stream 'companies' failed: ")
    assert "/v1/companies" in lines[0]
    assert words in lines[0]
    assert output.errors[-1].startswith("1 of 28 streams failed: companies.")
    expected = {name: count for name, count in sandbox.helpdesk.counts().items() if count and name != "companies"}
    assert {name: count for name, count in output.counts.items() if name != "companies"} == expected
    assert sandbox.api_key not in output.log


def test_a_feature_that_the_plan_lacks_can_be_skipped(sandbox: Sandbox) -> None:
    sandbox.set_faults(["403:path=/v1/agents", "404:path=/v1/canned_response_folders"])
    output = sync(TapHelpdesk, config_for(sandbox, skip_inaccessible_streams=True))
    assert output.exit_code == 0
    assert "GET /v1/agents: 403 Forbidden" in output.log
    missing = {name for name, count in sandbox.helpdesk.counts().items() if count} - set(output.counts)
    assert missing == {"agents", "canned_response_folders", "canned_responses"}


def test_tickets_go_on_but_their_bookmark_stops_where_conversations_failed(sandbox: Sandbox) -> None:
    whole = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"])
    broken = whole.records("tickets")[12]
    sandbox.set_faults([f"500:path=/v1/tickets/{broken['id']}/conversations"])
    output = sync(TapHelpdesk, config_for(sandbox, max_retries=0), streams=["tickets", "conversations"])
    assert output.exit_code == 1
    assert ids(output.records("tickets")) == ids(whole.records("tickets"))
    assert parse_timestamp(output.bookmark("tickets") or "") <= parse_timestamp(broken["updated_at"])
    sandbox.set_faults([])
    again = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"], state=output.state)
    got = set(ids(output.records("conversations"))) | set(ids(again.records("conversations")))
    assert got == set(ids(whole.records("conversations")))


def test_an_unsorted_stream_that_failed_keeps_its_bookmark(sandbox: Sandbox) -> None:
    state = {
        "bookmarks": {"contacts": {"replication_key": "updated_at", "replication_key_value": "2020-01-01T00:00:00Z"}}
    }
    sandbox.set_faults(["500:path=/v1/contacts,after=1"])
    output = sync(TapHelpdesk, config_for(sandbox, max_retries=0, page_size=3), streams=["contacts"], state=state)
    assert output.exit_code == 1
    assert output.records("contacts")
    assert output.bookmark("contacts") == "2020-01-01T00:00:00Z"


def test_a_record_without_its_key_is_an_error_and_not_a_row(sandbox: Sandbox) -> None:
    sandbox.helpdesk.put("products", [{"id": 1, "name": "a"}, {"id": None, "name": "b"}])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["products", "roles"])
    assert output.exit_code == 1
    assert "Stream 'products' failed: a record's primary key 'id' is null" in output.log
    assert output.counts["roles"] == sandbox.helpdesk.counts()["roles"]


def test_a_value_of_another_type_is_refused_with_stream_key_field_and_types(sandbox: Sandbox) -> None:
    sandbox.helpdesk.put("roles", [{"id": 7, "default": {"oh": "no"}}])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["roles"])
    expected = "Stream 'roles' failed: record id=7: field 'default' is declared boolean or null, but is an object: {\"oh\":\"no\"}"
    assert expected in output.log


def test_undeclared_fields_are_named_in_one_warning_a_stream(sandbox: Sandbox) -> None:
    sandbox.helpdesk.put("products", [{"id": number, "zeta": 1, "alpha": {"x": 1}} for number in range(1, 250)])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["products"])
    assert [line for line in output.log.splitlines() if line.startswith("WARNING")] == [
        "WARNING tap-helpdesk.products products: the API gives fields that the schema does not declare; they are left out: alpha, zeta"
    ]
    assert output.records("products")[0] == {"id": 1}


def test_null_cursors_do_not_stop_a_sync(sandbox: Sandbox) -> None:
    tickets = sandbox.helpdesk.records("contacts")
    sandbox.helpdesk.put("contacts", [{**tickets[0], "updated_at": None}, *tickets[1:]])
    output = sync(TapHelpdesk, config_for(sandbox, start_date="1970-01-01"), streams=["contacts"])
    assert output.exit_code == 0


def test_a_cursor_that_is_no_timestamp_is_an_error(sandbox: Sandbox) -> None:
    sandbox.helpdesk.put("contacts", [{"id": 4, "updated_at": "2024-13-01T00:00:00Z"}])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["contacts"])
    assert output.exit_code == 1
    assert (
        "Stream 'contacts' failed: record id=4: field 'updated_at': '2024-13-01T00:00:00Z' is no timestamp"
        in output.log
    )


def test_a_stream_of_the_catalog_that_nobody_knows_is_named(sandbox: Sandbox) -> None:
    catalog = selected_catalog(TapHelpdesk, config_for(sandbox), ["roles"])
    catalog["streams"].append({**catalog["streams"][0], "tap_stream_id": "rolls", "stream": "rolls"})
    output = sync(TapHelpdesk, config_for(sandbox), catalog=catalog)
    assert "The catalog has a stream 'rolls', which this tap does not have" in output.log
    assert set(output.counts) == {"roles"}


def test_a_path_that_no_parent_has_is_pointed_out_without_a_flood(sandbox: Sandbox) -> None:
    sandbox.set_faults(["404:path=/v1/tickets/*/conversations"])
    output = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"])
    assert output.exit_code == 0
    assert output.log.count("taken as a parent that was deleted meanwhile") == 10
    assert (
        "conversations: all 30 parents were refused with 404; is the path /v1/tickets/{ticket_id}/conversations right?"
        in output.log
    )


@pytest.mark.parametrize("stream", ["contacts", "satisfaction_ratings"])
def test_records_are_written_even_where_no_state_follows_them(sandbox: Sandbox, stream: str) -> None:
    """What comes again, of the bookmark's second or the look-back, moves no bookmark, so that STATE stays the same."""
    first = sync(TapHelpdesk, config_for(sandbox), streams=[stream])
    again = sync(TapHelpdesk, config_for(sandbox), streams=[stream], state=first.state)
    assert again.state == first.state
    assert again.counts[stream] > 0
    assert {"type": "STATE", "value": again.state} == again.messages[0]
    assert again.messages[-1]["type"] == "RECORD"


def test_what_was_read_before_a_failure_is_written(sandbox: Sandbox) -> None:
    state = sync(TapHelpdesk, config_for(sandbox), streams=["contacts"]).state
    held = len(sandbox.helpdesk.records("contacts"))
    sandbox.set_faults(["500:path=/v1/contacts,after=1"])
    config = config_for(sandbox, page_size=5, max_retries=0, start_date="1970-01-01")
    state["bookmarks"]["contacts"]["replication_key_value"] = "1970-01-01T00:00:00Z"
    broken = sync(TapHelpdesk, config, streams=["contacts"], state=state)
    assert broken.exit_code == 1
    assert 0 < broken.counts["contacts"] < held


def test_a_sync_of_nothing_says_so(sandbox: Sandbox) -> None:
    output = sync(TapHelpdesk, config_for(sandbox), streams=[])
    assert output.exit_code == 0
    assert "WARNING tap-helpdesk No stream is selected, so nothing was read" in output.log


def test_tickets_that_change_or_go_while_we_read_shift_nothing_out_of_sight(sandbox: Sandbox) -> None:
    """Each change moves a ticket to the end of the list, and each deletion makes the rest move up."""
    before = {ticket["id"] for ticket in sandbox.helpdesk.records("tickets")}
    oldest = sorted(sandbox.helpdesk.records("tickets"), key=lambda ticket: parse_timestamp(ticket["updated_at"]))
    gone: set[int] = set()
    tap = TapHelpdesk(config=config_for(sandbox, page_size=3))
    got: set[int] = set()
    for number, page in enumerate(tap.streams["tickets"].pages(None)):  # type: ignore[attr-defined]
        got |= {record["id"] for record in page.records}
        if number < 4:
            victim = oldest[number]["id"]
            sandbox.helpdesk.delete("tickets", victim)
            gone.add(victim)
            sandbox.helpdesk.change(tickets=1)
    assert before - gone <= got


@pytest.mark.parametrize(
    ("setting", "value"), [("backoff_factor", 0.5), ("request_timeout", "2.5"), ("lookback_days", 1.5)]
)
def test_numbers_may_have_fractions_and_be_text(sandbox: Sandbox, tmp_path: Path, setting: str, value: object) -> None:
    sandbox.set_faults(["503:times=1"])
    state = {
        "bookmarks": {
            "satisfaction_ratings": {"replication_key": "updated_at", "replication_key_value": "2025-03-15T12:00:00Z"}
        }
    }
    (tmp_path / "state.json").write_text(json.dumps(state))
    config = config_for(sandbox, **{"backoff_factor": 0, setting: value})
    output = run_tap("tap-helpdesk", "--state", "state.json", config=config, files=tmp_path)
    assert output.exit_code == 0, output.log


def test_conversations_that_are_selected_later_are_read_from_the_beginning(sandbox: Sandbox) -> None:
    first = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
    assert first.state["bookmarks"]["conversations"] == {"parent_bookmark": None}
    second = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"], state=first.state)
    assert len(second.records("conversations")) == len(sandbox.helpdesk.records("conversations"))
    assert second.state["bookmarks"]["conversations"] == {}
    assert second.bookmark("tickets") == first.bookmark("tickets")


def test_conversations_that_were_left_out_for_a_while_miss_nothing(sandbox: Sandbox) -> None:
    both = ["tickets", "conversations"]
    first = sync(TapHelpdesk, config_for(sandbox), streams=both)
    changed = sandbox.helpdesk.change(tickets=4)["tickets"]
    second = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"], state=first.state)
    third = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"], state=second.state)
    assert third.state["bookmarks"]["conversations"] == {"parent_bookmark": first.bookmark("tickets")}
    fourth = sync(TapHelpdesk, config_for(sandbox), streams=both, state=third.state)
    assert set(changed) <= {record["ticket_id"] for record in fourth.records("conversations")}
    assert len(fourth.records("tickets")) < 10


def test_a_child_that_failed_while_it_caught_up_is_still_behind(sandbox: Sandbox) -> None:
    first = sync(TapHelpdesk, config_for(sandbox), streams=["tickets"])
    sandbox.set_faults(["500:path=/v1/tickets/*/conversations,after=9"])
    broken = sync(
        TapHelpdesk, config_for(sandbox, max_retries=0), streams=["tickets", "conversations"], state=first.state
    )
    assert broken.exit_code == 1
    sandbox.set_faults([])
    healed = sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"], state=broken.state)
    assert len(healed.records("conversations")) == len(sandbox.helpdesk.records("conversations"))


def test_a_state_of_another_tap_is_taken_at_its_word(sandbox: Sandbox) -> None:
    state = {
        "bookmarks": {"tickets": {"replication_key": "updated_at", "replication_key_value": "2025-06-01T00:00:00Z"}}
    }
    sync(TapHelpdesk, config_for(sandbox), streams=["tickets", "conversations"], state=state)
    assert sandbox.requests[0].query["updated_since"] == "2025-06-01T00:00:00Z"
