"""The passing of time at the help desk: tickets change, come in and go, contacts change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk.shape import made_id
from taps.sandbox.helpdesk.tickets import STATUSES, Tickets
from taps.sandbox.instants import HOUR, now, stamp
from taps.sandbox.pools import PROBLEMS
from taps.sandbox.seeded import generator

if TYPE_CHECKING:
    from taps.sandbox.nested import Nested
    from taps.sandbox.rows import Rows

# Ids of conversations that come later start past those of all made-up ones.
_LATER_CONVERSATIONS = 50_000_000


class Passing:
    """Changes made-up records as of now.

    Args:
        seed: What the choice of records depends on.
        made: Makes new tickets and conversations.
        tickets: The tickets.
        contacts: The contacts.
        conversations: The tickets' conversations.
        deleted: Where deleted tickets are kept, if they are.
    """

    def __init__(
        self,
        seed: int,
        made: Tickets,
        tickets: Rows,
        contacts: Rows,
        conversations: Nested,
        *,
        deleted: Rows | None = None,
    ) -> None:
        self._seed = seed
        self._made = made
        self._tickets = tickets
        self._contacts = contacts
        self._conversations = conversations
        self._deleted = deleted
        self._changes = 0
        self._added_conversations = 0

    def change(self, *, tickets: int, new: int, contacts: int, delete: int) -> dict[str, Any]:
        """Change so many records.

        Args:
            tickets: How many tickets get another subject and status, and one more conversation.
            new: How many tickets come in.
            contacts: How many contacts change.
            delete: How many other tickets are deleted.

        Returns:
            As `HelpdeskStore.change`.
        """
        self._changes += 1
        moment = now()
        rng = generator(self._seed, 81, self._changes)
        rows = self._tickets
        touched = rng.sample(rows.keys, min(tickets + delete, len(rows)))
        changed, deleted = sorted(touched[:tickets]), sorted(touched[tickets:])
        picked = sorted(rng.sample(self._contacts.keys, min(contacts, len(self._contacts))))
        answer: dict[str, Any] = {
            "tickets": [self._change_ticket(key, moment) for key in changed],
            "new": [self._new_ticket(moment) for _ in range(new)],
            "contacts": [self._change_contact(key, moment) for key in picked],
            "deleted": [rows.value(key, "id") for key in deleted],
        }
        for key in deleted:
            if self._deleted is not None:
                self._deleted.append({**rows.record(key), "deleted": True, "updated_at": stamp(moment)})
            rows.remove(key)
        numbers = answer["tickets"] + answer["new"]
        answer["conversations"] = {number: self._conversations.count(number) for number in numbers}
        return answer

    def _change_ticket(self, key: int, moment: int) -> int:
        old = self._tickets.record(key)
        number: int = old["id"]
        rng = generator(self._seed, 82, self._changes, key)
        written = stamp(moment)
        changed = {
            "subject": f"{rng.choice(PROBLEMS)} [{self._changes}]",
            "status": rng.choice([status for status in STATUSES if status != old.get("status")]),
            "updated_at": written,
            "stats": {**(old.get("stats") or {}), "status_updated_at": written},
        }
        self._tickets.change(key, {**old, **changed})
        self._add_conversation(number, moment)
        return number

    def _new_ticket(self, moment: int) -> int:
        number = max((number for number in self._tickets.ids() if isinstance(number, int)), default=0) + 1
        made = self._made.record(number - 1)
        written = stamp(moment)
        fresh = {
            "created_at": written,
            "updated_at": written,
            "due_by": stamp(moment + 24 * HOUR),
            "fr_due_by": stamp(moment + HOUR),
            "stats": dict.fromkeys(made["stats"]) | {"status_updated_at": written},
        }
        self._tickets.append({**made, **fresh})
        self._conversations.put(number, [])
        for _ in range(generator(self._seed, 83, number).randrange(3)):
            self._add_conversation(number, moment)
        return number

    def _change_contact(self, key: int, moment: int) -> int:
        old = self._contacts.record(key)
        number: int = old["id"]
        changed = {"description": f"Changed ({self._changes}) ✏️", "updated_at": stamp(moment)}
        self._contacts.change(key, {**old, **changed})
        return number

    def _add_conversation(self, ticket: int, moment: int) -> None:
        self._added_conversations += 1
        number = made_id("conversation", _LATER_CONVERSATIONS + self._added_conversations)
        made = self._made.conversation(ticket, number, moment)
        self._conversations.put(ticket, [*self._conversations.of(ticket), made])
