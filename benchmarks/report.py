"""The figures as tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.environments import ENVIRONMENTS
from benchmarks.programs import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.results import Entry, Results

__all__ = ["report"]

_INTRODUCTION = (
    "Made by `./benchmarks/run`; [benchmarks/README.md](../README.md) says how. Medians of all runs, with the least "
    "and the greatest in brackets. Compare the ratios: the figures themselves are those of one machine."
)
_BASE = "ours"
_BASE_OF_CHILDREN = "ours-16"
_BASES_OF_LOADS = ("bridge", "bridge-kept")
_PHASES = ("extract", "normalize", "load")
#: How much faster than the loop that also decodes and writes a mere download must be for the server to be fast enough.
_ENOUGH = 2


def report(results: Results) -> str:
    """Lay out all results.

    Returns:
        A Markdown page.
    """
    parts = [
        "# Benchmarks",
        _INTRODUCTION,
        *_machine(results),
        *_throughput(results),
        *_children(results),
        *_state(results),
        *_startup(results),
        *_growth(results),
        *_bridge(results),
        *_problems(results),
    ]
    return "\n\n".join(parts) + "\n"


def _machine(results: Results) -> Iterator[str]:
    yield "## Machine"
    yield "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    for processor, cases in results.on_other_processors().items():
        yield f"Measured on another machine ({processor}), to be compared among themselves: {'; '.join(cases)}."
    rows = [
        [name, versions.pop("Python", ""), ", ".join(f"{package} {version}" for package, version in versions.items())]
        for name, told in results.versions.items()
        for versions in [dict(told)]
    ]
    yield _table(["environment", "Python", "versions"], rows, words=3)


def _throughput(results: Results) -> Iterator[str]:
    for name, entries in results.of("throughput").items():
        yield f"## Throughput: {name}"
        yield (
            "Tickets of about 2 KB, 100 a page, the stream tickets alone, output to nowhere. Without start-up: the "
            "median time to the first record, taken in a run of its own before each, is subtracted. dlt extracts "
            "alone, to its load package on disk."
        )
        base = entries.get(_BASE)
        rows = [
            [
                _title(program) + (f" ({entry.tickets:,} tickets)" if f"{entry.tickets:,} tickets" != name else ""),
                _rate(_after_start(entries, program)),
                _rate(entry.rate()),
                _times(base.rate() if base else None, entry.rate()),
                _spread(entry, "seconds"),
                _number(entry.middle("cpu"), 1),
                _number(entry.middle("memory_mb"), 0),
                _number(entry.middle("server_cpu"), 2),
                str(len(entry.samples)),
            ]
            for program, entry in _measured(entries)
        ]
        yield _table(
            [
                "program",
                "records/s without start-up",
                "records/s, whole run",
                "ours is … times as fast",
                "whole run, s",
                "CPU, s",
                "peak memory, MB",
                "server's CPU, s",
                "runs",
            ],
            rows,
        )
        yield from _server_check(entries)


def _after_start(entries: Mapping[str, Entry], name: str) -> float | None:
    """Give a program's records a second without its start-up."""
    starter = entries.get(PROGRAMS[name].starts_like or name)
    return entries[name].rate(starter.middle("first") if starter else None)


def _server_check(entries: Mapping[str, Entry]) -> Iterator[str]:
    if not {"download-plain", "loop-plain"} <= entries.keys():
        return
    # Without gzip, for to undo that is the client's work and not the server's.
    fast, slow = _after_start(entries, "download-plain"), _after_start(entries, "loop-plain")
    if fast and slow:
        verdict = "is not the bottleneck" if fast >= _ENOUGH * slow else "**may be the bottleneck**"
        yield (
            f"The server {verdict}: a mere download with urllib3 gets {_rate(fast)} records/s, {fast / slow:.1f} times "
            f"as many as the loop that also decodes them and writes them ({_rate(slow)})."
        )


