"""The command line: the SDK's, with one line for whatever goes wrong."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError

from taps.engine.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.redaction import Redactor

__all__ = ["TapCommand", "read_object"]


class TapCommand(click.Command):
    """A tap's command: errors are one line of the log, and the exit code is 1.

    The SDK's own command prints a traceback for all but bad settings. Ours is in the log at level DEBUG.
    """

    def __init__(self, *args: Any, logger: logging.Logger, redactor: Redactor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._logger = logger
        self._redactor = redactor

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments. `--discover` and `--test` already run here, as callbacks."""
        logging.captureWarnings(capture=True)
        self._redactor.guard_logs()
        with self._one_line():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the tap."""
        with self._one_line():
            return super().invoke(ctx)

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            _drop_output()
            self._fail(["The reader of standard output has gone away; the sync stops here"])
        except ConfigValidationError as error:
            self._fail(error.errors or [str(error)])
        except SingerSDKError as error:
            self._fail([str(error)])
        except Exception as error:  # noqa: BLE001 - the last resort, so that no bug ends in a bare traceback
            self._redactor.cleanse(error)
            if isinstance(error, OSError):  # such as a disk that is full
                _drop_output()
            name = type(error).__name__
            self._fail([f"Unexpected error, {name}: {error}; with LOGLEVEL=DEBUG the log has the traceback"])

    def _fail(self, lines: list[str]) -> None:
        for line in lines:
            self._logger.error("%s", " ".join(self._redactor(line).split()))
        self._logger.debug("The traceback of the error above", exc_info=sys.exc_info())
        raise click.exceptions.Exit(1)


def _drop_output() -> None:
    """Let go of what is buffered and cannot be written: Python would complain once more at exit, with code 120."""
    with suppress(OSError):  # where standard output is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_object(source: IO[str] | Path, what: str) -> dict[str, Any]:
    """Read a JSON object that a user named on the command line.

    Args:
        source: An open file, or the path of one.
        what: What it is to be, for the message, for example `state`.

    Returns:
        The object.

    Raises:
        InvalidInputError: It cannot be read, is no JSON, or no object.
    """
    name = source.name if not isinstance(source, Path) else str(source)
    try:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInputError(f"The {what} file {name} cannot be read: {reason}") from None
    try:
        document = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        reason = "it is empty" if not text.strip() else str(error)
        raise InvalidInputError(f"The {what} file {name} is no JSON: {reason}") from None
    if not isinstance(document, dict):
        raise InvalidInputError(f"The {what} file {name} holds no JSON object, but {type(document).__name__}")
    return document
