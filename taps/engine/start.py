"""What a command does before it imports anything that takes long: the SDK, and with it some six hundred modules.

A quarter of the time goes into packages that hardly any run uses: those with which the SDK writes batches to other
machines and runs targets. They are imported when they are first used, by the means that `importlib` has for it. Only
the taps' own commands do so; where `taps` is imported into another program, all is imported as usual.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

__all__ = ["quick_imports"]

# Imported by name: these can be loaded at the first look at one of their attributes.
_SELDOM_USED = frozenset({"asyncio", "logging.config", "singer_sdk.about"})

# Names are taken out of these as soon as they are imported, but are only ever called.
_ONLY_CALLED = {"joblib": frozenset({"Parallel", "delayed", "parallel_config"}), "upath": frozenset({"UPath"})}


class _LateFinder:
    """Finds modules that others import but hardly ever use, so that they are loaded at their first use."""

    def __init__(self) -> None:
        self.only_called = dict(_ONLY_CALLED)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in self.only_called:
            return ModuleSpec(name, _StandIn(self))
        spec = PathFinder.find_spec(name, path) if name in _SELDOM_USED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec

    def give_way(self, name: str) -> None:
        """Let whoever imports a module from now on get the module itself."""
        self.only_called.pop(name, None)
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if spec is not None and isinstance(spec.loader, _StandIn):
            del sys.modules[name]


class _StandIn(Loader):
    """Makes a module whose functions import the one that it stands for, and call what has their name there.

    Whoever asks it for anything else gets it from the module itself.

    Args:
        finder: Has to give way to the module.
    """

    def __init__(self, finder: _LateFinder) -> None:
        self._finder = finder

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        module.__dict__.update({called: partial(_call, name, called) for called in _ONLY_CALLED[name]})
        module.__dict__["__getattr__"] = partial(self._other, name)

    def _other(self, module: str, name: str) -> Any:
        if name.startswith("__"):  # the import system looks for what only packages have
            raise AttributeError(name)
        self._finder.give_way(module)
        return getattr(import_module(module), name)


def _call(module: str, name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(import_module(module), name)(*args, **kwargs)


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
        for name in _ONLY_CALLED:
            finder.give_way(name)
        gc.freeze()
        gc.enable()
