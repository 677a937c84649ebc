"""How a request proves who sends it: authenticators in the style of `requests`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

from requests.auth import AuthBase, HTTPBasicAuth

if TYPE_CHECKING:
    from requests import PreparedRequest

__all__ = ["HeaderKey", "QueryKey", "RenewableAuth", "basic_auth", "bearer"]


def basic_auth(user: str, password: str) -> HTTPBasicAuth:
    """HTTP Basic authentication (RFC 7617), with user and password in UTF-8 where `requests` would take Latin-1."""
    return HTTPBasicAuth(user.encode(), password.encode())


def bearer(token: str) -> HeaderKey:
    """A bearer token (RFC 6750) that somebody else keeps valid."""
    return HeaderKey(f"Bearer {token}")


class HeaderKey(AuthBase):
    """A key in the `Authorization` header, as it is.

    Args:
        value: The header's whole value, with a prefix where the API wants one.
    """

    def __init__(self, value: str) -> None:
        self._value = value.encode()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = self._value  # type: ignore[assignment]  # bytes, or non-Latin-1 text fails
        return request


class QueryKey(AuthBase):
    """A key in the query string. A URL that has it already, as some next links do, stays as it is.

    Args:
        name: Of the parameter.
        key: The key.
    """

    def __init__(self, name: str, key: str) -> None:
        self._name = name
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        url = request.url or ""
        query = urlsplit(url).query
        if self._name not in parse_qs(query, keep_blank_values=True):
            base, hash_sign, fragment = url.partition("#")
            glue = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
            request.url = f"{base}{glue}{quote(self._name)}={quote(self._key, safe='')}{hash_sign}{fragment}"
        return request


class RenewableAuth(AuthBase, ABC):
    """Credentials that can be replaced when the API refuses them."""

    @abstractmethod
    def renew(self, refused: PreparedRequest) -> bool:
        """Get others, unless those of the refused request have been replaced already.

        Args:
            refused: The request that the API answered with 401.

        Returns:
            Whether the request is worth sending again.

        Raises:
            ApiError: No others could be had.
        """
