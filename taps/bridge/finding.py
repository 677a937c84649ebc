"""How a tap is found and run, by whatever the user calls it."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap

from taps.bridge.errors import TapNotFoundError
from taps.bridge.inprocess import InProcess
from taps.bridge.ours import our_tap
from taps.bridge.process import AsProcess
from taps.engine.tap import ApiTap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from taps.bridge.running import Runner

__all__ = ["find_tap"]

_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_INTERPRETER = re.compile(r"(python|node|ruby|bash|sh)[\d.]*")


def find_tap(
    tap: str | Sequence[str] | type[Tap],
    env: Mapping[str, str] | None,
    discovery_timeout: float,
    catalog_option: str,
) -> tuple[Callable[[Mapping[str, Any]], Runner], str, Mapping[str, Any]]:
    """Tell how a tap is run, given its settings; what it is called; and which settings it declares, if it does."""
    if isinstance(tap, str) and (ours := our_tap(tap.strip())):
        tap = ours
    elif isinstance(tap, str) and _CLASS.fullmatch(tap.strip()):
        tap = _class_of(tap.strip())
    if inspect.isclass(tap):
        if not issubclass(tap, Tap):
            raise TapNotFoundError(f"{tap.__module__}:{tap.__qualname__} is no tap of the Singer SDK")
        declared = tap.config_jsonschema.get("properties", {})
        if issubclass(tap, ApiTap):
            return partial(InProcess, tap), tap.name, declared
        command = [sys.executable, "-m", "taps.bridge.shim", f"{tap.__module__}:{tap.__qualname__}"]
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        make = partial(
            AsProcess,
            tap.name,
            command,
            env={**paths, **(env or {})},
            proves_end=True,
            discovery_timeout=discovery_timeout,
        )
        return make, tap.name, declared
    command = shlex.split(tap) if isinstance(tap, str) else [str(part) for part in tap]
    if not command:
        raise TapNotFoundError("tap is empty; give the name, the class or the executable of a tap")
    # An interpreter's name says nothing of the tap; its script's does.
    script = len(command) > 1 and _INTERPRETER.fullmatch(Path(command[0]).name)
    called = Path(command[1]).stem if script else Path(command[0]).name
    make = partial(
        AsProcess,
        called,
        command,
        env=env,
        discovery_timeout=discovery_timeout,
        catalog_option=catalog_option,
    )
    return make, called, {}


def _class_of(reference: str) -> type[Tap]:
    module, _, name = reference.partition(":")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        raise TapNotFoundError(f"There is no tap '{reference}': there is no module '{error.name}'") from None
    except AttributeError:
        raise TapNotFoundError(f"There is no tap '{reference}': the module has no class '{name}'") from None
