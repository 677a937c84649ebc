"""One request on its way: signed, held to the rate budget, its answer read in one piece."""

from __future__ import annotations

import gzip
import zlib
from functools import lru_cache
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

import requests
from msgspec import Struct
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.exceptions import ProxyError as NoProxyError
from urllib3.util import Retry, parse_url
from zlib_ng import zlib_ng

from taps.engine.environment import certificates
from taps.engine.errors import ApiError, CertificateError, ProxyError, TransferError, UnreachableError
from taps.engine.lanes import FREE, Toll
from taps.engine.wording import reason, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest
    from requests.auth import AuthBase
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from taps.engine.budget import RateBudget
    from taps.engine.gate import Gate
    from taps.engine.redaction import Redactor

__all__ = ["Answer", "Transport"]

_NO_RETRIES = Retry(total=False, redirect=False)
_GZIP = 16 + zlib.MAX_WBITS
_LARGEST_BUFFER = 64 * 1024 * 1024
_quoted = lru_cache(maxsize=1024)(quote_plus)  # pages of a list differ in one or two parameters


class Answer(Struct, frozen=True):
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
    """Sends requests to one origin over connections that are kept; safe for threads.

    Args:
        origin: Scheme, host and port, as a URL.
        auth: Signs each request.
        timeout: Seconds to wait for a connection, and for each further piece of an answer.
        headers: Of each request, beside the usual ones.
        budget: Limits the rate.
        gate: Lets requests through.
        connections: Connections to keep.
        redact: Takes secrets out of messages.
    """

    def __init__(
        self,
        origin: str,
        *,
        auth: AuthBase,
        timeout: float,
        headers: Mapping[str, str],
        budget: RateBudget,
        gate: Gate,
        connections: int,
        redact: Redactor,
    ) -> None:
        self._base_url = origin
        self._auth = auth
        self._timeout = timeout
        self._budget = budget
        self._gate = gate
        self._redact = redact
        self._headers = {
            **requests.utils.default_headers(),
            "Accept": "application/json",
            **headers,
        }
        self._connections = _Connections(origin, connections)

    def send(
        self,
        path: str,
        url: str,
        params: Mapping[str, str | int],
        headers_in: Callable[[str, Mapping[str, str]], None] | None = None,
        toll: Toll = FREE,
    ) -> Answer:
        """Send a request; redirects are not followed.

        Args:
            path: The URL's path, for messages.
            url: The URL.
            params: Query parameters that are added to those that the URL has.
            headers_in: Called with the address and the headers of a success, before the body is there.
            toll: What it takes of the limits.

        Raises:
            ApiError: No whole answer came.
        """
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params, quote_via=_quoted, errors='surrogatepass')}"
        begun = False
        try:
            request = self._signed(url)
            with self._gate.passage():
                response = self._headers_of(request, toll)
                begun = True
                if headers_in is not None and response.status == requests.codes.ok:
                    headers_in(url, response.headers)
                body = _body(response)
        except (HTTPError, OSError, EOFError, zlib.error, requests.exceptions.RequestException, UnicodeError) as error:
            raise self._failure(path, error, begun=begun) from None
        return Answer(request, url, response.status, response.headers, body)

    def _signed(self, url: str) -> PreparedRequest:
        # What `requests` does beside this costs as much as the signature, and writes the URL anew.
        request = requests.PreparedRequest()
        request.method, request.url, request.headers = "GET", url, CaseInsensitiveDict(self._headers)
        signed: PreparedRequest = self._auth(request)
        return signed

    def _headers_of(self, request: PreparedRequest, toll: Toll) -> BaseHTTPResponse:
        self._budget.acquire(toll)
        try:
            response = self._connections.get(request, self._timeout)
        except BaseException:
            self._budget.failed()
            raise
        if response.status == requests.codes.too_many_requests and toll.lane is not None:
            toll.lane.binding = True
        self._budget.release(response.status, response.headers)
        return response

    def _failure(self, path: str, error: Exception, *, begun: bool) -> ApiError:
        if isinstance(error, NoProxyError):
            problem = f"no connection to {self._base_url} through the proxy {self._connections.proxy}: {reason(error)}"
            return ProxyError(path, self._redact(problem), retriable=True)
        if isinstance(error, ConnectTimeoutError | NewConnectionError | SSLError):
            problem = f"no connection to {self._base_url}: {reason(error)}"
            unproven = isinstance(root_of(error), SSLCertVerificationError)
            kind = CertificateError if unproven else UnreachableError
            return kind(path, self._redact(problem), retriable=True)
        if isinstance(error, ReadTimeoutError):
            return TransferError(path, f"no answer within {self._timeout:g} s", retriable=True)
        if begun or isinstance(error, DecodeError):
            return TransferError(path, f"answer cut short: {reason(error)}", retriable=True)
        if isinstance(error, ProtocolError | OSError):
            return TransferError(path, f"connection lost: {reason(error)}", retriable=True)
        return ApiError(path, self._redact(f"request not possible: {reason(error)}"))


def _body(response: BaseHTTPResponse) -> bytes:
    """Read a body in one piece, and unpack it in one.

    In pieces, as `urllib3` does it, each piece waits for whatever else the interpreter is at; and the standard library
    takes more than twice as long.
    """
    if response.headers.get("Content-Encoding", "").strip().lower() != "gzip":
        return response.read(decode_content=True)
    packed = response.read(decode_content=False)
    if not packed:
        return packed
    size = int.from_bytes(packed[-4:], "little")  # RFC 1952, 2.3.1
    try:
        body: bytes = zlib_ng.decompress(packed, _GZIP, min(size, _LARGEST_BUFFER) + 1)
    except zlib_ng.error:  # type: ignore[misc] # the library types its error as an instance
        return gzip.decompress(packed)  # it says in the standard library's words what is wrong
    # Or else it has more than one member, which is allowed, or something behind it.
    return body if len(body) == size else gzip.decompress(packed)


class _Connections(HTTPAdapter):
    """The connections of `requests` to one origin, with the proxies and certificates that its users configure.

    `requests` looks for these again at each request, and reads a body in pieces of 10 KiB: together that costs more
    than the transfer.
    """

    def __init__(self, origin: str, most: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=most)
        request = requests.Request("GET", origin).prepare()
        session = requests.Session()
        settings: Any = session.merge_environment_settings(origin, {}, None, None, None)
        self._proxies = settings["proxies"]
        verify, cert = certificates(origin), settings["cert"]
        pool: Any = self.get_connection_with_tls_context(request, verify, settings["proxies"], cert)
        self.cert_verify(pool, origin, verify, cert)  # type: ignore[no-untyped-call]
        self._pool: HTTPConnectionPool = pool
        proxy = pool.proxy and parse_url(str(pool.proxy))
        self.proxy = f"{proxy.scheme}://{proxy.netloc}" if proxy else None
        """Address of the proxy in between, without credentials."""
        self._through_proxy = self.request_url(request, self._proxies) != request.path_url

    def get(self, request: PreparedRequest, timeout: float) -> BaseHTTPResponse:
        """Send a request, and give the answer when its headers are in."""
        return self._pool.urlopen(
            "GET",
            self.request_url(request, self._proxies) if self._through_proxy else request.path_url,
            headers=request.headers,
            redirect=False,
            retries=_NO_RETRIES,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            timeout=timeout,
        )