def _children(results: Results) -> Iterator[str]:
    cases = results.of("children")
    if not cases:
        return
    tickets = next(entry.tickets for entries in cases.values() for entry in entries.values())
    yield f"## Children: {tickets:,} tickets with their conversations, one request each"
    yield (
        f"Seconds of the whole run by the server's latency; in brackets how many times as long as {_title('ours-16')}, "
        "and how many runs there were. All programs read all tickets in each run."
    )
    names = [name for name in PROGRAMS if any(name in entries for entries in cases.values())]
    rows = []
    for name in names:
        row = [_title(name)]
        for entries in cases.values():
            entry, base = entries.get(name), entries.get(_BASE_OF_CHILDREN)
            seconds = entry.middle("seconds") if entry else None
            if entry is None or seconds is None:
                row.append("-")
                continue
            times = _times(seconds, base.middle("seconds") if base else None)
            row.append(f"{seconds:.1f} ({times} times; {len(entry.samples)})")
        last = [entries[name] for entries in cases.values() if name in entries]
        row.append(_number(max((entry.middle("memory_mb") or 0 for entry in last), default=None), 0))
        rows.append(row)
    yield _table(["program", *cases, "peak memory, MB"], rows)


def _state(results: Results) -> Iterator[str]:
    cases = results.of("state")
    if not cases:
        return
    yield "## STATE written, by the number of parents"
    yield "Tickets with their conversations, no latency, one run each (its bytes are the same each time), output read."
    rows = []
    for name, entries in cases.items():
        ours, plain = entries.get(_BASE), entries.get("plain-sdk")
        sizes = [entry.middle("state_bytes") if entry else None for entry in (ours, plain)]
        rows.append(
            [
                name,
                *(_number(size, 0) for size in sizes),
                _times(sizes[1], sizes[0], digits=0),
                *(_number(entry.middle("seconds") if entry else None, 1) for entry in (ours, plain)),
            ]
        )
    titles = [_title(_BASE), _title("plain-sdk")]
    headings = [
        "",
        *(f"{title}: bytes" for title in titles),
        "times as much",
        *(f"{title}: seconds" for title in titles),
    ]
    yield _table(headings, rows)


def _startup(results: Results) -> Iterator[str]:
    for entries in results.of("startup").values():
        yield "## Start-up: from the start of the process to its first record"
        yield (
            "Seconds until the first line that is a record has come out of standard output; of dlt, until its resource "
            "has given the first item."
        )
        base = entries.get(_BASE)
        rows = [
            [
                _title(program),
                _spread(entry, "first", digits=2),
                _times(entry.middle("first"), base.middle("first") if base else None),
                str(len(entry.samples)),
            ]
            for program, entry in _measured(entries)
        ]
        yield _table(["program", "seconds", "times as long as ours", "runs"], rows)


def _growth(results: Results) -> Iterator[str]:
    cases = results.of("growth")
    if not cases:
        return
    yield "## Time and memory, by the number of tickets"
    yield (
        "The stream tickets alone, output to nowhere: seconds of the whole run, records a second, peak memory in MB "
        "(and how many runs)."
    )
    rows = []
    for name in (name for name in PROGRAMS if any(name in entries for entries in cases.values())):
        row = [_title(name)]
        for entries in cases.values():
            entry = entries.get(name)
            if entry is None or not entry.samples:
                row.append("-")
                continue
            figures = (_number(entry.middle("seconds"), 1), _rate(entry.rate()))
            row.append(
                f"{figures[0]} s, {figures[1]}/s, {_number(entry.middle('memory_mb'), 0)} MB ({len(entry.samples)})"
            )
        rows.append(row)
    yield _table(["program", *cases], rows)


