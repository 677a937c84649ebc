"""What a user can do about an error that keeps a tap from reading anything."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from taps.engine.errors import (
    REFUSALS,
    AuthorizationError,
    BodyError,
    CertificateError,
    ForeignOriginError,
    ProxyError,
    StatusError,
    TokenUnavailableError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.exceptions import SyncError

__all__ = ["advice", "advice_for_stream"]

_TWICE = re.compile(r"(/[^/]+)\1/")
_PROXY = "Check the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names, or name the host in NO_PROXY to do without"
_NO_TLS = "WRONG_VERSION_NUMBER"
_PLAN = "If the plan or the key lacks it, deselect the stream or set 'skip_inaccessible_streams'"


def advice(error: SyncError, base_url: str, secrets: Sequence[str]) -> str:
    """Say in a sentence what to check, where no stream can be read.

    Args:
        error: What went wrong.
        base_url: The setting.
        secrets: Names of the settings that hold credentials.
    """
    keys = " and ".join(f"'{name}'" for name in secrets)
    address = f"'base_url' ({base_url})"
    words = {
        TokenUnavailableError: "Run again in some minutes. Some endpoints give one token a minute: have runs share a "
        "'token_cache_path'. If it goes on, check 'token_url'",
        AuthorizationError: f"Check {keys}",
        ProxyError: _PROXY,
        CertificateError: f"Check {address}; if an authority of your own signs, name its file in REQUESTS_CA_BUNDLE",
        ForeignOriginError: f"Check {address}: where it leads may be the address to set",
        UnreachableError: f"Check {address}",
        BodyError: f"Check {address}",
    }
    if _NO_TLS in str(error):
        return f"Check {address}: nothing there speaks TLS, so it may be http or another port"
    of_status = _of_status(error, address, keys) if isinstance(error, StatusError) else None
    rest = f"Check {address} and the rights of {keys}"
    return of_status or next((text for kind, text in words.items() if isinstance(error, kind)), rest)


def _of_status(error: StatusError, address: str, keys: str) -> str | None:
    if error.lacking:
        return f"Check what the plan and the scopes of {keys} include, and deselect the other streams"
    if error.status == HTTPStatus.UNAUTHORIZED:
        return f"Check {keys}, and that it belongs to {address}"
    if error.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _PROXY
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "'requests_per_minute' leaves room for others who use the same account"
    if error.status == HTTPStatus.NOT_FOUND and (twice := _TWICE.search(error.path)):
        return f"Check {address}: it must not end with {twice[1]}, which the tap adds itself"
    return None


def advice_for_stream(error: SyncError) -> str:
    """Say in a sentence what to do about a stream that alone is refused; nothing, where the error says it all."""
    return _PLAN if getattr(error, "status", None) in REFUSALS else ""
