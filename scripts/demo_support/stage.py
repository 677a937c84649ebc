"""What all parts of the demo share: the places, the way to show progress, the error."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LOGS", "ROOT", "DemoError", "console", "phase", "shown"]

ROOT = Path(__file__).resolve().parent.parent.parent
LOGS = ROOT / ".cache" / "logs"

# No colours in a file, and no wrapped lines either: what is read there is read by tools.
console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """The demo cannot go on. The message is one line for the user."""


def shown(path: Path) -> str:
    """Name a file as seen from the clone."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


@contextmanager
def phase(title: str) -> Iterator[Callable[[str], None]]:
    """Show that something goes on and, when it is done, how long it took.

    Yields:
        What sets the words shown beside the title.
    """
    started = time.monotonic()
    detail = ""

    def tell(words: str) -> None:
        nonlocal detail
        detail = f": {words}"
        status.update(title + detail)

    if not console.is_terminal:
        console.print(f"{title} …")
    with console.status(title) as status:
        yield tell
    console.print(f"[green]✓[/] {title}{detail} [dim]({time.monotonic() - started:.1f} s)[/]")
