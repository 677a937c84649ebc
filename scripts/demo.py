"""Show the help desk tap at work: sandbox, Meltano, DuckDB; a full run, some changes, an incremental run, and a table.

Everything that it makes is in `output/demo`, which each run begins anew: the DuckDB file, and Meltano's own database
with the state. The state of the user's own runs stays as it is. Logs are in `.cache/logs`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb
import requests
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "output" / "demo"
WAREHOUSE = HOME / "warehouse.duckdb"
LOGS = ROOT / ".cache" / "logs"
EXTRACTOR, LOADER = "tap-helpdesk", "target-duckdb"
MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"
SANDBOX = Path(sys.executable).with_name("tap-sandbox")

CHANGED_TICKETS = 25
NEW_TICKETS = 5
START_SECONDS = 60
STOP_SECONDS = 10

_BEGINS = re.compile(r"Beginning .*sync of '([^']+)'")

# No colours in a file, and no wrapped lines either: what is read there is read by tools.
console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """The demo cannot go on. The message is one line for the user."""


@dataclass
class Sync:
    """What a run of the tap did, by the metrics that it logs.

    Attributes:
        rows: Records emitted, by stream.
        seconds: Time taken, by stream; a parent's has its children's in it.
        requests: HTTP requests sent.
        errors: What went wrong, as the tap or Meltano put it.
        current: The stream that is being read.
    """

    rows: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    errors: list[str] = field(default_factory=list)
    current: str = ""
    _of_loader: str = field(default="", repr=False)

    def take(self, line: str) -> None:
        """Read a line of Meltano's log."""
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if not isinstance(entry, dict):
            return
        event, name = str(entry.get("event")).strip(), entry.get("name", "meltano")
        if name == LOADER:
            self._of_loader = event or self._of_loader
        if entry.get("level") in {"error", "critical"}:
            # Of a loader that ended in a traceback, and of pip, the last line says most.
            details = (entry.get("install_state") or {}).get("details") or ""
            lines = [line for line in details.splitlines() if line.strip()]
            if event == "Loader failed" and self._of_loader:
                name, event = LOADER, self._of_loader
            self.errors.append(f"{name}: {lines[-1] if lines else event}")
        if begins := _BEGINS.match(event):
            self.current = begins[1]
        point = entry.get("metric_info") or {}
        stream = point.get("tags", {}).get("stream")
        if point.get("metric") == "record_count":
            self.rows[stream] += point["value"]
        elif point.get("metric") == "sync_duration":
            self.seconds[stream] = self.seconds.get(stream, 0.0) + point["value"]
        elif point.get("metric") == "http_request_count":
            self.requests += point["value"]

    def __str__(self) -> str:
        """What was read so far."""
        return f"{sum(self.rows.values()):,} rows of {len(self.rows)} streams"


class Sandbox:
    """The server that plays the help desk, seen through its control paths."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False

    def counts(self) -> dict[str, int]:
        """Count its records by stream."""
        counts: dict[str, int] = self._ask("GET", "counts")
        return counts

    def change_tickets(self) -> list[int]:
        """Change some tickets, add some, and tell which."""
        changes = self._ask("POST", f"change?tickets={CHANGED_TICKETS}&new={NEW_TICKETS}")
        return [*changes["tickets"], *changes["new"]]

    def updated(self, tickets: Sequence[int]) -> dict[int, datetime]:
        """Tell when tickets were last updated."""
        rows = {row["id"]: row["updated_at"] for row in self._ask("GET", "records/tickets")}
        return {key: datetime.fromisoformat(rows[key].replace("Z", "+00:00")) for key in tickets}

    def _ask(self, method: str, path: str) -> Any:
        answer = self._session.request(method, f"{self.base_url}/_sandbox/helpdesk/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def phase(title: str) -> Iterator[Callable[[str], None]]:
    """Show that something goes on and, when it is done, how long it took.

    Yields:
        What sets the words shown beside the title.
    """
    started = time.monotonic()
    detail = ""

    def tell(words: str) -> None:
        nonlocal detail
        detail = f": {words}"
        status.update(title + detail)

    if not console.is_terminal:
        console.print(f"{title} …")
    with console.status(title) as status:
        yield tell
    console.print(f"[green]✓[/] {title}{detail} [dim]({time.monotonic() - started:.1f} s)[/]")


def start(command: Sequence[str], **kwargs: Any) -> subprocess.Popen[str]:
    """Start a process in a group of its own, so that it can be stopped with all that it starts."""
    return subprocess.Popen(command, cwd=ROOT, text=True, encoding="utf-8", start_new_session=True, **kwargs)


def stop(process: subprocess.Popen[str]) -> None:
    """End a process and all that it has started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(command: Sequence[str], **kwargs: Any) -> Iterator[subprocess.Popen[str]]:
    """Have a process for as long as it is needed."""
    process = start(command, **kwargs)
    try:
        yield process
    finally:
        stop(process)


