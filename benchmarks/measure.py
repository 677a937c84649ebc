"""Runs the programs of a case in turns and takes down what each run took."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.places import CACHE, HERE, LOGS, BenchmarkError, shown
from benchmarks.programs import PROGRAMS, Job
from benchmarks.server import served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.cases import Case
    from benchmarks.programs import Program
    from benchmarks.server import Server

__all__ = ["Bench", "Outcome", "console", "run"]

console = Console(highlight=False, soft_wrap=True)

_LIMIT_SECONDS = 7_200
_MOST_TWICE = 1.01


@dataclass
class Outcome:
    """What came of one program in one case.

    Attributes:
        tickets: How many tickets its server had.
        samples: What each run took: `seconds`, `cpu` and `memory_mb` of the program, `first` (seconds to the first
            record, taken in a run of its own just before), `server_cpu` (seconds), `state_bytes`; of a load also the
            seconds of its `phases`.
        records: The records that it brought, by stream, in the run in which they were counted.
        due: The records that there are, by stream.
        problem: Why there are no samples, or no more.
    """

    tickets: int
    samples: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    problem: str | None = None


def run(program: Program, server: Server, streams: tuple[str, ...], mode: str, mark: str = "") -> dict[str, Any]:
    """Run a program once.

    Args:
        program: The program.
        server: What it reads.
        streams: The streams.
        mode: What to do with its output (see `stopwatch`).
        mark: Tells this run from others of the program at the same time.

    Returns:
        What the stopwatch tells, and `server_cpu`.

    Raises:
        BenchmarkError: It ends with another code than 0, or cannot be run.
    """
    folder = CACHE / "work" / f"{program.name}{mark}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{folder.name}.log"
    command = program.command(program.environment, Job(server.url, streams, folder, first_only=mode == "first"))
    order = {"command": command, "mode": mode, "log": str(log), "limit": _LIMIT_SECONDS}
    before = server.cpu
    try:
        told = _time(order)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if told["code"]:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise BenchmarkError(f"exit code {told['code']}: {said[-1] if said else 'it said nothing'} (see {shown(log)})")
    told["server_cpu"] = None if before is None or server.cpu is None else server.cpu - before
    return told


def _time(order: Mapping[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", str(HERE / "stopwatch.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CACHE) as stopwatch:
        try:
            output, _ = stopwatch.communicate(json.dumps(order))
        except BaseException:
            # It ends what it has started.
            stopwatch.terminate()
            raise
    if stopwatch.returncode:
        raise BenchmarkError("it could not be started")
    told: dict[str, Any] = json.loads(output)
    return told


@dataclass
class Bench:
    """Measures cases.

    Attributes:
        absent: Programs' environments that are not there.
        counted: What the stopwatch told of each program when its records were counted, by program, number of tickets
            and streams.
    """

    absent: Mapping[str, str]
    counted: dict[tuple[str, int, tuple[str, ...]], dict[str, Any]] = field(default_factory=dict)

    def measure(self, case: Case) -> Iterator[dict[str, Outcome]]:
        """Measure a case: count what each program brings, then run them in turns.

        The counting also has the server make all pages that will be asked for. Where answers are to be late, it is done
        on a server whose answers are not.

        Yields:
            The outcomes by program as they are after each round.
        """
        programs = [PROGRAMS[name] for name in case.programs if PROGRAMS[name].environment.name not in self.absent]
        outcomes = {program.name: Outcome(case.fewer.get(program.name, case.tickets)) for program in programs}
        sizes = sorted({outcome.tickets for outcome in outcomes.values()})
        if case.latency_ms:
            with ExitStack() as stack:
                prompt = {size: stack.enter_context(served(size)) for size in sizes}
                self._count(case, outcomes, prompt)
        with ExitStack() as stack:
            servers = {size: stack.enter_context(served(size, latency_ms=case.latency_ms)) for size in sizes}
            if not case.latency_ms:
                self._count(case, outcomes, servers)
            for number in range(1, case.rounds + 1):
                for name, outcome in outcomes.items():
                    if not outcome.problem and not case.state and number <= self._rounds(case, name, outcome):
                        self._sample(case, PROGRAMS[name], outcome, servers[outcome.tickets], number)
                yield outcomes

    def _count(self, case: Case, outcomes: Mapping[str, Outcome], servers: Mapping[int, Server]) -> None:
        due = {size: server.counts() for size, server in servers.items()}
        for name, outcome in outcomes.items():
            key = (name, outcome.tickets, case.streams)
            # Counted before, on a server like this one; but a server without latency still has its pages to make.
            if key not in self.counted or not case.latency_ms:
                try:
                    self.counted[key] = run(PROGRAMS[name], servers[outcome.tickets], case.streams, "count")
                except BenchmarkError as error:
                    outcome.problem = str(error)
                    _tell(case, name, outcome.problem, style="red")
                    continue
            told = self.counted[key]
            outcome.records = told["records"]
            wanted = {stream: due[outcome.tickets][stream] for stream in case.streams}
            outcome.due = wanted
            if not PROGRAMS[name].starts_like and not _complete(outcome.records, wanted):
                outcome.problem = f"it brought {_spelled(outcome.records)}, not {_spelled(wanted)}"
                _tell(case, name, outcome.problem, style="red")
                continue
            _tell(case, name, f"counted {_spelled(outcome.records)} in {told['seconds']:.1f} s")
            if case.state:
                outcome.samples.append(_sample_of(told, 1))

    def _rounds(self, case: Case, name: str, outcome: Outcome) -> int:
        if case.patience is None or name in case.patient_with:
            return case.rounds
        late = outcome.tickets * case.latency_ms / 1_000 / PROGRAMS[name].at_once
        # Its own work, not the time that it took: while it was counted, the server had all pages still to make.
        expected = self.counted[name, outcome.tickets, case.streams]["cpu"] + late
        return min(case.rounds, max(1, int(case.patience / expected)))

    @staticmethod
    def _sample(case: Case, program: Program, outcome: Outcome, server: Server, number: int) -> None:
        measured: dict[str, Any] = {"round": number}
        try:
            if case.first and not program.starts_like:
                measured["first"] = run(program, server, case.streams, "first")["seconds"]
            if case.whole:
                told = run(program, server, case.streams, "tree" if case.loads else "run")
                if case.loads:
                    _check_loaded(told["records"], outcome.due)
                measured |= _sample_of(told, number)
        except BenchmarkError as error:
            outcome.problem = f"in round {number}: {error}"
            _tell(case, program.name, outcome.problem, style="red")
            return
        outcome.samples.append(measured)
        words = [f"{measured['seconds']:.2f} s"] if case.whole else []
        words += [f"{measured['first']:.2f} s to the first record"] if "first" in measured else []
        _tell(case, program.name, f"round {number}: {', '.join(words)}")


def _sample_of(told: Mapping[str, Any], number: int) -> dict[str, Any]:
    kept = {name: told[name] for name in ("seconds", "cpu", "memory_mb", "server_cpu")}
    if told["phases"]:
        kept["phases"] = told["phases"]
    return {"round": number, **kept, "state_bytes": told["bytes"].get("STATE", 0)}


def _check_loaded(records: Mapping[str, int], due: Mapping[str, int]) -> None:
    if dict(records) != dict(due):
        raise BenchmarkError(f"it loaded {_spelled(records)}, not {_spelled(due)}")


def _complete(records: Mapping[str, int], due: Mapping[str, int]) -> bool:
    """Whether all records were brought; a few may have come twice, where one window of pages begins in another."""
    return all(count <= records.get(stream, 0) <= count * _MOST_TWICE for stream, count in due.items())


def _spelled(records: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {stream}" for stream, count in sorted(records.items())) or "nothing"


def _tell(case: Case, name: str, words: str, style: str | None = None) -> None:
    console.print(f"{case.section}, {case.name}: {PROGRAMS[name].title}: {words}", style=style, markup=False)
