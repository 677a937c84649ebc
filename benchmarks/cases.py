"""What is measured: sections of cases, each a server and the programs that read it in turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.programs import BOTH, TICKETS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SECTIONS", "Case", "Sizes", "cases_of"]

_TAPS = ("ours", "plain-sdk", "tap-freshdesk", "airbyte", "dlt")
_LOOPS = ("loop-requests", "loop-urllib3")
_BARE = (*_LOOPS, "loop-plain", "download-requests", "download-urllib3", "download-plain")
_OURS = ("ours-1", "ours-4", "ours-8", "ours-16")
_DLT = ("dlt", "dlt-4", "dlt-8", "dlt-16")
_REST = ("rest", "rest-parquet", "rest-parquet-2", "rest-jsonl", "rest-jsonl-2")
_LOADS = ("bridge", *_REST, "bridge-kept", "rest-parquet-2-kept", "rest-jsonl-2-kept")
#: Those that read a million tickets in ten minutes or so.
_QUICK = ("ours", "plain-sdk", "dlt", *_LOOPS)
_LARGE = 1_000_000
#: The latency in milliseconds for which these are run in all rounds, however long they take.
_USUAL_LATENCY = 50
_COMPARED = frozenset({"ours-4", "ours-8", "ours-16", "plain-sdk", "dlt-4", "dlt-8", "dlt-16"})

#: All sections, in the order in which they are run and reported.
SECTIONS = ("throughput", "children", "state", "startup", "memory", "growth", "bridge")


@dataclass(frozen=True)
class Case:
    """Programs that read the same server in turns: each once in the first round, each once in the second, and so on.

    Attributes:
        section: The section that it belongs to.
        name: What is particular about it, as a table shows it.
        tickets: How many tickets the server has.
        programs: The programs' names.
        rounds: How many rounds there are.
        streams: What is read.
        latency_ms: Milliseconds that every answer is late.
        fewer: Programs that read a server with fewer tickets, because of their pace; with how many.
        whole: Whether whole runs are measured.
        first: Whether the time to the first record is measured.
        loads: Whether the programs load into a database: they tell in each run what is in it then, and their memory is
            that of all their processes.
        state: Whether the bytes of STATE are counted, and the output is therefore read instead of going to nowhere.
        patience: Seconds that the rounds of one program may take; there are fewer rounds for one that takes longer,
            but always one. None for all rounds, however long they take.
        patient_with: Programs for which that does not hold.
    """

    section: str
    name: str
    tickets: int
    programs: tuple[str, ...]
    rounds: int
    streams: tuple[str, ...] = TICKETS
    latency_ms: int = 0
    fewer: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True
    first: bool = False
    loads: bool = False
    state: bool = False
    patience: float | None = None
    patient_with: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sizes:
    """How much is read.

    Attributes:
        throughput: Tickets for the throughput.
        slow: Tickets for it of a program of less than 300 records a second.
        parents: Tickets whose conversations are read.
        latencies: Milliseconds that the server's answers are late while they are.
        states: Numbers of tickets for which the bytes of STATE are counted.
        growth: Numbers of tickets for time and memory.
        loaded: Tickets that are loaded into DuckDB.
        slow_load: Tickets of those that are loaded as dlt does it by default.
    """

    throughput: int = 50_000
    slow: int = 5_000
    parents: int = 2_000
    latencies: tuple[int, ...] = (50, 20, 200)
    states: tuple[int, ...] = (500, 1_000, 2_000, 4_000)
    growth: tuple[int, ...] = (10_000, 100_000, _LARGE)
    loaded: int = 100_000
    slow_load: int = 5_000

    @classmethod
    def quick(cls) -> Sizes:
        """Give sizes that only show that all of it works."""
        return cls(10_000, 300, 100, (20,), (50, 100, 200), (1_000, 2_000), 5_000, 500)


def cases_of(section: str, sizes: Sizes, rounds: int, patience: float) -> list[Case]:
    """List the cases of a section.

    Args:
        section: Its name; `memory` and `growth` are the same runs.
        sizes: How much is read.
        rounds: How many rounds there are.
        patience: Seconds for the rounds of one program, where they are not all run in any case.
    """
    if section == "throughput":
        name, fewer = f"{sizes.throughput:,} tickets", {"airbyte": sizes.slow}
        readers = (*_TAPS, *_BARE)
        return [Case(section, name, sizes.throughput, readers, rounds, fewer=fewer, first=True)]
    if section == "children":
        parallel = (*_OURS, "plain-sdk", "tap-freshdesk", "airbyte", *_DLT)
        return [
            Case(
                section,
                f"{latency} ms",
                sizes.parents,
                parallel,
                rounds,
                BOTH,
                latency,
                patience=patience,
                patient_with=_COMPARED if latency == _USUAL_LATENCY else frozenset(),
            )
            for latency in sizes.latencies
        ]
    if section == "state":
        return [
            Case(section, f"{tickets:,} parents", tickets, ("ours", "plain-sdk"), 1, BOTH, state=True)
            for tickets in sizes.states
        ]
    if section == "startup":
        starters = (*_TAPS, *_LOOPS)
        return [Case(section, "to the first record", sizes.parents, starters, 4 * rounds, whole=False, first=True)]
    if section == "bridge":
        name = f"{sizes.loaded:,} tickets"
        fewer = {"rest": sizes.slow_load}
        return [Case(section, name, sizes.loaded, _LOADS, rounds, fewer=fewer, loads=True, patience=patience)]
    return [
        Case(
            "growth",
            f"{tickets:,} tickets",
            tickets,
            _QUICK if tickets >= _LARGE else (*_TAPS, *_LOOPS),
            rounds,
            patience=patience,
        )
        for tickets in sizes.growth
    ]
