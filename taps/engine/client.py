"""One HTTP client for a tap: retry, `Retry-After`, rate budget, one origin."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import backoff
import requests

from taps.engine.errors import ApiError, BodyError, ForeignOriginError, StatusError, TransferError, UnreachableError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator, Mapping

    from backoff.types import Details
    from requests.auth import AuthBase

    from taps.engine.redaction import Redactor

__all__ = ["HttpClient", "RateBudget", "Reply", "Request", "RetryPolicy", "http_date", "retry_after_seconds"]

_T = TypeVar("_T")

_MESSAGE_LENGTH = 200
_MESSAGE_FIELDS = ("message", "description", "error_description", "detail", "error", "title")
_MOST_REDIRECTS = 5
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Request:
    """A page to get.

    Attributes:
        url: Absolute, or relative to the client's base URL.
        params: Query parameters that are added to those that the URL has.
    """

    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The URL's path, for messages: hosts and queries do not belong there."""
        return urlsplit(self.url).path or "/"

    def with_params(self, params: Mapping[str, str | int]) -> Request:
        """Copy the request with these parameters added or replaced."""
        return Request(self.url, {**self.params, **params})


@dataclass(frozen=True, slots=True)
class Reply(Generic[_T]):
    """A successful answer.

    Attributes:
        url: The address that answered, after redirects.
        headers: Response headers; look-ups ignore case.
        content: The body, decoded.
    """

    url: str
    headers: Mapping[str, str]
    content: _T


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When and how often to try again.

    Attributes:
        max_retries: Tries after the first.
        backoff_factor: Seconds before the first retry; doubled for each further one.
        statuses: HTTP statuses that may pass.
    """

    max_retries: int
    backoff_factor: float
    statuses: frozenset[int]


class RateBudget:
    """Spreads requests evenly and holds all of them back while the API asks for a pause; safe for threads.

    Args:
        per_minute: Most requests in a minute, or `None` for no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Wait until the next request may be sent."""
        with self._lock:
            start = max(self._next, time.monotonic())
            self._next = start + self._interval
        wait = start - time.monotonic()
        if wait > 0:
            time.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let no request start for this long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class HttpClient:
    """Gets pages from one API.

    Credentials go to `base_url`'s origin (scheme, host and port) and nowhere else.

    Args:
        base_url: The API's root, without a trailing slash.
        auth: Signs each request.
        retry: When to try again.
        timeout: Seconds to wait for a connection, and for each further piece of an answer.
        user_agent: Header of each request.
        budget: Limits the rate.
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
    ) -> None:
        self.base_url = base_url
        self.answered = False
        """Whether the API has answered any request with a page."""
        self._origin = _origin(base_url)
        self._auth = auth
        self._retry = retry
        self._timeout = timeout
        self._budget = budget
        self._redact = redact
        self._logger = logger
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})

    def get(self, request: Request, decode: Callable[[bytes], _T]) -> Reply[_T]:
        """Get a page; what may pass is tried again.

        Args:
            request: What to get.
            decode: Reads the body. It runs inside of the retry, because a body that is cut short or belongs to a
                proxy's error page is a failure that may pass.

        Returns:
            The answer.

        Raises:
            ApiError: After the last try, or at once for what cannot pass.
        """
        attempt = backoff.on_exception(
            lambda: _waits(self._retry.backoff_factor),
            ApiError,
            max_tries=self._retry.max_retries + 1,
            giveup=lambda error: not (isinstance(error, ApiError) and error.retriable),
            on_backoff=self._log_wait,
            on_giveup=_note_tries,
            jitter=None,
            logger=None,
        )(self._attempt)
        return attempt(request, decode)

    def _attempt(self, request: Request, decode: Callable[[bytes], _T]) -> Reply[_T]:
        response = self._send(request)
        status = response.status_code
        if status != requests.codes.ok:
            raise self._refusal(request, response)
        try:
            content = decode(response.content)
        except ValueError as error:
            kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
            problem = f"the answer cannot be used: {error} ({len(response.content)} bytes, {kind})"
            raise BodyError(request.path, self._redact(problem), retriable=True) from None
        self.answered = True
        return Reply(response.url, response.headers, content)

    def _send(self, request: Request) -> requests.Response:
        url = urljoin(f"{self.base_url}/", request.url)
        params: Mapping[str, str | int] | None = request.params
        for _ in range(_MOST_REDIRECTS + 1):
            if _origin(url) != self._origin:
                foreign, ours = _show(_origin(url)), _show(self._origin)
                problem = f"leads to {foreign}, which is not the origin of base_url, {ours}; not followed"
                raise ForeignOriginError(request.path, problem)
            response = self._exchange(request, url, params)
            if not response.is_redirect:
                return response
            url, params = urljoin(url, response.headers["Location"]), None
        raise StatusError(request.path, response.status_code, f"more than {_MOST_REDIRECTS} redirects")

    def _exchange(self, request: Request, url: str, params: Mapping[str, str | int] | None) -> requests.Response:
        self._budget.acquire()
        try:
            return self._session.get(url, params=params, auth=self._auth, timeout=self._timeout, allow_redirects=False)
        except (
            requests.exceptions.ConnectTimeout,
            requests.exceptions.SSLError,
            requests.exceptions.ProxyError,
        ) as error:
            raise self._unreachable(request, error) from None
        except requests.exceptions.Timeout:
            raise TransferError(request.path, f"no answer within {self._timeout:g} s", retriable=True) from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise self._unreachable(request, error) from None
            raise TransferError(request.path, f"connection lost: {_reason(error)}", retriable=True) from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise TransferError(request.path, f"answer cut short: {_reason(error)}", retriable=True) from None
        except (requests.exceptions.RequestException, UnicodeError) as error:
            raise ApiError(request.path, self._redact(f"request not possible: {_reason(error)}")) from None

    def _unreachable(self, request: Request, error: Exception) -> UnreachableError:
        problem = f"no connection to {_show(self._origin)}: {_reason(error)}"
        return UnreachableError(request.path, self._redact(problem), retriable=True)

    def _refusal(self, request: Request, response: requests.Response) -> StatusError:
        status = response.status_code
        retriable = status in self._retry.statuses
        wait = retry_after_seconds(response.headers) if retriable else None
        message = self._redact(_api_message(response.content))[:_MESSAGE_LENGTH]
        if wait is not None and wait > _LONGEST_WAIT:
            retriable = False
            message = f"the API asks to wait {wait / 3600:.1f} h, run again then. {message}"
        elif wait is not None:
            self._budget.pause(wait)
        return StatusError(request.path, status, message, retriable=retriable, retry_after=wait)

    def _log_wait(self, details: Details) -> None:
        error = details["exception"]
        self._logger.warning(
            "%s; try %d of %d in %.1f s", error, details["tries"] + 1, self._retry.max_retries + 1, details["wait"]
        )


