"""The products that the help desk tap can read."""

from __future__ import annotations

from msgspec.structs import replace
from singer_sdk import typing as th

from taps.engine.auth import WithPassword
from taps.engine.lanes import Limit
from taps.engine.provider import GENERIC, Place, Plan, Provider
from taps.engine.query import Fallback, Part, StartParam, Sublists
from taps.helpdesk.streams import Tickets

__all__ = ["PROVIDERS"]

_KEY = WithPassword("{api_key}", "X")
_RATE_HEADERS = {"cost": "X-RateLimit-Used-CurrentRequest"}

_EARLY = 1  # second; no source says whether the API gives what changed in the very second that it is asked for
_REFUSED = frozenset({403, 404})
_UNKNOWN_PARAMETER = frozenset({400})
_AUTHOR = {"aliases": {"user_id": "customer_id"}}


def _since(*names: str) -> dict[str, object]:
    """Ask for what changed since the bookmark; sources differ in the parameter's name, and the API refuses others."""
    first, *others = (StartParam(name, early=_EARLY) for name in names)
    fallbacks = [Fallback(statuses=_UNKNOWN_PARAMETER, start_param=param) for param in (*others, None)]
    return {"replication_key": "updated_at", "start_param": first, "fallbacks": fallbacks}


def _newer(path: str, older: str) -> dict[str, object]:
    return {"path": path, "fallbacks": [Fallback(statuses=_REFUSED, path=older)]}


def _flag(name: str, title: str, description: str) -> th.Property[bool]:
    return th.Property(name, th.BooleanType, default=False, title=title, description=description)


def _plan(requests: int, lists: int) -> Plan:
    return Plan(requests, {name: Limit(lists, name=name) for name in ("tickets", "contacts")})


_DELETED, _SPAM, _BLOCKED, _ARCHIVED = "include_deleted", "include_spam", "include_blocked", "archived_conversations"

PROVIDERS = (
    Provider(name=GENERIC, title="the help desk API itself", auth=(_KEY,), rate_headers=_RATE_HEADERS),
    Provider(
        name="freshdesk",
        title="Freshdesk",
        base_url="https://{domain}/api/v2",
        places=(
            Place(
                name="domain",
                description="Address of the Freshdesk account, as the vendor gave it.",
                example="acme.freshdesk.com",
                pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$",
            ),
        ),
        settings=(
            _flag(
                _DELETED,
                "Deleted ones too",
                "Read deleted tickets and contacts as well (Freshdesk), from lists of their own; their field `deleted` "
                "is true.",
            ),
            _flag(_SPAM, "Spam too", "Read tickets that are spam as well (Freshdesk); their field `spam` is true."),
            _flag(
                _BLOCKED,
                "Blocked ones too",
                "Read blocked contacts as well (Freshdesk); their field `blocked` is true.",
            ),
            _flag(
                _ARCHIVED,
                "Archived conversations",
                "Ask for the conversations of a ticket among the archived ones as well (Freshdesk), where they are not "
                "with the others. It takes a request more for each ticket that is gone.",
            ),
        ),
        auth=(_KEY,),
        # A wrong key that is tried again and again locks the account.
        defaults={"retry_statuses": [429, 500, 502, 503, 504]},
        prefix="/v1",
        params={"limit": "per_page"},
        records={"$.data[*]": "$[*]", "$.data": "$"},
        every={"gone_on": _REFUSED},  # a ticket that was deleted softly refuses its children with 403
        streams={
            "companies": _since("updated_since", "_updated_since"),
            "contacts": {
                **_since("_updated_since", "updated_since"),
                "parts": [
                    Part(params={"state": "deleted"}, marks={"deleted": True}, setting=_DELETED),
                    Part(params={"state": "blocked"}, marks={"blocked": True}, setting=_BLOCKED),
                ],
            },
            "conversations": {
                **_AUTHOR,
                "fallbacks": [
                    Fallback(
                        statuses=frozenset({404}), path="/tickets/archived/{ticket_id}/conversations", setting=_ARCHIVED
                    )
                ],
            },
            "discussion_categories": {"optional": True},
            "discussion_comments": _AUTHOR,
            "discussion_topics": _AUTHOR,
            "email_mailboxes": {"optional": True},
            "groups": _newer("/admin/groups", "/groups"),
            "products": {"optional": True},
            "satisfaction_ratings": _AUTHOR,
            "skills": {**_newer("/admin/skills", "/skills"), "optional": True},
            "solution_articles": _AUTHOR,
            "solution_folders": {"sublists": Sublists("/solutions/folders/{id}/subfolders", "sub_folders_count")},
            "ticket_fields": _newer("/admin/ticket_fields", "/ticket_fields"),
            "tickets": {
                "start_param": StartParam("updated_since", early=_EARLY),
                "pagination": replace(Tickets.pagination, linked=True),
                "parts": [
                    Part(params={"filter": "deleted"}, marks={"deleted": True}, setting=_DELETED),
                    Part(params={"filter": "spam"}, marks={"spam": True}, setting=_SPAM),
                ],
            },
        },
        gaps=("require_feature",),
        rate_headers=_RATE_HEADERS,
        costs={"tickets": 7},  # one, and two for each of the three things that it includes
        # developers.freshdesk.com/api/#ratelimit: requests a minute, and of the lists of tickets and of contacts each.
        plans={"trial": Plan(50), "growth": _plan(200, 20), "pro": _plan(400, 100), "enterprise": _plan(700, 200)},
    ),
)
