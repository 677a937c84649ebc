"""Read the same help desk again and again, with answers late by chance, and compare the output byte for byte.

The output is hashed with `time_extracted` blanked, which tells the time of reading. All runs, with one request at a
time and with several, must give the same hash.
"""

from __future__ import annotations

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.arguments import Parser, positive
from benchmarks.environments import ENVIRONMENTS, UnavailableError
from benchmarks.measure import console, run
from benchmarks.places import CACHE, RESULTS, BenchmarkError, shown
from benchmarks.programs import BOTH, PROGRAMS
from benchmarks.server import served

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import TextIO

_TICKETS, _RUNS, _JITTER_MS = 50_000, 10, 3


def _read_arguments() -> Namespace:
    parser = Parser(prog="./benchmarks/determinism", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--tickets", type=positive, default=_TICKETS, metavar="N", help=f"tickets (default: {_TICKETS})"
    )
    parser.add_argument("--runs", type=positive, default=_RUNS, metavar="N", help=f"runs of each (default: {_RUNS})")
    parser.add_argument(
        "--jitter",
        type=float,
        default=_JITTER_MS,
        metavar="MS",
        help=f"milliseconds that an answer is late at most (default: {_JITTER_MS})",
    )
    parser.add_argument(
        "--side-by-side", type=positive, default=4, metavar="N", help="how many runs there are at a time (default: 4)"
    )
    return parser.parse_args()


def runs(tickets: int, times: int, jitter_ms: float, side_by_side: int) -> Iterator[tuple[str, str]]:
    """Run the tap, each time on answers that are late by chance, and by how much else the machine is at.

    Args:
        tickets: How many tickets there are.
        times: How often it runs with each number of requests at once.
        jitter_ms: Milliseconds that an answer is late at most.
        side_by_side: How many runs there are at a time.

    Yields:
        Of each run the hash, and a line: its number of requests at once, what it brought, its seconds.

    Raises:
        BenchmarkError: The tap cannot be run, or brings other records than there are.
    """
    with served(tickets, jitter_ms=jitter_ms) as server:
        counts = server.counts()
        due = {stream: counts[stream] for stream in BOTH}
        programs = [PROGRAMS[name] for name in ("ours-1", "ours-16") for _ in range(times)]
        with ThreadPoolExecutor(side_by_side) as pool:
            begun = [
                pool.submit(run, program, server, BOTH, "hash", f"-{number}") for number, program in enumerate(programs)
            ]
            try:
                for program, future in zip(programs, begun, strict=True):
                    told = future.result()
                    if told["records"] != due:
                        raise BenchmarkError(f"{program.title} brought {told['records']}, not {due}")
                    brought = ", ".join(f"{due[stream]:,} {stream}" for stream in BOTH)
                    yield told["hash"], f"max_concurrency {program.at_once}: {brought}, {told['seconds']:.0f} s"
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def main() -> int:
    """Compare.

    Returns:
        The exit code: 0 where all output was the same.
    """
    arguments = _read_arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    file = (RESULTS if (arguments.tickets, arguments.runs) == (_TICKETS, _RUNS) else CACHE) / "determinism.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    hashes = []
    try:
        ENVIRONMENTS["ours"].make()
        with file.open("w", encoding="utf-8") as results:
            for sha256, what in runs(arguments.tickets, arguments.runs, arguments.jitter, arguments.side_by_side):
                hashes.append(sha256)
                _say(results, f"{sha256}  {what}")
            verdict = "the same bytes" if len(set(hashes)) == 1 else f"{len(set(hashes))} DIFFERENT outputs"
            late = f"answers were 0 to {arguments.jitter:g} ms late, by chance"
            _say(results, f"All {len(hashes)} runs gave {verdict}, time_extracted apart; {late}.")
    except UnavailableError as error:
        print(f"determinism: this clone cannot be installed: {error}", file=sys.stderr)
        return 1
    except BenchmarkError as error:
        print(f"determinism: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"determinism: stopped; the runs that ended are in {shown(file)}", file=sys.stderr)
        return 128 + signal.SIGINT
    console.print(f"That took {time.monotonic() - started:.0f} s; {shown(file)} has it.")
    return int(len(set(hashes)) != 1)


def _say(results: TextIO, line: str) -> None:
    console.print(line)
    print(line, file=results, flush=True)


if __name__ == "__main__":
    sys.exit(main())
