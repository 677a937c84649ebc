"""Alerts, what was logged of them and who was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.instants import DAY, HOUR, SECOND
from taps.sandbox.oncall.shape import FIRST, SPAN, TENTH, Size, cut, digits, written
from taps.sandbox.pools import PROBLEMS, REPLIES, SENTENCES, TAGS
from taps.sandbox.seeded import generator, mix, one_in

if TYPE_CHECKING:
    from random import Random

    from taps.sandbox.oncall.people import People
    from taps.sandbox.rows import Record

STATUSES = ("open", "closed", "acked")
#: So many alerts in a row are closed at one instant, now and then.
_BULK = 9
_LOGS = (
    ("Alert created via API", "system"),
    ("Notified [email]: zugestellt", "alertRecipient"),
    ("Alert acknowledged via web", "system"),
    ("担当者に連絡しました", "alertRecipient"),
    ("Added note “looking into it”", "user"),
    ("Alert closed via mobile", "system"),
)
_METHODS = ("Acknowledge", "", "View", "Close")


class Alerts:
    """Makes alerts and what belongs to them, each by its position.

    Args:
        size: The team's size.
        people: Who is told.
    """

    def __init__(self, size: Size, people: People) -> None:
        self._size = size
        self._seed = size.seed
        self._people = people
        self._step = SPAN // max(1, size.alerts)

    def alert_id(self, at: int) -> str:
        """Give an alert's id.

        Args:
            at: The alert's position.

        Returns:
            The id.
        """
        return self._size.id("alert", at)

    def created(self, at: int) -> int:
        """Tell when an alert came in.

        Args:
            at: The alert's position.

        Returns:
            The instant; in one storm in ten two alerts share it.
        """
        if one_in(10, self._seed, at // 2, 61):
            at -= at % 2
        moment = FIRST + at * self._step + mix(self._seed, at, 62) % self._step
        return moment - moment % TENTH

    def updated(self, at: int) -> int:
        """Tell when an alert was last changed.

        Args:
            at: The alert's position.

        Returns:
            The instant; of one group in six all alerts share it.
        """
        group = at // _BULK
        if one_in(6, self._seed, group, 63):
            moment = FIRST + (group + 1) * _BULK * self._step + mix(self._seed, group, 64) % (3 * DAY)
            return moment - moment % TENTH
        created = self.created(at)
        if one_in(4, self._seed, at, 65):
            return created
        return cut(created + mix(self._seed, at, 66) % (20 * DAY), self._digits(at))

    def alert(self, at: int) -> Record:
        """Make an alert.

        Args:
            at: The alert's position.

        Returns:
            The record; some lack what was never filled in.
        """
        rng = generator(self._seed, at, 67)
        created, updated = self.created(at), self.updated(at)
        status = rng.choice(STATUSES)
        record: Record = {
            "id": self.alert_id(at),
            "tinyId": str(at + 1),
            "alias": f"event_{at + 1}",
            "message": rng.choice(PROBLEMS),
            "status": status,
            "acknowledged": status == "acked",
            "isSeen": bool(rng.randrange(2)),
            "tags": rng.sample(TAGS, rng.randrange(4)),
            "snoozed": not rng.randrange(8),
            "count": rng.choice((1, 1, 2, 79, 2_147_483_648)),
            "lastOccurredAt": written(created, digits(self._seed, at, 68)),
            "createdAt": written(created, digits(self._seed, at, 69)),
            "updatedAt": written(updated, self._digits(at)),
            "source": rng.choice(("web-3.example", "Prüfstand", "センサー")),
            "owner": rng.choice(("", self._people.username(rng.randrange(10**6)))),
            "priority": f"P{rng.randrange(1, 6)}",
            "responders": self._people.responders(rng),
            "integration": {
                "id": self._size.id("integration", rng.randrange(self._size.integrations)),
                "name": rng.choice(("Default API", "Überwachung")),
                "type": rng.choice(("API", "Prometheus")),
            },
            "seen": bool(rng.randrange(2)),
            "teams": [{"id": self._people.team_id(rng.randrange(10**6))} for _ in range(rng.randrange(3))],
            "ownerTeamId": rng.choice(("", self._people.team_id(rng.randrange(10**6)))),
        }
        if record["snoozed"]:
            record["snoozedUntil"] = written(updated + HOUR)
        if status != "open":
            record["report"] = {
                "ackTime": rng.randrange(10**6),
                "acknowledgedBy": self._people.username(rng.randrange(10**6)),
                "closeTime": rng.randrange(10**7),
                "closedBy": rng.choice((None, self._people.username(rng.randrange(10**6)))),
            }
        return record | self._extras(rng)

    def log_count(self, at: int) -> int:
        """Count what was logged of an alert.

        Args:
            at: The alert's position.

        Returns:
            A few entries; one alert in forty has more than one page of them.
        """
        return 130 + at % 7 if one_in(40, self._seed, at, 70) else mix(self._seed, at, 71) % 6

    def logs(self, at: int) -> list[Record]:
        """Make what was logged of an alert.

        Args:
            at: The alert's position.

        Returns:
            The entries, the oldest first.
        """
        created = self.created(at)
        return [self.log(entry, created + entry * 13 * SECOND, at) for entry in range(self.log_count(at))]

    def log(self, entry: int, moment: int, at: int) -> Record:
        """Make one entry of an alert's log.

        Args:
            entry: Its position in the log.
            moment: When it was written.
            at: The alert's position.

        Returns:
            The record; alerts that came in together have entries of the same offset.
        """
        text, kind = _LOGS[entry % len(_LOGS)]
        millis = moment // 1_000
        return {
            "log": text,
            "type": kind,
            "owner": "System" if kind == "system" else self._people.username(at + entry),
            "createdAt": written(moment),
            "offset": f"{millis}_{millis}{entry:06d}",
        }

    def note_count(self, at: int) -> int:
        """Count the notes of an alert.

        Args:
            at: The alert's position.

        Returns:
            A few; one alert in twenty-five has more than one page of them.
        """
        return 105 + at % 5 if one_in(25, self._seed, at, 82) else mix(self._seed, at, 83) % 3

    def notes(self, at: int) -> list[Record]:
        """Make the notes of an alert.

        Args:
            at: The alert's position.

        Returns:
            The notes, the oldest first.
        """
        entries = ((entry, self.created(at) + entry * 17 * SECOND) for entry in range(self.note_count(at)))
        return [
            {
                "note": REPLIES[(at + entry) % len(REPLIES)],
                "owner": self._people.username(at + entry),
                "createdAt": written(moment),
                "offset": f"{moment // 1_000}_{moment // 1_000}{entry:06d}",
            }
            for entry, moment in entries
        ]

    def recipients(self, at: int) -> list[Record]:
        """Make the list of those who were told of an alert.

        Args:
            at: The alert's position.

        Returns:
            From none to four, each another user.
        """
        rng = generator(self._seed, at, 72)
        created = self.created(at)
        chosen = rng.sample(range(self._size.users), rng.randrange(min(4, self._size.users) + 1))
        return [self._recipient(user, created, rng) for user in sorted(chosen)]

    def _digits(self, at: int) -> int:
        return digits(self._seed, at, 80)

    def _extras(self, rng: Random) -> Record:
        if rng.randrange(2):
            return {}
        return {
            "note": rng.choice((None, "", rng.choice(REPLIES))),
            "user": self._people.username(rng.randrange(10**6)),
            "visibleTo": [{"id": self._people.team_id(0), "name": "Platform", "type": "team"}][: rng.randrange(2)],
            "actions": rng.choice(([], ["ping", "再起動"])),
            "entity": rng.choice(("", "db-01", "Gebäude Ö")),
            "description": rng.choice(("", rng.choice(SENTENCES))),
            "details": rng.choice(({}, {"host": "db-01", "Zähler": 3, "nested": {"a": [1, None]}})),
        }

    def _recipient(self, user: int, created: int, rng: Random) -> Record:
        name = self._people.username(user)
        return {
            "user": {"id": self._people.user_id(user), "username": name},
            "state": rng.choice(("action", "notactive", "active")),
            "method": rng.choice(_METHODS),
            "createdAt": written(created + 10 * TENTH, 3),
            "updatedAt": written(created + rng.randrange(10, 9_000) * TENTH, digits(self._seed, user, 81)),
            "user_username": name,
            "aware": bool(rng.randrange(2)),
        }
