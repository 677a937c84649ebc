"""The on-call API's records and what a test or a user can do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.instants import now
from taps.sandbox.nested import Nested
from taps.sandbox.oncall.alerts import STATUSES as ALERT_STATUSES
from taps.sandbox.oncall.alerts import Alerts
from taps.sandbox.oncall.dialect import MOMENTS
from taps.sandbox.oncall.incidents import STATUSES as INCIDENT_STATUSES
from taps.sandbox.oncall.incidents import Incidents
from taps.sandbox.oncall.people import People
from taps.sandbox.oncall.shape import Size, by_turns, written
from taps.sandbox.oncall.streams import NOTES, STREAMS
from taps.sandbox.pools import PROBLEMS
from taps.sandbox.rows import Record, Rows
from taps.sandbox.seeded import generator
from taps.sandbox.stores import ListStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class NamedRows(Rows):
    """Records whose ids are text and known without making them.

    Args:
        count: How many made-up records there are.
        make: Makes the record of a key.
        name: Gives the id of a made-up record's key.
        quick: As for `Rows`.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[int], Record],
        name: Callable[[int], str],
        quick: Mapping[str, Callable[[int], int]] | None = None,
    ) -> None:
        super().__init__(count, make, quick)
        self._name = name

    def value(self, key: int, field: str) -> Any:
        """Give one field, the quick way where there is one.

        Args:
            key: The record's key.
            field: `id`, or the name of a timestamp.

        Returns:
            The id, or the timestamp's instant.
        """
        if field == "id" and key not in self._own:
            return self._name(key)
        return super().value(key, field)


