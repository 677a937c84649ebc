"""Any Singer tap, run as a process: settings in files, messages on standard output, a log on standard error."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import contextmanager
from math import inf
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from dlt.common.runtime.signals import raise_if_signalled

from taps.bridge.catalog import entries_of
from taps.bridge.errors import DiscoveryError, IncompleteError, TapConfigError, TapFailedError, TapNotFoundError
from taps.bridge.messages import MessageReader, excerpt
from taps.bridge.ours import our_taps
from taps.bridge.running import Runner
from taps.bridge.shim import BAD_CONFIG, PARENTS
from taps.engine.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from taps.bridge.catalog import StreamEntry
    from taps.bridge.running import Event

__all__ = ["AsProcess"]

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_PIECE = 1024 * 1024  # bytes read at once
_POLL = 0.2  # seconds between two looks at whether all is still well
_LAST_LINES = 10  # of the tap's log, in an error
_LONGEST_SHOWN = 500  # characters of each of them
_LONGEST_LINE = 1024 * 1024  # bytes of the log taken for a line, where a tap ends none
_SECRET = re.compile(r"(?i)key|token|secret|pass|pwd|auth|credential|private|dsn|connection")
_ADDRESS = re.compile(r"\w[\w+.-]*://[^/?#\s:@]*:([^/?#\s]+)@")
_TELLS = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|^\w*(\.\w+)*(Error|Exception)\b")
_METRIC = re.compile(r"METRIC: (\{.*\})")


class AsProcess(Runner):
    """A tap that is run as a process.

    Args:
        name: What to call it.
        command: The executable and its arguments.
        config: The tap's settings.
        env: Environment variables beside those of this process.
        proves_end: Whether the tap says at its end that it came there, as `taps.bridge.shim` does.
        discovery_timeout: Seconds in which it must list its streams.
        catalog_option: The command-line option that takes a catalog.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        config: Mapping[str, Any],
        *,
        env: Mapping[str, str] | None = None,
        proves_end: bool = False,
        discovery_timeout: float = 300,
        catalog_option: str = "--catalog",
    ) -> None:
        self.name = name
        found = shutil.which(command[0])
        if found is None:
            raise TapNotFoundError(f"There is no executable '{command[0]}'. {_advice(command[0])}")
        self._command = [found, *command[1:]]
        self._config = dict(config)
        self._env = {**os.environ, **(env or {})}
        self._proves_end = proves_end
        self._discovery_timeout = discovery_timeout
        self._catalog_option = catalog_option
        self._redact = Redactor(secret for found in _secrets([config, env or {}]) for secret in _forms(found))

    def discover(self) -> Sequence[StreamEntry]:
        """Run the tap with `--discover`."""
        deadline = time.monotonic() + self._discovery_timeout
        with self._started({}, "--discover") as process:
            output = bytearray()
            try:
                for piece in process.pieces(deadline):
                    output += piece
                code = process.wait(deadline)
            except TimeoutError:
                raise DiscoveryError(
                    f"{self.name} did not list its streams in {self._discovery_timeout:g} seconds (discovery_timeout)"
                ) from None
            self._check_settings(code, process)
            if code != 0:
                raise DiscoveryError(f"{self.name} --discover {_ended(code)}: {process.log.last(_LAST_LINES)}")
        try:
            catalog = json.loads(output)
            return entries_of(catalog, parents=catalog.get(PARENTS))
        except (ValueError, AttributeError):
            shown = excerpt(output, self._redact) or "nothing"
            raise DiscoveryError(f"{self.name} --discover wrote no catalog, but: {shown}") from None
        except DiscoveryError as error:
            raise DiscoveryError(f"{self.name} --discover: {error}") from None

    def read_catalog(self, catalog: Any) -> Sequence[StreamEntry]:
        """Read a catalog that the user gives; which stream is whose child, a class of the Singer SDK tells."""
        parents = {entry.name: entry.parent for entry in self.discover()} if self._proves_end else None
        return entries_of(catalog, parents=parents)

    @contextmanager
    def run(
        self,
        catalog: Mapping[str, Any],
        state: Mapping[str, Any],
        *,
        loaded: Callable[[str], bool],  # noqa: ARG002 - only our own taps can be told
    ) -> Iterator[Iterator[Event]]:
        """Run the tap; it waits while nobody takes its events, for the pipe between is small."""
        files = {self._catalog_option: catalog}
        if state:
            files["--state"] = state
        with self._started(files) as process:
            yield self._events(process)

    def _events(self, process: _Process) -> Iterator[Event]:
        reader = MessageReader(self.name, self._redact)
        for piece in process.pieces():
            yield from reader.read(piece)
        code = process.wait()
        self._check_settings(code, process)
        if code != 0:
            words = process.log.last(_LAST_LINES)
            raise TapFailedError(
                f"{self.name} {_ended(code)}; nothing of this run is loaded. Its last words: {words}", exit_code=code
            )
        yield from reader.close()
        why = None
        if self._proves_end and not reader.ended:
            why = "it was stopped on its way"
        elif reader.unfinished:
            why = f"its last state says that it is still reading '{reader.unfinished}'"
        elif process.log.failed:
            why = f"its log says that it did not come to the end of {', '.join(sorted(process.log.failed))}"
        if why:
            raise IncompleteError(
                f"{self.name} ended with exit code 0, but {why}; nothing of this run is loaded, and nothing is "
                f"replaced. Its last words: {process.log.last(_LAST_LINES)}"
            )

    def _check_settings(self, code: int, process: _Process) -> None:
        if code == BAD_CONFIG and self._proves_end:
            raise TapConfigError(f"{self.name} does not take its settings: {process.log.last(1)}")

    @contextmanager
    def _started(self, files: Mapping[str, Mapping[str, Any]], *options: str) -> Iterator[_Process]:
        directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        try:
            command = [*self._command]
            for option, document in {"--config": self._config, **files}.items():
                path = directory / f"{option.strip('-')}.json"
                path.touch(0o600, exist_ok=False)
                path.write_text(json.dumps(document, default=str), encoding="utf-8")
                command += [option, str(path)]
            process = _Process(self.name, [*command, *options], self._env, directory, self._redact)
            try:
                yield process
            finally:
                process.stop()
        finally:
            shutil.rmtree(directory, ignore_errors=True)


