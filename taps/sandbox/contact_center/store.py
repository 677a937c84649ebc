"""The contact centre's rows and what a test or a user can do to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from taps.sandbox import overviews
from taps.sandbox.instants import SECOND, instant, now, stamp
from taps.sandbox.pools import pools
from taps.sandbox.rows import Record, Rows
from taps.sandbox.seeded import generator, mix, one_in
from taps.sandbox.stores import ListStore

if TYPE_CHECKING:
    from collections.abc import Mapping

_METRICS = {
    "account_overview": overviews.ACCOUNT,
    "agents_overview": overviews.AGENTS,
    "current_queue_activity": overviews.QUEUE,
}
#: A few dozen rows, and more for those who ask for a large centre.
_ROWS = {"account_overview": (24, 50), "agents_overview": (36, 33), "current_queue_activity": (12, 80)}
_QUEUES = ("Sales", "Rückgaben", "配送", "الدعم", "Night shift 🌙", "")
_READ = instant("2025-12-31T20:00:00Z") or 0


class ContactCenterStore(ListStore):
    """All rows of a made-up contact centre. Its methods may be called from any thread.

    `change` takes `rows`, how many rows of each collection get other figures, and answers with their ids by collection
    under `rows`.

    Args:
        size: How large the centre is; 2,000 makes some dozens of rows.
        seed: What all made-up contents depend on.
    """

    def __init__(self, *, size: int = 2_000, seed: int = 42) -> None:
        self._seed = seed
        super().__init__(
            {
                stream: Rows(max(least, size // divisor) if size else 0, partial(self._row, stream, variant))
                for variant, (stream, (least, divisor)) in enumerate(_ROWS.items(), 1)
            },
            changes=("rows",),
        )
        self._changes = 0

    def _row(self, stream: str, variant: int, at: int) -> Record:
        number = mix(self._seed, variant, at)
        names = {
            "account_overview": pools().companies,
            "agents_overview": (pools().person(number % 10**6).name,),
            "current_queue_activity": _QUEUES,
        }[stream]
        row: Record = {
            # A string that looks like a number, now and then with zeros that must not be lost.
            "id": f"{variant}{at:05d}" if at % 4 else f"{variant:03d}{at:05d}",
            "name": names[number % len(names)] if number % 11 else None,
            **overviews.figures(self._seed, _METRICS[stream], variant * 1_000_003 + at),
        }
        if one_in(3, self._seed, variant, at, 1):
            moment = _READ - number % 3_600 * SECOND
            row["current_timestamp"] = stamp(moment, offset_hours=0 if number % 5 else 2)
        return row

    def _change(self, numbers: Mapping[str, int]) -> dict[str, Any]:
        self._changes += 1
        rng = generator(self._seed, 81, self._changes)
        changed: dict[str, list[Any]] = {}
        for stream, metrics in _METRICS.items():
            rows = self.rows(stream)
            picked = sorted(rng.sample(rows.keys, min(numbers.get("rows", 0), len(rows))))
            changed[stream] = [rows.value(key, "id") for key in picked]
            for key in picked:
                old = rows.record(key)
                fresh = {metrics[0]: (old.get(metrics[0]) or 0) + self._changes}
                if "current_timestamp" in old:
                    fresh["current_timestamp"] = stamp(now())
                rows.change(key, {**old, **fresh})
        return {"rows": changed}
