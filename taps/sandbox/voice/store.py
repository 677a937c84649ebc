"""The call centre's records and what a test or a user can do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox import overviews
from taps.sandbox.instants import now, stamp
from taps.sandbox.rows import Record, Rows
from taps.sandbox.seeded import generator
from taps.sandbox.stores import ListStore
from taps.sandbox.voice import menus, shape
from taps.sandbox.voice.activity import agent_activity
from taps.sandbox.voice.calls import Calls
from taps.sandbox.voice.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The collections that are one object, each a snapshot of now.
OVERVIEWS = {
    "account_overview": overviews.ACCOUNT,
    "agents_overview": overviews.AGENTS,
    "current_queue_activity": overviews.QUEUE,
}
_INSIDE_IVRS = {"ivr_menus": menus.menus_in, "ivr_routes": menus.routes_in}
#: How many legs a call that comes in later has, by turns.
_LATER_LEGS = (1, 2, 2)


class VoiceStore(ListStore):
    """All records of a made-up call centre. Its methods may be called from any thread.

    `change` takes `calls`, how many calls change with all their legs, and `new`, how many come in with one leg or two.
    It answers with the ids of the calls under these names, and with the ids of their legs under `call_legs`.

    Args:
        size: How many calls there are; the other collections follow in size.
        seed: What all made-up contents depend on.
    """

    def __init__(self, *, size: int = 2_000, seed: int = 42) -> None:
        self._size = shape.Size(seed, size)
        self._made = made = Calls(self._size)
        lines = Lines(self._size)
        lists = {
            "addresses": Rows.of(lines.addresses()),
            "agents_activity": Rows(self._size.agents, lambda at: agent_activity(self._size, at)),
            "call_legs": Rows(
                self._size.legs,
                made.leg,
                {
                    "id": lambda at: shape.made_id("leg", at),
                    "call_id": lambda at: shape.made_id("call", shape.call_of(at)),
                    "updated_at": made.leg_updated,
                },
            ),
            "calls": Rows(size, made.call, {"id": lambda at: shape.made_id("call", at), "updated_at": made.updated}),
            "greeting_categories": Rows.of(lines.greeting_categories()),
            "greetings": Rows.of(lines.greetings()),
            "ivrs": Rows.of(menus.ivrs(self._size)),
            "phone_numbers": Rows(self._size.numbers, lines.number),
        }
        for variant, (name, names) in enumerate(OVERVIEWS.items()):
            lists[name] = Rows.of([overviews.figures(seed, names, variant)])
        super().__init__(lists, changes=("calls", "new"))
        self._changes = 0
        self._later = {"call": size, "leg": self._size.legs}

    def counts(self) -> dict[str, int]:
        """Count the records of every collection.

        Returns:
            The number by collection, those inside the ivrs among them.
        """
        with self.lock:
            inside = {name: len(self.records(name)) for name in _INSIDE_IVRS}
            return dict(sorted({**super().counts(), **inside}.items()))

    def records(self, stream: str) -> list[Record]:
        """Give all records of a collection as a client ought to end up with them.

        Args:
            stream: The collection's name.

        Returns:
            The records as they are served; those inside the ivrs with the ids of what they are in. Overviews are
            without `current_timestamp`.

        Raises:
            KeyError: There is no such collection.
        """
        with self.lock:
            inside = _INSIDE_IVRS.get(stream)
            return super().records(stream) if inside is None else inside(super().records("ivrs"))

    def _change(self, numbers: Mapping[str, int]) -> dict[str, Any]:
        self._changes += 1
        moment = now()
        rng = generator(self._size.seed, 81, self._changes)
        calls, legs = self.rows("calls"), self.rows("call_legs")
        picked = sorted(rng.sample(calls.keys, min(numbers.get("calls", 0), len(calls))))
        of_call: dict[Any, list[int]] = {calls.value(key, "id"): [] for key in picked}
        for key in legs.keys if of_call else ():
            if (call := legs.value(key, "call_id")) in of_call:
                of_call[call].append(key)
        for key in picked:
            old = calls.record(key)
            fresh = {"wrap_up_time": (old.get("wrap_up_time") or 0) + self._changes, "ticket_id": self._changes}
            calls.change(key, {**old, **fresh, "updated_at": stamp(moment)})
        touched = [key for keys in of_call.values() for key in keys]
        for key in touched:
            old = legs.record(key)
            fresh = {"hold_time": (old.get("hold_time") or 0) + self._changes, "updated_at": stamp(moment)}
            legs.change(key, {**old, **fresh})
        answer: dict[str, Any] = {
            "calls": list(of_call),
            "new": [],
            "call_legs": [legs.value(key, "id") for key in touched],
        }
        for _ in range(numbers.get("new", 0)):
            self._add(moment, answer)
        return answer

    def _add(self, moment: int, answer: dict[str, Any]) -> None:
        times = {"created_at": stamp(moment), "updated_at": stamp(moment)}
        number = shape.made_id("call", self._later["call"])
        self.rows("calls").append({**self._made.call(self._later["call"]), **times})
        for _ in range(_LATER_LEGS[self._later["call"] % len(_LATER_LEGS)]):
            leg = self._made.leg(self._later["leg"])
            self.rows("call_legs").append({**leg, **times, "call_id": number})
            answer["call_legs"].append(leg["id"])
            self._later["leg"] += 1
        self._later["call"] += 1
        answer["new"].append(number)
