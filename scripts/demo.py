"""Show the taps at work: sandbox, Meltano or dlt, DuckDB; a full run, some changes, an incremental run, and a table.

Everything that it makes is in `output/demo`, which each run begins anew: the DuckDB file, and Meltano's own database
or dlt's pipelines with the state. The state of the user's own runs stays as it is. Logs are in `.cache/logs`.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.table import Table

from demo_support.pipeline import LOADER, Pipeline
from demo_support.sandbox import sandbox_of
from demo_support.stage import LOGS, ROOT, DemoError, console, phase, shown
from demo_support.subjects import SUBJECTS
from demo_support.warehouse import adds_rows, differences, row_counts
from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo_support.bridge import Bridge
    from demo_support.sandbox import Records, World
    from demo_support.subjects import Subject
    from demo_support.sync import Sync
    from taps.engine.stream import ApiStream

HOME = ROOT / "output" / "demo"
SYNCS = 2


@dataclass(frozen=True)
class Outcome:
    """What came of showing a tap.

    Attributes:
        subject: The tap.
        first: What the first run did.
        second: What the second run did.
        loaded_first: The rows in DuckDB after it, by stream.
        held: The sandbox's records in the end.
        loaded: The rows in DuckDB in the end, by stream.
    """

    subject: Subject
    first: Sync
    second: Sync
    loaded_first: dict[str, int]
    held: Records
    loaded: dict[str, int]

    @property
    def due(self) -> dict[str, int]:
        """How many rows each table ought to have."""
        return {
            stream.name: len(self.held[stream.name]) * (SYNCS if adds_rows(stream) else 1)
            for stream in self.subject.streams
        }


def show(pipeline: Pipeline | Bridge, world: World) -> Outcome:
    """Run a tap, let some of what it reads change, run it again, and see to it that DuckDB has all of it.

    Raises:
        DemoError: Something is not as it should be.
    """
    subject = world.subject
    before = world.records()
    first = pipeline.run(world, 1)
    compare(pipeline, subject, before, syncs=1)
    loaded_first = row_counts(pipeline.warehouse, subject.api, subject.streams)
    for name, records in before.items():
        if first.rows[name] != len(records):
            raise DemoError(f"{subject.name} read {first.rows[name]:,} {name} in the first run, not {len(records):,}")

    with phase(f"Work goes on behind the {subject.title}") as tell:
        changed = world.change()
        after = world.records()
        tell(", ".join(f"{number:,} {kind}" for kind, number in changed.items()))

    second = pipeline.run(world, 2)
    compare(pipeline, subject, after, syncs=2)
    for stream in subject.streams:
        least, most = due_again(stream, before, after)
        if not least <= second.rows[stream.name] <= most:
            raise DemoError(
                f"{subject.name} read {second.rows[stream.name]:,} {stream.name} in the second run, though {least:,} "
                f"to {most:,} were due"
            )
    loaded = row_counts(pipeline.warehouse, subject.api, subject.streams)
    return Outcome(subject, first, second, loaded_first, after, loaded)


def compare(pipeline: Pipeline | Bridge, subject: Subject, held: Records, *, syncs: int) -> None:
    """Make sure that each table has the sandbox's records, value by value.

    Raises:
        DemoError: One has not.
    """
    wrong = differences(pipeline.warehouse, subject.api, subject.streams, held, syncs=syncs, column=pipeline.column)
    if wrong:
        log = shown(pipeline.log(subject, syncs))
        raise DemoError(
            f"DuckDB is not what the sandbox is after run {syncs} of {subject.name}: {'; '.join(wrong)}; see {log}"
        )


def due_again(stream: type[ApiStream], before: Records, after: Records) -> tuple[int, int]:
    """Say how many records a second run reads, at least and at most.

    Those that changed since the bookmark and, because more of them may have come about, those of the bookmark's own
    second come again. What cannot be asked for by its last change is read in full.
    """
    total = len(after[stream.name])
    if stream.parent_stream_type or stream.lookback:
        return 0, total
    if not stream.replication_key:
        return total, total
    cursor = stream.replication_key
    times = [parse_timestamp(record[cursor]) for record in after[stream.name]]
    bookmark = max((parse_timestamp(record[cursor]) for record in before[stream.name]), default=None)
    if bookmark is None:
        return total, total
    second = bookmark.replace(microsecond=0)
    return sum(time > bookmark for time in times), sum(time >= second for time in times)


def stream_table(outcome: Outcome) -> Table:
    """Lay out what happened, by stream."""
    name, rows = outcome.subject.name, outcome.due
    table = Table(title=f"{name} into schema {outcome.subject.api}", title_justify="left", show_footer=True)
    table.add_column("stream", f"{len(rows)} streams", no_wrap=True)
    for title, footer in (
        ("in DuckDB", f"{sum(outcome.loaded.values()):,}"),
        ("in sandbox", f"{sum(rows.values()):,}"),
        ("seconds", ""),
        ("read again", f"{outcome.second.rows.total():,}"),
    ):
        table.add_column(title, footer, justify="right", no_wrap=True)
    for stream in outcome.subject.streams:
        held = f"{SYNCS} times {rows[stream.name] // SYNCS}" if adds_rows(stream) else f"{rows[stream.name]:,}"
        seconds = f"{outcome.first.seconds[stream.name]:.2f}"
        again = f"{outcome.second.rows[stream.name]:,}"
        table.add_row(stream.name, f"{outcome.loaded[stream.name]:,}", held, seconds, again)
    return table


def tap_table(outcomes: Sequence[Outcome]) -> Table:
    """Lay out what happened, by tap."""
    table = Table(title="All together", title_justify="left", show_footer=True)
    table.add_column("tap", f"{len(outcomes)} taps", no_wrap=True)
    numbers = [
        (
            len(outcome.due),
            sum(outcome.loaded.values()),
            sum(outcome.due.values()),
            outcome.second.rows.total(),
        )
        for outcome in outcomes
    ]
    titles = ("streams", "in DuckDB", "in sandbox", "read again")
    for title, column in zip(titles, zip(*numbers, strict=True), strict=True):
        table.add_column(title, f"{sum(column):,}", justify="right", no_wrap=True)
    for outcome, row in zip(outcomes, numbers, strict=True):
        table.add_row(outcome.subject.name, *(f"{number:,}" for number in row))
    return table


def bridge_table(outcome: Outcome) -> Table:
    """Lay out what happened through the bridge, by stream, in the order in which it did."""
    name, due = outcome.subject.name, outcome.due
    table = Table(title=f"{name} through dlt into schema {outcome.subject.api}", title_justify="left", show_footer=True)
    table.add_column("stream", f"{len(due)} streams", no_wrap=True)
    columns = {
        "first run": outcome.loaded_first,
        "read again": outcome.second.rows,
        "in DuckDB": outcome.loaded,
        "in sandbox": due,
    }
    for title, numbers in columns.items():
        table.add_column(title, f"{sum(numbers.values()):,}", justify="right", no_wrap=True)
    for stream in outcome.subject.streams:
        table.add_row(stream.name, *(f"{numbers[stream.name]:,}" for numbers in columns.values()))
    return table


def demonstrate(subjects: Sequence[Subject], size: int, home: Path, *, through_dlt: bool) -> None:
    """Go through all of it.

    Raises:
        DemoError: Something is not as it should be.
    """
    if home == HOME:
        shutil.rmtree(home, ignore_errors=True)
    elif home.exists() and any(home.iterdir()):
        raise DemoError(f"--output {shown(home)} is not empty; name a folder that is, or one that is not there yet")
    home.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with phase("The sandbox starts") as tell:
            worlds = stack.enter_context(sandbox_of(subjects, size))
            tell(", ".join(f"{world.subject.title} at {world.config['base_url']}" for world in worlds))
        pipeline = bridge(home, worlds) if through_dlt else Pipeline(home, worlds)
        pipeline.install()
        outcomes = []
        for world in worlds:
            outcomes.append(show(pipeline, world))
            console.print(bridge_table(outcomes[-1]) if through_dlt else stream_table(outcomes[-1]))

    if len(outcomes) > 1:
        console.print(tap_table(outcomes))
    console.print(
        "Every row in DuckDB has been held against the sandbox's record, value by value, after each run.\n"
        "The second run read of incremental streams what had changed, and of the rest at most the bookmark's second\n"
        "or the look-back; other streams are read whole, and children for the parents that were read."
    )
    if not through_dlt:
        console.print("Seconds are those of the first run; a parent's include its children's.")
    subject = subjects[0]
    largest = max(outcomes[0].loaded, key=lambda name: outcomes[0].loaded[name])
    console.print(
        "\n[bold]Look at it[/]\n"
        "  .venv/bin/python -c 'import duckdb; print(duckdb.connect("
        f'"{shown(pipeline.warehouse)}").sql("from {subject.api}.{largest}"))\'\n'
        "[bold]Your own account[/]",
        markup=True,
    )
    if through_dlt:
        name = subject.name.replace("-", "_")
        variables = [f"SOURCES__{name}__CONFIG__{setting}".upper() for setting in worlds[0].config]
        command = (
            "  .venv/bin/python -c 'import dlt; from taps.bridge import singer_source; "
            f'dlt.pipeline("{name}", destination="duckdb", dataset_name="{subject.api}")'
            f'.run(singer_source("{subject.name}"))\''
        )
        where = f"{name}.duckdb"
    else:
        variables = [subject.variable(name) for name in worlds[0].config]
        command = f"  .venv-meltano/bin/meltano --environment=prod run {subject.name} {LOADER}"
        where = "output/warehouse.duckdb"
    console.print(f"  export {' '.join(f'{name}=…' for name in variables)}\n{command}   [dim]# into {where}[/]")


def bridge(home: Path, worlds: Sequence[World]) -> Bridge:
    """Make what takes Meltano's place; dlt is imported only for that, which takes a second."""
    from demo_support.bridge import Bridge  # noqa: PLC0415

    return Bridge(home, worlds)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # One line, without the usage above it.
        self.exit(2, f"demo: {message}; see ./scripts/demo --help\n")


