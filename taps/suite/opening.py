"""A tap by its name, and made with the settings that the command line gives."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taps.bridge.ours import our_tap, our_taps
from taps.engine.start import quick_imports
from taps.engine.wording import meant
from taps.suite.ending import USAGE, EndedError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["all_taps", "opened", "stream_named", "streams_of", "tap_named"]

_PREFIX = "tap-"
_RETRIES = 1  # where the settings do not say: somebody waits for it


def all_taps() -> list[type[ApiTap]]:
    """Give the taps, by their names."""
    with quick_imports():
        return [tap for name in our_taps() if (tap := our_tap(name))]


def tap_named(name: str) -> type[ApiTap]:
    """Give a tap.

    Args:
        name: Its name, with or without `tap-`.

    Raises:
        EndedError: There is none of that name.
    """
    with quick_imports():
        tap = our_tap(_PREFIX + name.removeprefix(_PREFIX).replace("_", "-"))
    if tap is None:
        raise EndedError(f"There is no tap '{name}'; there are {', '.join(our_taps())}", exit_code=USAGE)
    return tap


@contextmanager
def opened(tap_class: type[ApiTap], config: Sequence[str]) -> Iterator[ApiTap]:
    """Make a tap, and close it in the end; errors meanwhile end the command.

    Args:
        tap_class: The tap.
        config: Files with settings, or `ENV` for those of the environment; later ones go before.

    Raises:
        EndedError: The settings cannot be used, or something went wrong that nobody caught.
    """
    _log_problems()
    with one_line(tap_class.redactor):
        given: Any = tap_class.cb_config(None, None, tuple(config))  # type: ignore[arg-type]  # it uses neither
        settings = {"max_retries": _RETRIES, **given.config} if given.config or given.parse_env else {}
        tap = tap_class(config=settings, parse_env_config=given.parse_env)
        try:
            yield tap
        finally:
            tap.close()


def streams_of(tap: ApiTap) -> dict[str, ApiStream]:
    """Give a tap's streams by their names."""
    return {stream.name: stream for stream in tap.api_streams}


def stream_named(tap: ApiTap, name: str) -> ApiStream:
    """Give a stream of a tap.

    Raises:
        EndedError: There is none of that name.
    """
    streams = streams_of(tap)
    if name not in streams:
        hint = meant(name, streams) or f"; there are {', '.join(streams)}"
        raise EndedError(f"{tap.name} has no stream '{name}'{hint}", exit_code=USAGE)
    return streams[name]


def _log_problems() -> None:
    """Have warnings of the tap on standard error, a line each; and all else where `LOGLEVEL` asks for it."""
    level = os.environ.get("LOGLEVEL", "").upper()
    logging.captureWarnings(capture=True)
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s", level=logging.WARNING)
    if level in {"DEBUG", "INFO"}:
        logging.getLogger().setLevel(level)
