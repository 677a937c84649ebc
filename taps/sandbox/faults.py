"""Faults on demand: what may go wrong, when, and how a user writes that down."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STATUS = re.compile(r"[45]\d\d", re.ASCII)
_DATE = re.compile(r"date([+-]\d{1,4})?", re.ASCII)
_DEFAULT_SECONDS = 2.0
_DEFAULT_MEGABYTES = 16
_ELSEWHERE = "http://elsewhere.invalid"


class Kind(str, Enum):
    """What can go wrong, apart from a plain error status (400 to 599), which is written as its number.

    Attributes:
        REFUSED: The connection is closed, as are all others, and no new one is accepted for `seconds`.
        SILENT: The connection is accepted, but there is no answer for as long as the client waits.
        RESET: The connection is reset (TCP RST) before the answer's headers.
        RESET_HEADERS: The connection is reset in the middle of the headers.
        RESET_START: The connection is reset after the headers, before the body.
        RESET_BODY: The connection is reset in the middle of the body.
        TRUNCATED: The connection ends before all of the promised Content-Length was sent.
        GZIP_CUT: The body is compressed and cut short, and Content-Length agrees with what is sent.
        MALFORMED: Status 200, the body is JSON that breaks off.
        HTML: Status 200, the body is an HTML page.
        EMPTY: Status 200 without a body.
        NULL: Status 200, the body is `null`.
        NULLS: Status 200, each record in the body is `null`.
        SHAPE: Status 200, an object where an array is due and the other way round.
        SLOW: The answer is right but `seconds` late.
        SLOW_BODY: The answer is right, but the second half of its body is `seconds` late.
        BULKY: The answer is right, but blanks make its body `megabytes` longer.
        REDIRECT: A redirect (302) to the same path under `to`.
        FOREIGN_LINK: The answer is right but its next link leads to `to`.
        SELF_LINK: The answer is right but its next link leads to itself.
        CYCLE_LINK: The answer is right but its next link leads back to the page asked for before, or, where there was
            none, to itself.
    """

    REFUSED = "refused"
    SILENT = "silent"
    RESET = "reset"
    RESET_HEADERS = "reset-headers"
    RESET_START = "reset-start"
    RESET_BODY = "reset-body"
    TRUNCATED = "truncated"
    GZIP_CUT = "gzip-cut"
    MALFORMED = "malformed"
    HTML = "html"
    EMPTY = "empty"
    NULL = "null"
    NULLS = "nulls"
    SHAPE = "shape"
    SLOW = "slow"
    SLOW_BODY = "slow-body"
    BULKY = "bulky"
    REDIRECT = "redirect"
    FOREIGN_LINK = "foreign-link"
    SELF_LINK = "self-link"
    CYCLE_LINK = "cycle-link"


_WITH_SECONDS = frozenset({Kind.REFUSED, Kind.SLOW, Kind.SLOW_BODY})
_WITH_TO = frozenset({Kind.REDIRECT, Kind.FOREIGN_LINK})

FORMS = (
    f"KIND[:KEY=VALUE,...] where KIND is 400 to 599, {', '.join(kind.value for kind in Kind)} and KEY is every, at, "
    "times, after, path, retry_after (an error status), seconds (refused, slow, slow-body), megabytes (bulky), to "
    "(redirect, foreign-link)"
)


class BadFaultError(ValueError):
    """A fault that is not written as it should be.

    Args:
        spec: What was written.
        reason: What is wrong with it.
    """

    def __init__(self, spec: str, reason: str) -> None:
        super().__init__(f"bad fault {spec!r}: {reason}; valid is {FORMS}")


@dataclass
class Fault:
    """One fault and its count of the requests that it might strike.

    Attributes:
        kind: What goes wrong; None where it is a plain error status.
        status: The error status; 200 for the other kinds.
        when: `every`, `at`, `times` or `after`, each with its number; it strikes where all of them agree.
        path: A prefix of the path, a pattern as of fnmatch, or with `$` at its end the whole path; None for every path.
        retry_after: The seconds of the Retry-After header, `date` for an HTTP date two seconds ahead, `date+N` and
            `date-N` for one N seconds ahead or past; None for no such header.
        seconds: How late a slow answer is, or how long connections are refused.
        megabytes: How much longer a bulky body is.
        to: The origin that a redirect or a foreign link leads to.
    """

    kind: Kind | None
    status: int = 200
    when: Mapping[str, int] = field(default_factory=dict)
    path: str | None = None
    retry_after: int | str | None = None
    seconds: float = _DEFAULT_SECONDS
    megabytes: int = _DEFAULT_MEGABYTES
    to: str = _ELSEWHERE
    _seen: int = 0
    _asked: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, spec: str) -> Fault:
        """Read a fault as a user writes it.

        Args:
            spec: Such as `429:every=20`, `503:times=2` or `truncated:times=1,path=/v1/agents`.

        Returns:
            The fault.

        Raises:
            BadFaultError: The spec is none; the message is one line and lists what is valid.
        """
        name, _, options = spec.strip().partition(":")
        fault = cls(None, int(name)) if _STATUS.fullmatch(name) else cls(_kind(spec, name))
        when = {}
        for option in filter(None, options.split(",")):
            key, equals, value = option.partition("=")
            if not equals or not value:
                raise BadFaultError(spec, f"{option!r} is no KEY=VALUE")
            if key in _WHEN:
                when[key] = _whole(spec, key, value, least=0 if key == "after" else 1)
            elif key == "path":
                fault.path = value
            elif key == "retry_after" and fault.kind is None:
                fault.retry_after = value if _DATE.fullmatch(value) else _whole(spec, key, value, least=0)
            elif key == "seconds" and fault.kind in _WITH_SECONDS:
                fault.seconds = _seconds(spec, value)
            elif key == "megabytes" and fault.kind is Kind.BULKY:
                fault.megabytes = _whole(spec, key, value, least=1)
            elif key == "to" and fault.kind in _WITH_TO:
                fault.to = value.rstrip("/")
            else:
                raise BadFaultError(spec, f"there is no {key!r} for {name}")
        fault.when = when
        return fault

    @property
    def name(self) -> str:
        """What goes wrong, as it is written in a spec."""
        return str(self.status) if self.kind is None else self.kind.value

    def strikes(self, path: str) -> bool:
        """Count a request, and tell whether this fault strikes it.

        Args:
            path: The request's path.

        Returns:
            True if it goes wrong.
        """
        if self.path is not None and not _matches(path, self.path):
            return False
        self._seen += 1
        return all(_WHEN[key](self._seen, number) for key, number in self.when.items())

    def asked_before(self, path: str, address: str) -> str:
        """Take note of a request's address.

        Args:
            path: The request's path.
            address: Its path and query.

        Returns:
            The address of the request to the same path before, or this one's where there was none.
        """
        before = self._asked.get(path, address)
        self._asked[path] = address
        return before


class Strike(NamedTuple):
    """What happens to a request.

    Attributes:
        late: How many seconds late the answer is.
        fault: What else goes wrong with it.
        before: The address that was asked for before at the same path, where the fault leads back to it.
    """

    late: float
    fault: Fault | None
    before: str = ""


class Faults:
    """The faults in force. Its methods may be called from any thread.

    Args:
        specs: The faults as users write them.

    Raises:
        BadFaultError: One of them is none.
    """

    def __init__(self, specs: Sequence[str] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = [Fault.parse(spec) for spec in specs]

    def replace(self, specs: Sequence[str]) -> None:
        """Put other faults in force, their counts at zero.

        Args:
            specs: The faults as users write them; none ends all faults.

        Raises:
            BadFaultError: One of them is none; the old faults then stay in force.
        """
        faults = [Fault.parse(spec) for spec in specs]
        with self._lock:
            self._faults = faults

    def strike(self, path: str, address: str = "") -> Strike:
        """Decide what happens to a request.

        The first fault that strikes, in the order given, settles it; the ones after it do not count the request. Slow
        ones settle nothing and add up.

        Args:
            path: The request's path.
            address: Its path and query.
        """
        late = 0.0
        with self._lock:
            for fault in self._faults:
                before = fault.asked_before(path, address) if fault.kind is Kind.CYCLE_LINK else ""
                if fault.strikes(path):
                    if fault.kind is not Kind.SLOW:
                        return Strike(late, fault, before)
                    late += fault.seconds
        return Strike(late, None)


_WHEN = {
    "every": lambda seen, number: seen % number == 0,
    "at": lambda seen, number: seen == number,
    "times": lambda seen, number: seen <= number,
    "after": lambda seen, number: seen > number,
}


def _matches(path: str, pattern: str) -> bool:
    if pattern.endswith("$"):
        return fnmatchcase(path, pattern[:-1])
    return path.startswith(pattern) or fnmatchcase(path, pattern)


def _kind(spec: str, name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise BadFaultError(spec, f"there is no fault {name!r}") from None


def _whole(spec: str, key: str, text: str, *, least: int) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < least:
        raise BadFaultError(spec, f"{key} is a whole number from {least}")
    return int(text)


def _seconds(spec: str, text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise BadFaultError(spec, "seconds is a number such as 2 or 0.5")
    return float(text)
