"""The command `taps dlt-config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taps.bridge.errors import BridgeError, TapNotFoundError
from taps.bridge.rest_code import setting
from taps.bridge.rest_config import planned
from taps.bridge.rest_module import module_of
from taps.engine.cli import read_object
from taps.engine.errors import InvalidInputError

if TYPE_CHECKING:
    from taps.bridge.rest_config import RestPlan

__all__ = ["dlt_config"]


class _Failure(click.ClickException):
    """Ends the command with a line and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code  # type: ignore[misc]  # click has one for each class, and reads it of the instance


@click.command("dlt-config")
@click.argument("name")
@click.option("--config", type=click.Path(path_type=Path), help="A JSON file with settings of the tap.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write, instead of standard output.")
def dlt_config(name: str, config: Path | None, output: Path | None) -> None:
    """Print the streams of the tap NAME as a Python module for dlt's own REST source.

    No secret is printed, but where dlt is to look for it.
    """
    try:
        module = module_of(_plan(name, config))
        if output is None:
            click.echo(module, nl=False)
        else:
            output.write_text(module, encoding="utf-8")
    except TapNotFoundError as error:
        raise _Failure(str(error), 2) from None
    except (BridgeError, InvalidInputError) as error:
        raise _Failure(str(error), 1) from None
    except OSError as error:
        raise _Failure(f"The file {output} cannot be written: {error.strerror}", 1) from None


def _plan(name: str, config: Path | None) -> RestPlan:
    plan = planned(name)
    if config is None:
        return plan
    given = read_object(config, "config").items()
    return planned(name, {key: setting(key) if plan.is_secret(key) else value for key, value in given})
