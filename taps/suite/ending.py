"""How a command ends that went wrong: a line on standard error, and an exit code."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError

from taps.engine.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["UNREADABLE", "USAGE", "EndedError", "one_line"]

UNREADABLE = 1
"""Something cannot be read."""

USAGE = 2
"""What was given cannot be used: arguments, files, settings."""


class EndedError(click.ClickException):
    """Ends the command.

    Args:
        lines: What to say, a line each.
        exit_code: The exit code.
    """

    def __init__(self, *lines: str, exit_code: int) -> None:
        super().__init__("\nError: ".join(" ".join(line.split()) for line in lines))
        self.exit_code = exit_code  # type: ignore[misc]  # click has one for each class, and reads it of the instance


@contextmanager
def one_line(redact: Callable[[str], str]) -> Iterator[None]:
    """Have whatever goes wrong end the command in a line for each error.

    Args:
        redact: Takes secrets out of a text.

    Raises:
        EndedError: Something went wrong.
    """
    try:
        yield
    except ConfigValidationError as error:
        raise EndedError(*map(redact, error.errors or [str(error)]), exit_code=USAGE) from None
    except InvalidInputError as error:
        raise EndedError(redact(str(error)), exit_code=USAGE) from None
    except SingerSDKError as error:
        raise EndedError(redact(str(error)), exit_code=UNREADABLE) from None
    except (click.ClickException, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: a traceback might have secrets in it
        kind = type(error).__name__
        raise EndedError(redact(f"Unexpected error, {kind}: {error}"), exit_code=UNREADABLE) from None
