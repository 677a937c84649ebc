"""One HTTP client for a tap: retry, `Retry-After`, rate budget, one origin."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import backoff
import requests
from msgspec import Struct, field
from msgspec.structs import replace
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from taps.engine.account import Tally
from taps.engine.auth import RenewableAuth
from taps.engine.errors import REFUSALS, ApiError, BodyError, ForeignOriginError, RecordError, StatusError
from taps.engine.gate import Gate
from taps.engine.lanes import FREE, Toll
from taps.engine.pacing import retry_after_seconds
from taps.engine.transport import Transport
from taps.engine.wording import MESSAGE_LENGTH, api_codes, api_message

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Generator, Mapping
    from datetime import datetime

    from backoff.types import Details
    from requests.auth import AuthBase

    from taps.engine.budget import RateBudget, Wait
    from taps.engine.pacing import RetryPolicy
    from taps.engine.redaction import Redactor
    from taps.engine.transport import Answer

__all__ = ["HttpClient", "Reply", "Request"]

_T = TypeVar("_T")

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_WAIT = 3600.0
_SIDE_BY_SIDE = 2  # tries of a request; each further one is made alone


class Request(Struct, frozen=True):
    """A page to get.

    Attributes:
        url: Absolute, or relative to the client's base URL.
        params: Query parameters that are added to those that the URL has.
        start: The time from which the list is asked for, where the request says so: its pages have nothing earlier.
        keep: How many of the first records of the page before are to be used, if not all.
        toll: What it takes of the limits.
    """

    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    start: datetime | None = None
    keep: int | None = None
    toll: Toll = FREE

    @property
    def path(self) -> str:
        """The URL's path, for messages: hosts and queries do not belong there."""
        try:
            return urlsplit(self.url).path or "/"
        except ValueError:
            return "/"

    def with_params(self, params: Mapping[str, str | int]) -> Request:
        """Copy the request with these parameters added or replaced."""
        return replace(self, params={**self.params, **params})


class Reply(Struct, Generic[_T], frozen=True):
    """A successful answer.

    Attributes:
        url: The address that answered, after redirects, without what authenticators add to it.
        headers: Response headers; look-ups ignore case.
        content: The body, decoded.
    """

    url: str
    headers: Mapping[str, str]
    content: _T


@dataclass
class _Course:
    """How far a request has come.

    Attributes:
        tries_left: How often it may still be sent where these statuses are the answer.
        tries: How often it was sent.
    """

    tries_left: dict[int, int]
    tries: int = 0