def _bridge(results: Results) -> Iterator[str]:
    for name, entries in results.of("bridge").items():
        yield f"## dlt: {name} into DuckDB"
        yield (
            "A new pipeline into a new database; merged by `id` on both sides, and each run ends with all tickets in "
            "the table. One environment for all. `pipeline.run` is timed alone, and the whole process with all that it "
            "imports. Memory is that of all processes together. Where the connection is kept, dlt is given an open "
            "one, and the database is written once, when it is closed, instead of after each job; that is in the time "
            "of the whole process."
        )
        phases = ("run", *_PHASES)
        rows = [
            [
                _title(program) + (f" ({entry.tickets:,} tickets)" if f"{entry.tickets:,} tickets" != name else ""),
                *(_number(entry.phase(phase), 1) for phase in phases),
                _spread(entry, "seconds"),
                _number(entry.middle("cpu"), 1),
                _spread(entry, "memory_mb", digits=0),
                str(len(entry.samples)),
            ]
            for program, entry in _measured(entries)
        ]
        headings = ["program", "pipeline.run, s", *(f"{phase}, s" for phase in _PHASES), "whole process, s"]
        yield _table([*headings, "CPU, s", "peak memory, MB", "runs"], rows)
        for base in _BASES_OF_LOADS:
            yield from _against_best(base, entries)


def _against_best(name: str, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Compare a load through the bridge with the fastest of the others that read as much, in the same way."""
    base = entries.get(name)
    if base is None or not base.samples:
        return
    kept = name.endswith("-kept")
    peers = [
        (peer, entry)
        for peer, entry in _measured(entries)
        if peer not in _BASES_OF_LOADS and peer.endswith("-kept") == kept and entry.tickets == base.tickets
    ]
    if not peers:
        return
    best, peer = min(peers, key=lambda each: each[1].phase("run") or 0)
    by_round = {sample["round"]: sample["phases"]["run"] for sample in base.samples}
    ratios = [
        sample["phases"]["run"] / by_round[sample["round"]] for sample in peer.samples if sample["round"] in by_round
    ]
    spread = f" (round by round {min(ratios):.1f} to {max(ratios):.1f})" if ratios else ""
    yield (
        f"{_title(name)} against the best of the others, {_title(best)}: `pipeline.run` is "
        f"{_times(peer.phase('run'), base.phase('run'))} times as fast{spread}, the whole process "
        f"{_times(peer.middle('seconds'), base.middle('seconds'))} times, in "
        f"{_times(base.middle('memory_mb'), peer.middle('memory_mb'), digits=2)} times its "
        f"memory and {_times(base.middle('cpu'), peer.middle('cpu'), digits=2)} times its CPU."
    )


def _problems(results: Results) -> Iterator[str]:
    lines = [f"- {_users(name)} cannot be installed: {reason}" for name, reason in results.absent.items()]
    lines += [
        f"- {_title(name)}, {key}: {entry['problem']}"
        for key, case in results.cases.items()
        for name, entry in case["programs"].items()
        if entry["problem"]
    ]
    if lines:
        yield "## What could not be measured"
        yield "\n".join(lines)
    repeats = [
        f"- {_title(name)}, {key}: {entry['records'][stream] - count:,} of {count:,} {stream}"
        for key, case in results.cases.items()
        for name, entry in case["programs"].items()
        for stream, count in entry["due"].items()
        if not entry["problem"] and entry["records"].get(stream, 0) > count
    ]
    if repeats:
        yield "## Records that came twice"
        yield "Where one window of pages begins at the end of another."
        yield "\n".join(repeats)


def _users(environment: str) -> str:
    titles = [program.title for program in PROGRAMS.values() if program.environment == ENVIRONMENTS.get(environment)]
    return titles[0] if titles else environment


def _title(name: str) -> str:
    return PROGRAMS[name].title if name in PROGRAMS else name


def _measured(entries: Mapping[str, Entry]) -> Iterator[tuple[str, Entry]]:
    return ((name, entries[name]) for name in PROGRAMS if name in entries and entries[name].samples)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _times(value: float | None, base: float | None, digits: int = 1) -> str:
    return "-" if value is None or not base else f"{value / base:,.{digits}f}"


def _spread(entry: Entry, name: str, digits: int = 1) -> str:
    figures = entry.figures(name)
    return f"{_number(entry.middle(name), digits)} ({min(figures):.{digits}f} to {max(figures):.{digits}f})"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Lay out a table whose first columns are words and whose others are figures."""
    aligned = ["---" if column < words else "---:" for column, _ in enumerate(headings)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, aligned, *rows))
