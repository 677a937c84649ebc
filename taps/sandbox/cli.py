"""The command `tap-sandbox`: serves the sandbox until it is stopped."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taps.sandbox.defaults import CACHE_MB, GENERIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from taps.sandbox.accounts import SandboxAccounts
    from taps.sandbox.descriptor import Api
    from taps.sandbox.server import Sandbox

_LARGEST_PORT = 65_535
_TYPES: Mapping[type, click.ParamType[Any]] = {bool: click.BOOL, int: click.INT, float: click.FLOAT, str: click.STRING}


@click.command("tap-sandbox")
@click.option(
    "--api", "names", multiple=True, metavar="NAME", help="An API to serve, such as helpdesk; by default all of them."
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="A vendor in whose dialect its API is served: freshdesk, zendesk_talk, outreach, opsgenie or jsm_ops. Without "
    "--api, only the APIs of the vendors named are served.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    help="The first API's port, the others at the ports after it; 0, the default, takes free ones.",
)
@click.option(
    "--size",
    "--tickets",
    "size",
    type=click.IntRange(0, 4_000_000),
    default=2_000,
    show_default=True,
    help="How many tickets, calls or whatever else an API has most of.",
)
@click.option(
    "--accounts",
    "count",
    type=click.IntRange(1, 9_999),
    help="Serve so many accounts of each API below one port, at /account-01 and so on, each with data, keys, a rate "
    "limit and faults of its own; all other options hold for each. Prints them as JSON: a name and a tap's settings.",
)
@click.option(
    "--accounts-file",
    "listed_in",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the accounts of the API that is served to this file, instead of printing them.",
)
@click.option("--seed", type=int, default=42, show_default=True, help="What the made-up data depends on.")
@click.option("--page-cap", type=click.IntRange(1, 100), help="The most records that a page holds.")
@click.option("--ragged", is_flag=True, help="Pages of uneven length, linked ones now and then empty.")
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Seconds that every answer is late.")
@click.option("--jitter", type=click.FloatRange(0), default=0.0, help="Seconds that it is late on top, at most.")
@click.option("--fault", "faults", multiple=True, metavar="SPEC", help="What goes wrong, such as 429:every=20.")
@click.option(
    "--churn", metavar="SPEC", help="What changes while it is read, such as tickets=2,new=1,delete=1,every=5."
)
@click.option("--rate-limit", type=click.IntRange(1), default=None, help="The requests a minute that are answered.")
@click.option(
    "--rate-window",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds that are the minute.",
)
@click.option(
    "--rate-kind",
    type=click.Choice(["fixed", "sliding", "bucket"]),
    default="fixed",
    show_default=True,
    help="How the requests are counted.",
)
@click.option(
    "--rate-headers",
    type=click.Choice(["total", "reset", "none"]),
    default=None,
    help="What answers tell of it; by default the total, or what the vendor tells.",
)
@click.option(
    "--api-key", help="The key that an API asks for; sandbox-key by default. Of accounts: what their keys begin with."
)
@click.option("--max-ticket-pages", type=click.IntRange(1), help="The help desk's last ticket page; 300 by default.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Something that an API has of its own, such as export_page=100; it is set for all that have it.",
)
@click.option("--warm", is_flag=True, help="Make all records before serving, not when they are first asked for.")
@click.option(
    "--cache-mb",
    type=click.IntRange(1),
    default=CACHE_MB,
    show_default=True,
    help="Megabytes of pages to keep of each API, so that they are made once and not for each reader.",
)
@click.option("--quiet", is_flag=True, help="Print the addresses alone.")
def serve(
    *,
    names: Sequence[str],
    providers: Sequence[str],
    port: int,
    api_key: str | None,
    max_ticket_pages: int | None,
    options: Sequence[str],
    count: int | None,
    listed_in: Path | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Serve APIs with made-up data and faults on demand, to try the taps on without an account."""
    try:
        # Imported here so that an installation without the extra gets a line of advice and not a traceback.
        from taps.sandbox.accounts import SandboxAccounts  # noqa: PLC0415
        from taps.sandbox.apis import APIS, PROVIDERS  # noqa: PLC0415
        from taps.sandbox.server import Sandbox  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException(
            f"the sandbox needs {error.name or 'more packages'}: install frontline-taps[sandbox]"
        ) from None

    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    # Before an address is printed: whoever reads it may stop the sandbox at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    apis = _in_dialects(_chosen(names, APIS), providers, PROVIDERS, named=bool(names))
    if port + len(apis) > _LARGEST_PORT + 1:
        raise click.UsageError(f"there are no {len(apis)} ports from {port} on")
    if listed_in and (count is None or len(apis) > 1):
        raise click.UsageError("--accounts-file is for the accounts of one API: it goes with --accounts and --api NAME")
    given = {"api_key": api_key, "max_ticket_pages": max_ticket_pages}
    own = {name: value for name, value in given.items() if value is not None} | _read_options(options, apis)
    make: Callable[..., Sandbox | SandboxAccounts] = Sandbox if count is None else partial(SandboxAccounts, count=count)
    served: list[Sandbox | SandboxAccounts] = []
    with ExitStack() as stack:
        for place, api in enumerate(apis):
            at = port + place if port else 0
            known = {name: value for name, value in own.items() if name in api.defaults}
            try:
                served.append(make(api.name, provider=api.provider, port=at, **settings, **known))
                stack.enter_context(served[-1])
            except ValueError as error:
                raise click.UsageError(str(error)) from None
            except OSError as error:
                address = f"{settings['host']}:{at}"
                raise click.ClickException(f"cannot listen at {address}: {error.strerror or error}") from None
        firsts = [
            _introduce(each, quiet=quiet)
            if isinstance(each, Sandbox)
            else _introduce_accounts(each, listed_in, quiet=quiet)
            for each in served
        ]
        if not quiet:
            click.echo(f"what was asked: {firsts[0].root_url}/_sandbox/requests  (Ctrl+C stops)")
        sys.stdout.flush()
        stopped.wait()


