"""What the environment says of the way to an API: whom to trust, and through which proxy; and whether it is private."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from taps.engine.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["certificates", "proxy_secrets", "unprotected"]

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def certificates(url: str) -> bool | str:
    """Tell by which certificates a host must prove who it is.

    Returns:
        A file or folder of them: from `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`, as everywhere in `requests`, or else
        from `SSL_CERT_FILE` or `SSL_CERT_DIR`, which `requests` does not know. `True` for those that come with it.

    Raises:
        InvalidInputError: There is no such file or folder.
    """
    for name in _BUNDLES:
        if path := os.environ.get(name):
            if urlsplit(url).scheme.lower() == "https" and not Path(path).exists():
                raise InvalidInputError(f"There are no certificates at {path}, where the variable {name} has them")
            return path
    return True


def proxy_secrets() -> Iterator[str]:
    """List the passwords of the proxies that are configured."""
    for proxy in getproxies().values():
        address = proxy if "://" in proxy else f"//{proxy}"
        try:
            password = urlsplit(address).password
        except ValueError:
            continue
        if password:
            yield password
            yield unquote(password)


def unprotected(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Warn in a line of each address that credentials are sent to without TLS, unless it is this machine."""
    for name, declared in schema.get("properties", {}).items():
        address = config.get(name)
        if declared.get("format") != "uri" or not isinstance(address, str):
            continue
        parts = urlsplit(address)
        if parts.scheme.lower() == "http" and not _is_this_machine(parts.hostname or ""):
            yield (
                f"Setting '{name}' is {address}, without TLS: whoever is on the way can read the credentials and the "
                f"data. Use https:// where the API has it"
            )


def _is_this_machine(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
