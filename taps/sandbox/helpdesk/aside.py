"""What the help desk shows only when asked to: deleted and spam tickets, deleted and blocked contacts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk.shape import Size, made_id
from taps.sandbox.rows import Record, Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from taps.sandbox.helpdesk.people import People
    from taps.sandbox.helpdesk.tickets import Tickets

#: Each kind with its first position, past those of all shown records and of those that come later, the least that there
#: are, one in how many, and what marks it.
_TICKETS: dict[str, tuple[int, int, int, Record]] = {
    "deleted_tickets": (500_000_000, 4, 20, {"deleted": True}),
    "spam_tickets": (600_000_000, 3, 40, {"spam": True}),
}
_CONTACTS: dict[str, tuple[int, int, int, Record]] = {
    "deleted_contacts": (90_000_000, 3, 20, {"deleted": True}),
    # Nothing in a record says that it is blocked.
    "blocked_contacts": (95_000_000, 2, 25, {}),
}


def set_aside(size: Size, tickets: Tickets, people: People) -> dict[str, Rows]:
    """Make these records.

    Args:
        size: The help desk's size.
        tickets: Makes the tickets.
        people: Makes the contacts.

    Returns:
        The rows by kind and collection, such as `deleted_tickets`.
    """
    made: dict[str, Rows] = {}
    for name, (first, least, per, marks) in _TICKETS.items():
        made[name] = Rows(
            max(least, size.tickets // per),
            partial(_marked, tickets.record, first, marks),
            {
                "id": partial(_after, lambda position: position + 1, first),
                "created_at": partial(_after, tickets.created, first),
                "updated_at": partial(_after, tickets.updated, first),
            },
        )
    for name, (first, least, per, marks) in _CONTACTS.items():
        made[name] = Rows(
            max(least, size.contacts // per),
            partial(_marked, people.contact, first, marks),
            {
                "id": partial(_after, partial(made_id, "contact"), first),
                "updated_at": partial(_after, people.contact_updated, first),
            },
        )
    return made


def _marked(make: Callable[[int], Record], first: int, marks: dict[str, Any], at: int) -> Record:
    return {**make(first + at), **marks}


def _after(know: Callable[[int], int], first: int, at: int) -> int:
    return know(first + at)
