"""The start of the command `taps`, which says in a line that dlt is not installed where it is not."""

from __future__ import annotations

import sys
from importlib import import_module

__all__ = ["main"]

_OPTIONAL = {"dlt", "pyarrow"}


def main() -> None:
    """Run the command."""
    try:
        command = import_module("taps.bridge.cli").main
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OPTIONAL:
            raise
        sys.exit(f"Error: taps needs {missing}; install it with: pip install 'frontline-taps[dlt]'")
    command(prog_name="taps")
