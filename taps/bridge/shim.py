"""Runs a tap of the Singer SDK by its class, and says at the end that it came there.

    python -m taps.bridge.shim MODULE:CLASS --config FILE --discover
    python -m taps.bridge.shim MODULE:CLASS --config FILE --catalog FILE --state FILE

The last line of a sync is `{"type": "END"}`, which no Singer message is: without it the tap was stopped, whatever its
exit code. Discovery adds to the catalog what a catalog cannot say: which stream is the parent of which.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigurationError

if TYPE_CHECKING:
    from singer_sdk import Tap

__all__ = ["BAD_CONFIG", "END", "PARENTS", "main"]

END = "END"
"""The type of the last message."""

PARENTS = "x-parents"
"""Member of a catalog: the parent of each child stream, by name."""

BAD_CONFIG = 78
"""Exit code where the settings are not accepted; EX_CONFIG of sysexits.h."""


def main(arguments: list[str] | None = None) -> int:
    """Run the tap; give the exit code."""
    parser = argparse.ArgumentParser(prog="taps.bridge.shim")
    parser.add_argument("tap")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--discover", action="store_true")
    parser.add_argument("--catalog", type=Path)
    parser.add_argument("--state", type=Path)
    given = parser.parse_args(arguments)
    module, _, name = given.tap.partition(":")
    tap_class: type[Tap] = getattr(importlib.import_module(module), name)
    try:
        tap = tap_class(
            config=_read(given.config),
            catalog=given.catalog and _read(given.catalog),
            state=given.state and _read(given.state),
        )
        if given.discover:
            parents = {
                stream.name: getattr(stream.parent_stream_type, "name", None)
                for stream in tap.streams.values()
                if stream.parent_stream_type
            }
            sys.stdout.write(json.dumps({**tap.catalog_dict, PARENTS: parents}, default=str))
            return 0
        tap.sync_all()
    except ConfigurationError as error:
        reasons = [str(error), *getattr(error, "errors", ())]  # a validation's own text does not say what is wrong
        sys.stderr.write(" ".join("; ".join(map(str, reasons)).split()) + "\n")
        return BAD_CONFIG
    sys.stdout.write(json.dumps({"type": END}) + "\n")
    sys.stdout.flush()
    return 0


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


if __name__ == "__main__":
    sys.exit(main())
