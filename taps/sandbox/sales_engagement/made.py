"""Makes the records of the sales engagement API, each by its position."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from taps.sandbox.instants import DAY, HOUR, SECOND, instant
from taps.sandbox.pools import pools
from taps.sandbox.sales_engagement.streams import BY_TYPE, STREAMS, Relationship, Stream
from taps.sandbox.sales_engagement.values import Draw, Make, custom, maker, written
from taps.sandbox.seeded import generator, mix, one_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from taps.sandbox.rows import Record

# Fixed, so that the same seed gives the same bytes on every day.
_FIRST = instant("2021-01-04T07:30:00Z") or 0
_LAST = instant("2025-11-28T17:00:00Z") or 0
_RUNS_FROM = instant("2025-12-01T02:00:00.250Z") or 0
_RUNS = 12
_FEW = 4
_MOST_FILLED = 6

#: How many records there are for a hundred prospects; of the collections not named here there are a few.
_PER_HUNDRED = {
    "prospects": 100,
    "accounts": 25,
    "account_notes": 8,
    "audit_logs": 10,
    "batch_items": 12,
    "batches": 2,
    "calls": 40,
    "compliance_requests": 1,
    "email_addresses": 110,
    "events": 60,
    "favorites": 3,
    "kaia_recordings": 3,
    "mail_aliases": 2,
    "mailboxes": 1,
    "mailings": 80,
    "opportunities": 12,
    "opportunity_prospect_roles": 15,
    "phone_numbers": 60,
    "prospect_notes": 20,
    "purchases": 5,
    "recipients": 30,
    "sequence_states": 50,
    "sequence_steps": 4,
    "sequence_templates": 3,
    "sequences": 1,
    "snippets": 1,
    "tasks": 35,
    "templates": 2,
    "users": 2,
}


@dataclass(frozen=True)
class _Plan:
    number: int
    stream: Stream
    makers: tuple[tuple[str, Make], ...]
    customs: tuple[str, ...]
    # Attributes that repeat a relationship's id, and must not contradict it.
    repeated: tuple[tuple[str, str], ...]


class Made:
    """Makes records.

    Args:
        prospects: How many prospects there are.
        seed: What all contents depend on.
        root: What the paths in links begin with.
    """

    def __init__(self, prospects: int, seed: int, root: str = "/v1") -> None:
        self._seed = seed
        self._root = root
        least = {"prospects": 0}
        self.counts = {
            name: max(prospects * _PER_HUNDRED.get(name, 0) // 100, least.get(name, _FEW)) for name in STREAMS
        }

    def created(self, name: str, at: int) -> int:
        """Tell when a record was made.

        Args:
            name: The collection.
            at: The record's position.

        Returns:
            The instant.
        """
        number = _plan(name).number
        return _FIRST + mix(self._seed, number, at, 1) % ((_LAST - _FIRST) // SECOND) * SECOND

    def updated(self, name: str, at: int) -> int:
        """Tell when a record was last changed.

        Args:
            name: The collection.
            at: The record's position.

        Returns:
            The instant; one record in ten shares it with all others that the same import touched.
        """
        number = _plan(name).number
        if one_in(10, self._seed, number, at, 2):
            return _RUNS_FROM + mix(self._seed, number, at, 3) % _RUNS * 2 * DAY
        created = self.created(name, at)
        if one_in(4, self._seed, number, at, 4):
            return created
        span = min(300 * DAY, _RUNS_FROM - HOUR - created) // SECOND
        later = mix(self._seed, number, at, 5) % span * SECOND
        thousandths = mix(self._seed, number, at, 6) % 1_000 * 1_000
        return created + HOUR + later + (thousandths if one_in(2, self._seed, number, at, 7) else 0)

    def record(self, name: str, at: int) -> Record:
        """Make a record.

        Args:
            name: The collection.
            at: The record's position.

        Returns:
            The record as JSON:API has it.
        """
        plan = _plan(name)
        rng = generator(self._seed, plan.number, at, 8)
        relationships = {
            part.name: self._relationship(part, plan.stream, at, rng) for part in plan.stream.relationships
        }
        draw = Draw(
            rng,
            name,
            at,
            self.created(name, at),
            self.updated(name, at),
            pools().person(mix(self._seed, plan.number, at, 9) % 16_384),
            _company(at if name == "accounts" else (_one(relationships, "account") or at + 1) - 1),
        )
        attributes = {field: make(draw) for field, make in plan.makers}
        for field, relationship in plan.repeated:
            attributes[field] = _one(relationships, relationship)
        if plan.customs:
            attributes.update(dict.fromkeys(plan.customs))
            for field in rng.sample(plan.customs, min(len(plan.customs), rng.randrange(_MOST_FILLED + 1))):
                attributes[field] = custom(draw)
        for field, moment in (("createdAt", draw.created), ("updatedAt", draw.updated)):
            if field in attributes:
                shift = 2 if one_in(37, self._seed, plan.number, at, 10) else 0
                attributes[field] = written(
                    moment, bare=one_in(13, self._seed, plan.number, at, 11), offset_hours=shift
                )
        return {
            "type": plan.stream.type,
            "id": at + 1,
            "attributes": attributes,
            "relationships": relationships,
            "links": {"self": f"{self._root}{plan.stream.tail}/{at + 1}"},
        }

    def _relationship(self, part: Relationship, stream: Stream, at: int, rng: Random) -> dict[str, Any]:
        if not part.data:
            return {"links": {"related": f"{self._root}{stream.tail}/{at + 1}/{part.name}"}}
        target = part.targets[0] if len(part.targets) == 1 else rng.choice(part.targets)
        count = self.counts[BY_TYPE[target]]
        if part.many:
            chosen = rng.sample(range(1, count + 1), min(rng.choice((0, 0, 1, 3)), count))
            return {"data": [{"type": target, "id": number} for number in sorted(chosen)]}
        if not count or not rng.randrange(6):
            return {"data": None}
        return {"data": {"type": target, "id": rng.randrange(count) + 1}}


def flat(record: Mapping[str, Any]) -> Record:
    """Give a record with its attributes and the ids of its relationships at the top.

    Args:
        record: The record as JSON:API has it, or flat already.

    Returns:
        The flat record.
    """
    if "attributes" not in record:
        return dict(record)
    row = {"id": record["id"], **record["attributes"]}
    for name, part in (record.get("relationships") or {}).items():
        if "data" not in part:
            continue
        data = part["data"]
        many = isinstance(data, list)
        field = Relationship(name, (), many).field
        row[field] = [one["id"] for one in data] if many else data and data["id"]
    return row


@cache
def _plan(name: str) -> _Plan:
    stream = STREAMS[name]
    fields = {part.field: part.name for part in stream.relationships if part.data}
    repeated = tuple((one.name, fields[one.name]) for one in stream.attributes if one.name in fields)
    return _Plan(
        list(STREAMS).index(name),
        stream,
        tuple((one.name, maker(name, one)) for one in stream.attributes),
        tuple(f"custom{number + 1}" for number in range(stream.customs)),
        repeated,
    )


def _one(relationships: Mapping[str, Any], name: str) -> int | None:
    data = relationships.get(name, {}).get("data")
    return data["id"] if data else None


def _company(at: int) -> str:
    companies = pools().companies
    return companies[at * 31 % len(companies)]
