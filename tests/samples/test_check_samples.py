"""`scripts/check_samples.py`: which recordings it finds, the forms that it reads, and what it says of them."""

from __future__ import annotations

import base64
import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TICKET = {"id": 7, "subject": "No ink", "updated_at": "2024-02-03T04:05:06Z", "custom_fields": {"cf_floor": 3}}
LEG = {"id": 31, "call_id": 5, "updated_at": "2024-02-03T04:05:06Z", "call_charge": "0.0125"}
ALERT = {"id": "a-1", "message": "Disk full", "createdAt": "2024-02-03T04:05:06.789Z", "tags": ["disk"], "count": 2}
PROSPECT = {
    "type": "prospect",
    "id": 4,
    "attributes": {"firstName": "Ada", "updatedAt": "2024-02-03T04:05:06.000Z", "score": 1.5},
    "relationships": {"owner": {"data": {"type": "user", "id": 9}}, "calls": {"links": {"related": "x"}}},
}
ROUTE = {"id": 3, "keypress": "1", "action": "group", "options": {"group_ids": [1]}, "overflow_options": []}
MENU = {"id": 2, "name": "Main", "default": True, "routes": [ROUTE]}
IVR = {"id": 1, "name": "Front desk", "menus": [MENU]}

CLEAN: dict[str, Any] = {
    "freshdesk/tickets.json": [TICKET],
    "freshdesk/settings.json": {"primary_language": "en", "supported_languages": []},
    "freshdesk/canned_responses.json": [{"id": 5, "title": "Thanks"}],  # without its folder, as the API gives it
    "freshdesk/conversations.json": [{"id": 6, "ticket_id": 7, "user_id": 8}],
    "zendesk_talk/calls.json": {"calls": [{"id": 5, "updated_at": "2024-02-03T04:05:06Z"}], "next_page": "https://x"},
    "zendesk_talk/legs.json": {"legs": [LEG], "next_page": None},
    "zendesk_talk/account_overview.json": {"account_overview": {"total_calls": 4, "average_hold_time": 1.5}},
    "zendesk_talk/ivr.json": {"ivrs": [IVR]},
    "outreach/prospects.json": {"data": [PROSPECT], "links": {}},
    "opsgenie/alerts.json": {"data": [ALERT], "paging": {}, "took": 0.1},
    "opsgenie/alert_recipients.json": {"data": [{"user": {"id": "u", "username": "ada"}, "state": "action"}]},
}


@dataclass(frozen=True)
class Checked:
    code: int
    out: str
    err: str

    @property
    def found(self) -> Any:
        return json.loads(self.out)

    def stream(self, name: str) -> Any:
        [found] = [stream for stream in self.found["streams"] if stream["stream"] == name]
        return found


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Checked]:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("check_samples")

    def run(*arguments: object) -> Checked:
        try:
            code = script.main([*map(str, arguments)])
        except SystemExit as stopped:
            code = stopped.code
        return Checked(code, *capsys.readouterr())

    return run


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def lines(*documents: Any) -> bytes:
    return b"\n".join(json.dumps(document).encode() for document in documents) + b"\n"


def test_clean_recordings_of_all_providers(check: Callable[..., Checked], tmp_path: Path) -> None:
    checked = check(write(tmp_path, CLEAN), "--json")
    assert checked.code == 0, checked.out
    assert checked.found["clean"] is True
    assert set(checked.found["providers"]) == {"freshdesk", "zendesk_talk", "outreach", "opsgenie"}
    assert {(stream["stream"], stream["records"]) for stream in checked.found["streams"]} >= {
        ("tickets", 1), ("settings", 1), ("call_legs", 1), ("ivrs", 1), ("ivr_menus", 1), ("ivr_routes", 1)
    }  # fmt: skip
    assert not any(
        stream["undeclared"] or stream["refused"] or stream["converted"] for stream in checked.found["streams"]
    )


