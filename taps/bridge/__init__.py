"""dlt reads any Singer tap: `singer_source` makes a dlt source of one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taps.bridge.bookmarks import more_to_read
    from taps.bridge.rest_config import rest_api_config
    from taps.bridge.source import singer_source

__all__ = ["more_to_read", "rest_api_config", "singer_source"]

_HOMES = {"more_to_read": "bookmarks", "rest_api_config": "rest_config", "singer_source": "source"}
_OPTIONAL = {"dlt", "pyarrow"}


def __getattr__(name: str) -> Any:
    # Imported when asked for: a tap that `shim` runs is a process that needs no dlt, which takes a second to import.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OPTIONAL:
            raise
        raise ModuleNotFoundError(
            f"{__name__} needs {missing}; install it with: pip install 'frontline-taps[dlt]'", name=missing
        ) from None
