"""The tables of the README, of the taps' pages, and of the pages about dlt, Spark and faults."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import yaml

from documented import ROOT, TAPS, page_of, products
from markdown_tables import code, table
from taps.bridge import errors

if TYPE_CHECKING:
    from documented import Documented

__all__ = [
    "errors_table",
    "faults_tables",
    "products_table",
    "spark_options_table",
    "spark_types_table",
    "streams_table",
    "taps_table",
    "types_table",
]

#: What comes of a fault, by its name in `tests/faults/matrix.yml`: where it comes once, and where it stays.
OUTCOMES = {
    "unharmed": "All records arrive.",
    "again": "The request is sent again, and all records arrive.",
    "fails": "The stream fails at once.",
    "gives up": "The stream fails after the last try.",
    "empty": "",  # of a child alone; the reason says it
}


def streams_table(tap: Documented) -> str:
    """Write the table of a tap's streams."""
    parents = {type(stream): stream.name for stream in tap.streams}
    rows = [
        [
            code(stream.name),
            code(getattr(stream, "path", "")),
            code(*stream.primary_keys),
            code(stream.replication_key) if stream.replication_key else "",
            code(parents[stream.parent_stream_type]) if stream.parent_stream_type else "",
        ]
        for stream in tap.streams
    ]
    reference = f"reference/{tap.name.replace('tap-', 'streams-')}.md"
    return (
        table(["Stream", "Path", "Key", "Incremental on", "Child of"], rows)
        + f"\n[Every field of these, and how they hang together]({reference}).\n"
    )


def taps_table() -> str:
    """Write the table of the taps."""
    rows = []
    for tap in TAPS:
        cursors = dict.fromkeys(stream.replication_key for stream in tap.streams if stream.replication_key)
        incremental = sum(stream.replication_key is not None for stream in tap.streams)
        rows.append(
            [
                f"[`{tap.name}`](docs/{tap.name}.md)",
                tap.description,
                str(len(tap.streams)),
                f"{incremental}, on {code(*cursors)}" if cursors else "none",
            ]
        )
    return table(["Tap", "What it does", "Streams", "Incremental"], rows)


def products_table() -> str:
    """Write the table of the products."""
    rows = [
        [
            f"[{provider.title}](docs/{page_of(provider)})" + (" (experimental)" if provider.experimental else ""),
            f"[`{tap.name}`](docs/{tap.name}.md)",
            code(provider.name),
            str(len(tap.tap_class.streams_for({"provider": provider.name}))),
        ]
        for tap, provider in products()
    ]
    return table(["Product", "Tap", "`provider`", "Streams"], rows)


def types_table() -> str:
    """Make the table of types out of the one in the docstring of `taps.bridge.columns`."""
    return _documented_table("bridge/columns.py", "JSON Schema", "dlt")


def spark_types_table() -> str:
    """Make the table of Spark's types out of the one in the docstring of `taps.spark.types`."""
    return _documented_table("spark/types.py", "JSON Schema", "Spark")


def spark_options_table() -> str:
    """Make the table of the data source's options out of the one in the docstring of `taps.spark.options`."""
    return _documented_table("spark/options.py", "option", "what it says")


def _documented_table(module: str, first: str, second: str) -> str:
    """Make a table out of the one in a module's docstring, without importing what the module needs."""
    text = ast.get_docstring(ast.parse((ROOT / "taps" / module).read_text(encoding="utf-8"))) or ""
    rows: list[list[str]] = []
    _, header, body, _ = re.split(r"^=+  =+$", text, flags=re.MULTILINE)
    begin = header.strip("\n").index(second)
    for line in body.strip("\n").splitlines():
        cells = [line[:begin].strip(), line[begin:].strip()]
        if cells[0]:
            rows.append(cells)
        else:  # the one above goes on
            rows[-1][1] += f" {cells[1]}"
    return table([f"{first[0].upper()}{first[1:]}", second], rows)


def errors_table() -> str:
    """Make a table of the bridge's errors out of their docstrings."""
    kinds = [(name, vars(errors)[name]) for name in errors.__all__ if name != "BridgeError"]
    return table(["Class", "When"], [[code(name), (kind.__doc__ or "").splitlines()[0]] for name, kind in kinds])


def faults_tables() -> str:
    """Make a table of each group of faults in the matrix."""
    matrix = yaml.safe_load((ROOT / "tests" / "faults" / "matrix.yml").read_text(encoding="utf-8"))
    parts = []
    for group in matrix["groups"]:
        rows = []
        for fault in group["faults"]:
            reasons = "; ".join(exception["why"] for exception in fault.get("except", ()))
            says = fault.get("example") or fault.get("says", "")
            message = code(f"GET /v1/…: {says}") if says else ""
            once = OUTCOMES[fault["once"]] + (f" But {reasons}." if reasons else "")
            spec = fault.get("stays_spec", fault["spec"])
            rows.append([fault["name"], code(spec), once, OUTCOMES[fault["stays"]], message])
        header = ["Fault", "In the sandbox", "Once", "For good", "Message"]
        parts.append(f"\n### {group['title']}\n\n{table(header, rows)}")
    return "".join(parts) + "\n"
