"""The fault matrix: kinds of faults, ways in which lists come in pages, and how a cell of the two is run."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from compared import key_of, same_value, schema_of

from support import config_for, sync
from taps.engine.setting_values import secrets_of
from taps.engine.timestamps import parse_timestamp
from taps.sandbox.server import Sandbox
from taps_under_test import TAPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from support import Output
    from taps.engine.stream import ApiStream
    from taps_under_test import TapUnderTest

MATRIX: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("matrix.yml").read_text(encoding="utf-8"))
TRIES = 3
WHEN = {"once": "at={second}", "stays": "after={first}", "always": "after=0"}
_BY_API = {tap.api: tap for tap in TAPS}


@dataclass(frozen=True)
class Style:
    """A way in which a list comes in pages, with a stream that has it.

    Attributes:
        name: The pagination.
        api: The API that is read.
        stream: The stream whose requests go wrong.
        path: Those requests.
        others: Streams that are read besides: the parent, or the children.
        bookmarked: Whether the sync begins at a bookmark, of an early record.
        pages: Whether the list has several pages, so that the fault strikes in the middle.
    """

    name: str
    api: str
    stream: str
    path: str
    others: tuple[str, ...] = ()
    bookmarked: bool = False
    pages: bool = True

    @property
    def id(self) -> str:
        return f"{self.api}.{self.stream}{'-bookmarked' if self.bookmarked else ''}"

    @property
    def tap(self) -> TapUnderTest:
        return _BY_API[self.api]

    @property
    def is_child(self) -> bool:
        return "*" in self.path

    @property
    def streams(self) -> list[str]:
        return [self.stream, *self.others]

    def types(self) -> list[type[ApiStream]]:
        return [found for found in self.tap.tap_class.stream_types if found.name in self.streams]


STYLES = [
    Style("link header", "helpdesk", "groups", "/v1/groups"),
    Style("link header", "helpdesk", "contacts", "/v1/contacts"),
    Style("link header", "helpdesk", "contacts", "/v1/contacts", bookmarked=True),
    Style("link header", "helpdesk", "conversations", "/v1/tickets/*/conversations", ("tickets",)),
    Style("page number", "helpdesk", "tickets", "/v1/tickets$", ("conversations",)),
    Style("page number", "helpdesk", "tickets", "/v1/tickets$", bookmarked=True),
    Style("single page", "helpdesk", "settings", "/v1/settings/helpdesk", pages=False),
    Style("link in the body", "voice", "greetings", "/v1/greetings"),
    Style("link in the body", "voice", "ivr_routes", "/v1/ivr"),
    Style("single page", "voice", "agents_overview", "/v1/stats/agents_overview", pages=False),
    Style("export", "voice", "calls", "/v1/stats/incremental/calls"),
    Style("export", "voice", "calls", "/v1/stats/incremental/calls", bookmarked=True),
    Style("link in the body", "sales_engagement", "recipients", "/v1/recipients"),
    Style("link in the body", "sales_engagement", "prospects", "/v1/prospects"),
    Style("link in the body", "sales_engagement", "prospects", "/v1/prospects", bookmarked=True),
    Style("link in the body, in windows", "oncall", "alerts", "/v2/alerts$", ("alert_recipients",)),
    Style("link in the body, in windows", "oncall", "alerts", "/v2/alerts$", bookmarked=True),
    Style("opaque link", "oncall", "alert_logs", "/v2/alerts/*/logs", ("alerts",)),
    Style("single page", "oncall", "teams", "/v2/teams", pages=False),
    Style("link in the body", "oncall", "user_teams", "/v2/users/*/teams", ("users",)),
    Style("offset", "contact_center", "agents_overview", "/v1/agents_overview"),
]


@dataclass(frozen=True)
class Fault:
    """A row of the matrix; what the fields are is said in `matrix.yml`."""

    name: str
    spec: str
    once: str
    stays: str
    stays_spec: str = ""
    everywhere: bool = False
    says: str = ""
    example: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    exceptions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return re.sub(r"[^a-z0-9.]+", "-", self.spec).strip("-")

    def expected(self, style: Style, when: str) -> Expected:
        row: dict[str, Any] = {"once": self.once, "stays": self.stays, "says": self.says}
        for exception in self.exceptions:
            if (
                style.api in exception.get("apis", [style.api])
                and style.name in exception.get("styles", [style.name])
                and exception.get("child", style.is_child) is style.is_child
            ):
                row |= exception
        line = row.get("line", "GET {path}: " + row["says"]).rstrip(".")
        path = "/.+" if self.everywhere else re.escape(style.path.rstrip("$")).replace(r"\*", "[^/]+")
        pattern = re.escape(line).replace(re.escape("{path}"), path).replace("…", ".+")
        return Expected(row["once" if when == "once" else "stays"], pattern)


class Expected(NamedTuple):
    """What a cell must come to.

    Attributes:
        outcome: In the words of `matrix.yml`.
        line: A regular expression for what the error line says of the stream, without a full stop at its end.
    """

    outcome: str
    line: str


FAULTS = [
    Fault(**{{"except": "exceptions"}.get(key, key): value for key, value in row.items()})
    for group in MATRIX["groups"]
    for row in group["faults"]
]

_SIZES = {"helpdesk": 12, "voice": 14, "sales_engagement": 12, "oncall": 8, "contact_center": 9}


def sandbox_of(api: str) -> Sandbox:
    """Make a sandbox whose lists come in several pages of a few records."""
    options: dict[str, Any] = {"export_page": 4} if api == "voice" else {}
    return Sandbox(api=api, size=_SIZES[api], seed=3, page_cap=2, **options)


@contextmanager
def sandboxes() -> Iterator[Callable[[str], Sandbox]]:
    """Give the sandbox of an API: one for all cells, for they change nothing in it."""
    with ExitStack() as stack:
        yield lru_cache(maxsize=len(_SIZES))(lambda api: stack.enter_context(sandbox_of(api)))


@lru_cache(maxsize=len(_SIZES))
def held_by(sandbox: Sandbox, api: str) -> dict[str, list[dict[str, Any]]]:
    return _BY_API[api].held(sandbox)


def early_in(records: list[dict[str, Any]], cursor: str) -> str:
    found = sorted((str(record[cursor]) for record in records if record.get(cursor)), key=parse_timestamp)
    return found[len(found) // 4]


class Cell:
    """A sync of one style under one fault."""

    def __init__(self, sandbox: Sandbox, style: Style, fault: Fault, when: str) -> None:
        self.sandbox = sandbox
        self.style = style
        self.fault = fault
        self.when = when
        self.begins: dict[str, Any] | None = None
        self.since = ""
        if style.bookmarked:
            [stream] = style.types()
            self.since = early_in(held_by(sandbox, style.api)[stream.name], stream.replication_key or "")
            entry = {"replication_key": stream.replication_key, "replication_key_value": self.since}
            self.begins = {"bookmarks": {stream.name: entry}}

    @property
    def spec(self) -> str:
        first = 1 if self.style.pages else 0
        when = WHEN[self.when].format(first=first, second=first + 1)
        spec = self.fault.spec if self.when == "once" else self.fault.stays_spec or self.fault.spec
        return f"{spec}{',' if ':' in spec else ':'}{when},path={self.style.path}"

    def config(self) -> dict[str, Any]:
        settings = {"max_retries": TRIES - 1, "page_size": 3, "max_concurrency": 2, **self.fault.settings}
        return config_for(self.sandbox, **settings)

    def sync(self, state: dict[str, Any] | None) -> Output:
        return sync(self.style.tap.tap_class, self.config(), streams=self.style.streams, state=state)

    def struck(self) -> Output:
        """Sync while the fault is in force."""
        self.sandbox.clear_requests()
        self.sandbox.set_faults([self.spec])
        try:
            return self.sync(self.begins)
        finally:
            self.sandbox.set_faults([])

    @property
    def strikes(self) -> int:
        """How many requests the fault struck."""
        return sum(seen.fault is not None for seen in self.sandbox.requests)

    @property
    def waits_to_retry(self) -> bool:
        """Whether a second try is announced; a renewed token, or a smaller page, is tried at once."""
        return self.fault.spec != "401" or self.style.api == "helpdesk"

    @property
    def secrets(self) -> set[str]:
        """All that is secret: settings, and tokens that the sandbox has seen."""
        config = self.config()
        found = set(secrets_of(config, self.style.tap.tap_class.config_jsonschema))
        for seen in self.sandbox.requests:
            authorization = seen.headers.get("authorization", "")
            found |= set(authorization.split()[-1:])
        return {secret for secret in found if len(secret) > 3}

    def missing(self, outputs: Iterable[Output]) -> list[str]:
        """Say of each record that did not arrive, or not as the server has it, which one it is."""
        problems = []
        outputs = list(outputs)
        for stream in self.style.types():
            properties = schema_of(self.style.tap, stream)["properties"]
            got: dict[tuple[str, ...], list[dict[str, Any]]] = {}
            for output in outputs:
                keys = [key_of(stream, record) for record in output.records(stream.name)]
                if output.exit_code == 0 and len(keys) != len(set(keys)):
                    problems.append(f"{stream.name}: some records come twice in one run: {keys}")
                for key, record in zip(keys, output.records(stream.name), strict=True):
                    got.setdefault(key, []).append(record)
            wanted = {key_of(stream, record): record for record in held_by(self.sandbox, self.style.api)[stream.name]}
            problems += [f"{stream.name} {key}: is not held" for key in got.keys() - wanted.keys()]
            for key, original in wanted.items():
                if self._is_old(stream, original):
                    continue
                if key not in got:
                    problems.append(f"{stream.name} {key}: is missing")
                for record in got.get(key, ()):
                    problems += [
                        f"{stream.name} {key}: {name} is {record.get(name)!r}, not {value!r}"
                        for name, value in original.items()
                        if not same_value(record.get(name), value, properties.get(name, {}))
                    ]
        return problems

    def _is_old(self, stream: type[ApiStream], record: dict[str, Any]) -> bool:
        cursor = stream.replication_key
        return bool(self.since and cursor and parse_timestamp(record[cursor]) < parse_timestamp(self.since))
