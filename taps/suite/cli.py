"""The commands of `taps`, each of which imports what it needs when it runs: `taps --help` needs next to nothing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from taps.engine.start import quick_imports

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_ENDS = "\b\nExit codes: 0 all is well, 1 something cannot be read, 2 bad usage or settings."
_ELSEWHERE = {
    "dlt-config": "Print a tap's streams for dlt's own REST source.",
    "sandbox": "Serve all APIs on this machine with made-up data.",
}
_OPTIONAL = {"dlt", "pyarrow"}

_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, and nothing else, to standard output.")
_config = click.option(
    "--config",
    multiple=True,
    metavar="FILE|ENV",
    help="A JSON file with settings, or ENV for those of the environment. May be given several times.",
)


class _Group(click.Group):
    """Has commands of other rooms, which are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:  # for the list of commands
            return click.Command(cmd_name, short_help=_ELSEWHERE[cmd_name])
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name == "dlt-config":
            command = _dlt_config()
        elif name == "sandbox":
            command = _serve() if ctx.resilient_parsing else _sandbox
        return name, command, rest


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_ENDS)
@click.version_option(package_name="frontline-taps")
def _taps() -> None:
    """What there is to do with the taps beside running them."""


@_taps.command("list", epilog=_ENDS)
@click.argument("tap", required=False)
@click.option("--streams", is_flag=True, help="Show the streams of all taps.")
@_json
def _list(tap: str | None, *, streams: bool, as_json: bool) -> None:
    """Show the taps, or the streams of TAP: keys, cursor, parent, and which products have them."""
    with quick_imports():
        from taps.suite.listing import list_taps  # noqa: PLC0415

    list_taps(tap, streams=streams, as_json=as_json)


@_taps.command("check", epilog=_ENDS)
@click.argument("tap")
@_config
@click.option("--streams", callback=lambda _ctx, _param, value: _names(value), help="Names of streams: a,b.")
@_json
def _check(tap: str, config: Sequence[str], streams: Sequence[str], *, as_json: bool) -> None:
    """Read a page of each stream of TAP: what can be read, and what a first sync takes."""
    with quick_imports():
        from taps.suite.checking import check  # noqa: PLC0415

    check(tap, config, streams=streams, as_json=as_json)


@_taps.command("preview", epilog=_ENDS)
@click.argument("tap")
@click.argument("stream")
@_config
@click.option("--limit", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Rows to show.")
@click.option("--fields", callback=lambda _ctx, _param, value: _names(value), help="Names of fields: a,b.")
@_json
def _preview(tap: str, stream: str, config: Sequence[str], limit: int, fields: Sequence[str], *, as_json: bool) -> None:
    """Show the first rows of a STREAM of TAP; of a child stream, with the rows of its first parents."""
    with quick_imports():
        from taps.suite.previewing import preview  # noqa: PLC0415

    preview(tap, stream, config, limit=limit, fields=fields, as_json=as_json)


@click.command(
    "sandbox",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _sandbox(arguments: Sequence[str]) -> None:
    from taps.sandbox.cli import main as serve  # noqa: PLC0415

    serve(list(arguments), program="taps sandbox")


def _serve() -> click.Command:
    """Give the sandbox's own command, for the completion of its options."""
    from taps.sandbox.cli import serve  # noqa: PLC0415

    return serve


def _dlt_config() -> click.Command:
    try:
        from taps.bridge.cli import dlt_config  # noqa: PLC0415 - needs dlt
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OPTIONAL:
            raise
        sys.exit(f"Error: taps needs {missing}; install it with: pip install 'frontline-taps[dlt]'")
    return dlt_config


def _names(value: str | None) -> list[str]:
    return [name.strip() for name in (value or "").split(",") if name.strip()]


def main() -> None:
    """Run the command."""
    try:
        _taps(prog_name="taps")
    except OSError as error:  # such as a disk that is full; click itself ends where the reader has gone away
        sys.exit(f"Error: The output cannot be written: {error.strerror or error}")
    finally:
        _drop_what_cannot_be_written()


def _drop_what_cannot_be_written() -> None:
    """Let go of what is still buffered: Python would complain once more at exit, with code 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
