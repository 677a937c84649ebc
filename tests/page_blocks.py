"""The blocks of code on a page of the documentation, to be run as a reader runs them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
#: Blocks of other languages are to be looked at, and not run.
_RUN = {"bash", "python", "yaml"}


class Block(NamedTuple):
    """A block of code, and the lines that it prints, with `…` for what differs."""

    language: str
    text: str
    prints: tuple[str, ...] = ()


def blocks_of(page: Path) -> list[Block]:
    blocks: list[Block] = []
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if found["language"] == "text":
            blocks[-1] = blocks[-1]._replace(prints=tuple(found["text"].splitlines()))
        else:
            blocks.append(Block(found["language"], found["text"]))
    return [block for block in blocks if block.language in _RUN]


def check_printed(block: Block, printed: str) -> None:
    for line in block.prints:
        pattern = ".*".join(map(re.escape, line.split("…")))
        assert re.search(rf"^{pattern} *$", printed, re.MULTILINE), f"{line}\nis not in\n{printed}"