@contextmanager
def sandbox_of(tickets: int) -> Iterator[Sandbox]:
    """Serve a made-up help desk.

    Raises:
        DemoError: The server does not come up.
    """
    log = LOGS / "demo-sandbox.log"
    command = [str(SANDBOX), "--port", "0", "--tickets", str(tickets)]
    with log.open("w") as errors, running(command, stdout=subprocess.PIPE, stderr=errors) as server:
        # Unless it gets to speak in time, it is stopped, and that ends the reading.
        timer = threading.Timer(START_SECONDS, stop, [server])
        timer.start()
        line = _first_line(server.stdout)
        timer.cancel()
        addresses = [word for word in line.split() if word.startswith("http://")]
        if not addresses:
            raise DemoError(f"the sandbox did not start within {START_SECONDS} s; what it said is in {shown(log)}")
        yield Sandbox(addresses[0])


def _first_line(stream: IO[str] | None) -> str:
    return stream.readline() if stream else ""


def shown(path: Path) -> str:
    """Name a file as seen from the clone."""
    return str(path.relative_to(ROOT))


def environment_for(base_url: str) -> dict[str, str]:
    """Make the environment for Meltano: what the user has set for runs of their own must not get into the demo."""
    own = ("MELTANO_", "TAP_HELPDESK_", "TARGET_DUCKDB_")
    loopback = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(own)},
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "MELTANO_DATABASE_URI": f"sqlite:///{(HOME / 'meltano.db').relative_to(ROOT)}",
        "TAP_HELPDESK_BASE_URL": base_url,
        "TAP_HELPDESK_API_KEY": "sandbox-key",
        "TARGET_DUCKDB_PATH": str(WAREHOUSE),
    }


