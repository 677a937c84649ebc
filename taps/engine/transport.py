"""One request on its way: signed, held to the rate budget, its answer read in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from taps.engine.errors import ApiError, TransferError, UnreachableError
from taps.engine.wording import never_connected, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest
    from requests.auth import AuthBase

    from taps.engine.budget import RateBudget
    from taps.engine.redaction import Redactor

__all__ = ["Answer", "Transport"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        request: The request as it was sent, signed.
        url: Its address, without what authenticators add.
        status: The HTTP status.
        headers: Response headers; look-ups ignore case.
        body: The body, decompressed.
    """

    request: PreparedRequest
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests over connections that are kept; safe for threads.

    It uses the connections of `requests` without its sessions, which cost half as much again as the transfer itself:
    they look up proxies and cookies for each request, and read a body in pieces of 10 KiB.

    Args:
        base_url: The API's root; proxies and certificates are looked up for it in the environment, as `requests` does.
        auth: Signs each request.
        timeout: Seconds to wait for a connection, and for each further piece of an answer.
        user_agent: Header of each request.
        budget: Limits the rate.
        connections: Connections to keep.
        redact: Takes secrets out of messages.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: AuthBase,
        timeout: float,
        user_agent: str,
        budget: RateBudget,
        connections: int,
        redact: Redactor,
    ) -> None:
        self._base_url = base_url
        self._auth = auth
        self._timeout = timeout
        self._budget = budget
        self._redact = redact
        self._headers = {
            **requests.utils.default_headers(),
            "User-Agent": user_agent,
            "Accept": "application/json",
        }
        session = requests.Session()
        settings: Any = session.merge_environment_settings(base_url, {}, True, None, None)  # noqa: FBT003
        self._settings: dict[str, Any] = settings
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)

    def send(
        self,
        path: str,
        url: str,
        params: Mapping[str, str | int],
        headers_in: Callable[[str, Mapping[str, str]], None] | None = None,
    ) -> Answer:
        """Send a request; redirects are not followed.

        Args:
            path: The URL's path, for messages.
            url: The URL.
            params: Query parameters that are added to those that the URL has.
            headers_in: Called with the address and the headers of a success, before the body is there.

        Raises:
            ApiError: No whole answer came.
        """
        try:
            request = requests.Request("GET", url, headers=self._headers, params=params).prepare()
            # What has no parameters to add is left as it was given: links are told apart by their text.
            address = request.url if params and request.url else url
            request.prepare_auth(self._auth)
            response = self._headers_of(request)
            if headers_in is not None and response.status_code == requests.codes.ok:
                headers_in(address, response.headers)
            body: bytes = response.raw.read(decode_content=True)
        except (requests.exceptions.RequestException, HTTPError, UnicodeError) as error:
            raise self._failure(path, error) from None
        return Answer(request, address, response.status_code, response.headers, body)

    def _headers_of(self, prepared: PreparedRequest) -> requests.Response:
        self._budget.acquire()
        try:
            response = self._adapter.send(prepared, timeout=self._timeout, **self._settings)
        except BaseException:
            self._budget.failed()
            raise
        self._budget.release(response.status_code, response.headers)
        return response

    def _failure(self, path: str, error: Exception) -> ApiError:
        unreachable = (
            requests.exceptions.ConnectTimeout,
            requests.exceptions.SSLError,
            requests.exceptions.ProxyError,
        )
        if isinstance(error, unreachable) or (
            isinstance(error, requests.exceptions.ConnectionError) and never_connected(error)
        ):
            problem = f"no connection to {self._base_url}: {reason(error)}"
            return UnreachableError(path, self._redact(problem), retriable=True)
        if isinstance(error, requests.exceptions.Timeout | ReadTimeoutError):
            return TransferError(path, f"no answer within {self._timeout:g} s", retriable=True)
        if isinstance(error, requests.exceptions.ConnectionError):
            return TransferError(path, f"connection lost: {reason(error)}", retriable=True)
        if isinstance(error, HTTPError):
            return TransferError(path, f"answer cut short: {reason(error)}", retriable=True)
        return ApiError(path, self._redact(f"request not possible: {reason(error)}"))