class _Process:
    """A tap's process under its supervisor."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], directory: Path, redact: Callable[[str], str]
    ) -> None:
        self._status, status = os.pipe()
        # Without -I and -S it would take ten times as long to start.
        supervised = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(status), str(directory), *command]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is what the user asks for
                supervised,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                start_new_session=True,
                pass_fds=[status],
            )
        except BaseException:
            os.close(self._status)
            raise
        finally:
            os.close(status)
        self.log = _Log(name, _pipe(self._process.stderr), redact)

    def pieces(self, deadline: float = inf) -> Iterator[bytes]:
        """Give what the tap writes until it closes its output, or ends and leaves somebody else with it."""
        output = _pipe(self._process.stdout).fileno()
        gone = False
        with DefaultSelector() as selector:
            selector.register(output, EVENT_READ)
            selector.register(self._status, EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(0 if gone else _POLL)}
                if output in ready:
                    piece = os.read(output, _PIECE)
                    if not piece:
                        return
                    yield piece
                elif gone:
                    return
                elif self._status in ready:
                    gone = True
                    selector.unregister(self._status)
                _may_go_on(deadline)

    def wait(self, deadline: float = inf) -> int:
        """Wait for the end of a tap that has closed its output; give its exit code."""
        with DefaultSelector() as selector:
            selector.register(self._status, EVENT_READ)
            while not selector.select(_POLL):
                _may_go_on(deadline)
        said = os.read(self._status, 16)
        self._kill()  # with what the tap has left running, which may hold its log open
        code = self._process.wait()
        self.log.close()
        return int(said) if said else code  # the supervisor itself was killed

    def stop(self) -> None:
        """Kill what still runs, with all that it has started."""
        self._kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _pipe(pipe).close()
        os.close(self._status)
        self.log.close()

    def _kill(self) -> None:
        if self._process.returncode is None:  # else the number may be somebody else's by now
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


class _Log:
    """A tap's standard error: passed on to `logging`, its last lines kept, credentials left out."""

    def __init__(self, name: str, pipe: IO[bytes], redact: Callable[[str], str]) -> None:
        self._pipe = pipe
        self._redact = redact
        self._logger = logging.getLogger(f"taps.bridge.{name}")
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self.failed: set[str] = set()
        """Streams of which the tap's own metrics say that they were not read to the end."""
        self._thread = threading.Thread(target=self._drain, name=f"{name}-log", daemon=True)
        self._thread.start()

    def last(self, count: int) -> str:
        """Give the last lines as one; those that tell of an error alone, where there are any."""
        lines = list(self._lines)
        telling = [line for line in lines if _TELLS.search(line)]
        return " | ".join((telling or lines)[-count:]) or "none"

    def close(self) -> None:
        """Wait until all has been read, unless somebody else keeps the pipe open."""
        self._thread.join(timeout=2)

    def _drain(self) -> None:
        with self._pipe as pipe:
            for line in iter(lambda: pipe.readline(_LONGEST_LINE), b""):
                text = self._redact(line.decode(errors="replace").rstrip())
                if not text:
                    continue
                self._note_metric(text)
                self._lines.append(" ".join(text[:_LONGEST_SHOWN].split()) + "…" * (len(text) > _LONGEST_SHOWN))
                self._logger.info("%s", text)

    def _note_metric(self, text: str) -> None:
        found = _METRIC.search(text)
        if found is None:
            return
        with contextlib.suppress(ValueError, AttributeError):
            metric = json.loads(found[1])
            tags = metric.get("tags", {})
            if metric.get("metric") == "sync_duration" and tags.get("status") == "failed":
                self.failed.add(str(tags.get("stream")))


def _may_go_on(deadline: float) -> None:
    raise_if_signalled()
    if time.monotonic() > deadline:
        raise TimeoutError


def _advice(command: str) -> str:
    if os.sep in command:
        return "Install the tap there, or mend the path"
    return f"Give the path of the tap's command, such as '.venv-tap/bin/{command}', or one of {', '.join(our_taps())}"


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - asked for where the process is started
    return pipe


def _secrets(config: Any, name: str = "") -> Iterator[str]:
    """Find the settings whose name says that nobody may see them."""
    if isinstance(config, dict):
        for key, value in config.items():
            yield from _secrets(value, f"{name}.{key}")
    elif isinstance(config, list):
        for value in config:
            yield from _secrets(value, name)
    elif isinstance(config, str) and _SECRET.search(name):
        yield config
    elif isinstance(config, str) and (address := _ADDRESS.match(config)):
        yield address[1]


def _forms(secret: str) -> Iterator[str]:
    """Give what a tap may write of a secret: a log has line by line what a private key has in many."""
    yield secret
    yield unquote(secret)
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines)
