"""How many records of each kind a help desk of some size has, and which ids they carry."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taps.sandbox.instants import DAY, SECOND, instant, stamp
from taps.sandbox.seeded import mix, one_in

if TYPE_CHECKING:
    from random import Random

# Fixed, so that the same seed gives the same bytes on every day.
_FIRST = instant("2020-01-06T08:00:00Z") or 0
#: The first and the last instant at which a ticket was opened, and the end of all that is made up.
TICKETS_FROM = instant("2021-01-04T07:30:00Z") or 0
TICKETS_TO = instant("2025-12-20T17:00:00Z") or 0
END = instant("2025-12-31T20:00:00Z") or 0

_FIRST_ID = 88_000_000_000
_IDS_PER_KIND = 100_000_000
# A kind's place decides its records' ids: new kinds go to the end.
_KINDS = {
    kind: number
    for number, kind in enumerate(
        (
            "agent",
            "contact",
            "company",
            "conversation",
            "group",
            "role",
            "skill",
            "product",
            "business_hour",
            "sla_policy",
            "email_config",
            "ticket_field",
            "survey",
            "question",
            "rating",
            "time_entry",
            "scenario",
            "folder",
            "response",
            "attachment",
            "portal",
            "avatar",
            "forum_category",
            "forum",
            "topic",
            "comment",
            "solution_category",
            "solution_folder",
            "article",
            "section",
            "section_field",
        )
    )
}


@dataclass(frozen=True)
class Size:
    """How many records of the larger collections there are.

    Attributes:
        seed: What all choices depend on.
        tickets: The number of tickets, from which the others follow.
    """

    seed: int
    tickets: int

    @property
    def agents(self) -> int:
        """The number of agents."""
        return max(3, min(self.tickets * 3 // 100, 2_000))

    @property
    def contacts(self) -> int:
        """The number of contacts."""
        return max(5, self.tickets * 35 // 100)

    @property
    def companies(self) -> int:
        """The number of companies."""
        return max(3, self.tickets // 8)

    @property
    def ratings(self) -> int:
        """The number of satisfaction ratings."""
        return self.tickets * 75 // 1_000

    @property
    def time_entries(self) -> int:
        """The number of time entries."""
        return self.tickets * 15 // 100

    groups: int = 12
    products: int = 4
    roles: int = 8
    skills: int = 5
    surveys: int = 3


def kind_number(kind: str) -> int:
    """Number a kind of record, to mix into its random choices.

    Args:
        kind: The kind's name.

    Returns:
        A small number.
    """
    return _KINDS[kind]


def made_id(kind: str, position: int) -> int:
    """Give the id of a made-up record.

    Args:
        kind: The kind of record.
        position: Its position among those of its kind.

    Returns:
        An id that no other record has.
    """
    return _FIRST_ID + _KINDS[kind] * _IDS_PER_KIND + position


def early(seed: int, kind: str, position: int, *, span_days: int = 1_800) -> int:
    """Give the instant at which a record of the slow-moving kinds was made.

    Args:
        seed: The seed.
        kind: The kind of record.
        position: Its position among those of its kind.
        span_days: Over how many days the kind is spread.

    Returns:
        An instant in whole seconds before the end of the made-up time.
    """
    return _FIRST + mix(seed, kind_number(kind), position, 1) % (span_days * DAY // SECOND) * SECOND


def later(seed: int, kind: str, position: int, created: int) -> int:
    """Give the instant of a record's last change.

    Args:
        seed: The seed.
        kind: The kind of record.
        position: Its position among those of its kind.
        created: When it was made.

    Returns:
        The same instant for one record in three, and one up to 300 days later for the others.
    """
    if one_in(3, seed, kind_number(kind), position, 2):
        return created
    return min(created + mix(seed, kind_number(kind), position, 3) % (300 * DAY // SECOND) * SECOND, END)


def times(seed: int, kind: str, position: int) -> dict[str, str]:
    """Give a slow-moving record's two timestamps, now and then with a fraction or an offset.

    Args:
        seed: The seed.
        kind: The kind of record.
        position: Its position among those of its kind.

    Returns:
        `created_at` and `updated_at`.
    """
    created = early(seed, kind, position)
    updated = later(seed, kind, position, created)
    return {
        "created_at": stamp(created, offset_hours=2 if one_in(9, seed, kind_number(kind), position, 4) else 0),
        "updated_at": stamp(updated, digits=3 if one_in(11, seed, kind_number(kind), position, 5) else 0),
    }


def as_html(text: str, rng: Random) -> str:
    """Dress a text as the rich text that such APIs give.

    Args:
        text: Sentences, one a line.
        rng: Picks the dress.

    Returns:
        HTML that is not always tidy.
    """
    lines = [html.escape(line, quote=False) for line in text.split("\n")]
    dress = rng.randrange(4)
    if not dress:
        return "<div>" + "<br>".join(lines) + "</div>"
    if dress == 1:
        return '<div dir="auto"><p>' + "</p>\r\n<p>".join(lines) + "</p></div>"
    if dress == 2:  # noqa: PLR2004 - the third of four dresses
        return "<p>" + lines[0] + "</p><ul>" + "".join(f"<li>{line}</li>" for line in lines[1:]) + "</ul>"
    return f'<div style="font-size:14px">{"<br />".join(lines)}&nbsp;<a href="https://help.example/?a=1&amp;b=2">…</a></div>'


def attachment(seed: int, position: int, rng: Random) -> dict[str, Any]:
    """Make an attachment.

    Args:
        seed: The seed.
        position: Its position among all attachments.
        rng: Picks its contents.

    Returns:
        The attachment's object.
    """
    number = made_id("attachment", position)
    name, content_type = rng.choice(
        (
            ("screenshot.png", "image/png"),
            ("Rechnung März.pdf", "application/pdf"),
            ("見積書 (1).xlsx", "application/x-excel"),
        )
    )
    return {
        "id": number,
        "name": name,
        "content_type": content_type,
        "size": rng.randrange(200, 9_000_000),
        **times(seed, "attachment", position),
        "attachment_url": f"https://files.example/data/{number}?expires=1767225600&signature={rng.getrandbits(64):016x}",
    }
