"""What the sync of an account takes: requests, what they count for, and the least time that the limits make of that.

How many requests a list takes is asked of the stream's own pagination, which reads a made-up list of so many records to
its end. What a request counts for, and how many may be made, is what the tap's provider has of it; how long that takes
is reckoned in `taps.engine.costs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from taps.engine.client import Request
from taps.engine.lanes import Limit
from taps.engine.page import Content, Page
from taps.engine.query import Query, StartParam

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taps.engine.pagination import Pagination
    from taps.engine.provider import Provider
    from taps.engine.stream import ApiStream

__all__ = ["COSTED", "Account", "Costed", "Group", "cost_of", "requests_of"]

_ADDRESS = "https://api.example.com/list"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_APART = timedelta(minutes=1)


@dataclass(frozen=True)
class Account:
    """What an account holds.

    Attributes:
        title: What it is, with the records of which it has most, which come first.
        records: By stream; of a child stream those of all parents together. One each of the streams that are not here.
    """

    title: str
    records: Mapping[str, int]

    def of(self, stream: str) -> int:
        """Tell how many records of a stream it holds."""
        return self.records.get(stream, 1)


@dataclass(frozen=True)
class Group:
    """Streams that are read together, a parent and its children; one group is read after the other.

    Attributes:
        streams: Their names; none for all that no other group has.
        alone: Whether they are in another group as well, and so not in the sum.
    """

    streams: Sequence[str] = ()
    alone: bool = False


@dataclass(frozen=True)
class Costed:
    """What is told of a provider.

    Attributes:
        accounts: Of which accounts.
        groups: In which parts.
        rates: Limits that the provider has beside its plans, by what they are.
    """

    accounts: Sequence[Account]
    groups: Sequence[Group]
    rates: Mapping[str, Limit] = field(default_factory=dict)


def cost_of(
    streams: Iterable[type[ApiStream]], provider: Provider, account: Account, page_size: int
) -> dict[str, tuple[int, int]]:
    """Tell of each stream how many requests it takes, and what they count for.

    Args:
        streams: All of the tap's, as the provider has them.
        provider: The provider.
        account: What there is to read.
        page_size: Records to ask for in a page.
    """
    costs = {}
    asked: set[str] = set()
    for stream in streams:
        name, parent = vars(stream)["name"], stream.parent_stream_type
        lists = account.of(vars(parent)["name"]) if parent else 1
        size = getattr(stream.pagination, "full_page", page_size)
        requests = lists * requests_of(stream.pagination, -(-account.of(name) // max(lists, 1)), size)
        if stream.shares_pages and stream.path in asked:
            requests = 0
        asked.add(stream.path)
        costs[name] = (requests, requests * provider.costs.get(name, 1))
    return costs


@lru_cache(maxsize=256)
def requests_of(pagination: Pagination, records: int, page_size: int) -> int:
    """Tell how many requests a list takes that does not change meanwhile.

    Args:
        pagination: How it comes in pages.
        records: How many there are, each a minute later than the one before.
        page_size: Records to ask for in a page.
    """
    param = StartParam(getattr(pagination, "time_param", "since"), "{seconds}")
    walk = pagination.requests(Query(Request(_ADDRESS), page_size, "changed", param))
    request, number = next(walk), 0
    while True:
        number += 1
        try:
            request = walk.send(_page(pagination, request, records, page_size))
        except StopIteration:
            return number


def _page(pagination: Pagination, request: Request, records: int, page_size: int) -> Page:
    """Answer as an API would that has so many records."""
    asked = {**dict(parse_qsl(urlsplit(request.url).query)), **request.params}
    size = int(asked.get(pagination.size_param or "", page_size))
    before = (int(asked.get(getattr(pagination, "page_param", ""), 1)) - 1) * size
    first = int(asked.get("first", max(0, math.ceil(((request.start or _EPOCH) - _EPOCH) / _APART) - 1) + before))
    numbers = range(min(first, records), min(first + size, records))
    instants = [_EPOCH + (number + 1) * _APART for number in numbers]
    content = Content(numbers, [(number,) for number in numbers], instants)
    link = f"{_ADDRESS}?first={first + size}&{pagination.size_param}={size}" if first + size < records else None
    if time := getattr(pagination, "time_param", None):
        link = f"{_ADDRESS}?{time}={int((instants[-1] if instants else _EPOCH).timestamp())}"
    document: Any = link
    for name in reversed(getattr(pagination, "path", "").split(".")):
        document = {name: document}
    headers = {"Link": f'<{link}>; rel="next"'} if link else {}
    address = "&".join(f"{name}={value}" for name, value in asked.items())
    return Page(f"{_ADDRESS}?{address}", headers, content._replace(document=document))


def _ten_times(account: Account, title: str) -> Account:
    return Account(title, {name: number * 10 for name, number in account.records.items()})


_DESK = Account(
    "10,000 tickets",
    {
        "tickets": 10_000,
        "conversations": 30_000,
        "contacts": 5_000,
        "companies": 500,
        "satisfaction_ratings": 1_000,
        "time_entries": 2_000,
        "agents": 50,
        "canned_response_folders": 10,
        "canned_responses": 200,
        "discussion_categories": 2,
        "discussion_forums": 6,
        "discussion_topics": 50,
        "discussion_comments": 200,
        "solution_categories": 5,
        "solution_folders": 20,
        "solution_articles": 300,
    },
)
_CALLS = Account("10,000 calls", {"calls": 10_000, "call_legs": 16_000, "agents_activity": 50, "greetings": 40})
_SALES = Account(
    "10,000 prospects",
    {
        "prospects": 10_000,
        "accounts": 2_000,
        "calls": 10_000,
        "email_addresses": 12_000,
        "events": 100_000,
        "mailings": 50_000,
        "opportunities": 1_000,
        "phone_numbers": 8_000,
        "recipients": 50_000,
        "sequence_states": 20_000,
        "tasks": 20_000,
    },
)
_ALERTS = Account(
    "10,000 alerts",
    {
        "alerts": 10_000,
        "alert_logs": 60_000,
        "alert_notes": 5_000,
        "alert_recipients": 20_000,
        "incidents": 200,
        "users": 100,
    },
)
_LATER = Account(
    "1,000 alerts in the days of the look-back",
    {
        "alerts": 1_000,
        "alert_logs": 6_000,
        "alert_notes": 500,
        "alert_recipients": 2_000,
        "incidents": 20,
        "users": 100,
    },
)
_ANSWERS = {"0.3 s an answer, 4 at once": Limit(4, 0.3)}

# What is not on the providers: limits of all requests together that no plan has, and how fast an API may answer.
COSTED: Mapping[str, Costed] = {
    "freshdesk": Costed(
        (_DESK, _ten_times(_DESK, "100,000 tickets")),
        (Group(("tickets",), alone=True), Group(("tickets", "conversations")), Group(("contacts",)), Group()),
    ),
    "zendesk_talk": Costed(
        (_CALLS, _ten_times(_CALLS, "100,000 calls")),
        (Group(("calls", "call_legs")), Group()),
    ),
    "outreach": Costed(
        (_SALES, _ten_times(_SALES, "100,000 prospects")),
        (Group(("prospects",)), Group(("mailings",)), Group(("events",)), Group()),
    ),
    "opsgenie": Costed(
        (_ALERTS, _ten_times(_ALERTS, "100,000 alerts"), _LATER),
        (
            Group(("alerts",), alone=True),
            Group(("alerts", "alert_logs", "alert_notes", "alert_recipients")),
            Group(("incidents",)),
            Group(),
        ),
        _ANSWERS,
    ),
    "jsm_ops": Costed(
        (Account("10,000 alerts", {"alerts": 10_000}), Account("100,000 alerts", {"alerts": 100_000})),
        (Group(("alerts",)),),
        _ANSWERS,
    ),
}
