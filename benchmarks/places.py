"""Where the benchmarks find and leave things, and the error that ends them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CACHE", "HERE", "LOGS", "PEERS", "PLOTS", "RESULTS", "ROOT", "BenchmarkError", "shown"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = HERE / "peers"
RESULTS = HERE / "results"
PLOTS = ROOT / "docs" / "benchmarks"
CACHE = ROOT / ".cache" / "benchmarks"
LOGS = CACHE / "logs"


class BenchmarkError(Exception):
    """The benchmarks cannot go on. The message is one line for the user."""


def shown(path: Path) -> str:
    """Name a file as seen from the clone."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
