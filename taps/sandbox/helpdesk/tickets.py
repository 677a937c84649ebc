"""Tickets and their conversations."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk import shape
from taps.sandbox.instants import DAY, HOUR, SECOND, instant, stamp
from taps.sandbox.pools import PROBLEMS, REPLIES, TAGS, pools
from taps.sandbox.seeded import generator, mix, one_in

if TYPE_CHECKING:
    from random import Random

    from taps.sandbox.helpdesk.people import People
    from taps.sandbox.rows import Record

OPEN, PENDING, RESOLVED, CLOSED = 2, 3, 4, 5
STATUSES = (OPEN, OPEN, PENDING, RESOLVED, CLOSED, CLOSED, CLOSED, 6)
_TYPES = (None, "", "Question", "Incident", "Problem", "Feature Request", "Refund")
_ANSWER_HOURS = {1: 72, 2: 24, 3: 8, 4: 1}
_SUPPORT = "support@helpdesk.example"

#: A conversation's id leaves room for this many a ticket.
_CONVERSATIONS_A_TICKET = 8

#: When somebody changed many tickets at once: they share that second.
_BULK_CHANGES = tuple(
    instant(f"{year}-{month:02d}-01T03:00:00Z") or 0 for year in range(2021, 2026) for month in (1, 4, 7, 10)
)


class Tickets:
    """Makes tickets and their conversations, each by its position.

    Args:
        size: The help desk's size.
        people: The people who write and answer.
    """

    def __init__(self, size: shape.Size, people: People) -> None:
        self._size = size
        self._seed = size.seed
        self._people = people
        self._sentences = pools().sentences

    def created(self, ticket: int) -> int:
        """Give the instant at which a ticket was opened.

        Args:
            ticket: The ticket's position; a later one was opened later.

        Returns:
            The instant, in whole seconds.
        """
        ticket = self._twin(ticket)
        span = (shape.TICKETS_TO - shape.TICKETS_FROM) // SECOND
        step = span / max(1, self._size.tickets)
        jitter = mix(self._seed, ticket, 31) % 1_000 / 1_000
        return shape.TICKETS_FROM + min(span, int((ticket + jitter) * step)) * SECOND

    def updated(self, ticket: int) -> int:
        """Give the instant of a ticket's last change.

        Args:
            ticket: The ticket's position.

        Returns:
            The instant, a few with milliseconds.
        """
        ticket = self._twin(ticket)
        created = self.created(ticket)
        if one_in(12, self._seed, ticket, 32):
            at = bisect_left(_BULK_CHANGES, created)
            if at < len(_BULK_CHANGES):
                return _BULK_CHANGES[at]
        days = (1, 3, 3, 10, 10, 60, 60, 200, 600)[mix(self._seed, ticket, 33) % 9]
        draw = mix(self._seed, ticket, 34)
        updated = created + draw % (days * DAY // SECOND) * SECOND
        if updated > shape.END:
            updated = shape.END - draw % (10 * DAY // SECOND) * SECOND
        return updated + (123_000 if one_in(53, self._seed, ticket, 35) else 0)

    def requester(self, ticket: int) -> int:
        """Tell who asked.

        Args:
            ticket: The ticket's position.

        Returns:
            The contact's position.
        """
        return mix(self._seed, ticket, 37) % self._size.contacts

    def record(self, ticket: int) -> Record:
        """Make a ticket with all that can be included.

        Args:
            ticket: The ticket's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, ticket, 36)
        created, updated = self.created(ticket), self.updated(ticket)
        contact = self.requester(ticket)
        requester = self._people.card(contact)
        company = self._people.company_of(contact)
        priority = rng.randrange(1, 5)
        status = rng.choice(STATUSES)
        by_mail = bool(rng.randrange(2))
        copies = [f"copy.{rng.randrange(100)}@mail.example"] if not rng.randrange(5) else []
        text = "\n".join(rng.sample(self._sentences, rng.randrange(2, 6)))
        rich = shape.as_html(text, rng)
        late = not rng.randrange(6)
        due = created + _ANSWER_HOURS[priority] * HOUR
        return {
            "cc_emails": rng.choice((None, copies, copies)),
            "fwd_emails": rng.choice((None, [], [])),
            "reply_cc_emails": rng.choice((None, copies, copies)),
            "ticket_cc_emails": copies,
            "fr_escalated": late,
            "spam": not rng.randrange(40),
            "email_config_id": shape.made_id("email_config", rng.randrange(3)) if by_mail else None,
            "group_id": self._people.group_id(rng.randrange(10**6)),
            "priority": priority,
            "requester_id": requester["id"],
            "responder_id": self._people.agent_id(rng.randrange(10**6)) if rng.randrange(6) else None,
            "source": 1 if by_mail else rng.choice((2, 3, 7, 9)),
            "company_id": company,
            "status": status,
            "subject": rng.choice(PROBLEMS),
            "association_type": rng.choice((None, None, 1, 2)),
            "support_email": _SUPPORT if by_mail else None,
            "to_emails": [_SUPPORT] if by_mail else None,
            "product_id": rng.choice((None, shape.made_id("product", rng.randrange(self._size.products)))),
            "id": ticket + 1,
            "type": rng.choice(_TYPES),
            "due_by": stamp(due + 24 * HOUR) if rng.randrange(12) else None,
            "fr_due_by": stamp(due, digits=3 if not rng.randrange(30) else 0) if rng.randrange(12) else None,
            "is_escalated": late,
            "custom_fields": _custom_fields(ticket, rng),
            "created_at": stamp(created),
            "updated_at": stamp(
                updated,
                digits=3 if updated % SECOND else 0,
                offset_hours=2 if one_in(61, self._seed, ticket, 38) else 0,
            ),
            "associated_tickets_count": rng.choice((None, None, 2)),
            "tags": rng.sample(TAGS, rng.choice((0, 0, 1, 2))),
            "description": rich,
            "description_text": text,
            "requester": requester,
            "stats": _stats(created, updated, status, rng),
            "nr_due_by": stamp(due + 48 * HOUR, offset_hours=2) if not rng.randrange(9) else None,
            "nr_escalated": False,
            "sentiment_score": rng.choice((None, 0.25, 88)),
            "initial_sentiment_score": rng.choice((None, 50)),
            "structured_description": {"description_contents": [{"type": "html", "data": {"content": rich[:40]}}]}
            if not rng.randrange(6)
            else None,
            "attachments": [shape.attachment(self._seed, ticket, rng)] if not rng.randrange(15) else [],
            "archived": False,
            "ticket_bcc_emails": [],
            "form_id": shape.made_id("ticket_field", 900),
            "deleted": False,
            "facebook_id": None,
            "email": None if by_mail else requester["email"],
            "phone": None if by_mail else requester["phone"],
            "name": requester["name"],
            "twitter_id": None,
            "company": None if company is None else {"id": company, "name": self._people.company_name(company)},
        }

    def conversation_count(self, ticket: int) -> int:
        """Tell how many conversations a ticket was made with.

        Args:
            ticket: The ticket's position.

        Returns:
            From 0 to 6.
        """
        return (0, 0, 1, 2, 2, 3, 3, 4, 4, 6)[mix(self._seed, ticket, 39) % 10]

    def conversations(self, ticket: int) -> list[Record]:
        """Make a ticket's conversations.

        Args:
            ticket: The ticket's position.

        Returns:
            The records by id.
        """
        opened = self.created(ticket)
        span = max(SECOND, (self.updated(ticket) - opened) // _CONVERSATIONS_A_TICKET)
        return [
            self.conversation(
                ticket + 1,
                shape.made_id("conversation", ticket * _CONVERSATIONS_A_TICKET + turn),
                (opened + (turn + 1) * span) // SECOND * SECOND,
            )
            for turn in range(self.conversation_count(ticket))
        ]

    def conversation(self, ticket_id: int, number: int, moment: int) -> Record:
        """Make one conversation.

        Args:
            ticket_id: The ticket's id.
            number: The conversation's id.
            moment: When it was written.

        Returns:
            The record.
        """
        rng = generator(self._seed, number, 40)
        incoming = bool(rng.randrange(2))
        private = not incoming and not rng.randrange(3)
        lines = [rng.choice(self._sentences if incoming else REPLIES), *rng.sample(self._sentences, rng.randrange(4))]
        text = "\n".join(lines)
        rich = shape.as_html(text, rng)
        author = self._people.contact_id if incoming else self._people.agent_id
        reader = f"reader.{rng.randrange(1_000)}@mail.example"
        edited = not rng.randrange(8)
        return {
            "body": rich,
            "body_text": text,
            "id": number,
            "incoming": incoming,
            "private": private,
            "customer_id": author(rng.randrange(10**6)),
            "support_email": None if private else _SUPPORT,
            "source": 2 if private else 0,
            "category": 2 if private else 3,
            "to_emails": None if incoming else [reader],
            "from_email": f"Café Łódź <{reader}>" if incoming else _SUPPORT,
            "cc_emails": [reader] if not rng.randrange(6) else [],
            "bcc_emails": rng.choice((None, [])),
            "email_failure_count": rng.choice((None, None, 1)),
            "outgoing_failures": None,
            "thread_id": None,
            "thread_message_id": None,
            "created_at": stamp(moment, offset_hours=2 if not rng.randrange(25) else 0),
            "updated_at": stamp(moment + (7 * SECOND + 250_000 if edited else 0), digits=3 if edited else 0),
            "last_edited_at": stamp(moment + 7 * SECOND) if edited else None,
            "last_edited_user_id": self._people.agent_id(rng.randrange(10**6)) if edited else None,
            "attachments": [shape.attachment(self._seed, number, rng)] if not rng.randrange(12) else [],
            "automation_id": None,
            "automation_type_id": None,
            "auto_response": not rng.randrange(20),
            "ticket_id": ticket_id,
            "source_additional_info": {"channel": "chat 💬"} if not rng.randrange(10) else None,
            "structured_body": {"body_contents": [{"type": "html", "data": {"content": rich[:40]}}]},
            "threading_type": None,
            "delivery_details": {"failed_emails": [reader] if not rng.randrange(9) else [], "pending_emails": []},
        }

    @staticmethod
    def _twin(ticket: int) -> int:
        # One ticket in twenty-five comes in and is last changed in the very second of the one before.
        return ticket - 1 if ticket and not (ticket + 18) % 25 else ticket


def _custom_fields(ticket: int, rng: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "cf_order_number": rng.choice((None, "", f"A-{rng.randrange(10**6):06d}")),
        "cf_amount": rng.choice((None, 0.1, 1234.56, 0.30000000000000004, 19)),
        "cf_contract": bool(rng.randrange(2)),
        "cf_ordered_on": rng.choice((None, "2024-02-29", "2025-05-05T05:05:05+02:00")),
        "cf_größe": rng.choice((None, "XL", "特大")),
    }
    # Numbers that a reader loses digits of when it goes through floats or 64-bit integers.
    if not ticket % 23:
        fields["cf_meter"] = 9_007_199_254_740_993
    if not ticket % 97:
        fields["cf_serial"] = 123_456_789_012_345_678_901_234_567_890
        fields["cf_nested"] = {"list": [1, "two", None, {"three": 3.0}], "empty": {}}
    return fields


def _stats(created: int, updated: int, status: int, rng: Random) -> dict[str, Any]:
    answered = created + rng.randrange(1, 48) * HOUR if rng.randrange(5) else None
    ended = updated // SECOND * SECOND
    return {
        "agent_responded_at": None if answered is None else stamp(answered),
        "requester_responded_at": rng.choice((None, stamp(created + 60 * SECOND, digits=3))),
        "first_responded_at": None
        if answered is None
        else stamp(answered, offset_hours=2 if rng.randrange(9) == 0 else 0),
        "status_updated_at": stamp(ended),
        "reopened_at": None,
        "resolved_at": stamp(ended) if status in (RESOLVED, CLOSED) else None,
        "closed_at": stamp(ended) if status == CLOSED else None,
        "pending_since": stamp(ended) if status == PENDING else None,
    }