def _chosen(names: Sequence[str], apis: Mapping[str, Api]) -> list[Api]:
    for name in names:
        if name not in apis:
            raise click.UsageError(f"there is no API {name!r}; there are {', '.join(apis)}")
    # Each once, in the order given: two servers of one API would be two worlds.
    return [apis[name] for name in (dict.fromkeys(names) or apis)]


def _in_dialects(
    apis: Sequence[Api], providers: Sequence[str], known: Mapping[str, Mapping[str, Api]], *, named: bool
) -> list[Api]:
    chosen: dict[str, Api] = {}
    for provider in dict.fromkeys(providers):
        if provider == GENERIC:
            continue
        vendors = [known[api.name][provider] for api in apis if provider in known[api.name]]
        if not vendors:
            valid = ", ".join((GENERIC, *(name for api in apis for name in known[api.name])))
            raise click.UsageError(f"there is no provider {provider!r} of what is served; there are {valid}")
        if vendors[0].name in chosen:
            other = chosen[vendors[0].name].provider
            raise click.UsageError(f"{other} and {provider} are dialects of one API: serve them one by one")
        chosen[vendors[0].name] = vendors[0]
    return [chosen.get(api.name, api) for api in apis if named or not chosen or api.name in chosen]


def _read_options(options: Sequence[str], apis: Sequence[Api]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option in options:
        name, equals, text = option.partition("=")
        defaults = [api.defaults[name] for api in apis if name in api.defaults]
        if not equals or not defaults:
            known = sorted({name for api in apis for name in api.defaults})
            raise click.UsageError(f"bad option {option!r}: it is NAME=VALUE where NAME is one of {', '.join(known)}")
        kind = _TYPES[type(defaults[0])]
        try:
            values[name] = kind(text)
        except click.BadParameter as error:
            raise click.UsageError(f"bad option {option!r}: {error.message}") from None
    return values


def _introduce(sandbox: Sandbox, *, quiet: bool) -> Sandbox:
    shown = ", ".join(f"{name}: {value}" for name, value in sandbox.credentials.items())
    click.echo(f"tap-sandbox serves the {sandbox.api.title} at {sandbox.base_url} ({shown})")
    if not quiet:
        click.echo(f"{sandbox.api.tap} config: {json.dumps(sandbox.config)}")
        if sandbox.alternatives:
            click.echo(f"{sandbox.api.tap} takes instead: {json.dumps(sandbox.alternatives)}")
    return sandbox


def _introduce_accounts(accounts: SandboxAccounts, listed_in: Path | None, *, quiet: bool) -> Sandbox:
    first, *_, last = [*accounts.values()] * 2
    shown = ", ".join(
        f"{name}: {value}" if value == last.credentials[name] else f"{name}: {value} to {last.credentials[name]}"
        for name, value in first.credentials.items()
    )
    if listed_in:  # before the address is printed: whoever reads that finds the file
        each = ",\n".join(json.dumps(account) for account in accounts.listed)
        try:
            listed_in.write_text(f"[\n{each}\n]\n", encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"cannot write {listed_in}: {error.strerror or error}") from None
    click.echo(
        f"tap-sandbox serves {len(accounts)} accounts of the {accounts.api.title} at {first.base_url} to "
        f"{last.base_url} ({shown})"
    )
    if not quiet:
        click.echo(f"{accounts.api.tap} accounts: {listed_in or json.dumps(accounts.listed)}")
    return first


def main(arguments: Sequence[str] | None = None, *, program: str = "tap-sandbox") -> None:
    """Run the command; problems are one line on stderr and an exit code other than 0.

    Args:
        arguments: The command line; None for the process's own.
        program: What the command is called.
    """
    try:
        code = serve.main(arguments, prog_name=program, standalone_mode=False)
    except click.ClickException as error:
        # Without the usage that click would print above it: the message says what is wrong.
        click.echo(f"{program}: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
