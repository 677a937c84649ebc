"""What the environment says of the way to an API: whom to trust, and through which proxy; and whether it is private."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["certificates", "proxy_secrets", "unprotected"]


def certificates(url: str) -> Any:
    """Tell by which certificates a host must prove who it is.

    Returns:
        A file or folder of them: from `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`, as everywhere in `requests`, or else
        from `SSL_CERT_FILE` or `SSL_CERT_DIR`, which `requests` does not know. `True` for those that come with it.
    """
    settings: Any = requests.Session().merge_environment_settings(url, {}, None, None, None)
    if settings["verify"] is not True:
        return settings["verify"]
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or True


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