class OncallStore(ListStore):
    """All records of a made-up on-call team. Its methods may be called from any thread.

    Attributes:
        streams: The collections that it has, by name.

    Args:
        alerts: How many alerts there are; the other collections follow in size.
        seed: What all made-up contents depend on.
        vendor: Whether it has what a vendor has on top: notes of alerts, and from none to nine digits of a second's
            fraction, by turns.
    """

    def __init__(self, *, alerts: int = 2_000, seed: int = 42, vendor: bool = False) -> None:
        self.streams = {**STREAMS, NOTES.name: NOTES} if vendor else STREAMS
        size = Size(seed, alerts)
        self._seed = seed
        self._changed = 0
        people = People(size)
        self._alerts = made = Alerts(size, people)
        opened = Incidents(size, people)
        lists = {
            "alerts": NamedRows(
                alerts, made.alert, made.alert_id, {"createdAt": made.created, "updatedAt": made.updated}
            ),
            "incidents": NamedRows(
                size.incidents, opened.incident, opened.id, {"createdAt": opened.created, "updatedAt": opened.updated}
            ),
            "integrations": Rows(size.integrations, people.integration),
            "services": Rows(size.services, people.service),
            "teams": Rows(size.teams, people.team),
            "users": NamedRows(size.users, people.user, people.user_id),
        }
        for name in ("alerts", "incidents") if vendor else ():
            lists[name].dress(_spelled_by_turns)
        super().__init__(lists, changes=("alerts", "new", "incidents"))
        self._nested = {
            "alert_logs": Nested(
                lambda parent: made.logs(self._key("alerts", parent)),
                lambda parent: made.log_count(self._key("alerts", parent)),
            ),
            "alert_recipients": Nested(lambda parent: made.recipients(self._key("alerts", parent))),
            NOTES.name: Nested(
                lambda parent: made.notes(self._key("alerts", parent)),
                lambda parent: made.note_count(self._key("alerts", parent)),
            ),
            "user_teams": Nested(lambda parent: people.teams_of(self._key("users", parent))),
        }
        self._nested = {name: nested for name, nested in self._nested.items() if name in self.streams}

    def children(self, stream: str, parent: str) -> list[Record] | None:
        """Give a parent's children.

        Args:
            stream: The child collection's name.
            parent: The parent's id.

        Returns:
            The records, or None where there is no such parent.
        """
        above = self.streams[stream].parent or ""
        return self._nested[stream].of(parent) if parent in self._lists[above].ids() else None

    def counts(self) -> dict[str, int]:
        """Count the records of every collection.

        Returns:
            The number by collection; children are counted over all parents.
        """
        with self.lock:
            below = {
                name: sum(nested.count(parent) for parent in self._lists[self.streams[name].parent or ""].ids())
                for name, nested in self._nested.items()
            }
            return super().counts() | below

    def records(self, stream: str) -> list[Record]:
        """Give all records of a collection as a client ought to end up with them.

        Args:
            stream: The collection's name.

        Returns:
            The records, children with the parent's id, and recipients with their own `user_id` as well.

        Raises:
            KeyError: There is no such collection.
        """
        with self.lock:
            above = self.streams[stream].parent
            if above is None:
                return super().records(stream)
            key, nested = self.streams[stream].parent_key, self._nested[stream]
            rows = [{**row, key: parent} for parent in self._lists[above].ids() for row in nested.of(parent)]
            if stream == "alert_recipients":
                return [{**row, "user_id": row["user"]["id"]} for row in rows]
            return rows

    def put(self, stream: str, records: Sequence[Record]) -> None:
        """Put other records in the place of a collection's; children of the old ones go with them.

        Args:
            stream: The collection's name.
            records: The new records, served as they are, however wrong.

        Raises:
            ValueError: There is no such list.
        """
        with self.lock:
            super().put(stream, records)
            for name, nested in self._nested.items():
                if self.streams[name].parent == stream:
                    nested.forget()

    def put_children(self, stream: str, parent: str, records: Sequence[Record]) -> None:
        """Put other records in the place of a parent's children.

        Args:
            stream: The child collection's name.
            parent: The parent's id.
            records: The new records, of a log the oldest first.
        """
        with self.lock:
            self._nested[stream].put(parent, records)
            self.version += 1

    def _key(self, stream: str, parent: Any) -> int:
        return self._lists[stream].ids()[parent]

    def _change(self, numbers: Mapping[str, int]) -> dict[str, Any]:
        self._changed += 1
        moment = now()
        rng = generator(self._seed, 95, self._changed)
        rows = self._lists["alerts"]
        picked = sorted(rng.sample(rows.keys, min(numbers.get("alerts", 0), len(rows))))
        opened = self._lists["incidents"]
        touched = sorted(rng.sample(opened.keys, min(numbers.get("incidents", 0), len(opened))))
        answer: dict[str, Any] = {
            "alerts": [self._touch(rows, key, ALERT_STATUSES, moment) for key in picked],
            "new": [self._new_alert(moment) for _ in range(numbers.get("new", 0))],
            "incidents": [self._touch(opened, key, INCIDENT_STATUSES, moment) for key in touched],
        }
        logs = self._nested["alert_logs"]
        for number in answer["alerts"]:
            entries = logs.of(number)
            logs.put(number, [*entries, self._alerts.log(len(entries), moment, self._changed)])
        answer["logs"] = {number: logs.count(number) for number in answer["alerts"] + answer["new"]}
        return answer

    def _touch(self, rows: Rows, key: int, statuses: Sequence[str], moment: int) -> Any:
        old = rows.record(key)
        rng = generator(self._seed, 96, self._changed, key)
        fresh = {
            "message": f"{rng.choice(PROBLEMS)} [{self._changed}]",
            "status": rng.choice([status for status in statuses if status != old.get("status")]),
            "updatedAt": written(moment),
        }
        rows.change(key, {**old, **fresh})
        return old.get("id")

    def _new_alert(self, moment: int) -> str:
        rows = self._lists["alerts"]
        position = len(rows.ids())
        while (number := self._alerts.alert_id(position)) in rows.ids():
            position += 1
        fresh = {name: written(moment) for name in ("createdAt", "updatedAt", "lastOccurredAt")}
        made = {name: value for name, value in self._alerts.alert(position).items() if name != "report"}
        rows.append({**made, "status": "open", "acknowledged": False, **fresh})
        self._nested["alert_logs"].put(number, [self._alerts.log(0, moment, position)])
        self._nested["alert_recipients"].put(number, self._alerts.recipients(position))
        if NOTES.name in self._nested:
            self._nested[NOTES.name].put(number, [])
        return number


def _spelled_by_turns(at: int, record: Record) -> Record:
    return {**record, **{name: by_turns(record[name], at + turn) for turn, name in enumerate(MOMENTS)}}
