"""How a request proves who sends it: authenticators in the style of `requests`."""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from msgspec import Struct
from requests.auth import AuthBase, HTTPBasicAuth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest

__all__ = [
    "AuthForm",
    "HeaderKey",
    "InHeader",
    "InQuery",
    "QueryKey",
    "RenewableAuth",
    "WithPassword",
    "basic_auth",
    "settings_in",
]


def basic_auth(user: str, password: str) -> HTTPBasicAuth:
    """HTTP Basic authentication (RFC 7617), with user and password in UTF-8 where `requests` would take Latin-1."""
    return HTTPBasicAuth(user.encode(), password.encode())


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


class WithPassword(Struct, frozen=True):
    """Credentials that go into HTTP Basic authentication.

    Attributes:
        user: Template of the user's name, with settings in braces.
        password: Likewise.
    """

    user: str
    password: str

    @property
    def settings(self) -> list[str]:
        """The settings that it takes."""
        return settings_in(self.user + self.password)

    def sign(self, settings: Mapping[str, Any]) -> AuthBase:
        """Make what signs requests."""
        return basic_auth(self.user.format_map(settings), self.password.format_map(settings))


class InQuery(Struct, frozen=True):
    """A key in the query string.

    Attributes:
        name: Of the parameter.
        key: Template of its value, with settings in braces.
    """

    name: str
    key: str

    @property
    def settings(self) -> list[str]:
        """The settings that it takes."""
        return settings_in(self.key)

    def sign(self, settings: Mapping[str, Any]) -> AuthBase:
        """Make what signs requests."""
        return QueryKey(self.name, self.key.format_map(settings))


class InHeader(Struct, frozen=True):
    """A key or a bearer token (RFC 6750) in the `Authorization` header.

    Attributes:
        prefix: What is put before it, with settings in braces, and a space; nothing where it is empty.
        key: Template of the key, likewise.
    """

    prefix: str
    key: str

    @property
    def settings(self) -> list[str]:
        """The settings that it takes."""
        return settings_in(self.prefix + self.key)

    def sign(self, settings: Mapping[str, Any]) -> AuthBase:
        """Make what signs requests."""
        return HeaderKey(f"{self.prefix.format_map(settings).strip()} {self.key.format_map(settings)}".strip())


AuthForm = WithPassword | InQuery | InHeader
"""A way to prove who one is, as data."""


def settings_in(template: str) -> list[str]:
    """List the settings that a template has in braces."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]
