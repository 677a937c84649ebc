"""The help desk's records and what a test or a user can do to them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk.aside import set_aside
from taps.sandbox.helpdesk.desk import Desk
from taps.sandbox.helpdesk.knowledge import Knowledge
from taps.sandbox.helpdesk.outcomes import Outcomes
from taps.sandbox.helpdesk.passing import Passing
from taps.sandbox.helpdesk.people import People
from taps.sandbox.helpdesk.shape import Size, made_id
from taps.sandbox.helpdesk.streams import STREAMS
from taps.sandbox.helpdesk.ticket_fields import ticket_fields
from taps.sandbox.helpdesk.tickets import Tickets
from taps.sandbox.nested import Nested
from taps.sandbox.rows import Record, Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NO_ROWS = Rows.of([])


class HelpdeskStore:
    """All records of a made-up help desk. Its methods may be called from any thread.

    Attributes:
        lock: Held while records are read or changed; whoever reads more than one thing holds it meanwhile.
        version: A number that grows with every change.
        changes: The kinds of change that `change` takes a number for.

    Args:
        tickets: How many tickets there are; the other collections follow in size.
        seed: What all made-up contents depend on.
        aside: Whether there are records as well that no list shows unless asked to (deleted tickets and the like, see
            `aside`), and solution folders in solution folders.
    """

    def __init__(self, *, tickets: int = 2_000, seed: int = 42, aside: bool = False) -> None:
        size = Size(seed, tickets)
        people = People(size)
        made = Tickets(size, people)
        outcomes = Outcomes(size, people, made)
        desk = Desk(size)
        knowledge = Knowledge(size, people, nested=aside)
        self.lock = threading.RLock()
        self.version = 0
        self.changes = frozenset({"tickets", "new", "contacts", "delete"})
        self._settings = desk.settings()
        self._rows = {
            "agents": Rows(size.agents, people.agent),
            "business_hours": Rows.of(desk.business_hours()),
            "canned_response_folders": Rows.of(knowledge.folders),
            "companies": Rows(size.companies, people.company),
            "contacts": Rows(
                size.contacts,
                people.contact,
                {"id": lambda at: made_id("contact", at), "updated_at": people.contact_updated},
            ),
            "discussion_categories": Rows.of(knowledge.forum_categories),
            "email_configs": Rows.of(desk.email_configs()),
            "email_mailboxes": Rows.of(desk.email_mailboxes()),
            "groups": Rows.of(desk.groups()),
            "products": Rows.of(desk.products()),
            "roles": Rows.of(desk.roles()),
            "satisfaction_ratings": Rows(
                size.ratings,
                outcomes.rating,
                {
                    "created_at": lambda at: outcomes.rating_times(at)[0],
                    "updated_at": lambda at: outcomes.rating_times(at)[1],
                },
            ),
            "scenario_automations": Rows.of(desk.scenarios()),
            "skills": Rows.of(desk.skills()),
            "sla_policies": Rows.of(desk.sla_policies()),
            "solution_categories": Rows.of(knowledge.categories),
            "surveys": Rows.of(desk.surveys()),
            "ticket_fields": Rows.of(ticket_fields(seed)),
            "tickets": Rows(
                tickets,
                made.record,
                {
                    "id": lambda at: at + 1,
                    "created_at": made.created,
                    "updated_at": made.updated,
                },
            ),
            "time_entries": Rows(size.time_entries, outcomes.time_entry),
        }
        self._nested = {
            "canned_responses": Nested(lambda parent: knowledge.responses.get(parent, [])),
            "conversations": Nested(
                lambda parent: made.conversations(parent - 1),
                lambda parent: made.conversation_count(parent - 1),
            ),
            "discussion_comments": Nested(lambda parent: knowledge.comments.get(parent, [])),
            "discussion_forums": Nested(lambda parent: knowledge.forums.get(parent, [])),
            "discussion_topics": Nested(lambda parent: knowledge.topics.get(parent, [])),
            "solution_articles": Nested(lambda parent: knowledge.articles.get(parent, [])),
            "solution_folders": Nested(lambda parent: knowledge.solution_folders.get(parent, [])),
        }
        self._asides = set_aside(size, made, people) if aside else {}
        self._passing = Passing(
            seed,
            made,
            self._rows["tickets"],
            self._rows["contacts"],
            self._nested["conversations"],
            deleted=self._asides.get("deleted_tickets"),
        )
        self._parents: tuple[int, dict[str, set[Any]]] = (0, {})

    @property
    def settings(self) -> Record:
        """The settings, which are one object."""
        return self._settings

    def rows(self, stream: str) -> Rows:
        """Give a top-level collection other than the settings.

        Args:
            stream: The collection's name.

        Returns:
            Its rows.
        """
        return self._rows[stream]

    def aside(self, stream: str, kind: str) -> Rows:
        """Give the records of a collection that its list does not show.

        Args:
            stream: The collection's name.
            kind: Such as `deleted`.

        Returns:
            The rows: none where the store has no such records.
        """
        return self._asides.get(f"{kind}_{stream}", _NO_ROWS)

    def children(self, stream: str, parent: Any) -> list[Record] | None:
        """Give a parent's children.

        Args:
            stream: The child collection's name.
            parent: The parent's id.

        Returns:
            The records, or None where there is no such parent.
        """
        above = STREAMS[stream].parent
        known = self._rows[above].ids() if above in self._rows else self._parent_ids(stream)
        return self._nested[stream].of(parent) if parent in known else None

    def counts(self) -> dict[str, int]:
        """Count the records of every collection.

        Returns:
            The number by collection; children are counted over all parents.
        """
        with self.lock:
            return {name: self._count(name) for name in STREAMS}

    def records(self, stream: str) -> list[Record]:
        """Give all records of a collection as a client ought to end up with them.

        Args:
            stream: The collection's name, or that of records set aside, such as `deleted_tickets`.

        Returns:
            The records with the parent's key, and tickets with all that can be included.

        Raises:
            KeyError: There is no such collection.
        """
        with self.lock:
            if stream in self._nested:
                key = STREAMS[stream].parent_key
                nested = self._nested[stream]
                return [{**row, key: parent} for parent in self._parents_in_order(stream) for row in nested.of(parent)]
            if stream == "settings":
                return [dict(self._settings)] if self._settings else []
            rows = self._asides[stream] if stream in self._asides else self._rows[stream]
            return [dict(rows.record(row)) for row in rows.keys]

    def put(self, stream: str, records: Sequence[Record]) -> None:
        """Put other records in the place of a top-level collection's; children of the old ones go with them.

        Args:
            stream: The collection's name.
            records: The new records, served in this order and as they are, however wrong. Of `settings`, one.

        Raises:
            ValueError: The collection is not a top-level one.
        """
        with self.lock:
            if stream == "settings":
                self._settings = dict(records[0]) if records else {}
            elif stream in self._rows:
                self._rows[stream].replace(list(records))
                self._forget_below(stream)
            else:
                raise ValueError(f"{stream!r} is no top-level collection; use put_children")
            self.version += 1

    def put_children(self, stream: str, parent: Any, records: Sequence[Record]) -> None:
        """Put other records in the place of one parent's children.

        Args:
            stream: The child collection's name.
            parent: The parent's id.
            records: The new records, served in this order and as they are, however wrong.

        Raises:
            ValueError: The collection has no parent, or there is no such parent.
        """
        with self.lock:
            if stream not in self._nested:
                raise ValueError(f"{stream!r} is a top-level collection; use put")
            if parent not in set(self._parents_in_order(stream)):
                raise ValueError(f"there is no {STREAMS[stream].parent} record with the id {parent!r}")
            self._nested[stream].put(parent, records)
            self.version += 1

    def delete(self, stream: str, number: Any) -> None:
        """Take a record out; its children can no longer be read.

        Args:
            stream: The collection's name.
            number: The record's id.

        Raises:
            ValueError: There is no such record.
        """
        with self.lock:
            if stream in self._rows:
                key = self._rows[stream].ids().get(number)
                if key is None:
                    raise ValueError(f"there is no {stream} record with the id {number!r}")
                self._rows[stream].remove(key)
            else:
                self._delete_child(stream, number)
            self.version += 1

    def change(self, *, tickets: int = 0, new: int = 0, contacts: int = 0, delete: int = 0) -> dict[str, Any]:
        """Let time pass: change, add and delete tickets and change contacts as of now.

        Which ones is decided by the seed and by how many changes went before.

        Args:
            tickets: How many tickets get another subject and status, and one more conversation.
            new: How many tickets come in.
            contacts: How many contacts change.
            delete: How many other tickets are deleted.

        Returns:
            The ids by kind (`tickets`, `new`, `contacts`, `deleted`), and under `conversations` how many each changed
            or new ticket has now.
        """
        with self.lock:
            answer = self._passing.change(tickets=tickets, new=new, contacts=contacts, delete=delete)
            self.version += 1
            return answer

    def warm(self) -> None:
        """Make and serialise the records of all top-level lists ahead, so that a first read is as fast as a second."""
        with self.lock:
            for rows in self._rows.values():
                for key in rows.keys:
                    rows.body(key)

    def _delete_child(self, stream: str, number: Any) -> None:
        nested = self._nested.get(stream)
        for parent in self._parents_in_order(stream) if nested else ():
            records = nested.of(parent) if nested else []
            kept = [record for record in records if record.get("id") != number]
            if nested and len(kept) < len(records):
                nested.put(parent, kept)
                return
        raise ValueError(f"there is no {stream} record with the id {number!r}")

    def _forget_below(self, stream: str) -> None:
        for child in STREAMS.values():
            if child.parent == stream:
                self._nested[child.name].forget()
                self._forget_below(child.name)

    def _count(self, stream: str) -> int:
        if stream in self._nested:
            nested = self._nested[stream]
            return sum(nested.count(parent) for parent in self._parents_in_order(stream))
        if stream == "settings":
            return 1 if self._settings else 0
        return len(self._rows[stream])

    def _parents_in_order(self, stream: str) -> Iterable[Any]:
        parent = STREAMS[stream].parent
        if parent is None:
            raise ValueError(f"{stream!r} has no parent")
        if parent in self._rows:
            return self._rows[parent].ids()
        above = self._nested[parent]
        return [row.get("id") for grandparent in self._parents_in_order(parent) for row in above.of(grandparent)]

    def _parent_ids(self, stream: str) -> set[Any]:
        if self._parents[0] != self.version:
            self._parents = (self.version, {})
        known = self._parents[1]
        if stream not in known:
            known[stream] = set(self._parents_in_order(stream))
        return known[stream]
