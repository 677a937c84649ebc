"""The raw figures of all cases, kept in one file, a case at a time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.cases import Case
    from benchmarks.measure import Outcome

__all__ = ["Entry", "Results"]


@dataclass(frozen=True)
class Entry:
    """What came of one program in one case.

    Attributes:
        tickets: How many tickets its server had.
        records: The records that it brought in the run in which they were counted, by stream.
        due: The records that there are, by stream.
        samples: What each measured run took (see `measure.Outcome`).
        problem: Why there are none, or no more.
    """

    tickets: int
    records: Mapping[str, int]
    due: Mapping[str, int]
    samples: list[dict[str, Any]]
    problem: str | None

    def figures(self, name: str) -> list[float]:
        """Give a figure of all runs, as in the samples."""
        return [sample[name] for sample in self.samples if sample.get(name) is not None]

    def middle(self, name: str) -> float | None:
        """Give a figure's median over all runs."""
        figures = self.figures(name)
        return median(figures) if figures else None

    def phase(self, name: str) -> float | None:
        """Give the median of a load's phase over all runs."""
        figures = [sample["phases"][name] for sample in self.samples if name in sample.get("phases", {})]
        return median(figures) if figures else None

    def rate(self, start: float | None = 0) -> float | None:
        """Give the median of tickets a second.

        Args:
            start: Seconds to take off each run; None where they are not known.
        """
        seconds = self.middle("seconds")
        return None if seconds is None or start is None else self.tickets / (seconds - start)


@dataclass
class Results:
    """All that has been measured.

    Attributes:
        machine: What it was measured on.
        versions: Versions of what was measured, by environment.
        absent: Why an environment could not be made, by environment.
        cases: The cases as they are in the file, by section and name.
    """

    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Results:
        """Read what has been measured before; nothing, where there is no such file."""
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else cls()

    def write(self, file: Path) -> None:
        """Keep all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def take(self, case: Case, outcomes: Mapping[str, Outcome]) -> None:
        """Put a case in the place of an earlier one of the same section and name.

        Programs not run now stay if they ran on the same processor, for else they could not be compared.
        """
        key = f"{case.section}: {case.name}"
        earlier = self.cases.get(key, {})
        kept = earlier["programs"] if earlier.get("processor") == self.machine["processor"] else {}
        programs = {**kept, **{name: asdict(outcome) for name, outcome in outcomes.items()}}
        self.cases[key] = {
            "section": case.section,
            "name": case.name,
            "tickets": case.tickets,
            "streams": list(case.streams),
            "latency_ms": case.latency_ms,
            "processor": self.machine["processor"],
            "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "programs": programs,
        }

    def on_other_processors(self) -> dict[str, list[str]]:
        """Give the cases that were not measured on the present machine, by its processor."""
        others: dict[str, list[str]] = {}
        for key, case in self.cases.items():
            processor = case.get("processor", "not noted")
            if processor != self.machine["processor"]:
                others.setdefault(processor, []).append(key)
        return others

    def of(self, section: str) -> dict[str, dict[str, Entry]]:
        """Give a section's cases: the programs' entries by case, the smallest case first."""
        cases = [case for case in self.cases.values() if case["section"] == section]
        cases.sort(key=lambda case: (case["tickets"], case["latency_ms"]))
        return {case["name"]: {name: Entry(**entry) for name, entry in case["programs"].items()} for case in cases}
