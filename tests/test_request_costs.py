"""The arithmetic of the tables of costs in the vendors' pages, held against what the taps ask of the sandbox."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from support import ROOT, config_for, sync
from taps.engine.costs import Cost, Rate, rates_of
from taps.engine.lanes import Limit
from taps.engine.pagination import SinglePage
from taps.helpdesk.streams import Conversations, Tickets
from taps.helpdesk.tap import TapHelpdesk
from taps.voice.streams import Calls, IvrMenus, Ivrs
from taps_under_test import PROVIDED, TapUnderTest

SIZE = 1_500
PAGE_SIZE = 40
EXPORT_PAGE = 100
#: The lists that take most of the requests, by the provider.
LISTS = {
    "freshdesk": ("tickets", "contacts"),
    "zendesk_talk": ("calls", "call_legs"),
    "outreach": ("prospects", "mailings"),
    "opsgenie": ("alerts", "incidents"),
    "jsm_ops": ("alerts",),
}


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("request_costs")


@pytest.mark.parametrize("tap", [tap for tap in PROVIDED if tap.provider in LISTS], ids=lambda tap: tap.provider)
def test_a_list_takes_as_many_requests_as_a_sync_makes(tap: TapUnderTest, costs: Any) -> None:
    lists = LISTS[tap.provider]
    if "export_page" in tap.options:
        tap = replace(tap, options={"export_page": EXPORT_PAGE})
    with tap.sandbox(size=SIZE) as sandbox:
        held = {name: len(records) for name, records in tap.held(sandbox).items()}
        config = {**config_for(sandbox), "page_size": PAGE_SIZE, "max_concurrency": 1}
        assert sync(tap.tap_class, config, streams=list(lists)).exit_code == 0
        made = Counter(seen.path for seen in sandbox.requests)

    size = EXPORT_PAGE if tap.options else PAGE_SIZE
    for stream in tap.streams:
        if stream.name not in lists:
            continue
        told = costs.requests_of(stream.pagination, held[stream.name], size)
        assert told > 3, "a list of several pages"
        [path] = [path for path in made if path.endswith(stream.path)]
        # The sandbox has records that share a second, which a page goes over again.
        assert told <= made[path] <= told * 1.05 + 1, stream.name


def test_every_product_has_its_costs(costs: Any) -> None:
    assert set(costs.COSTED) == {tap.provider for tap in PROVIDED} - {"generic"}
    for tap in PROVIDED:
        if tap.provider == "generic":
            continue
        costed = costs.COSTED[tap.provider]
        names = {stream.name for stream in tap.streams}
        assert {name for group in costed.groups for name in group.streams} <= names
        for account in costed.accounts:
            assert set(account.records) <= names
            first, *_ = account.records
            assert account.title.startswith(f"{account.records[first]:,} {first}")


class TestCosts:
    account: ClassVar = {"tickets": 250, "conversations": 1_000}

    def test_a_child_is_a_list_for_each_parent(self, costs: Any) -> None:
        provider = TapHelpdesk.provider_of({"provider": "freshdesk"})
        streams = TapHelpdesk.streams_for({"provider": "freshdesk"})
        found = costs.cost_of(streams, provider, costs.Account("", self.account), 100)
        assert found["conversations"] == (250, 250)
        tickets = next(stream for stream in streams if stream.name == "tickets")
        requests = costs.requests_of(tickets.pagination, 250, 100)
        assert found["tickets"] == (requests, requests * 7), "each counts for one, and for two of each thing included"
        assert found["settings"] == (1, 1)
        assert found["discussion_comments"] == (1, 1)

    def test_a_child_with_more_than_a_page_takes_more(self, costs: Any) -> None:
        found = costs.cost_of(
            [Tickets, Conversations],
            TapHelpdesk.providers[0],
            costs.Account("", {"tickets": 10, "conversations": 2_000}),
            100,
        )
        assert found["conversations"][0] == 20

    def test_streams_of_the_same_pages_take_them_once(self, costs: Any) -> None:
        found = costs.cost_of([Ivrs, IvrMenus], TapHelpdesk.providers[0], costs.Account("", {}), 100)
        assert [requests for requests, _ in found.values()] == [1, 0]

    def test_an_export_has_pages_of_its_own_size_and_one_more(self, costs: Any) -> None:
        found = costs.cost_of([Calls], TapHelpdesk.providers[0], costs.Account("", {"calls": 5_000}), 100)
        # 1,000, then 999 new ones a page, and the one that leads no further.
        assert found["calls"][0] == 7

    @pytest.mark.parametrize("records", [0, 1, 100, 10_000])
    def test_what_is_not_paginated_takes_one(self, costs: Any, records: int) -> None:
        assert costs.requests_of(SinglePage(), records, 100) == 1

    @pytest.mark.parametrize(("records", "requests"), [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (1_000, 10)])
    def test_linked_pages(self, costs: Any, records: int, requests: int) -> None:
        assert costs.requests_of(Conversations.pagination, records, 100) == requests


class TestTimes:
    def test_requests_are_spread_over_the_minute(self) -> None:
        cost = Cost({"tickets": 100}, {"tickets": 700})
        assert cost.minutes(Rate("", Limit(200))) == pytest.approx(3.5)
        assert cost.minutes(Rate("", Limit(1_000, 3600))) == pytest.approx(42)

    def test_a_list_with_a_limit_of_its_own_waits_for_it(self) -> None:
        rate = Rate("", Limit(1_000_000), {"tickets": Limit(20)})
        assert [Cost({"tickets": number}, {}).minutes(rate) for number in (0, 1, 20, 21, 41)] == [0, 0, 0, 1, 2]

    def test_lists_that_share_a_limit_wait_for_each_other(self) -> None:
        rate = Rate("", Limit(1_000_000), {"calls": Limit(10), "legs": Limit(10), "queue": Limit(5, 300)})
        assert Cost({"calls": 15, "legs": 16}, {}).minutes(rate) == 3
        assert Cost({"calls": 15, "queue": 6}, {}).minutes(rate) == 5


def test_the_plans_are_those_of_the_provider() -> None:
    freshdesk = TapHelpdesk.provider_of({"provider": "freshdesk"})
    rates = rates_of(freshdesk)
    assert [rate.limit.requests for rate in rates] == [plan.requests_per_minute for plan in freshdesk.plans.values()]
    assert rates[1].title == "growth, 200 a minute"
    assert rates[1].lists == freshdesk.plans["growth"].limits
