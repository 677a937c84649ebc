"""The taps of this package, by their names: the entry points of one group, so that the bridge knows no API."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from taps.engine.tap import ApiTap

__all__ = ["in_a_thread", "our_tap", "our_taps"]

_GROUP = "frontline_taps"
_T = TypeVar("_T")


def our_taps() -> list[str]:
    """List the names of the taps, such as `tap-helpdesk`."""
    return sorted(found.name for found in entry_points(group=_GROUP))


def our_tap(name: str) -> type[ApiTap] | None:
    """Give the tap of a name; `None` where there is none."""
    found = entry_points(group=_GROUP, name=name)
    tap: type[ApiTap] | None = next(iter(found)).load() if found else None
    return tap


def in_a_thread(function: Callable[[], _T]) -> _T:
    """Call a function that makes a tap: on the main thread, the SDK would replace the process's signal handlers."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()
