"""The start of the command `taps`."""

from __future__ import annotations

from taps.suite.cli import main

__all__ = ["main"]
