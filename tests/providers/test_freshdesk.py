"""What the help desk tap does for Freshdesk alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import requests

from support import Output, config_for, sync
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox

ALL_PARTS: dict[str, Any] = {"include_deleted": True, "include_spam": True, "include_blocked": True}


def desk(size: int = 60, page_cap: int = 5, **options: Any) -> Sandbox:
    return Sandbox(api="helpdesk", provider="freshdesk", size=size, seed=3, page_cap=page_cap, **options)


def read(sandbox: Sandbox, *streams: str, state: dict[str, Any] | None = None, **settings: Any) -> Output:
    return sync(TapHelpdesk, config_for(sandbox, **settings), streams=list(streams) or None, state=state)


def asked(sandbox: Sandbox, path: str) -> list[int | None]:
    """The statuses with which requests for a path were answered."""
    return [request.status for request in sandbox.requests if request.path == f"/api/v2{path}"]


def held(sandbox: Sandbox) -> dict[str, int]:
    return {name: count for name, count in sandbox.helpdesk.counts().items() if count}


@pytest.mark.parametrize("exclusive", [False, True])
class TestSeconds:
    """Whether or not `updated_since` takes in its own second."""

    def test_each_ticket_comes_once_across_seconds_that_queries_begin_at(self, exclusive: bool) -> None:  # noqa: FBT001
        with desk(size=900, page_cap=30, exclusive_since=exclusive) as sandbox:
            for seconds in range(6):
                sandbox.helpdesk.change(tickets=20 if seconds % 2 else 90)
            output = read(sandbox, "tickets")
        assert output.exit_code == 0, output.errors
        keys = Counter(ticket["id"] for ticket in output.records("tickets"))
        assert len(keys) == 900
        assert set(keys.values()) == {1}

    def test_what_changed_in_the_second_of_the_bookmark_comes_with_the_next_sync(self, exclusive: bool) -> None:  # noqa: FBT001
        with desk(exclusive_since=exclusive) as sandbox:
            newest = max(sandbox.helpdesk.records("tickets"), key=lambda ticket: ticket["updated_at"])
            state = {
                "bookmarks": {
                    "tickets": {"replication_key": "updated_at", "replication_key_value": newest["updated_at"]}
                }
            }
            output = read(sandbox, "tickets", state=state)
        assert newest["id"] in {ticket["id"] for ticket in output.records("tickets")}

    def test_nothing_from_before_the_start_date_is_asked_for(self, exclusive: bool) -> None:  # noqa: FBT001
        with desk(exclusive_since=exclusive) as sandbox:
            read(sandbox, "tickets", start_date="2022-01-01T03:00:00Z")
            first = next(request for request in sandbox.requests if request.path == "/api/v2/tickets")
        assert "updated_since=2022-01-01T03%3A00%3A00Z" in first.query_string


class TestParts:
    """Deleted and spam tickets, deleted and blocked contacts: lists of their own."""

    def test_they_come_only_when_they_are_asked_for(self) -> None:
        with desk() as sandbox:
            output = read(sandbox, "tickets", "contacts")
            assert output.counts == {"tickets": 60, "contacts": held(sandbox)["contacts"]}
            assert not any("filter=" in request.query_string for request in sandbox.requests)

    @pytest.mark.parametrize("loop", ["pages", "records"])
    def test_they_are_marked_and_come_once(self, loop: str) -> None:
        maps = {"stream_maps": {"tickets": {"loop": "'single'"}, "contacts": {"loop": "'single'"}}}
        with desk() as sandbox:
            output = read(sandbox, "tickets", "contacts", **ALL_PARTS, **(maps if loop == "records" else {}))
        assert output.exit_code == 0, output.errors
        assert "not sorted" not in output.log
        for stream in ("tickets", "contacts"):
            keys = Counter(record["id"] for record in output.records(stream))
            assert set(keys.values()) == {1}
        tickets, contacts = output.records("tickets"), output.records("contacts")
        assert sum(bool(ticket["deleted"]) for ticket in tickets) == 4
        assert any(ticket["spam"] for ticket in tickets if ticket["id"] >= 500_000_000)
        assert sum(bool(contact["deleted"]) for contact in contacts) == 3
        assert sum(bool(contact.get("blocked")) for contact in contacts) == 2

    def test_no_bookmark_moves_to_them(self) -> None:
        """Deleted ones may have changed after all others: whoever went on from there would lose what is between."""
        with desk() as sandbox:
            plain = read(sandbox, "tickets", "contacts")
            whole = read(sandbox, "tickets", "contacts", **ALL_PARTS)
            newest = max(str(ticket["updated_at"]) for ticket in whole.records("tickets"))
            assert newest > (plain.bookmark("tickets") or "")
            for stream in ("tickets", "contacts"):
                assert whole.bookmark(stream) == plain.bookmark(stream)

    def test_a_part_that_fails_fails_the_stream(self) -> None:
        with desk(faults=["500:path=/api/v2/tickets"]) as sandbox:
            output = read(sandbox, "tickets", max_retries=0, **ALL_PARTS)
        assert output.exit_code == 1
        assert not any("replication_key_value" in state["bookmarks"].get("tickets", {}) for state in output.states)

    def test_children_of_a_deleted_ticket_are_refused_and_the_sync_goes_on(self) -> None:
        with desk() as sandbox:
            output = read(sandbox, "tickets", "conversations", **ALL_PARTS)
            assert output.exit_code == 0, output.errors
            assert output.counts["conversations"] == held(sandbox)["conversations"]
        gone = [line for line in output.log.splitlines() if "taken as a parent that was deleted" in line]
        assert len(gone) == 4
        assert all("403 Forbidden" in line for line in gone)


class TestOtherWays:
    """Paths and parameters that some accounts have, and others not."""

    def test_newer_paths_go_before_older_ones(self) -> None:
        with desk() as sandbox:
            read(sandbox, "groups", "skills", "ticket_fields")
            for name in ("groups", "skills", "ticket_fields"):
                assert set(asked(sandbox, f"/admin/{name}")) == {200}
                assert asked(sandbox, f"/{name}") == []

    def test_older_accounts_have_the_older_paths(self) -> None:
        with desk(older_paths=True) as sandbox:
            output = read(sandbox, "groups", "skills", "ticket_fields")
            assert output.exit_code == 0, output.errors
            for name in ("groups", "skills", "ticket_fields"):
                assert output.counts[name] == held(sandbox)[name]
                assert asked(sandbox, f"/admin/{name}") == [404]
                assert set(asked(sandbox, f"/{name}")) == {200}

    @pytest.mark.parametrize(("taken", "refusals"), [("_updated_since", 0), ("updated_since", 1), ("none", 2)], ids=str)
    def test_the_parameter_of_contacts_is_found_out(self, taken: str, refusals: int) -> None:
        with desk(contacts_param=taken) as sandbox:
            first = read(sandbox, "contacts")
            assert first.exit_code == 0, first.errors
            assert first.counts["contacts"] == held(sandbox)["contacts"]
            assert asked(sandbox, "/contacts").count(400) == refusals
            second = read(sandbox, "contacts", state=first.state)
            assert (second.counts["contacts"] < 3) is (taken != "none"), "with no parameter at all it is read in full"

    @pytest.mark.parametrize(("taken", "refusals"), [("updated_since", 0), ("_updated_since", 1), ("none", 2)])
    def test_companies_are_incremental(self, taken: str, refusals: int) -> None:
        with desk(companies_param=taken) as sandbox:
            first = read(sandbox, "companies")
            assert first.counts["companies"] == held(sandbox)["companies"]
            assert asked(sandbox, "/companies").count(400) == refusals
            assert first.bookmark("companies")
            assert read(sandbox, "companies", state=first.state).exit_code == 0

    def test_conversations_of_archived_tickets_are_asked_for_where_they_are(self) -> None:
        with desk(archived=5) as sandbox:
            without = read(sandbox, "tickets", "conversations")
            whole = read(sandbox, "tickets", "conversations", archived_conversations=True)
            assert without.exit_code == whole.exit_code == 0
            assert whole.counts["conversations"] == held(sandbox)["conversations"] > without.counts["conversations"]
            assert "deleted meanwhile" in without.log
            assert "deleted meanwhile" not in whole.log

    def test_the_refusal_that_says_most_is_told(self) -> None:
        with desk(older_paths=True, lacks="groups", faults=[]) as sandbox:
            output = read(sandbox, "groups", "agents")
        assert output.exit_code == 0
        assert "groups feature is not supported in your plan" in output.log


class TestPlans:
    """What an account does not have, and how much of it may be asked."""

    def test_what_the_plan_lacks_is_skipped_with_a_warning(self) -> None:
        with desk(lacks="sla_policies,solution_categories") as sandbox:
            output = read(sandbox)
            assert output.exit_code == 0, output.errors
            lacking = {"sla_policies", "solution_categories", "solution_folders", "solution_articles"}
            assert held(sandbox).keys() - output.counts.keys() == lacking
        warnings = [line for line in output.log.splitlines() if "the plan or the key does not include it" in line]
        assert len(warnings) == 2

    def test_another_403_is_a_failure(self) -> None:
        with desk(faults=["403:path=/api/v2/roles"]) as sandbox:
            output = read(sandbox, "roles", "agents")
        assert output.exit_code == 1
        assert output.counts["agents"]

    def test_a_wrong_key_is_tried_once(self) -> None:
        with desk() as sandbox:
            output = read(sandbox, "agents", api_key="wrong")
            assert output.exit_code == 1
            assert asked(sandbox, "/agents") == [401]

    def test_a_tickets_page_counts_for_what_it_includes(self) -> None:
        """A page takes a credit, and two for each of the three things that it includes."""
        with desk(rate_limit=1000) as sandbox:
            url = f"{sandbox.base_url}/tickets?include=description,requester,stats"
            answer = requests.get(url, auth=("sandbox-key", "X"), timeout=10)
            assert answer.headers["X-RateLimit-Used-CurrentRequest"] == "7"
        tap = TapHelpdesk(config={"provider": "freshdesk", "domain": "a.freshdesk.com", "api_key": "k", "plan": "pro"})
        assert tap.toll("tickets").cost == 7
        assert tap.plan.requests_per_minute == 400
        assert tap.toll("tickets").lane is not tap.toll("contacts").lane
        assert tap.toll("agents").lane is None


def test_folders_in_folders_and_their_articles_arrive() -> None:
    with desk() as sandbox:
        output = read(sandbox, "solution_folders", "solution_articles")
        assert output.exit_code == 0, output.errors
        assert output.counts["solution_articles"] == held(sandbox)["solution_articles"]
        folders = {folder["id"]: folder for folder in output.records("solution_folders")}
        below = [folder for folder in folders.values() if folder.get("parent_folder_id")]
        assert below
        assert any(folders[folder["parent_folder_id"]].get("parent_folder_id") for folder in below), "two levels"
        for folder in below:
            assert folder["category_id"] == folders[folder["parent_folder_id"]]["category_id"]
        assert {article["folder_id"] for article in output.records("solution_articles")} & {f["id"] for f in below}


def test_a_folder_that_is_gone_leaves_the_others() -> None:
    with desk() as sandbox:
        [first, *_] = [
            f["id"] for f in read(sandbox, "solution_folders").records("solution_folders") if f["sub_folders_count"]
        ]
        sandbox.set_faults([f"404:path=/api/v2/solutions/folders/{first}/subfolders"])
        whole = held(sandbox)["solution_folders"]
        output = read(sandbox, "solution_folders")
        assert output.exit_code == 0
        assert 0 < output.counts["solution_folders"] < whole
        assert "taken as one that was deleted meanwhile" in output.log


def test_45_000_tickets_arrive_once_through_300_pages_a_query() -> None:
    with Sandbox(api="helpdesk", provider="freshdesk", size=45_000) as sandbox:
        output = read(sandbox, "tickets")
        assert output.exit_code == 0, output.errors
        assert len({ticket["id"] for ticket in output.records("tickets")}) == output.counts["tickets"] == 45_000
        assert {request.status for request in sandbox.requests} == {200}


def test_authors_have_the_name_that_other_products_give_them() -> None:
    with desk() as sandbox:
        output = read(sandbox, "tickets", "conversations", "satisfaction_ratings")
    for stream in ("conversations", "satisfaction_ratings"):
        records = output.records(stream)
        assert any(record["customer_id"] for record in records)
        assert not any("user_id" in record for record in records)
    assert "does not declare" not in output.log