def test_the_command_prints_a_table(tmp_path: Path) -> None:
    write(tmp_path, {**CLEAN, "notes.txt": b"x", "freshdesk/weather.json": [], "freshdesk/.hidden.json": b"x"})
    command = [sys.executable, str(ROOT / "scripts" / "check_samples.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    written = done.stdout.splitlines()
    assert written[0] == "freshdesk"
    assert written[1].split() == ["stream", "records", "fields", "undeclared", "refused", "converted"]
    assert ["tickets", "1", "4", "-", "-", "-"] in [line.split() for line in written]
    assert (
        "  4 streams, 4 records, 0 refused; undeclared are 0 of 11 fields (0.0 %), 0 of 11 occurrences (0.0 %)"
        in written
    )
    assert "left out: freshdesk/weather.json is of no stream" in written
    assert "left out: notes.txt is in no folder that is called after a provider" in written
    assert written[-1] == "Nothing is wrong."


class TestFindings:
    def test_undeclared_fields_are_counted_nested_ones_too(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        odd = {**TICKET, "mood": 1, "requester": {"id": 1, "shoe_size": 43}}
        checked = check(write(tmp_path, {"freshdesk/tickets.json": [odd, {**TICKET, "id": 8, "mood": 2}]}), "--json")
        assert checked.code == 1
        tickets = checked.stream("tickets")
        assert tickets["undeclared_fields"] == {"mood": 2, "requester.shoe_size": 1}
        # id, subject, updated_at, custom_fields, mood, requester and two in it; custom_fields is the user's own affair.
        assert (tickets["fields"], tickets["undeclared"], tickets["undeclared_percent"]) == (8, 2, 25.0)
        assert (tickets["occurrences"], tickets["undeclared_occurrences"]) == (13, 3)
        said = check(tmp_path).out
        assert "tickets: undeclared: mood (2), requester.shoe_size (1); undeclared are 2 of 8 fields (25.0 %)" in said
        assert said.endswith("Something is wrong, see above.\n")

    @pytest.mark.parametrize(("most", "code"), [("24.9", 1), ("25", 0), ("100", 0)])
    def test_so_much_may_be_undeclared_and_no_more(
        self, check: Callable[..., Checked], tmp_path: Path, most: str, code: int
    ) -> None:
        write(tmp_path, {"freshdesk/tickets.json": [{**TICKET, "mood": 1, "requester": {"id": 1, "shoe_size": 43}}]})
        assert check(tmp_path, "--most-undeclared", most).code == code

    def test_what_is_undeclared_of_one_provider_is_not_hidden_by_another(
        self, check: Callable[..., Checked], tmp_path: Path
    ) -> None:
        many = [{**TICKET, "id": number} for number in range(1, 100)]
        write(tmp_path, {"freshdesk/tickets.json": many, "opsgenie/alerts.json": {"data": [{**ALERT, "mood": 1}]}})
        assert check(tmp_path, "--most-undeclared", "5").code == 1

    def test_refused_records_are_told_with_the_reason_and_the_others_are_read(
        self, check: Callable[..., Checked], tmp_path: Path
    ) -> None:
        records = [TICKET, {**TICKET, "id": 8, "priority": "high"}, {"subject": "no key"}, {**TICKET, "id": 9}]
        write(tmp_path, {"freshdesk/tickets.json": records})
        checked = check(tmp_path, "--json", "--most-undeclared", "100")
        assert checked.code == 1
        assert checked.stream("tickets")["records"] == 4
        first, second = (refusal["message"] for refusal in checked.stream("tickets")["refused"])
        assert first == "record id=8: field 'priority' is declared integer or null, but is a string: \"high\""
        assert second.startswith("a record's primary key 'id' is missing")
        assert f"tickets: refused: freshdesk/tickets.json: {first}" in check(tmp_path).out

    def test_of_many_refusals_a_few_are_told(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        write(tmp_path, {"freshdesk/tickets.json": [{**TICKET, "id": n, "priority": "high"} for n in range(1, 9)]})
        said = check(tmp_path).out
        assert said.count("tickets: refused: freshdesk/tickets.json") == 5
        assert "tickets: refused: 3 more" in said

    def test_converted_fields_are_named_and_no_fault(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        records = [{**TICKET, "priority": "2"}, {**TICKET, "id": "8", "subject": 12}]
        checked = check(write(tmp_path, {"freshdesk/tickets.json": records}), "--json")
        assert checked.code == 0
        assert checked.stream("tickets")["converted"] == ["id", "priority", "subject"]
        assert "tickets: converted: id, priority, subject" in check(tmp_path).out

    @pytest.mark.parametrize("text", ["yesterday", "2024-02-30T00:00:00Z", "2024-02-03T04:05:06.1234567891Z"])
    def test_a_replication_key_that_is_no_time_is_refused(
        self, check: Callable[..., Checked], tmp_path: Path, text: str
    ) -> None:
        checked = check(write(tmp_path, {"freshdesk/tickets.json": [{**TICKET, "updated_at": text}]}), "--json")
        assert [checked.code, len(checked.stream("tickets")["refused"])] == [1, 1]

    @pytest.mark.parametrize(
        "text",
        ["2024-02-03", "2024-02-03T04:05:06.123456789Z", "2024-02-03T04:05:06+05:30", "2024-02-03 04:05:06 +0000"],
    )
    def test_odd_times_are_times(self, check: Callable[..., Checked], tmp_path: Path, text: str) -> None:
        assert check(write(tmp_path, {"freshdesk/tickets.json": [{**TICKET, "updated_at": text}]})).code == 0

    @pytest.mark.parametrize("content", [b"", b"{", b'[{"id": 1}', b"[1, 2]", b'"x"', b"<html>\n</html>", b"[NaN]"])
    def test_a_file_without_records_is_refused(
        self, check: Callable[..., Checked], tmp_path: Path, content: bytes
    ) -> None:
        checked = check(write(tmp_path, {"freshdesk/tickets.json": content}), "--json")
        assert [checked.code, checked.stream("tickets")["records"]] == [1, 0]
        assert checked.stream("tickets")["refused"][0]["message"]

    def test_numbers_stay_exact(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        checked = check(write(tmp_path, {"freshdesk/tickets.json": b'[{"id": 9007199254740993.5}]'}), "--json")
        assert "9007199254740993.5" in checked.stream("tickets")["refused"][0]["message"]


@pytest.mark.parametrize(
    ("name", "streams"),
    [
        ("freshdesk/tickets.json", ["tickets"]),
        ("freshdesk/tickets.JSON", ["tickets"]),
        ("freshdesk/tickets-2.json", ["tickets"]),
        ("freshdesk/tickets_page2.json", ["tickets"]),
        ("freshdesk/ticketsPage2.json", ["tickets"]),
        ("freshdesk/tickets.page-02.json", ["tickets"]),
        ("freshdesk/tickets-2024-02-03.jsonl", ["tickets"]),
        ("freshdesk/tickets/1.json", ["tickets"]),
        ("freshdesk/tickets/first.json", ["tickets"]),
        ("freshdesk/tickets/7/conversations.ndjson", ["conversations"]),
        ("eu/Freshdesk/some/tickets.json", ["tickets"]),
        ("freshdesk/groups__admin.json", ["groups"]),
        ("freshdesk/groups__admin-2.json", ["groups"]),
        ("freshdesk/admin/groups.json", ["groups"]),
        ("freshdesk/discussions/categories.json", ["discussion_categories"]),
        ("freshdesk/categories.json", []),  # of which there are two kinds
        ("freshdesk/helpdesk.json", ["settings"]),
        ("freshdesk/groups__WITHOUT_AGENTS.json", []),
        ("freshdesk/tickets.txt", []),
        ("freshdesk/weather.json", []),
        ("zendesk-talk/legs.json", ["call_legs"]),
        ("zendesk_talk/phone-numbers.json", ["phone_numbers"]),
        ("zendesk_talk/ivr.json", ["ivr_menus", "ivr_routes", "ivrs"]),
        ("outreach/callDispositions.json", ["call_dispositions"]),
        ("outreach/callDispositions-3.json", ["call_dispositions"]),
        ("opsgenie/teams.json", ["teams"]),
        ("opsgenie/alerts/a-1/logs.json", ["alert_logs"]),
        ("jsm_ops/alerts.json", ["alerts"]),
        ("jsm_ops/users.json", []),
        ("helpdesk/tickets.json", ["tickets"]),
        ("tap-contact-center/account_overview.json", ["account_overview"]),
        ("generic/tickets.json", []),  # of which tap?
        ("tickets.json", []),
    ],
)
def test_files_are_of_a_stream_by_their_name(
    check: Callable[..., Checked], tmp_path: Path, name: str, streams: list[str]
) -> None:
    write(tmp_path, {name: [], "opsgenie/services.json": {"data": []}})
    checked = check(tmp_path, "--json")
    assert checked.code == 0
    assert [stream["stream"] for stream in checked.found["streams"] if stream["files"] == [name]] == streams
    assert checked.found["left_out"] == ([] if streams else [name])


class TestPlaces:
    def test_several_files_of_a_stream_are_told_as_one(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        names = ["freshdesk/tickets.json", "freshdesk/tickets-2.json", "freshdesk/tickets/3.json"]
        write(tmp_path, {name: [{**TICKET, "id": number}] for number, name in enumerate(names)})
        tickets = check(tmp_path, "--json").stream("tickets")
        assert sorted(tickets["files"]) == sorted(names)
        assert [tickets["records"], tickets["fields"], tickets["occurrences"]] == [3, 4, 12]

    def test_the_folder_itself_may_be_a_providers(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        write(tmp_path, {"opsgenie/alerts.json": {"data": [ALERT]}})
        assert check(tmp_path / "opsgenie", "--json").stream("alerts")["files"] == ["alerts.json"]

    def test_a_single_file_will_do(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        write(tmp_path, {"opsgenie/alerts.json": {"data": [ALERT]}})
        assert check(tmp_path / "opsgenie" / "alerts.json").code == 0

    def test_a_provider_that_is_named_holds_for_all(self, check: Callable[..., Checked], tmp_path: Path) -> None:
        write(tmp_path, {"alerts.json": {"values": [ALERT]}, "freshdesk/alerts-2.json": [ALERT]})
        checked = check(tmp_path, "--provider", "jsm_ops", "--json")
        assert checked.code == 0
        assert (checked.stream("alerts")["provider"], checked.stream("alerts")["records"]) == ("jsm_ops", 2)


SECOND = {**TICKET, "id": 8}


@pytest.mark.parametrize(
    ("name", "content", "records"),
    [
        ("freshdesk/tickets.json", [TICKET, SECOND], 2),
        ("freshdesk/tickets.json", [], 0),
        ("freshdesk/tickets.json", {"data": [TICKET, SECOND]}, 2),
        ("freshdesk/tickets.json", {"data": TICKET}, 1),
        ("freshdesk/tickets.json", TICKET, 1),
        ("freshdesk/tickets.json", {"results": [TICKET, SECOND], "total": 2}, 2),
        ("freshdesk/tickets.json", [{"data": [TICKET]}, {"data": [SECOND]}], 2),
        ("freshdesk/tickets.json", b"\xef\xbb\xbf" + json.dumps([TICKET]).encode(), 1),
        ("freshdesk/tickets.jsonl", lines(TICKET, SECOND), 2),
        ("freshdesk/tickets.json", lines(TICKET, SECOND), 2),
        ("freshdesk/tickets.jsonl", b"\xef\xbb\xbf" + lines([TICKET], [SECOND]), 2),
        ("freshdesk/tickets.jsonl", lines({"data": [TICKET, SECOND]}, {"data": []}), 2),
        ("freshdesk/settings.json", {"data": {"primary_language": "en"}}, 1),
        ("freshdesk/settings.json", [{"primary_language": "en"}], 1),
        ("zendesk_talk/call_legs.json", [LEG], 1),
        ("zendesk_talk/call_legs.json", LEG, 1),
        ("zendesk_talk/account_overview.json", {"total_calls": 4}, 1),
        ("zendesk_talk/account_overview.json", [{"account_overview": {"total_calls": 4, "current_timestamp": 17}}], 1),
        ("zendesk_talk/agents_activity.json", [{"agent_id": 4, "name": "Ada"}], 1),
        ("zendesk_talk/ivr_menus.json", [{**MENU, "ivr_id": 1}], 1),
        ("zendesk_talk/ivr_menus.json", [IVR, {**IVR, "menus": []}], 1),
        ("zendesk_talk/ivr_menus.json", {"ivrs": [IVR, IVR]}, 2),
        ("zendesk_talk/ivr_routes.json", [{**ROUTE, "ivr_id": 1, "ivr_menu_id": 2}], 1),
        ("zendesk_talk/ivr_routes.json", [ROUTE], 1),
        ("zendesk_talk/ivr_routes.json", [{**MENU, "ivr_id": 1}], 1),
        ("zendesk_talk/ivr_routes.json", [IVR], 1),
        ("outreach/prospects.json", [PROSPECT], 1),
        ("outreach/prospects.json", PROSPECT, 1),
        ("outreach/prospects.json", {"data": PROSPECT}, 1),
        ("outreach/prospects.json", [{"id": 4, "firstName": "Ada", "ownerId": 9}], 1),
        # As another tool makes them flat: a list even of what is one.
        ("outreach/prospects.json", [{"id": 4, "owner": [9], "account": [], "persona": None, "favorites": [1, 2]}], 1),
        ("outreach/users.json", [{"id": 4, "mailbox": 3, "mailboxes": [3, 4]}], 1),
        ("opsgenie/alerts.json", {"data": [ALERT], "paging": {"next": "https://x"}}, 1),
        ("opsgenie/alerts.json", {"data": ALERT, "took": 0.1}, 1),
        ("opsgenie/alert_logs.json", [{"log": "Seen", "offset": "1_1", "createdAt": "2024-02-03T04:05:06Z"}], 1),
        ("opsgenie/user_teams.json", {"data": [{"id": "t", "name": "Night"}]}, 1),
        ("jsm_ops/alerts.json", {"values": [ALERT], "links": {}}, 1),
        ("helpdesk/tickets.json", {"data": [TICKET]}, 1),
        ("contact_center/account_overview.json", {"data": {"id": 1, "total_calls": 2}}, 1),
    ],
)
def test_recordings_come_in_many_forms(
    check: Callable[..., Checked], tmp_path: Path, name: str, content: Any, records: int
) -> None:
    checked = check(write(tmp_path, {name: content}), "--json")
    [found] = checked.found["streams"]
    assert found["refused"] == []
    assert found["undeclared_fields"] == {}
    assert (checked.code, found["records"]) == (0, records)


ENCODED = base64.b64encode(json.dumps([TICKET]).encode()).decode()


@pytest.mark.parametrize(
    "exchanges",
    [
        {"request": {"uri": "x"}, "response": {"status": 200, "body": [TICKET]}},
        [{"request": {}, "response": {"body": json.dumps([TICKET])}}],
        {
            "http_interactions": [
                {"request": {}, "response": {"body": {"encoding": "UTF-8", "string": json.dumps([TICKET])}}}
            ]
        },
        {"interactions": [{"response": {"body": {"string": json.dumps([TICKET])}}}]},
        {
            "log": {
                "entries": [{"response": {"content": {"mimeType": "application/json", "text": json.dumps([TICKET])}}}]
            }
        },
        {"log": {"entries": [{"response": {"content": {"mimeType": "x", "text": ENCODED, "encoding": "base64"}}}]}},
    ],
)
def test_bodies_are_taken_out_of_recorded_exchanges(
    check: Callable[..., Checked], tmp_path: Path, exchanges: Any
) -> None:
    checked = check(write(tmp_path, {"freshdesk/tickets.json": exchanges}), "--json")
    assert (checked.code, checked.stream("tickets")["records"]) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: DIR"),
        (["nowhere"], "there is no nowhere"),
        (["{}", "--provider", "nobody"], "invalid choice: 'nobody'"),
        (["{}", "--most-undeclared", "many"], "'many' is no percentage from 0 to 100"),
        (["{}", "--most-undeclared", "101"], "'101' is no percentage from 0 to 100"),
        (["{}"], "has no recordings of a stream; they are named <provider>/<stream>.json"),
    ],
)
def test_a_wrong_command_is_told_in_a_line(
    check: Callable[..., Checked], tmp_path: Path, arguments: list[str], message: str
) -> None:
    write(tmp_path, {"freshdesk/weather.json": []})
    checked = check(*(argument.format(tmp_path) for argument in arguments))
    assert (checked.code, checked.out) == (2, "")
    assert checked.err.count("\n") == 1
    assert checked.err.startswith("check_samples: ")
    assert message in checked.err


class TestVendors:
    """What the products are known to answer, in a few odd places."""

    @pytest.mark.parametrize(
        ("name", "record"),
        [
            ("freshdesk/groups.json", {"id": 1, "escalate_to": 5, "auto_ticket_assign": 1, "agent_ids": [5]}),
            ("freshdesk/groups__admin.json", {"id": 1, "escalate_to": [5], "auto_ticket_assign": False}),
            ("freshdesk/agents.json", {"id": 1, "scope": 1, "org_agent_id": "1", "availability": [{"channel": "chat"}]}),
            ("freshdesk/agents.json", {"id": 1, "scope": {"ticket": 1}, "contact": {"phone": 12, "avatar": None}}),
            ("freshdesk/ticket_fields.json", {"id": 1, "choices": ["a", ["b"]], "sections": [{"fields": [1]}]}),
            ("freshdesk/ticket_fields.json", {"id": 1, "choices": {"Low": 1, "Parts": {"Nut": ["M3"]}}}),
            ("freshdesk/scenario_automations.json", {"id": 1, "actions": [{"name": "mail", "email_to": [1]}, {"name": "x"}]}),
            ("freshdesk/skills.json", {"id": 1, "conditions": [{"field_name": "a", "value": [1, "b"], "nested": {}}]}),
            ("freshdesk/sla_policies.json", {"id": 1, "escalation": {}, "applicable_to": {"contact_segments": [1]}}),
            ("freshdesk/contacts.json", {"id": 1, "updated_at": None, "org_contact_id": 1234567890123456789}),
            ("freshdesk/tickets.json", {**TICKET, "structured_description": None, "source_additional_info": {"a": 1}}),
            ("zendesk_talk/phone_numbers.json", {"id": 1, "greeting_ids": [1, "voicemail_en"]}),
            ("zendesk_talk/greetings.json", {"id": "voicemail_en", "phone_number_ids": [1, "2"]}),
            ("zendesk_talk/calls.json", {"id": 1, "post_call_summary_created": True, "line_id": "7"}),
            ("outreach/users.json", {"id": 1, "attributes": {"senderNotificationsExcluded": False}}),
            ("outreach/sequence_steps.json", {"id": 1, "attributes": {"taskAutoskipDelay": 0.5}}),
            ("opsgenie/alerts.json", {**ALERT, "report": {"ackTime": 1.5}, "responders": [{"id": "x", "name": "y"}]}),
            ("opsgenie/teams.json", {"id": "t", "members": [{"user": {"id": "u"}, "role": "admin"}]}),
        ],
    )  # fmt: skip
    def test_it_is_read_as_it_is(
        self, check: Callable[..., Checked], tmp_path: Path, name: str, record: dict[str, Any]
    ) -> None:
        checked = check(write(tmp_path, {name: [record]}), "--json")
        assert checked.code == 0, checked.out
