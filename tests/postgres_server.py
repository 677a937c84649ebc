"""A PostgreSQL server for tests: one of its own, in a temporary folder, gone afterwards."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = "PostgreSQL's server is not installed, so nothing is loaded into it; install it: apt-get install postgresql"
_SECONDS = 60
_HOST = "127.0.0.1"
_USER = "loader"
# What a crash would lose does not matter here. The time zone is one that no test may notice.
_SETTINGS = {
    "listen_addresses": _HOST,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "Asia/Kathmandu",
    "max_connections": "30",
}
# The end of standard input stops the server: so it ends with the tests, also where these are killed.
_GUARDED = '"$@" </dev/null & server=$!; read -r _; kill -INT $server; wait $server; cd /; rm -rf "$OLDPWD"'


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        port: Where it listens, at 127.0.0.1.
        password: Of the user, who may do everything.
    """

    port: int
    password: str = field(repr=False)
    host: str = _HOST
    user: str = _USER

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def create(self, database: str) -> None:
        connection = psycopg2.connect(self.url("postgres"))
        connection.autocommit = True
        try:
            connection.cursor().execute(f'create database "{database}"')
        finally:
            connection.close()

    def rows(self, database: str, query: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Run a query; numbers in JSON keep their digits, and times with a zone are in UTC."""
        connection = psycopg2.connect(self.url(database))
        try:
            psycopg2.extras.register_default_jsonb(connection, loads=partial(json.loads, parse_float=Decimal))
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute("set time zone 'UTC'")
                cursor.execute(query, values)
                return [dict(row) for row in cursor.fetchall()]
        finally:
            connection.close()


def programs() -> Path | None:
    """Find the folder of `initdb` and `postgres`: Debian keeps them out of PATH, one folder a version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    in_path = shutil.which("initdb")
    if in_path:
        folders.append(Path(in_path).resolve().parent)
    return next(
        (folder for folder in folders if all((folder / name).exists() for name in ("initdb", "postgres"))), None
    )


@contextmanager
def running(binaries: Path) -> Iterator[Postgres]:
    """Start a server with no tables, and stop it in the end."""
    # Not pytest's folder: that is root's alone, where root runs the tests, and initdb refuses to be root.
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    root = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        if root:
            shutil.chown(home, "postgres", "postgres")
        password = secrets.token_urlsafe(12)
        secret = home / "password"
        secret.write_text(password)
        initdb = [binaries / "initdb", "--pgdata", home / "data", "--username", _USER, "--pwfile", secret, "--no-sync"]
        done = subprocess.run(
            [*initdb, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"],
            cwd=home, capture_output=True, text=True, check=False, timeout=_SECONDS, **root,  # type: ignore[call-overload]
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with _serving(binaries, home, root) as port:
            yield Postgres(port, password)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _serving(binaries: Path, home: Path, root: dict[str, Any]) -> Iterator[int]:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(home)}
    command = [str(binaries / "postgres"), "-D", str(home / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", _GUARDED, "sh", *command], cwd=home, stdin=subprocess.PIPE, stdout=log, stderr=log,
            start_new_session=True, **root,
        )  # fmt: skip
    try:
        _wait_for(process, port, home / "log")
        yield port
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        said = log.read_text(errors="replace")
        if "ready to accept connections" in said:
            return
        if "FATAL" in said:
            break
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL did not start at port {port}: {log.read_text(errors='replace')}")
