"""What a command does before it imports anything that takes long: the SDK, and with it some six hundred modules."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["quick_imports"]

_SELDOM_USED = frozenset({"configparser", "logging.config", "pydoc", "singer_sdk.about"})


class _LateFinder:
    """Finds modules that others import but hardly ever use, so that they are loaded at their first use."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name in _SELDOM_USED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import without the garbage collector, and a few modules not before they are used.

    Modules, classes and functions stay to the end: the collector would go through more and more of them, over a hundred
    times, and find nothing. It does not go through them later either.
    """
    gc.disable()
    finder = _LateFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        gc.freeze()
        gc.enable()
