"""The sales engagement API's records and tokens, and what a test or a user can do to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from taps.sandbox.instants import instant, now
from taps.sandbox.pools import PROBLEMS
from taps.sandbox.rows import NO_INSTANT, Record, Rows
from taps.sandbox.sales_engagement.made import Made, flat
from taps.sandbox.sales_engagement.streams import STREAMS
from taps.sandbox.sales_engagement.tokens import Tokens
from taps.sandbox.sales_engagement.values import written
from taps.sandbox.seeded import generator
from taps.sandbox.stores import ListStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The collections of which `change` changes records, each with the field that it writes to.
_CHANGED = {"prospects": "title", "accounts": "description", "opportunities": "nextStep", "tasks": "note"}
#: The collections that `change` adds to, by the kind of change.
_ADDED = {"new": "prospects", "events": "events", "mailings": "mailings"}
_VOIDED = "expire"


class SalesRows(Rows):
    """Records whose timestamps may stand among their attributes."""

    def value(self, key: int, field: str) -> Any:
        """Give one field, the quick way where there is one.

        Args:
            key: The record's key.
            field: `id`, or the name of a timestamp.

        Returns:
            The id, or the timestamp's instant.
        """
        if key not in self._own and field in self._quick:
            return self._quick[field](key)
        record = self.record(key)
        if field == "id":
            return record.get("id")
        attributes = record.get("attributes")
        moment = instant((attributes if isinstance(attributes, dict) else record).get(field))
        return NO_INSTANT if moment is None else moment

    def forget_bodies(self) -> None:
        """Serialise all records anew when they are next asked for."""
        self._bodies.clear()


class SalesStore(ListStore):
    """All records of a made-up sales team. Its methods may be called from any thread.

    Attributes:
        tokens: The API's tokens.
        flat: Whether made-up records are served flat rather than as JSON:API has them.

    Args:
        prospects: How many prospects there are; the other collections follow in size.
        seed: What all made-up contents depend on.
        root: What the paths in links begin with.
    """

    def __init__(self, *, prospects: int = 2_000, seed: int = 42, root: str = "/v1") -> None:
        self.flat = False
        self.tokens = Tokens(client_id="", client_secret="", refresh_token="", ttl=0, rotate=False)
        self._seed = seed
        self._changed = 0
        self._made = Made(prospects, seed, root)
        self._rows = {name: self._list(name) for name in STREAMS}
        super().__init__(self._rows, changes=(*_CHANGED, *_ADDED, _VOIDED))

    @property
    def tokens_minted(self) -> int:
        """How many access tokens were minted."""
        return self.tokens.minted

    @property
    def refused_refreshes(self) -> int:
        """How many times a refresh token was refused."""
        return self.tokens.refused

    @property
    def current_refresh_token(self) -> str:
        """The refresh token that is good now."""
        return self.tokens.refresh_token

    @property
    def mint_fault(self) -> Callable[[str], None] | None:
        """What is called before and after a token is minted, to make that go wrong: see `Tokens.fault`."""
        return self.tokens.fault

    @mint_fault.setter
    def mint_fault(self, fault: Callable[[str], None] | None) -> None:
        self.tokens.fault = fault

    def serve(self, tokens: Tokens, *, as_flat: bool) -> None:
        """Settle how the records are served.

        Args:
            tokens: The tokens that give access to them.
            as_flat: Whether they are flat.
        """
        with self.lock:
            self.tokens = tokens
            self.flat = as_flat
            for rows in self._rows.values():
                rows.forget_bodies()
            self.version += 1

    def expire(self) -> int:
        """Void all access tokens.

        Returns:
            How many were good until now.
        """
        return self.tokens.expire()

    def records(self, stream: str) -> list[Record]:
        """Give all records of a collection as a client ought to end up with them.

        Args:
            stream: The collection's name.

        Returns:
            The flat records, with the ids of their relationships.

        Raises:
            KeyError: There is no such collection.
        """
        with self.lock:
            return [flat(record) for record in super().records(stream)]

    def _list(self, name: str) -> SalesRows:
        made = self._made
        quick: dict[str, Callable[[int], int]] = {
            "id": lambda at: at + 1,
            "createdAt": partial(made.created, name),
            "updatedAt": partial(made.updated, name),
        }
        known = {"id", *(one.name for one in STREAMS[name].attributes)}
        return SalesRows(
            made.counts[name],
            partial(self._make, name),
            {field: function for field, function in quick.items() if field in known},
        )

    def _make(self, name: str, at: int) -> Record:
        record = self._made.record(name, at)
        return flat(record) if self.flat else record

    def _change(self, numbers: Mapping[str, int]) -> dict[str, Any]:
        self._changed += 1
        moment = now()
        answer: dict[str, Any] = {}
        for kind, number in numbers.items():
            if kind == _VOIDED:
                answer[kind] = self.expire() if number else 0
            elif kind in _ADDED:
                answer[kind] = [self._add(_ADDED[kind], moment) for _ in range(number)]
            else:
                rows = self._rows[kind]
                # The kind's place counts as well: otherwise lists of one length had the same places picked.
                rng = generator(self._seed, 91, self._changed, list(_CHANGED).index(kind))
                picked = sorted(rng.sample(rows.keys, min(number, len(rows))))
                text = f"{rng.choice(PROBLEMS)} [{self._changed}]"
                fields = {_CHANGED[kind]: text, "updatedAt": written(moment)}
                answer[kind] = [self._touch(rows, key, fields) for key in picked]
        return answer

    def _touch(self, rows: SalesRows, key: int, fields: Mapping[str, Any]) -> Any:
        old = rows.record(key)
        rows.change(key, _with(old, fields))
        return old.get("id")

    def _add(self, name: str, moment: int) -> int:
        rows = self._rows[name]
        number = max((number for number in rows.ids() if isinstance(number, int)), default=0) + 1
        stamps = {"createdAt": written(moment), "updatedAt": written(moment)}
        known = {one.name for one in STREAMS[name].attributes}
        made = self._make(name, number - 1)
        rows.append(_with(made, {field: value for field, value in stamps.items() if field in known}))
        return number


def _with(record: Record, fields: Mapping[str, Any]) -> Record:
    attributes = record.get("attributes")
    if isinstance(attributes, dict):
        return {**record, "attributes": {**attributes, **fields}}
    return {**record, **fields}
