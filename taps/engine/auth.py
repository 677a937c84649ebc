"""How a request proves who sends it: authenticators in the style of `requests`."""

from __future__ import annotations

from requests.auth import HTTPBasicAuth

__all__ = ["basic_auth"]


def basic_auth(user: str, password: str) -> HTTPBasicAuth:
    """HTTP Basic authentication (RFC 7617), with user and password in UTF-8 where `requests` would take Latin-1."""
    return HTTPBasicAuth(user.encode(), password.encode())
