"""What comes of tickets: satisfaction ratings and time entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.helpdesk import shape
from taps.sandbox.instants import DAY, SECOND, stamp
from taps.sandbox.pools import REPLIES
from taps.sandbox.seeded import generator, mix, one_in

if TYPE_CHECKING:
    from taps.sandbox.helpdesk.people import People
    from taps.sandbox.helpdesk.tickets import Tickets
    from taps.sandbox.rows import Record


class Outcomes:
    """Makes satisfaction ratings and time entries, each by its position.

    Args:
        size: The help desk's size.
        people: The people who rate and work.
        tickets: The tickets that they rate and work on.
    """

    def __init__(self, size: shape.Size, people: People, tickets: Tickets) -> None:
        self._size = size
        self._seed = size.seed
        self._people = people
        self._tickets = tickets

    def rating_times(self, rating: int) -> tuple[int, int]:
        """Give a rating's two instants.

        Args:
            rating: The rating's position.

        Returns:
            When it was given, and when it was last changed: within 13 days.
        """
        created = min(
            self._tickets.created(self._rated(rating)) + mix(self._seed, rating, 41) % 90_000 * SECOND, shape.END
        )
        updated = created
        if one_in(4, self._seed, rating, 42):
            updated = min(created + mix(self._seed, rating, 43) % (13 * DAY // SECOND) * SECOND, shape.END)
        return created, updated + (123_000 if one_in(29, self._seed, rating, 44) else 0)

    def rating(self, rating: int) -> Record:
        """Make a satisfaction rating.

        Args:
            rating: The rating's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, rating, 45)
        created, updated = self.rating_times(rating)
        ticket = self._rated(rating)
        survey = rng.randrange(self._size.surveys)
        return {
            "id": shape.made_id("rating", rating),
            "survey_id": shape.made_id("survey", survey),
            "customer_id": self._people.contact_id(self._tickets.requester(ticket)),
            "agent_id": rng.choice((None, self._people.agent_id(rng.randrange(10**6)))),
            "feedback": rng.choice((None, "", "Great 👍", "Trop lent…", "とても丁寧でした", "ممتاز")),
            "group_id": self._people.group_id(rng.randrange(10**6)),
            "ticket_id": ticket + 1,
            "created_at": stamp(created),
            "updated_at": stamp(
                updated,
                digits=3 if updated % SECOND else 0,
                offset_hours=2 if one_in(31, self._seed, rating, 46) else 0,
            ),
            "ratings": {
                "default_question": rng.choice((103, 102, 100, -101, -103)),
                **{
                    f"question_{shape.made_id('question', survey * 3 + at)}": rng.choice((103, 100, -103))
                    for at in range(rng.randrange(3))
                },
            },
            "questions": rng.choice(("", "How did we do?")),
        }

    def time_entry(self, entry: int) -> Record:
        """Make a time entry.

        Args:
            entry: The entry's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, entry, 47)
        ticket = mix(self._seed, entry, 48) % max(1, self._size.tickets)
        spent = rng.randrange(0, 9 * 3_600, 20)
        started = min(self._tickets.created(ticket) + rng.randrange(5 * DAY // SECOND) * SECOND, shape.END - DAY)
        return {
            "billable": bool(rng.randrange(2)),
            "note": rng.choice((None, "", "Rückruf", rng.choice(REPLIES))),
            "id": shape.made_id("time_entry", entry),
            "timer_running": not rng.randrange(30),
            "agent_id": self._people.agent_id(rng.randrange(10**6)),
            "ticket_id": ticket + 1,
            "company_id": self._people.company_of(self._tickets.requester(ticket)),
            "time_spent": f"{spent // 3_600:02d}:{spent // 60 % 60:02d}",
            "executed_at": stamp(started, offset_hours=2 if not rng.randrange(7) else 0),
            "start_time": stamp(started),
            "created_at": stamp(started),
            "updated_at": stamp(started + spent * SECOND),
            "time_spent_in_seconds": spent,
        }

    def _rated(self, rating: int) -> int:
        return rating * self._size.tickets // max(1, self._size.ratings)
