"""One HTTP client for a tap: retry, `Retry-After`, rate budget, one origin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import backoff
import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from taps.engine.auth import RenewableAuth
from taps.engine.errors import ApiError, BodyError, ForeignOriginError, StatusError, TransferError, UnreachableError
from taps.engine.pacing import retry_after_seconds
from taps.engine.wording import MESSAGE_LENGTH, api_message, never_connected, reason

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from backoff.types import Details
    from requests.auth import AuthBase

    from taps.engine.pacing import RateBudget, RetryPolicy
    from taps.engine.redaction import Redactor

__all__ = ["HttpClient", "Reply", "Request"]

_T = TypeVar("_T")

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
        try:
            return urlsplit(self.url).path or "/"
        except ValueError:
            return "/"

    def with_params(self, params: Mapping[str, str | int]) -> Request:
        """Copy the request with these parameters added or replaced."""
        return Request(self.url, {**self.params, **params})


@dataclass(frozen=True, slots=True)
class Reply(Generic[_T]):
    """A successful answer.

    Attributes:
        url: The address that answered, after redirects, without what authenticators add to it.
        headers: Response headers; look-ups ignore case.
        content: The body, decoded.
    """

    url: str
    headers: Mapping[str, str]
    content: _T


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
        self._exhausted: Counter[object] = Counter()
        self._kept: dict[tuple[object, ...], Reply[bytes]] = {}
        self._origin = _origin(base_url)
        self._auth = auth
        self._retry = retry
        self._timeout = timeout
        self._budget = budget
        self._redact = redact
        self._logger = logger
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})

    def get(
        self,
        request: Request,
        decode: Callable[[bytes], _T],
        *,
        keep: bool = False,
        once: frozenset[int] = frozenset(),
    ) -> Reply[_T]:
        """Get a page; what may pass is tried again.

        Args:
            request: What to get.
            decode: Reads the body. It runs inside of the retry, because a body that is cut short or belongs to a
                proxy's error page is a failure that may pass.
            keep: Whether to keep the answer for the next one who asks for the same.
            once: Statuses that are tried again no more than once, because something else may help.

        Returns:
            The answer.

        Raises:
            ApiError: After the last try, or at once for what cannot pass.
        """
        key = (request.url, *sorted(request.params.items()))
        if kept := self._kept.get(key) if keep else None:
            return Reply(kept.url, kept.headers, decode(kept.content))
        seen: Counter[int] = Counter()

        def is_final(error: Exception) -> bool:
            if isinstance(error, StatusError) and error.status in once:
                seen[error.status] += 1
                return seen[error.status] > 1
            return not (isinstance(error, ApiError) and error.retriable) or self._is_no_news(error)

        attempt = backoff.on_exception(
            self._retry.waits,
            ApiError,
            max_tries=self._retry.max_retries + 1,
            giveup=is_final,
            on_backoff=self._log_wait,
            on_giveup=self._note_end,
            jitter=None,
            logger=None,
        )(self._attempt)
        raw, reply = attempt(request, decode)
        if keep:
            self._kept[key] = raw
        return reply

    def _attempt(self, request: Request, decode: Callable[[bytes], _T]) -> tuple[Reply[bytes], Reply[_T]]:
        response, url = self._send(request)
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
        return Reply(url, response.headers, response.content), Reply(url, response.headers, content)

    def _send(self, request: Request) -> tuple[requests.Response, str]:
        """Send a request and follow redirects; give the answer and the address that gave it, without credentials."""
        url = _full_url(_joined(f"{self.base_url}/", request.url), request.params)
        for _ in range(_MOST_REDIRECTS + 1):
            if (origin := _origin(url)) != self._origin:
                foreign = (
                    f"leads to {_show(origin)}, which" if origin else f"is no usable address ({url!r:.100}), which"
                )
                problem = f"{foreign} is not the origin of base_url, {_show(self._origin)}; not followed"
                raise ForeignOriginError(request.path, self._redact(problem))
            response = self._exchange(request, url)
            if response.status_code == requests.codes.unauthorized and self._renewed(response):
                response = self._exchange(request, url)
            if not response.is_redirect:
                return response, url
            url = _joined(url, response.headers["Location"])
        raise StatusError(request.path, response.status_code, f"more than {_MOST_REDIRECTS} redirects")

    def _renewed(self, response: requests.Response) -> bool:
        """Have the credentials that were refused replaced, where they can be."""
        return isinstance(self._auth, RenewableAuth) and self._auth.renew(response.request)

    def _exchange(self, request: Request, url: str) -> requests.Response:
        self._budget.acquire()
        try:
            return self._session.get(url, auth=self._auth, timeout=self._timeout, allow_redirects=False)
        except (
            requests.exceptions.ConnectTimeout,
            requests.exceptions.SSLError,
            requests.exceptions.ProxyError,
        ) as error:
            raise self._unreachable(request, error) from None
        except requests.exceptions.Timeout:
            raise TransferError(request.path, f"no answer within {self._timeout:g} s", retriable=True) from None
        except requests.exceptions.ConnectionError as error:
            if never_connected(error):
                raise self._unreachable(request, error) from None
            raise TransferError(request.path, f"connection lost: {reason(error)}", retriable=True) from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise TransferError(request.path, f"answer cut short: {reason(error)}", retriable=True) from None
        except (requests.exceptions.RequestException, UnicodeError) as error:
            raise ApiError(request.path, self._redact(f"request not possible: {reason(error)}")) from None

    def _unreachable(self, request: Request, error: Exception) -> UnreachableError:
        problem = f"no connection to {_show(self._origin)}: {reason(error)}"
        return UnreachableError(request.path, self._redact(problem), retriable=True)

    def _refusal(self, request: Request, response: requests.Response) -> StatusError:
        status = response.status_code
        retriable = status in self._retry.statuses
        wait = retry_after_seconds(response.headers) if retriable else None
        message = self._redact(api_message(response.content))[:MESSAGE_LENGTH]
        if wait is not None and wait > _LONGEST_WAIT:
            retriable = False
            message = f"the API asks to wait {wait / 3600:.1f} h, run again then. {message}"
        elif wait is not None:
            self._budget.pause(wait)
        return StatusError(request.path, status, message, retriable=retriable, retry_after=wait)

    def _note_end(self, details: Details) -> None:
        error = details["exception"]
        if isinstance(error, ApiError):
            error.tries = details["tries"]
            if not self.answered:
                self._exhausted[_kind(error)] += 1

    def _is_no_news(self, error: ApiError) -> bool:
        """Whether the API has never given a page and has failed in this way to the end before.

        A wrong key or address fails each stream in the same way, and need not be waited for again each time.
        """
        before = self._exhausted[_kind(error)]
        return not self.answered and before >= (1 if _kind(error) == requests.codes.unauthorized else 2)

    def _log_wait(self, details: Details) -> None:
        error = details["exception"]
        self._logger.warning(
            "%s; try %d of %d in %.1f s", error, details["tries"] + 1, self._retry.max_retries + 1, details["wait"]
        )


def _kind(error: ApiError) -> object:
    return error.status if isinstance(error, StatusError) else type(error)


def _joined(base: str, url: str) -> str:
    """Resolve a reference; what cannot be resolved stays as it is, and has no origin."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def _full_url(url: str, params: Mapping[str, str | int]) -> str:
    """Add parameters to a URL, as `requests` would, but leave one without any untouched."""
    if not params:
        return url
    prepared = requests.models.PreparedRequest()
    prepared.prepare_url(url, params)
    return prepared.url or url


_Origin = tuple[str, str, int]


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
