"""Many accounts at one port: each is a sandbox of its own, and its links lead to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from compared import key_of
from sandbox_client import Client

from support import config_for, sync
from taps.sandbox.accounts import SandboxAccounts
from taps.sandbox.server import Sandbox
from taps_under_test import PROVIDED, TapUnderTest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name)
def test_a_tap_reads_each_account_and_no_other(tap: TapUnderTest, tmp_path: Path) -> None:
    """Pages are small, so that most are reached by a link."""
    with SandboxAccounts(tap.api, 2, provider=tap.provider, size=20, page_cap=7, **tap.options) as accounts:
        first, second = accounts.values()
        for account, other in ((first, second), (second, first)):
            own = str(tmp_path / urlsplit(account.root_url).path[1:])
            tokens = {"token_cache_path": own} if tap.api == "sales_engagement" else {}
            other.clear_requests()
            output = sync(tap.tap_class, config_for(account, **tokens))
            assert output.exit_code == 0, output.log
            for stream in tap.served(account):
                held = sorted(key_of(stream, record) for record in tap.held(account)[stream.name])
                assert sorted(key_of(stream, record) for record in output.records(stream.name)) == held
            assert other.requests == []
            assert [request for request in account.requests if request.status != 200] == []


def test_accounts_have_data_of_their_own_that_a_seed_gives_again() -> None:
    accounts, again = (SandboxAccounts("helpdesk", 3, size=20, seed=5) for _ in range(2))
    subjects = [[ticket["subject"] for ticket in each.helpdesk.records("tickets")] for each in accounts.values()]
    assert len({tuple(each) for each in subjects}) == 3
    assert subjects == [[ticket["subject"] for ticket in each.helpdesk.records("tickets")] for each in again.values()]
    alone = Sandbox("helpdesk", size=20, seed=7)
    assert alone.helpdesk.records("tickets") == accounts["account-02"].helpdesk.records("tickets")


def test_an_account_is_a_sandbox_below_its_name() -> None:
    with SandboxAccounts("helpdesk", 100, size=40, page_cap=5, api_key="tea", rate_limit=2) as accounts:
        assert len(accounts) == 100
        first, last = accounts["account-001"], accounts["account-100"]
        port = urlsplit(first.base_url).port
        assert accounts.listed[-1] == {
            "account": "account-100",
            "base_url": f"http://127.0.0.1:{port}/account-100",
            "api_key": "tea-100",
        }
        last.set_faults(["503:at=1,path=/v1/contacts"])
        with Client(last) as client:
            address = f"{last.base_url}/v1/contacts"
            answers = [client.get(address) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [503, 200, 200]
            assert answers[1].links["next"]["url"].startswith(f"{address}?")
            assert client.get(answers[1].links["next"]["url"]).status_code == 429
            assert client.get(f"{first.base_url}/v1/contacts").status_code == 401
        with Client(first) as client:
            assert client.get(f"{first.base_url}/v1/contacts").status_code == 200
            counts = client.get(f"{last.root_url}/_sandbox/helpdesk/counts").json()
        assert counts == last.helpdesk.counts()
        assert [(seen.path, seen.status) for seen in first.requests] == [("/v1/contacts", 401), ("/v1/contacts", 200)]
        assert len(last.requests) == 4


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("self-link", "{account}/v1/contacts"),
        ("cycle-link", "{account}/v1/contacts"),
        ("foreign-link:to=http://other.example", "http://other.example/account-02/v1/contacts"),
        ("redirect:to=http://other.example", "http://other.example/account-02/v1/contacts"),
    ],
)
def test_a_fault_leads_to_an_address_that_names_the_account(fault: str, expected: str) -> None:
    with SandboxAccounts("helpdesk", 2, size=20, faults=[fault]) as accounts:
        account = accounts["account-02"]
        with Client(account) as client:
            answer = client.get(f"{account.base_url}/v1/contacts")
        found = answer.links["next"]["url"] if answer.status_code == 200 else answer.headers["location"]
        assert found == expected.format(account=account.base_url)


@pytest.mark.parametrize("path", ["/", "/v1/tickets", "/account-3/v1/tickets", "/account-03"])
def test_what_is_no_account_is_told_which_there_are(path: str) -> None:
    with SandboxAccounts("helpdesk", 2, size=1) as accounts:
        address = accounts["account-01"].root_url.removesuffix("/account-01")
        answer = requests.get(address + path, timeout=10)
    assert answer.status_code == 404
    assert answer.json()["message"] == f"there is no account at {path}; they are below /account-01 to /account-02"


def test_less_than_one_account_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one account, not 0"):
        SandboxAccounts("helpdesk", 0)
