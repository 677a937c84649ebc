"""From what signs a tap's requests to what does so in dlt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest
from requests.auth import HTTPBasicAuth

from taps.bridge.errors import TapConfigError
from taps.bridge.rest_code import Call, setting
from taps.bridge.rest_steps import RefreshToken
from taps.engine.auth import HeaderKey, QueryKey
from taps.engine.oauth import RefreshingToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

__all__ = ["auth_of"]

_BEARER = "Bearer "


def auth_of(auth: AuthBase, settings: Mapping[str, Any]) -> dict[str, str] | Call:
    """Give the part `auth` of dlt's client.

    Args:
        auth: What signs the tap's requests.
        settings: The tap's, for that which is not to be seen in a request.

    Raises:
        TapConfigError: dlt has nothing like it.
    """
    if isinstance(auth, HTTPBasicAuth):
        return {"type": "http_basic", "username": _text(auth.username), "password": _text(auth.password)}
    if isinstance(auth, RefreshingToken):
        token = {
            "access_token_url": settings["token_url"],
            "client_id": settings["client_id"],
            "client_secret": settings["client_secret"],
            "refresh_token": settings["refresh_token"],
            "token_cache_path": settings.get("token_cache_path"),
            **({"redirect_uri": settings["redirect_uri"]} if settings.get("redirect_uri") else {}),
        }
        return Call(RefreshToken.from_init_value, (token,))
    if isinstance(auth, HeaderKey):
        value = _text(_signed(auth).headers["Authorization"])
        if value.startswith(_BEARER):
            return {"type": "bearer", "token": value.removeprefix(_BEARER)}
        return {"type": "api_key", "name": "Authorization", "api_key": value, "location": "header"}
    if isinstance(auth, QueryKey):
        [(name, key)] = parse_qsl(urlsplit(_signed(auth).url or "").query, keep_blank_values=True)
        return {"type": "api_key", "name": name, "api_key": key, "location": "query"}
    raise TapConfigError(f"dlt's REST source has nothing that signs requests as {type(auth).__name__} does")


def _signed(auth: AuthBase) -> PreparedRequest:
    request = PreparedRequest()
    request.prepare(method="GET", url=setting("any"))
    return auth(request)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