def _waits(factor: float) -> Generator[float, ApiError, None]:
    """Give the seconds to wait after each error: what the API asked for, or else exponential with jitter."""
    exponential = backoff.expo(base=2, factor=factor)
    next(exponential)
    error = yield 0.0
    for seconds in exponential:
        asked = error.retry_after
        error = yield (seconds * random.uniform(1, 1.25) if asked is None else asked)  # noqa: S311


def _note_tries(details: Details) -> None:
    error = details["exception"]
    if isinstance(error, ApiError):
        error.tries = details["tries"]


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read how long an API asks to wait.

    Args:
        headers: With `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), and maybe `Date`.
        now: The time to count an HTTP date from; by default the server's own `Date`, because the clocks of the two
            machines may differ, or else ours.

    Returns:
        Seconds, not negative; `None` where the header is missing or cannot be read.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    moment = http_date(text)
    if moment is None:
        return None
    now = now or http_date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """Read an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _api_message(body: bytes) -> str:
    """Find the API's own words in an error's body: a known field of a JSON object, or else the text itself."""
    text = body[:10_000].decode("utf-8", "replace")
    try:
        document: Any = json.loads(body)
    except ValueError:
        return " ".join(text.split())
    if isinstance(document, dict):
        nested = document.get("error")
        found = document | nested if isinstance(nested, dict) else document
        for name in _MESSAGE_FIELDS:
            if isinstance(found.get(name), str) and found[name].strip():
                return " ".join(found[name].split())
    return " ".join(text.split())


def _origin(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port; a URL without a usable host or port has an origin that no other has."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return parts.scheme, parts.netloc, None
    return parts.scheme, (parts.hostname or "").lower(), port


def _show(origin: tuple[str, str, int | None]) -> str:
    scheme, host, port = origin
    return f"{scheme}://{host}:{port}"


def _causes(error: BaseException) -> Generator[BaseException, None, None]:
    """Walk to the root of what requests and urllib3 have wrapped."""
    current: Any = error
    for _ in range(10):
        if not isinstance(current, BaseException):
            return
        yield current
        inner = getattr(current, "reason", None) or current.__cause__ or current.__context__
        current = inner or next((arg for arg in current.args if isinstance(arg, BaseException)), None)


def _never_connected(error: BaseException) -> bool:
    names = {type(cause).__name__ for cause in _causes(error)}
    return bool(names & {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"})


def _reason(error: BaseException) -> str:
    """Say in a few words what was wrong at the root, without the URL that requests puts in its messages."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror | TimeoutError | ConnectionError | OSError) and cause.strerror:
            return str(cause.strerror)
    root = list(_causes(error))[-1]
    return f"{type(root).__name__}: {str(root).splitlines()[0][:_MESSAGE_LENGTH]}" if str(root) else type(root).__name__
