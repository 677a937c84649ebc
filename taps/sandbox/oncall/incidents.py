"""Incidents, each of which may concern several services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.instants import DAY, HOUR
from taps.sandbox.oncall.shape import FIRST, SPAN, TENTH, Size, digits, written
from taps.sandbox.pools import PROBLEMS, REPLIES, SENTENCES, TAGS
from taps.sandbox.seeded import generator, mix, one_in

if TYPE_CHECKING:
    from random import Random

    from taps.sandbox.oncall.people import People
    from taps.sandbox.rows import Record

STATUSES = ("open", "resolved", "closed")


class Incidents:
    """Makes incidents, each by its position.

    Args:
        size: The team's size.
        people: Who looks after them.
    """

    def __init__(self, size: Size, people: People) -> None:
        self._size = size
        self._seed = size.seed
        self._people = people

    def id(self, at: int) -> str:
        """Give an incident's id.

        Args:
            at: The incident's position.

        Returns:
            The id.
        """
        return self._size.id("incident", at)

    def created(self, at: int) -> int:
        """Tell when an incident was opened.

        Args:
            at: The incident's position.

        Returns:
            The instant.
        """
        moment = FIRST + mix(self._seed, at, 73) % SPAN
        return moment - moment % TENTH

    def updated(self, at: int) -> int:
        """Tell when an incident was last changed.

        Args:
            at: The incident's position.

        Returns:
            The instant; some share it.
        """
        if one_in(8, self._seed, at, 74):
            return FIRST + SPAN + (at % 5) * DAY + 5 * TENTH
        return self.created(at) + mix(self._seed, at, 75) % (9 * DAY // TENTH) * TENTH

    def incident(self, at: int) -> Record:
        """Make an incident.

        Args:
            at: The incident's position.

        Returns:
            The record; some lack what was never filled in.
        """
        rng = generator(self._seed, at, 76)
        number, created, updated = self.id(at), self.created(at), self.updated(at)
        status = rng.choice(STATUSES)
        services = [self._size.id("service", rng.randrange(self._size.services)) for _ in range(rng.randrange(3))]
        record: Record = {
            "id": number,
            "tinyId": str(at + 1),
            "message": rng.choice(PROBLEMS),
            "status": status,
            "tags": rng.sample(TAGS, rng.randrange(3)),
            "createdAt": written(created, digits(self._seed, at, 77)),
            "updatedAt": written(updated, digits(self._seed, at, 78)),
            "priority": f"P{rng.randrange(1, 6)}",
            "responders": self._people.responders(rng),
            "impactedServices": services,
            "description": rng.choice((None, "", rng.choice(SENTENCES))),
            "ownerTeam": rng.choice(("", self._people.team_id(rng.randrange(10**6)))),
            "extraProperties": rng.choice(({}, {"region": "eu-central", "Größe": "XL"})),
            "links": {
                "web": f"https://oncall.example/incidents/{number}",
                "api": f"https://api.oncall.example/v1/incidents/{number}",
            },
            "impactStartDate": written(created, digits(self._seed, at, 79)),
            "actions": rng.choice(([], ["restart", "再起動"])),
            "isSeen": bool(rng.randrange(2)),
            "source": rng.choice(("", "monitoring")),
            "owner": rng.choice(("", self._people.username(rng.randrange(10**6)))),
            "note": rng.choice((None, "", rng.choice(REPLIES))),
            "statusPageEntry": rng.choice((None, {"title": "We are on it", "detail": rng.choice(SENTENCES)})),
            "details": rng.choice((None, {}, {"build": 7, "nested": {"ok": True}})),
            "notifyStakeholders": rng.choice((None, True, False)),
            "timelines": [self._event(created + step * HOUR, rng) for step in range(rng.randrange(3))],
        }
        if status != "open":
            record["impactEndDate"] = written(updated, 3)
        return record

    def _event(self, moment: int, rng: Random) -> Record:
        return {
            "id": f"{rng.getrandbits(64):016x}",
            "group": "incident",
            "type": rng.choice(("IncidentCreated", "ResponderAlerted")),
            "eventTime": written(moment, 3),
            "hidden": False,
            "actor": {"name": self._people.username(rng.randrange(10**6)), "type": "user"},
            "title": {"type": "text", "content": rng.choice(SENTENCES)},
        }
