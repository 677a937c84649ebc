"""How rows are shown: as a table, or one below the other where a table would have to cut words."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import simplejson
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

__all__ = ["Column", "console", "messages", "say", "show", "total_width", "without_secrets", "working", "write_json"]

_WIDE = 200  # characters of a line that no terminal shows
_GAP = 3  # characters between two columns
_READABLE = 24  # characters that a column of text has at least, if it needs them
_COLOURS = {"yes": "green", "no": "bold red", "skip": "yellow", "?": "yellow"}


class Column(NamedTuple):
    """A column.

    Attributes:
        title: Its head.
        right: Whether it is set to the right, as numbers are.
        verdict: Whether its cells tell what is well and what is not, so that they are coloured.
    """

    title: str
    right: bool = False
    verdict: bool = False


@lru_cache(maxsize=1)
def console() -> Console:
    """Give what shows text on standard output, without colours where nobody would see them."""
    return _console(stderr=False)


@lru_cache(maxsize=1)
def messages() -> Console:
    """Give what shows text on standard error."""
    return _console(stderr=True)


def working(what: str) -> AbstractContextManager[Any]:
    """Show that something goes on, on a terminal that can show that it does."""
    return nullcontext() if messages().color_system is None else messages().status(what)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):  # a character that the encoding lacks is no reason to end
        stream.reconfigure(errors="replace")
    shown = stream.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}
    width = shutil.get_terminal_size((80 if stream.isatty() else _WIDE, 25)).columns
    return Console(
        stderr=stderr,
        color_system="auto" if shown and not os.environ.get("NO_COLOR") else None,
        width=width,
        height=25,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def say(text: str, where: Console | None = None, *, style: str = "") -> None:
    """Show a sentence, broken at its words.

    Args:
        text: The sentence.
        where: Where to show it, if not on standard output.
        style: Its style.
    """
    out = where or console()
    lines = textwrap.wrap(text, out.width, break_long_words=False, break_on_hyphens=False)
    out.print("\n".join(lines), style=style, soft_wrap=True)


def show(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Show rows, the first column of which names each.

    Args:
        columns: The columns; one that is empty in all rows is left out.
        rows: Their cells.
    """
    used = [place for place in range(len(columns)) if place == 0 or any(row[place] for row in rows)]
    columns, rows = [columns[place] for place in used], [[row[place] for place in used] for row in rows]
    out = console()
    widths = _widths([[column.title, *cells] for column, *cells in zip(columns, *rows, strict=True)], out.width)
    if widths is None:
        for row in rows:
            _show_below(columns, row, out.width)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column.title, justify="right" if column.right else "left", width=width)
    for row in rows:
        cells = zip(columns, row, strict=True)
        table.add_row(*(Text(cell, _COLOURS.get(cell, "") if column.verdict else "") for column, cell in cells))
    with out.capture() as capture:
        out.print(table)
    # A line that ends with the white space of an empty cell is no use to whoever copies or compares it.
    out.file.write("".join(f"{line.rstrip(' ')}\n" for line in capture.get().splitlines()))
    out.file.flush()


def _widths(columns: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Share a width among columns, so that each word has a place; nothing, where there is too little.

    Rich takes from the widest column first, whatever the length of its words.
    """
    wanted = [max(map(cell_len, cells)) for cells in columns]
    words = [max(cell_len(word) for cell in cells for word in (cell.split() or [""])) for cells in columns]
    least = [max(word, min(want, _READABLE)) for want, word in zip(wanted, words, strict=True)]
    left = width - _GAP * (len(columns) - 1)
    if sum(least) > left:
        return None
    while sum(wanted) > left:
        widest = max(range(len(columns)), key=lambda place: (wanted[place] > least[place], wanted[place]))
        wanted[widest] -= 1
    return wanted


def total_width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Tell how many characters wide a table is that breaks no cell."""
    cells = zip(*([column.title for column in columns], *rows), strict=True)
    return sum(max(map(cell_len, column)) for column in cells) + _GAP * (len(columns) - 1)


def _show_below(columns: Sequence[Column], row: Sequence[str], width: int) -> None:
    out = console()
    out.print(row[0], style="bold", soft_wrap=True)
    indent = max(cell_len(column.title) for column in columns[1:]) + 4
    for column, cell in zip(columns[1:], row[1:], strict=True):
        if cell:
            head = f"  {column.title}".ljust(indent)
            lines = textwrap.wrap(
                cell,
                max(width, indent + 20),
                initial_indent=head,
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
            out.print("\n".join(lines), soft_wrap=True)


def without_secrets(value: Any, redact: Callable[[str], str]) -> Any:
    """Copy what JSON can hold, with a mask for each secret; a number with one in it becomes text."""
    if isinstance(value, dict):
        return {name: without_secrets(inner, redact) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner, redact) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    clean = redact(str(value))
    return value if clean == str(value) else clean


def write_json(document: Any, *, indent: int | None = 2) -> str:
    """Write a JSON text, numbers with every digit."""
    return simplejson.dumps(document, use_decimal=True, ensure_ascii=False, indent=indent)
