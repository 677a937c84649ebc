"""The sandbox as a process of its own, seen through its control paths."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo_support.processes import running, stop
from demo_support.stage import LOGS, DemoError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from demo_support.subjects import Subject

__all__ = ["World", "sandbox_of"]

Records = dict[str, list[dict[str, Any]]]

_COMMAND = Path(sys.executable).with_name("tap-sandbox")
_START_SECONDS = 60
_CONFIG = re.compile(r"(tap-[a-z-]+) config: (\{.*\})")


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True)
class World:
    """An API of the sandbox: what is in it, and what is to change.

    Attributes:
        subject: The tap that reads it.
        config: The settings with which the tap reads it.
    """

    subject: Subject
    config: Mapping[str, str]
    _http: requests.Session = field(default_factory=_session, repr=False)

    def settings(self, home: Path) -> dict[str, str]:
        """Give the settings for a run that keeps tokens, where it gets any, in a folder."""
        settings = dict(self.config)
        if "token_cache_path" in self.subject.tap.config_jsonschema["properties"]:
            settings["token_cache_path"] = str(home / "tokens.json")
        return settings

    def counts(self) -> dict[str, int]:
        """Count the records by stream."""
        counts: dict[str, int] = self._ask("GET", "counts")
        return counts

    def records(self) -> Records:
        """Give all records by stream, as the tap ought to write them."""
        return {stream.name: self._ask("GET", f"records/{stream.name}") for stream in self.subject.streams}

    def change(self) -> dict[str, int]:
        """Let the work go on: records change, and new ones come about.

        Returns:
            How many, by kind.
        """
        numbers = "&".join(f"{kind}={number}" for kind, number in self.subject.changes.items())
        done = self._ask("POST", f"change?{numbers}")
        return {kind: _count(done[kind]) for kind in self.subject.changes}

    def _ask(self, method: str, path: str) -> Any:
        address = f"{self.config['base_url']}/_sandbox/{self.subject.api}/{path}"
        try:
            answer = self._http.request(method, address, timeout=60)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise DemoError(f"the sandbox does not do what it should: {error}") from None
        return answer.json()


def _count(ids: Any) -> int:
    # Some kinds of change are of several collections, each with its own ids.
    return sum(map(len, ids.values())) if isinstance(ids, dict) else len(ids)


@contextmanager
def sandbox_of(subjects: Sequence[Subject], size: int) -> Iterator[list[World]]:
    """Serve made-up data for taps to read.

    Yields:
        What there is to read, in the order of the taps.

    Raises:
        DemoError: The server does not come up.
    """
    log = LOGS / "demo-sandbox.log"
    command = [str(_COMMAND), "--size", str(size)]
    for subject in subjects:
        command += ["--api", subject.api]
        for option in subject.options:
            command += ["--option", option]
    with log.open("w") as errors, running(command, stdout=subprocess.PIPE, stderr=errors) as server:
        # Unless it gets to speak in time, it is stopped, and that ends the reading.
        timer = threading.Timer(_START_SECONDS, stop, [server])
        timer.start()
        configs = _read_configs(server, [subject.name for subject in subjects])
        timer.cancel()
        if len(configs) < len(subjects):
            raise DemoError(f"the sandbox did not start within {_START_SECONDS} s; what it said is in {shown(log)}")
        yield [World(subject, configs[subject.name]) for subject in subjects]


def _read_configs(server: subprocess.Popen[str], taps: Sequence[str]) -> dict[str, dict[str, str]]:
    configs: dict[str, dict[str, str]] = {}
    for line in server.stdout or ():
        if found := _CONFIG.fullmatch(line.strip()):
            configs[found[1]] = json.loads(found[2])
        if all(tap in configs for tap in taps):
            break
    return configs