def meltano(arguments: Sequence[str], log: Path, env: Mapping[str, str], take: Callable[[str], None]) -> int:
    """Run Meltano, with its log in a file as well.

    Returns:
        The exit code.
    """
    command = [str(MELTANO), "--log-format=json", f"--env-file={HOME / 'empty.env'}", "--environment=dev", *arguments]
    with (
        log.open("w", encoding="utf-8") as file,
        running(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        for line in process.stdout or ():
            file.write(line)
            take(line)
        return process.wait()


def install_plugins(env: Mapping[str, str]) -> None:
    """Have Meltano install the tap and the loader, unless nothing has changed since it did.

    Raises:
        DemoError: Meltano cannot install them.
    """
    log, stamp = LOGS / "demo-install.log", ROOT / ".cache" / "meltano-plugins"
    sources = [ROOT / "meltano.yml", ROOT / "pyproject.toml", *sorted((ROOT / "constraints").glob("*.txt"))]
    recipe = hashlib.sha256(b"\0".join([os.fsencode(ROOT), *(path.read_bytes() for path in sources)])).hexdigest()
    if (ROOT / ".meltano").is_dir() and stamp.exists() and stamp.read_text() == recipe:
        return
    sync = Sync()
    with phase("Meltano installs tap-helpdesk and target-duckdb (once)"):
        if meltano(["install", EXTRACTOR, LOADER], log, env, sync.take) != 0:
            reason = sync.errors[0] if sync.errors else "it did not say why"
            raise DemoError(f"Meltano could not install the plugins ({reason}); all that it said is in {shown(log)}")
    stamp.write_text(recipe)


def run(title: str, log: Path, env: Mapping[str, str]) -> Sync:
    """Run the pipeline once.

    Raises:
        DemoError: The run failed.
    """
    sync = Sync()
    with phase(title) as tell:

        def take(line: str) -> None:
            before = sync.current
            sync.take(line)
            if sync.current != before:
                tell(f"{sync}, reading {sync.current}")

        code = meltano(["run", EXTRACTOR, LOADER], log, env, take)
        if code != 0:
            reason = sync.errors[0] if sync.errors else f"exit code {code}"
            raise DemoError(f"'meltano run' failed ({reason}); all that was said is in {shown(log)}")
        tell(f"{sync} read in {sync.requests:,} requests")
    return sync


def loaded_counts(streams: Sequence[str]) -> dict[str, int]:
    """Count the rows in DuckDB by stream."""
    with duckdb.connect(str(WAREHOUSE), read_only=True) as warehouse:
        tables = {
            name
            for (name,) in warehouse.execute(
                "select table_name from information_schema.tables where table_schema = 'helpdesk'"
            ).fetchall()
        }
        return {
            name: warehouse.execute(f'select count(*) from helpdesk."{name}"').fetchall()[0][0]  # noqa: S608 - our names
            for name in streams
            if name in tables
        }


def stale_tickets(updated: Mapping[int, datetime]) -> list[int]:
    """Find the tickets of which DuckDB does not have the last version."""
    with duckdb.connect(str(WAREHOUSE), read_only=True) as warehouse:
        rows = dict(warehouse.execute("select id, updated_at from helpdesk.tickets").fetchall())
    # DuckDB keeps timestamps in UTC and without a zone.
    return [key for key, at in updated.items() if rows.get(key) != at.astimezone(timezone.utc).replace(tzinfo=None)]


def newest_tickets() -> list[int]:
    """Find the tickets of the bookmark's own second: they come again, because more of them may have come about."""
    newest = "select date_trunc('second', max(updated_at)) from helpdesk.tickets"
    query = f"select id from helpdesk.tickets where updated_at >= ({newest})"  # noqa: S608 - a query of ours
    with duckdb.connect(str(WAREHOUSE), read_only=True) as warehouse:
        return [key for (key,) in warehouse.execute(query).fetchall()]


def compare(held: Mapping[str, int], when: str) -> dict[str, int]:
    """Count the rows in DuckDB and make sure that they are all there.

    Raises:
        DemoError: They are not.
    """
    loaded = loaded_counts(list(held))
    wrong = [f"{name} {loaded.get(name, 0):,} of {held[name]:,}" for name in held if loaded.get(name) != held[name]]
    if wrong:
        raise DemoError(
            f"DuckDB lacks rows of the sandbox {when}: {', '.join(wrong)}; see {shown(LOGS)}/demo-run-*.log"
        )
    return loaded


def result_table(loaded: Mapping[str, int], held: Mapping[str, int], first: Sync, second: Sync) -> Table:
    """Lay out what happened by stream."""
    table = Table(header_style="bold", show_footer=True)
    table.add_column("stream", f"{len(held)} streams", no_wrap=True)
    for title, footer in (
        ("in DuckDB", f"{sum(loaded.values()):,}"),
        ("in sandbox", f"{sum(held.values()):,}"),
        ("seconds", ""),
        ("read again", f"{sum(second.rows.values()):,}"),
    ):
        table.add_column(title, footer, justify="right", no_wrap=True)
    for name in sorted(held):
        seconds = f"{first.seconds[name]:.2f}" if name in first.seconds else ""
        table.add_row(name, f"{loaded[name]:,}", f"{held[name]:,}", seconds, f"{second.rows[name]:,}")
    return table


def demonstrate(tickets: int) -> None:
    """Go through all of it.

    Raises:
        DemoError: Something is not as it should be.
    """
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    (HOME / "empty.env").touch()
    with ExitStack() as stack:
        with phase("The sandbox starts") as tell:
            sandbox = stack.enter_context(sandbox_of(tickets))
            held = sandbox.counts()
            tell(f"a help desk with {held['tickets']:,} tickets at {sandbox.base_url}")
        env = environment_for(sandbox.base_url)
        install_plugins(env)

        first = run("meltano run tap-helpdesk target-duckdb", LOGS / "demo-run-1.log", env)
        compare(held, "after the first run")

        at_bookmark = newest_tickets()
        with phase("In the help desk, work goes on") as tell:
            changed = sandbox.change_tickets()
            held = sandbox.counts()
            tell(f"{CHANGED_TICKETS} tickets are changed, {NEW_TICKETS} are new")

        second = run("meltano run tap-helpdesk target-duckdb, again", LOGS / "demo-run-2.log", env)
        loaded = compare(held, "after the second run")
        if stale := stale_tickets(sandbox.updated(changed)):
            raise DemoError(
                f"{len(stale)} of {len(changed)} changed tickets are not in DuckDB as they are now: {stale}"
            )
        due = {*changed, *at_bookmark}
        if second.rows["tickets"] != len(due):
            raise DemoError(f"the second run read {second.rows['tickets']:,} tickets, though {len(due)} were due")

    console.print(result_table(loaded, held, first, second))
    console.print(
        f"All streams are as long in DuckDB as in the sandbox; all {len(changed)} changed tickets are up to date.\n"
        f"The second run read {len(due)} tickets, the {len(changed)} that changed and {len(due) - len(changed)} of the "
        f"bookmark's own second, and only their conversations, {second.rows['conversations']}.\n"
        "Streams without a cursor are read whole.\n"
        "Seconds are those of the first run; a parent's include its children's.\n"
    )
    console.print(
        "[bold]Look at it[/]\n"
        "  .venv/bin/python -c 'import duckdb; print(duckdb.connect("
        f'"{shown(WAREHOUSE)}").sql("from helpdesk.tickets"))\'\n'
        "[bold]Your own help desk[/]\n"
        "  export TAP_HELPDESK_BASE_URL=https://… TAP_HELPDESK_API_KEY=…\n"
        "  .venv-meltano/bin/meltano --environment=prod run tap-helpdesk target-duckdb   "
        "[dim]# into output/warehouse.duckdb[/]",
        markup=True,
    )


def main() -> int:
    """Run the demo.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="./scripts/demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tickets", type=int, default=2000, help="how many tickets the sandbox has (default: 2000)")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    started = time.monotonic()
    try:
        demonstrate(arguments.tickets)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: stopped; what it had started is stopped too", file=sys.stderr)
        return 128 + signal.SIGINT
    console.print(f"\n[dim]The demo took {time.monotonic() - started:.0f} s.[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
