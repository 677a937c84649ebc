"""Draws the results; runs in an environment of its own, with matplotlib: `plots.py results.json folder`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

_OURS, _PEER, _LOOP = "#1f6feb", "#8b949e", "#d0d7de"
_NAMES = {
    "ours": "tap-helpdesk (ours)",
    "ours-1": "ours, 1 at once",
    "ours-4": "ours, 4 at once",
    "ours-8": "ours, 8 at once",
    "ours-16": "ours, 16 at once",
    "plain-sdk": "plain Singer SDK tap",
    "tap-freshdesk": "tap-freshdesk",
    "airbyte": "Airbyte",
    "dlt": "dlt",
    "dlt-4": "dlt, 4 workers",
    "dlt-8": "dlt, 8 workers",
    "dlt-16": "dlt, 16 workers",
    "loop-requests": "bare loop, requests",
    "loop-urllib3": "bare loop, urllib3",
    "loop-plain": "bare loop, no gzip",
    "download-requests": "bare download, requests",
    "download-urllib3": "bare download, urllib3",
    "download-plain": "bare download, no gzip",
}
_LINES: dict[str, dict[str, Any]] = {
    "ours": {"color": _OURS, "linewidth": 2.8},
    "plain-sdk": {"color": "#d97706"},
    "tap-freshdesk": {"color": "#2f855a"},
    "airbyte": {"color": "#7c3aed"},
    "dlt": {"color": "#db2777"},
    "loop-requests": {"color": _PEER, "linestyle": "--"},
    "loop-urllib3": {"color": _PEER, "linestyle": ":"},
}
Cases = list[dict[str, Any]]


def _colour(name: str) -> str:
    return _OURS if name.startswith("ours") else _LOOP if name.startswith(("loop", "download")) else _PEER


def _middle(entry: dict[str, Any] | None, figure: str) -> float | None:
    samples = entry["samples"] if entry else []
    figures = [sample[figure] for sample in samples if sample.get(figure) is not None]
    return median(figures) if figures else None


def _bars(values: dict[str, float], title: str, unit: str, file: Path, *, digits: int = 0) -> None:
    values = {name: values[name] for name in _NAMES if name in values}
    if not values:
        return
    figure, axes = plt.subplots(figsize=(8, 0.45 * len(values) + 1.2), layout="constrained")
    bars = axes.barh([_NAMES[name] for name in values], list(values.values()), color=[_colour(name) for name in values])
    axes.bar_label(bars, [f"{value:,.{digits}f}" for value in values.values()], padding=3, fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(title=title, xlabel=unit)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _lines(
    series: dict[str, dict[int, float]], title: str, x_label: str, y_label: str, file: Path, *, log: bool = True
) -> None:
    series = {name: series[name] for name in _LINES if series.get(name)}
    if not series:
        return
    figure, axes = plt.subplots(figsize=(9, 4.8), layout="constrained")
    for name, points in series.items():
        axes.plot(list(points), list(points.values()), marker="o", label=_NAMES[name], **_LINES[name])
    axes.set(title=title, xlabel=x_label, ylabel=y_label, xscale="log")
    if log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.2 * max(y for points in series.values() for y in points.values()))
    ticks = sorted({x for points in series.values() for x in points})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _series(cases: Cases, figure: str, scale: float = 1) -> dict[str, dict[int, float]]:
    series: dict[str, dict[int, float]] = {}
    for case in sorted(cases, key=lambda case: case["tickets"]):
        for name, entry in case["programs"].items():
            value = _middle(entry, figure)
            if value is not None:
                series.setdefault(name, {})[case["tickets"]] = value / scale
    return series


def _draw_throughput(cases: Cases, folder: Path) -> None:
    for case in cases:
        rates = {
            name: entry["tickets"] / seconds
            for name, entry in case["programs"].items()
            if (seconds := _middle(entry, "seconds"))
        }
        _bars(rates, f"Throughput, {case['name']}, whole run", "records a second", folder / "throughput.png")


def _draw_children(cases: Cases, folder: Path) -> None:
    for case in cases:
        seconds = {
            name: value for name, entry in case["programs"].items() if (value := _middle(entry, "seconds")) is not None
        }
        title = f"{case['tickets']:,} tickets with their conversations, {case['latency_ms']} ms latency"
        _bars(seconds, title, "seconds", folder / f"children-{case['latency_ms']}ms.png", digits=1)


def _draw_startup(cases: Cases, folder: Path) -> None:
    for case in cases:
        seconds = {
            name: value for name, entry in case["programs"].items() if (value := _middle(entry, "first")) is not None
        }
        _bars(seconds, "From the start of the process to its first record", "seconds", folder / "startup.png", digits=2)


def main() -> None:
    """Draw all that has been measured."""
    file, folder = map(Path, sys.argv[1:])
    cases: Cases = list(json.loads(file.read_text(encoding="utf-8"))["cases"].values())

    def of(section: str) -> Cases:
        return [case for case in cases if case["section"] == section]

    _draw_throughput(of("throughput"), folder)
    _draw_children(of("children"), folder)
    _draw_startup(of("startup"), folder)
    states = {name: points for name, points in _series(of("state"), "state_bytes", 1e6).items() if any(points.values())}
    _lines(states, "STATE written, tickets with conversations", "tickets", "MB", folder / "state.png")
    _lines(_series(of("growth"), "memory_mb"), "Peak memory", "tickets", "MB", folder / "memory.png", log=False)
    _lines(_series(of("growth"), "seconds"), "Time, whole run", "tickets", "seconds", folder / "growth.png")


if __name__ == "__main__":
    main()
