"""`--test`: what can be read, which fields the schema lacks, and what a sync costs, from a page of each stream."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from requests.structures import CaseInsensitiveDict

from support import ROOT, config_for, run_tap, selected_catalog, sync
from taps.engine.costs import Cost, Rate
from taps.engine.estimates import NOTHING, Estimate, Extent, of_children, of_list
from taps.engine.lanes import Limit
from taps.engine.page import Content, Page
from taps.engine.trial import Expense
from taps.helpdesk.tap import TapHelpdesk
from taps.sandbox.server import Sandbox
from taps_under_test import TAPS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support import Output
    from taps_under_test import TapUnderTest

TAP = "tap-helpdesk"
_LINE = re.compile(
    r"^(\w+) +(yes|no|skip|\?) {2,}(?:(\d+)  (about |at least |)([\d,]+) {2,}(\S+(?: \S+)*) {2,})?(\S.*)$"
)


class Line(NamedTuple):
    read: str
    rows: int
    requests: Estimate
    note: str
    basis: str


def lines_of(output: Output) -> dict[str, Line]:
    """Read the table, which is on standard error with the log."""
    found: dict[str, Line] = {}
    for line in output.log.splitlines():
        if match := _LINE.match(line):
            name, read, rows, how, requests, basis, note = match.groups()
            assert name not in found
            estimate = Estimate(int((requests or "0").replace(",", "")), (how or "").strip())
            found[name] = Line(read, int(rows or 0), estimate, note, basis or "")
    return found


def summary_of(output: Output) -> str:
    [line] = [line for line in output.log.splitlines() if " can be read" in line and ". A sync takes " in line]
    return line


def try_out(sandbox: Sandbox, files: Path, *arguments: str, **settings: Any) -> Output:
    return run_tap(TAP, "--test", *arguments, config=config_for(sandbox, **settings), files=files)


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_a_sync_costs_what_was_foretold(tap: TapUnderTest, tmp_path: Path) -> None:
    with Sandbox(tap.api, size=90, seed=7, **tap.options) as sandbox:
        config = config_for(sandbox, page_size=20)
        if len(tap.served(sandbox)) < len(tap.tap_class.stream_types):
            return  # the contract's own test says which stream the sandbox lacks
        output = run_tap(tap.name, "--test", config=config, files=tmp_path)
        assert output.exit_code == 0, output.log
        lines = lines_of(output)
        assert set(lines) == {stream.name for stream in tap.tap_class.stream_types}
        pages = [request for request in sandbox.requests if "oauth" not in request.path]
        assert len(pages) <= len(lines), "more than a page of some stream was read"
        sandbox.clear_requests()
        assert sync(tap.tap_class, config).exit_code == 0
        asked = [request.path for request in sandbox.requests if "oauth" not in request.path]
    foretold: dict[str, Estimate] = {}
    for stream in tap.tap_class.stream_types:
        path = re.sub(r"\{\w+\}", r"[^/]+", stream.path)
        foretold[path] = foretold.get(path, NOTHING) + lines[stream.name].requests
    for path, estimate in foretold.items():
        actual = sum(re.fullmatch(path, request) is not None for request in asked)
        assert_holds(estimate, actual, path)
    total = NOTHING
    for line in lines.values():
        total += line.requests
    assert summary_of(output) == f"All {len(lines)} streams can be read. A sync takes {total} requests."


def assert_holds(estimate: Estimate, actual: int, what: str) -> None:
    if not estimate.how:
        assert actual == estimate.number, what
    elif estimate.how == "at least":
        assert actual >= estimate.number, what
    else:
        assert 0.8 * actual - 2 <= estimate.number <= 1.2 * actual + 2, f"{what}: {actual} requests, not {estimate}"


def test_of_each_stream_a_record_is_written_after_its_schema(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    output = try_out(shared_sandbox, tmp_path)
    kinds = [(message["stream"], message["type"]) for message in output.messages]
    for name, line in lines_of(output).items():
        expected = [(name, "SCHEMA"), (name, "RECORD")] if line.rows else []
        assert [kind for kind in kinds if kind[0] == name] == expected
    assert "\x1b" not in output.log
    assert shared_sandbox.api_key not in output.log


def test_fields_that_the_schema_lacks_are_counted_and_the_first_of_them_named(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.helpdesk.put("roles", [{"id": 1, "name": "Agent", "new_field": 1}])
    sandbox.helpdesk.put("skills", [{"id": 1, **{f"field_{number}": number for number in range(12)}}])
    lines = lines_of(try_out(sandbox, tmp_path))
    assert lines["roles"].note == "1: new_field"
    assert lines["skills"].note.startswith("12: field_0, field_1, field_10, field_11, field_2, …")
    assert lines["agents"].note == "0"


def test_a_stream_that_cannot_be_read_is_told_with_its_reason_and_its_children_are_not_tried(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.set_faults(["403:path=/v1/discussions/categories", "shape:path=/v1/groups"])
    output = try_out(sandbox, tmp_path, max_retries=0)
    lines = lines_of(output)
    assert output.exit_code == 1
    assert lines["discussion_categories"][0:4:3] == (
        "no",
        "GET /v1/discussions/categories: 403 Forbidden: You are not authorized to perform this action.",
    )
    for child in ("discussion_forums", "discussion_topics", "discussion_comments"):
        assert lines[child][0:4:3] == ("no", "not tried: 'discussion_categories' cannot be read")
    assert lines["groups"].read == "no"
    assert lines["groups"].note.startswith("GET /v1/groups: the answer cannot be used: ")
    assert lines["tickets"].read == "yes"
    [error] = output.errors
    assert (
        "5 of 28 streams cannot be read: discussion_categories, discussion_forums, discussion_topics, "
        "discussion_comments, groups. The lines above say why" in error
    )
    assert summary_of(output).startswith("23 of 28 streams can be read. ")


def test_a_record_that_does_not_fit_is_found(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.helpdesk.put("roles", [{"id": 1, "default": {"oh": "no"}}])
    output = try_out(sandbox, tmp_path)
    assert output.exit_code == 1
    assert lines_of(output)["roles"].note.startswith("record id=1: field 'default' is declared boolean or null")


def test_what_the_settings_skip_is_no_failure(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["404:path=/v1/solutions/categories$"])
    output = try_out(sandbox, tmp_path, skip_inaccessible_streams=True)
    assert output.exit_code == 0, output.log
    lines = lines_of(output)
    assert [lines[name].read for name in ("solution_categories", "solution_folders", "solution_articles")] == [
        "skip"
    ] * 3
    assert lines["solution_categories"].note.endswith("; skipped, as skip_inaccessible_streams says")
    assert summary_of(output).startswith("25 of 28 streams can be read, 3 are skipped. ")


def test_a_child_without_a_parent_is_neither_readable_nor_not(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.helpdesk.put("canned_response_folders", [])
    output = try_out(sandbox, tmp_path)
    assert output.exit_code == 0
    assert lines_of(output)["canned_responses"][0:4:3] == (
        "?",
        "not tried: there is no record of 'canned_response_folders' to read it for",
    )
    assert summary_of(output).startswith("27 of 28 streams can be read. ")


def test_a_parent_that_is_gone_meanwhile_is_passed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["404:times=2,path=/v1/tickets/*/conversations"])
    output = try_out(sandbox, tmp_path)
    assert lines_of(output)["conversations"].read == "yes"
    sandbox.set_faults(["404:path=/v1/tickets/*/conversations"])
    output = try_out(sandbox, tmp_path)
    assert lines_of(output)["conversations"].read == "no"
    assert output.exit_code == 1


def test_a_catalog_says_which_streams_are_tried(sandbox: Sandbox, tmp_path: Path) -> None:
    catalog = selected_catalog(TapHelpdesk, config_for(sandbox), ["agents", "conversations"])
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    for arguments in (["--catalog", "catalog.json", "--test"], ["--test", "--catalog", "catalog.json"]):
        sandbox.clear_requests()
        output = run_tap(TAP, *arguments, config=config_for(sandbox), files=tmp_path)
        assert list(lines_of(output)) == ["agents", "tickets", "conversations"]
        assert len(sandbox.requests) == 3
        assert set(output.counts) == {"agents", "conversations"}, "tickets are read for their conversations alone"


def test_with_a_state_the_next_sync_is_foretold(sandbox: Sandbox, tmp_path: Path) -> None:
    first = lines_of(try_out(sandbox, tmp_path))
    (tmp_path / "state.json").write_text(json.dumps(sync(TapHelpdesk, config_for(sandbox)).state))
    following = lines_of(try_out(sandbox, tmp_path, "--state", "state.json"))
    assert following["tickets"].rows < first["tickets"].rows
    assert following["agents"].rows == first["agents"].rows


def test_the_minutes_are_told_where_a_rate_is_set(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    output = try_out(shared_sandbox, tmp_path, requests_per_minute=60_000)
    assert re.search(
        r"A sync takes at least (\d+) requests, which is at least 0\.1 minutes at 60,000 requests a minute\.$",
        summary_of(output),
    )
    assert Estimate(450, "about").lasting(4.41) == "about 4.5 minutes"
    assert lines_of(output)["conversations"].basis == "at least 30 tickets"


def test_a_list_with_a_limit_of_its_own_takes_its_time() -> None:
    requests = Estimate(41, "about")
    expense = Expense(requests, requests, Cost({"tickets": 41}, {"tickets": 41}))
    assert expense.lasting(Rate("", Limit(1_000_000))) == "about 0.1 minutes"
    assert expense.lasting(Rate("", Limit(1_000_000), {"tickets": Limit(20)})) == "about 2.0 minutes"


@pytest.mark.parametrize("fault", ["401", "html", "403"])
def test_what_fails_every_stream_is_one_line(sandbox: Sandbox, tmp_path: Path, fault: str) -> None:
    sandbox.set_faults([fault])
    output = try_out(sandbox, tmp_path, max_retries=0)
    assert output.exit_code == 1
    assert lines_of(output) == {}
    [error] = output.errors
    assert "No stream could be read. GET /v1/agents: " in error
    assert output.text == ""


def test_schemas_alone_need_no_api(tmp_path: Path) -> None:
    config = {"base_url": "http://127.0.0.1:9", "api_key": "some-secret-key"}
    output = run_tap(TAP, "--test=schema", config=config, files=tmp_path)
    assert output.exit_code == 0
    assert [message["type"] for message in output.messages] == ["SCHEMA"] * 28


def test_the_example_in_the_docs_is_a_real_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^\$ tap-helpdesk .+--test > /dev/null\n(.+?)\n```", page, re.DOTALL | re.MULTILINE)
    with Sandbox(tickets=340, seed=5) as sandbox:
        held = sandbox.helpdesk.records("companies")
        sandbox.helpdesk.put("companies", [{**company, "csat_score": 4.5, "region": "EU"} for company in held])
        sandbox.set_faults(["403:path=/v1/skills"])
        names = ["agents", "companies", "skills", "tickets", "conversations"]
        catalog = selected_catalog(TapHelpdesk, config_for(sandbox), names)
        (tmp_path / "catalog.json").write_text(json.dumps(catalog))
        output = try_out(sandbox, tmp_path, "--catalog", "catalog.json", requests_per_minute=600)
    shown = [line.rstrip() for line in output.log.splitlines() if " | INFO " not in line]
    assert [re.sub(r"^.+\| ERROR .+\| ", "ERROR ", line) for line in shown] == [
        line.rstrip() for line in example.splitlines()
    ]


# What a first page tells


def page(records: int, document: Any = None, headers: Mapping[str, str] | None = None) -> Page:
    content = Content([{}] * records, [()] * records, [None] * records, document)
    return Page("http://127.0.0.1/v1/things", CaseInsensitiveDict(headers or {}), content)


@pytest.mark.parametrize(
    ("document", "headers", "rows", "basis"),
    [
        ({"totalCount": 95}, {}, 95, "a total"),
        ({"meta": {"count": 95, "count_truncated": False}}, {}, 95, "a total"),
        ({}, {"X-Total-Count": "95"}, 95, "a total"),
        ({"paging": {"last": "http://127.0.0.1/v1/things?limit=10&offset=90"}}, {}, 100, "the last page"),
        ({"links": {"last": "http://127.0.0.1/v1/things?page=10"}}, {}, 100, "the last page"),
        (
            [],
            {
                "Link": '<http://127.0.0.1/v1/things?page=2>; rel="next", <http://127.0.0.1/v1/things?page=10>; rel="last"'
            },
            100,
            "the last page",
        ),
    ],
)
def test_a_total_is_found_where_apis_have_it(document: Any, headers: dict[str, str], rows: int, basis: str) -> None:
    found = of_list(page(10, document, headers), goes_on=True)
    assert found == (Estimate(rows, "about"), Estimate(10, "about"), basis)


@pytest.mark.parametrize(
    "document",
    [
        {"count": 10},
        {"count": 3},
        {"count": True},
        {"total": "many"},
        {"paging": {"last": "?offset=x"}},
        {"links": {"last": "//["}},
        None,
        [],
    ],
)
def test_what_is_no_total_leaves_a_lower_bound(document: Any) -> None:
    found = of_list(page(10, document), goes_on=True)
    assert found == (Estimate(10, "at least"), Estimate(2, "at least"), "a page of several")


def test_a_list_that_ends_on_its_first_page_is_a_request() -> None:
    assert of_list(page(10, {"totalCount": 95}), goes_on=False) == (Estimate(10), Estimate(1), "its only page")
    assert of_list(page(0), goes_on=True)[:2] == (Estimate(0, "at least"), Estimate(2, "at least"))


@pytest.mark.parametrize(
    ("parents", "requests", "paged", "expected"),
    [
        (Estimate(1), Estimate(1), True, Estimate(1)),
        (Estimate(50), Estimate(1), True, Estimate(50, "at least")),
        (Estimate(50), Estimate(1), False, Estimate(50)),
        (Estimate(50), Estimate(2, "at least"), True, Estimate(51, "at least")),
        (Estimate(5000, "about"), Estimate(1), True, Estimate(5000, "about")),
        (Estimate(100, "at least"), Estimate(1), True, Estimate(100, "at least")),
    ],
)
def test_a_child_costs_a_request_a_parent(
    parents: Estimate,
    requests: Estimate,
    paged: bool,  # noqa: FBT001
    expected: Estimate,
) -> None:
    assert of_children(parents, "things", Extent(Estimate(3), requests, ""), paged=paged).requests == expected
