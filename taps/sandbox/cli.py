"""The command `tap-sandbox`: serves the sandbox until it is stopped."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


@click.command("tap-sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port; 0, the default, takes a free one.")
@click.option(
    "--tickets", type=click.IntRange(0, 4_000_000), default=2_000, show_default=True, help="How many tickets."
)
@click.option("--seed", type=int, default=42, show_default=True, help="What the made-up data depends on.")
@click.option("--page-cap", type=click.IntRange(1, 100), default=100, help="The most records that a page holds.")
@click.option("--ragged", is_flag=True, help="Pages of uneven length, linked ones now and then empty.")
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Seconds that every answer is late.")
@click.option("--jitter", type=click.FloatRange(0), default=0.0, help="Seconds that it is late on top, at most.")
@click.option("--fault", "faults", multiple=True, metavar="SPEC", help="What goes wrong, such as 429:every=20.")
@click.option("--rate-limit", type=click.IntRange(1), default=None, help="The requests a minute that are answered.")
@click.option("--api-key", default="sandbox-key", show_default=True, help="The key that the API asks for.")
@click.option(
    "--max-ticket-pages", type=click.IntRange(1), default=300, show_default=True, help="The last ticket page."
)
@click.option("--warm", is_flag=True, help="Make all records before serving, not when they are first asked for.")
@click.option("--quiet", is_flag=True, help="Print the address alone.")
def serve(*, quiet: bool, **settings: Any) -> None:
    """Serve a help desk API with made-up data and faults on demand, to try the taps on without an account."""
    try:
        # Imported here so that an installation without the extra gets a line of advice and not a traceback.
        from taps.sandbox.faults import BadFaultError  # noqa: PLC0415
        from taps.sandbox.server import Sandbox  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException(
            f"the sandbox needs {error.name or 'more packages'}: install frontline-taps[sandbox]"
        ) from None

    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    # Before the address is printed: whoever reads it may stop the sandbox at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(Sandbox(**settings))
        except BadFaultError as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            address = f"{settings['host']}:{settings['port']}"
            raise click.ClickException(f"cannot listen at {address}: {error.strerror or error}") from None
        click.echo(f"tap-sandbox serves the help desk API at {sandbox.base_url} (api_key: {sandbox.api_key})")
        if not quiet:
            config = json.dumps({"base_url": sandbox.base_url, "api_key": sandbox.api_key})
            click.echo(f"tap-helpdesk config: {config}")
            click.echo(f"what was asked: {sandbox.base_url}/_sandbox/requests  (Ctrl+C stops)")
        sys.stdout.flush()
        stopped.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; problems are one line on stderr and an exit code other than 0.

    Args:
        arguments: The command line; None for the process's own.
    """
    try:
        code = serve.main(arguments, prog_name="tap-sandbox", standalone_mode=False)
    except click.ClickException as error:
        # Without the usage that click would print above it: the message says what is wrong.
        click.echo(f"tap-sandbox: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
