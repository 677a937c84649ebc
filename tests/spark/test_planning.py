"""Which partitions a job has: decided by what its stream declares, and by what the account may ask for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from spark_session import options_for

from taps.engine.timestamps import format_timestamp, parse_timestamp
from taps.sandbox.server import Sandbox
from taps.spark.errors import OptionError, ReadError
from taps.spark.options import job_of
from taps.spark.planning import planned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.spark.planning import Planned

NOW = datetime.now(timezone.utc)


@pytest.fixture(scope="module")
def desk() -> Iterator[Sandbox]:
    with Sandbox("helpdesk", size=40, seed=5, page_cap=20) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _nothing_asked(desk: Sandbox) -> None:
    desk.clear_requests()


def plan(options: dict[str, str]) -> list[Planned]:
    job = job_of(options)
    return planned(job, [(account, job.bookmark(account), None) for account in job.accounts])


def test_a_list_that_is_sorted_by_its_cursor_is_divided_by_time(desk: Sandbox) -> None:
    for stream in ("tickets", "conversations"):
        shares = [one.share for one in plan(options_for(desk, stream=stream, numPartitions=4))]
        assert [(share.reader, share.readers, share.pieces) for share in shares] == [(n, 4, 1) for n in range(4)]
        assert shares[0].since is shares[-1].until is None
        assert [share.until for share in shares[:-1]] == [share.since for share in shares[1:]]
        cuts = [share.since for share in shares[1:] if share.since]
        first = min(parse_timestamp(ticket["updated_at"]) for ticket in desk.helpdesk.records("tickets"))
        parts = [cut - before for before, cut in zip([first, *cuts], [*cuts, datetime.now(timezone.utc)], strict=True)]
        assert max(parts) - min(parts) < timedelta(minutes=1)
    assert len(desk.requests) == 2


def test_time_is_divided_up_to_the_end_date(desk: Sandbox) -> None:
    dates = {"start_date": "2022-01-01", "end_date": "2022-01-05"}
    options = options_for(desk, stream="tickets", numPartitions=4, **dates)
    del options["api_key"]
    cuts = [one.share.since for one in plan(options)[1:]]
    assert cuts == [parse_timestamp(f"2022-01-0{day}") for day in (2, 3, 4)]


def test_children_of_other_lists_are_divided_by_their_parents(desk: Sandbox) -> None:
    shares = [one.share for one in plan(options_for(desk, stream="discussion_comments", numPartitions=3))]
    assert [(share.piece, share.pieces) for share in shares] == [(0, 3), (1, 3), (2, 3)]
    assert not desk.requests


@pytest.mark.parametrize("stream", ["agents", "contacts", "satisfaction_ratings", "settings"])
def test_what_would_be_read_as_a_whole_for_each_part_is_one_partition(desk: Sandbox, stream: str) -> None:
    assert len(plan(options_for(desk, stream=stream, numPartitions=4))) == 1
    assert not desk.requests


def test_a_list_that_takes_an_end_is_divided_though_it_is_not_sorted(tmp_path: Any) -> None:
    with Sandbox("sales_engagement", size=40, seed=5) as sales:
        own = {"stream": "prospects", "numPartitions": 3}
        assert len(plan(options_for(sales, **own, token_cache_path=str(tmp_path / "tokens")))) == 3
        assert len(plan(options_for(sales, **own))) == 1, "each would void the token of the others"


def test_no_more_partitions_than_requests_a_minute(desk: Sandbox) -> None:
    shares = [one.share for one in plan(options_for(desk, stream="tickets", numPartitions=9, requests_per_minute=3))]
    assert [share.of(3) for share in shares] == [1, 1, 1]


def test_the_rate_is_divided_among_those_that_run_at_once(desk: Sandbox) -> None:
    own = {"stream": "tickets", "numPartitions": 6, "requests_per_minute": 100}
    assert [one.share.of(100) for one in plan(options_for(desk, **own))] == [17, 17, 17, 17, 16, 16]
    assert [one.share.of(100) for one in plan(options_for(desk, **own, partitionsAtOnce=3))] == [33] * 6
    assert [one.share.of(100) for one in plan(options_for(desk, **own, partitionsAtOnce=50))] == [17] * 4 + [16] * 2


def test_a_driver_without_credentials_divides_from_start_date_on(
    desk: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    options = options_for(desk, stream="tickets", numPartitions=4, start_date="2024-01-01")
    del options["api_key"]
    shares = [one.share for one in plan(options)]
    assert len(shares) == 4
    assert shares[1].since is not None
    assert shares[1].since > parse_timestamp("2024-01-01")
    del options["start_date"]
    assert len(plan(options)) == 1
    assert "the driver has no credentials and no start_date, and so cannot divide" in caplog.text
    assert not desk.requests


def test_a_state_says_where_to_begin(desk: Sandbox) -> None:
    value = format_timestamp(NOW - timedelta(days=4))
    state = {"bookmarks": {"tickets": {"replication_key": "updated_at", "replication_key_value": value}}}
    shares = [one.share for one in plan(options_for(desk, stream="tickets", numPartitions=4, state=state))]
    assert next(share.since for share in shares) == parse_timestamp(value)
    assert len(shares) == 4
    hour = {"bookmarks": {"tickets": {"replication_key_value": format_timestamp(NOW - timedelta(minutes=50))}}}
    assert len(plan(options_for(desk, stream="tickets", numPartitions=4, state=hour))) == 1
    assert not desk.requests


def test_a_cursor_that_does_not_tell_of_changes_is_read_again_for_the_look_back() -> None:
    with Sandbox("oncall", provider="opsgenie", size=10, seed=5) as genie:
        value = {"replication_key": "createdAt", "replication_key_value": format_timestamp(NOW)}
        options = options_for(genie, stream="alert_logs", state={"bookmarks": {"alerts": value}}, lookback_days=7)
        [one] = plan(options)
        assert one.share.since == parse_timestamp(value["replication_key_value"]) - timedelta(days=7)


def test_partitions_of_several_accounts_take_turns(desk: Sandbox) -> None:
    accounts = [{"account": name, **desk.config} for name in ("a", "b", "c")]
    made = plan(options_for(desk, stream="tickets", accounts=accounts, numPartitions=2))
    assert [one.account.name for one in made] == ["a", "b", "c", "a", "b", "c"]
    assert [one.share.since is None for one in made] == [True] * 3 + [False] * 3


def test_an_api_that_gives_no_first_record_ends_the_planning_with_what_to_do(desk: Sandbox) -> None:
    options = options_for(desk, stream="tickets", numPartitions=2, api_key="wrong", max_retries=0)
    with pytest.raises(ReadError) as error:
        plan(options)
    assert str(error.value) == (
        "Stream 'tickets': GET /v1/tickets: 401 Unauthorized: You have to be logged in to perform this action. Check "
        f"'api_key', and that it belongs to 'base_url' ({desk.base_url})"
    )


def use(options: dict[str, str]) -> None:
    """Do with options all that is done with them on their way."""
    job = job_of(options)
    job.schema()
    for account in job.accounts:
        job.bookmark(account)
        job.settings(account)


WRONG = [
    ({"tap": ""}, "Option 'tap' is missing: .option('tap', 'tap-helpdesk')"),
    ({"stream": ""}, "Option 'stream' is missing: .option('stream', 'tickets')"),
    ({"tap": "tap-help"}, "There is no tap 'tap-help'; there are tap-contact-center, tap-helpdesk, "),
    ({"stream": "ticket"}, "tap-helpdesk has no stream 'ticket'; did you mean 'tickets'?"),
    ({"stream": "x"}, "tap-helpdesk has no stream 'x'; there are agents, business_hours, "),
    ({"numpartition": "2"}, "Option 'numpartition' is neither one of the data source nor a setting of tap-helpdesk; did you mean 'numPartitions'?"),
    ({"numPartitions": "many"}, "Option 'numPartitions' is 'many'; it must be a whole number from 1"),
    ({"numPartitions": "0"}, "Option 'numPartitions' is '0'; it must be a whole number from 1"),
    ({"partitionsAtOnce": "-1"}, "Option 'partitionsAtOnce' is '-1'; it must be a whole number from 1"),
    ({"settleSeconds": "soon"}, "Option 'settleSeconds' is 'soon'; it must be a whole number from 0"),
    ({"fields": "id,subjekt"}, "Stream 'tickets' has no field 'subjekt'; did you mean 'subject'?"),
    ({"page_size": "0"}, "Setting 'page_size' is 0; it must be a whole number from 1 to 100"),
    ({"page_size": "all"}, "Setting 'page_size' is \"all\"; it must be a whole number from 1 to 100"),
    ({"state": "{"}, "Option 'state' is no JSON, at line 1, column 2"),
    ({"state": "/no/file"}, "Option 'state' is no JSON, and the file /no/file cannot be read as a file: No such file or directory"),
    ({"accounts": '"account": "a", "api_key": "secret-1"'}, "Option 'accounts' is no JSON, and it cannot be read as a file: No such file or directory"),
    ({"state": '{"bookmarks": []}'}, "The bookmark of stream 'tickets' is {'bookmarks': []}, which is no timestamp"),
    ({"state": '{"bookmarks": {"tickets": "x"}}'}, "The bookmark of stream 'tickets' is"),
    ({"state": "[]"}, "Option 'state' must be a Singer state, or one below the name of each account"),
    ({"state": '{"bookmarks": {"tickets": {"replication_key_value": "now"}}}'}, "The bookmark of stream 'tickets' is 'now', which is no timestamp"),
    ({"accounts": "[]"}, "Option 'accounts' must be a list of objects, each with a name as 'account' and with settings"),
    ({"accounts": '["a"]'}, "Option 'accounts' must be a list of objects"),
    ({"accounts": '[{"api_key": "secret-1"}]'}, "Option 'accounts': number 1 has no name; give it one as 'account'"),
    ({"accounts": '[{"account": "a"}, {"account": "a"}]'}, "Option 'accounts': 'a' is there twice; give each account a name"),
    ({"accounts": '[{"account": "a", "apikey": "secret-1"}]'}, "Option 'accounts': 'a' has a setting 'apikey' that tap-helpdesk lacks"),
    ({"accounts": '[{"account": "a", "api_key": {"ENV": "X"}}]'}, "Option 'accounts': 'a' has an object as 'api_key'; it must be a value, or {\"env\": \"NAME\"} for that of an environment variable"),
    ({"accounts": '[{"account": "a"}]', "state": '{"b": {}}'}, "Option 'state' has a state of 'b', which is no account"),
    ({"tap": "tap-sales-engagement", "stream": "accounts", "token_cache_path": "t", "accounts": '[{"account": "a"}, {"account": "b"}]'}, "Option 'accounts': 'a' and 'b' have the same 'token_cache_path', t; give each account its own"),
    ({"accounts": '[{"account": "a", "page_size": 0}]'}, "Account 'a': Setting 'page_size' is 0; it must be"),
    ({"accounts": '[{"account": "a", "provider": "zendesk"}]'}, "Account 'a': Setting 'provider' is \"zendesk\"; it must be one of"),
    ({"accounts": '[{"account": "a", "api_key": {"env": "NO_SUCH_VARIABLE"}}]'}, "Account 'a': setting 'api_key' is to come from the environment variable NO_SUCH_VARIABLE, which is not set on this machine"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_an_option_that_cannot_be_used_is_named(given: dict[str, str], message: str) -> None:
    options = {"tap": "tap-helpdesk", "stream": "tickets", **given}
    with pytest.raises(OptionError) as error:
        use(options)
    assert message in str(error.value)
    assert "secret-1" not in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_come_from_the_options_and_then_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("TAP_HELPDESK_API_KEY", "of all")
    monkeypatch.setenv("TAP_HELPDESK_PAGE_SIZE", "50")
    monkeypatch.setenv("KEY_OF_B", "of b")
    accounts = tmp_path / "accounts.json"
    accounts.write_text(
        json.dumps([{"account": "a"}, {"account": "b", "api_key": {"env": "KEY_OF_B"}, "page_size": 5}])
    )
    job = job_of({"tap": "tap-helpdesk", "stream": "tickets", "accounts": str(accounts), "MAX_RETRIES": "1"})
    a, b = (job.settings(account) for account in job.accounts)
    assert a == {"api_key": "of all", "page_size": 50, "max_retries": 1}
    assert b == {"api_key": "of b", "page_size": 5, "max_retries": 1}
