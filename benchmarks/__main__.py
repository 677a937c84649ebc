"""Measure the help desk tap and its peers on the same local server, in turns, and write tables and plots.

The raw figures are kept after each round: what is not measured now stays as it was, and a run that is stopped has kept
all rounds that it ended.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.arguments import Parser, positive, positives, words
from benchmarks.cases import SECTIONS, Case, Sizes, cases_of
from benchmarks.environments import ENVIRONMENTS, UnavailableError
from benchmarks.machine import describe
from benchmarks.measure import Bench, console
from benchmarks.places import CACHE, HERE, PLOTS, RESULTS, BenchmarkError, shown
from benchmarks.programs import PROGRAMS
from benchmarks.report import report
from benchmarks.results import Results

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path

_PROGRAMS_IN = [name for name in ENVIRONMENTS if name != "plots"]


def _read_arguments() -> Namespace:
    parser = Parser(prog="./benchmarks/run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=positive, metavar="N", help="how many rounds (default: 5; with --quick, 2)")
    parser.add_argument(
        "--only",
        type=words(SECTIONS),
        default=list(SECTIONS),
        metavar="SECTION,…",
        help=f"what to measure, of {', '.join(SECTIONS)} (default: all; memory and growth are the same runs)",
    )
    parser.add_argument(
        "--peers",
        type=words(_PROGRAMS_IN),
        default=_PROGRAMS_IN,
        metavar="NAME,…",
        help=f"what to run, of {', '.join(_PROGRAMS_IN)} (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; results go elsewhere")
    parser.add_argument("--tickets", type=positive, metavar="N", help="tickets for the throughput (default: 50000)")
    parser.add_argument(
        "--latency", type=positives, metavar="MS,…", help="latencies for the children (default: 50,20,200)"
    )
    parser.add_argument(
        "--sizes", type=positives, metavar="N,…", help="tickets for memory and growth (default: 10000,100000,1000000)"
    )
    parser.add_argument(
        "--patience",
        type=positive,
        default=300,
        metavar="SECONDS",
        help="how long the rounds of one program may take in the memory and growth runs and for the children (at 50 ms "
        "not of the plain SDK tap and what runs in parallel); a slower one is measured in fewer rounds, at least one "
        "(default: 300)",
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, write tables and plots anew")
    return parser.parse_args()


def _cases(arguments: Namespace) -> list[Case]:
    sizes = Sizes.quick() if arguments.quick else Sizes()
    if arguments.tickets:
        sizes = replace(sizes, throughput=arguments.tickets, slow=min(sizes.slow, arguments.tickets))
    if arguments.latency:
        sizes = replace(sizes, latencies=arguments.latency)
    if arguments.sizes:
        sizes = replace(sizes, growth=arguments.sizes)
    sections = [section for section in arguments.only if section != "memory"]
    if len(sections) < len(arguments.only) and "growth" not in sections:
        sections.append("growth")
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    cases = [case for section in sections for case in cases_of(section, sizes, rounds, arguments.patience)]
    chosen = [name for name in PROGRAMS if PROGRAMS[name].environment.name in arguments.peers]
    return [
        replace(case, programs=tuple(name for name in case.programs if name in chosen))
        for case in cases
        if set(case.programs) & set(chosen)
    ]


def _set_up(cases: Sequence[Case], results: Results) -> dict[str, str]:
    """Make the environments that the cases need, and note their versions; say which cannot be made."""
    absent: dict[str, str] = {}
    needed = {PROGRAMS[name].environment.name for case in cases for name in case.programs}
    for name in sorted(needed):
        environment = ENVIRONMENTS[name]
        started = time.monotonic()
        try:
            environment.make()
        except UnavailableError as error:
            if environment.checkout:
                raise BenchmarkError(f"this clone cannot be installed: {error}") from None
            absent[name] = str(error)
            console.print(f"{name} cannot be set up: {error}", style="red", markup=False)
            continue
        results.versions[name] = environment.versions()
        console.print(f"{name}: set up ({time.monotonic() - started:.0f} s)")
    results.absent = {name: why for name, why in results.absent.items() if name not in needed} | absent
    return absent


def _show(results: Results, file: Path, plots: Path) -> None:
    """Write tables and plots."""
    page = file.with_suffix(".md")
    page.write_text(report(results), encoding="utf-8")
    environment = ENVIRONMENTS["plots"]
    try:
        environment.make()
    except UnavailableError as error:
        console.print(f"no plots: {error}", style="red", markup=False)
        return
    plots.mkdir(parents=True, exist_ok=True)
    command = [str(environment.python), str(HERE / "plots.py"), str(file), str(plots)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BenchmarkError(f"the plots could not be drawn: {ended.stderr.strip().splitlines()[-1]}")
    console.print(f"Results are in {shown(page)} and {shown(file)}, plots in {shown(plots)}.")


def main() -> int:
    """Run the benchmarks.

    Returns:
        The exit code: 1 where something could not be measured.
    """
    arguments = _read_arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    folder, plots = (CACHE / "quick", CACHE / "quick" / "plots") if arguments.quick else (RESULTS, PLOTS)
    file = folder / "results.json"
    results = Results.read(file)
    failed = False
    started = time.monotonic()
    try:
        cases = [] if arguments.report else _cases(arguments)
        bench = Bench(_set_up(cases, results))
        for case in cases:
            results.machine = describe()
            for outcomes in bench.measure(case):
                results.take(case, outcomes)
                results.write(file)
            failed = failed or any(outcome.problem for outcome in outcomes.values())
        _show(results, file, plots)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"benchmarks: stopped; the rounds that ended are kept in {shown(file)}", file=sys.stderr)
        return 128 + signal.SIGINT
    console.print(f"That took {time.monotonic() - started:.0f} s.")
    return int(failed or bool(bench.absent))


if __name__ == "__main__":
    sys.exit(main())