def subject_of(name: str) -> Subject:
    """Find a tap by its name, or by that of its API.

    Raises:
        argparse.ArgumentTypeError: There is none.
    """
    api = name.removeprefix("tap-").replace("-", "_")
    if api not in SUBJECTS:
        known = ", ".join(subject.name for subject in SUBJECTS.values())
        raise argparse.ArgumentTypeError(f"there is no tap {name!r}; there are {known}")
    return SUBJECTS[api]


def main() -> int:
    """Run the demo.

    Returns:
        The exit code.
    """
    parser = _Parser(prog="./scripts/demo", description=(__doc__ or "").partition("\n")[0])
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--tap",
        dest="subjects",
        metavar="NAME",
        type=subject_of,
        action="append",
        help="a tap to show, such as tap-voice; may be given again (default: tap-helpdesk)",
    )
    chosen.add_argument("--all", action="store_true", help="show all taps")
    parser.add_argument("--dlt", action="store_true", help="load with dlt, through the bridge, instead of Meltano")
    parser.add_argument(
        "--size",
        "--tickets",
        type=int,
        default=2000,
        metavar="N",
        help="how many tickets, calls, prospects or alerts the sandbox has (default: 2000)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=HOME,
        metavar="FOLDER",
        help=f"where the DuckDB file and the state go (default: {shown(HOME)}, which is emptied first)",
    )
    arguments = parser.parse_args()
    asked = SUBJECTS.values() if arguments.all else arguments.subjects or [SUBJECTS["helpdesk"]]
    subjects = list({subject.api: subject for subject in asked}.values())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    started = time.monotonic()
    try:
        demonstrate(subjects, arguments.size, arguments.output.absolute(), through_dlt=arguments.dlt)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: stopped; what it had started is stopped too", file=sys.stderr)
        return 128 + signal.SIGINT
    console.print(f"\n[dim]The demo took {time.monotonic() - started:.0f} s.[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