class HttpClient:
    """Gets pages from one API; safe for threads.

    Credentials go to `base_url`'s origin (scheme, host and port) and nowhere else.

    Args:
        base_url: The API's root, without a trailing slash.
        auth: Signs each request.
        retry: When to try again.
        timeout: Seconds to wait for a connection, and for each further piece of an answer.
        user_agent: Header of each request.
        budget: Limits the rate.
        connections: Connections to keep.
        headers: Further headers of each request.
        gaps: Codes with which the API refuses what the plan, or the key's scope, does not include.
        redact: Takes secrets out of what the API says.
        logger: Gets a line for each wait.
    """

    def __init__(
        self,
        *,
        base_url: str,
        auth: AuthBase,
        retry: RetryPolicy,
        timeout: float,
        user_agent: str,
        budget: RateBudget,
        redact: Redactor,
        logger: logging.Logger,
        connections: int = 4,
        headers: Mapping[str, str] | None = None,
        gaps: Collection[str] = (),
    ) -> None:
        self.base_url = base_url
        self.answered = False
        """Whether the API has answered any request with a page."""
        self._exhausted: Counter[object] = Counter()
        self._kept: dict[tuple[object, ...], Reply[bytes]] = {}
        self._origin = _origin(base_url)
        self._auth = auth
        self._retry = retry
        self._gaps = gaps
        self._budget = budget
        self._redact = redact
        self._logger = logger
        self._gate = Gate()
        self._tried = backoff.on_exception(
            self._waits,
            ApiError,
            max_tries=retry.max_retries + 1,
            giveup=lambda error: not (isinstance(error, ApiError) and error.retriable) or self._is_no_news(error),
            on_giveup=self._note_end,
            jitter=None,
            logger=None,
        )(self._attempt)
        self._transport = Transport(
            _show(self._origin),
            auth=auth,
            timeout=timeout,
            headers={"User-Agent": user_agent, **(headers or {})},
            budget=budget,
            gate=self._gate,
            connections=connections,
            redact=redact,
        )

    def get(
        self,
        request: Request,
        decode: Callable[[bytes], _T],
        *,
        keep: bool = False,
        once: frozenset[int] = frozenset(),
        headers_in: Callable[[str, Mapping[str, str]], None] | None = None,
        tally: Tally | None = None,
    ) -> Reply[_T]:
        """Get a page; what may pass is tried again.

        Args:
            request: What to get.
            decode: Reads the body. It runs inside of the retry, because a body that is cut short or belongs to a
                proxy's error page is a failure that may pass.
            keep: Whether to keep the answer for the next one who asks for the same.
            once: Statuses that are tried again no more than once, because something else may help.
            headers_in: Called with the address and the headers of a success, before the body is there.
            tally: Takes note of what it took.

        Returns:
            The answer.

        Raises:
            ApiError: After the last try, or at once for what cannot pass.
            BudgetClosedError: The tap has stopped meanwhile.
        """
        key = (request.url, *sorted(request.params.items())) if keep else ()
        if kept := self._kept.get(key):
            return Reply(kept.url, kept.headers, decode(kept.content))
        tally = tally or Tally()
        tally.begin()
        course, waited = _Course(dict.fromkeys(once, 2)), self._budget.waited_here
        try:
            raw, reply = self._tried(request, decode, headers_in, course)
        finally:
            self._gate.leave()
            tally.add(retries=max(0, course.tries - 1), waited=self._budget.waited_here - waited)
        if keep:
            self._kept[key] = raw
        return reply

    def waiting(self) -> Wait | None:
        """Tell what requests wait for now, other than an answer."""
        return self._budget.waiting()

    def close(self) -> None:
        """Let no further request begin, and end all waiting."""
        self._budget.close()
        self._gate.close()

    def _attempt(
        self,
        request: Request,
        decode: Callable[[bytes], _T],
        headers_in: Callable[[str, Mapping[str, str]], None] | None,
        course: _Course,
    ) -> tuple[Reply[bytes], Reply[_T]]:
        course.tries += 1
        answer = self._send(request, headers_in)
        if answer.status != requests.codes.ok:
            refusal = self._refusal(request, answer)
            if answer.status in course.tries_left:
                course.tries_left[answer.status] -= 1
                refusal.retriable = course.tries_left[answer.status] > 0
            raise refusal
        try:
            content = decode(answer.body)
        except RecordError as error:
            self.answered = True
            raise RecordError(f"{error} (GET {request.path})") from None
        except ValueError as error:
            kind = answer.headers.get("Content-Type", "no content type").partition(";")[0]
            problem = f"the answer cannot be used: {error} ({len(answer.body)} bytes, {kind})"
            raise BodyError(request.path, self._redact(problem), retriable=True) from None
        self.answered = True
        return Reply(answer.url, answer.headers, answer.body), Reply(answer.url, answer.headers, content)

    def _send(self, request: Request, headers_in: Callable[[str, Mapping[str, str]], None] | None) -> Answer:
        """Send a request and follow redirects."""
        url, params = _joined(f"{self.base_url}/", request.url), request.params
        for _ in range(_MOST_REDIRECTS + 1):
            if (origin := _origin(url)) != self._origin:
                foreign = (
                    f"leads to {_show(origin)}, which"
                    if origin
                    else f"is no usable address ({self._redact(url)!r:.100}), which"
                )
                problem = f"{foreign} is not the origin of base_url, {_show(self._origin)}; not followed"
                raise ForeignOriginError(request.path, self._redact(problem))
            answer = self._transport.send(request.path, url, params, headers_in, request.toll)
            if answer.status == requests.codes.unauthorized and self._renewed(answer):
                answer = self._transport.send(request.path, url, params, headers_in, request.toll)
            if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                return answer
            url, params = _joined(answer.url, answer.headers["Location"]), {}
        raise StatusError(request.path, answer.status, f"more than {_MOST_REDIRECTS} redirects")

    def _renewed(self, answer: Answer) -> bool:
        """Have the credentials that were refused replaced, where they can be."""
        return isinstance(self._auth, RenewableAuth) and self._auth.renew(answer.request)

    def _refusal(self, request: Request, answer: Answer) -> StatusError:
        status = answer.status
        retriable = status in self._retry.statuses
        wait = retry_after_seconds(answer.headers) if retriable else None
        message = self._redact(api_message(answer.body))[:MESSAGE_LENGTH]
        if wait is not None and wait > _LONGEST_WAIT:
            retriable = False
            message = f"the API asks to wait {wait / 3600:.1f} h, run again then. {message}"
        elif wait is not None:
            self._budget.pause(wait)
        error = StatusError(request.path, status, message, retriable=retriable, retry_after=wait)
        if status == requests.codes.too_many and (limits := self._budget.told_by(answer.headers)):
            error.period = limits.period
        error.lacking = status in REFUSALS and any(code in self._gaps for code in api_codes(answer.body))
        return error

    def _note_end(self, details: Details) -> None:
        error = details["exception"]
        if isinstance(error, ApiError):
            error.tries = max(error.tries, details["tries"])
            if not self.answered:
                self._exhausted[_kind(error)] += 1

    def _is_no_news(self, error: ApiError) -> bool:
        """Whether the API has never given a page and has failed in this way to the end before.

        A wrong key or address fails each stream in the same way, and need not be waited for again each time.
        """
        before = self._exhausted[_kind(error)]
        return not self.answered and before >= (1 if _kind(error) == requests.codes.unauthorized else 2)

    def _waits(self) -> Generator[float, ApiError, None]:
        """Wait here, where `close` ends it, and leave nothing to wait to `backoff`, which sleeps through all."""
        waits = self._retry.waits()
        next(waits)
        error = yield 0.0
        for tries in itertools.count(2):
            seconds = waits.send(error)
            self._logger.warning("%s; try %d of %d in %.1f s", error, tries, self._retry.max_retries + 1, seconds)
            if tries > _SIDE_BY_SIDE:
                self._gate.claim()
            self._budget.sleep(seconds)
            error = yield 0.0


def _kind(error: ApiError) -> object:
    return error.status if isinstance(error, StatusError) else type(error)


@lru_cache(maxsize=64)  # pages of a list have the same, apart from the parameters
def _joined(base: str, url: str) -> str:
    """Resolve a reference; what cannot be resolved stays as it is, and has no origin."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


_Origin = tuple[str, str, int]


@lru_cache(maxsize=64)
def _origin(url: str) -> _Origin | None:
    """Give scheme, host and port, as the library reads them that will connect.

    Returns:
        `None` for what has no host, or holds what parsers read differently (a backslash, a user, control characters):
        such an address has no origin that could be ours.
    """
    if not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = parse_url(url)
    except (LocationParseError, ValueError):
        return None
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme or "")
    if parts.scheme is None or parts.host is None or port is None or parts.auth is not None:
        return None
    return parts.scheme.lower(), parts.host.lower(), port


def _show(origin: _Origin | None) -> str:
    return "{}://{}:{}".format(*origin) if origin else "nowhere"
