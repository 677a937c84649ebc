"""The tokens of the sales engagement API: what is minted, what expires and what is refused."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from taps.sandbox.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SCOPE = "accounts.read calls.read prospects.read users.read"


class Tokens:
    """Mints access tokens and knows which are good. Its methods may be called from any thread.

    Attributes:
        minted: How many access tokens were minted.
        refused: How many times a refresh token was refused.
        refresh_token: The refresh token that is good now.
        fault: Called with `before` when a good request for a token has come in and with `after` when its token is
            minted (and the refresh token has changed) but not yet sent; it may raise a `Refusal`.

    Args:
        client_id: The client that may ask.
        client_secret: Its secret.
        refresh_token: The first refresh token.
        ttl: How many seconds an access token is good.
        rotate: Whether each refresh token works once, and the answer carries the next one.
    """

    def __init__(self, *, client_id: str, client_secret: str, refresh_token: str, ttl: int, rotate: bool) -> None:
        self.minted = 0
        self.refused = 0
        self.refresh_token = refresh_token
        self.fault: Callable[[str], None] | None = None
        self._client = (client_id, client_secret)
        self._ttl = ttl
        self._rotate = rotate
        self._lock = threading.RLock()
        # Each with the instant, by the clock that never jumps, from which on it is refused.
        self._good: dict[str, float] = {}

    def mint(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer a request for an access token.

        Args:
            form: The request's fields.

        Returns:
            The answer's body.

        Raises:
            Refusal: The client, the grant or the refresh token is not the one asked for.
        """
        with self._lock:
            if (form.get("client_id"), form.get("client_secret")) != self._client:
                raise _refusal(401, "invalid_client", "The client is unknown or its secret is wrong.")
            if form.get("grant_type") != "refresh_token":
                raise _refusal(400, "unsupported_grant_type", "The grant type must be refresh_token.")
            if form.get("refresh_token") != self.refresh_token:
                self.refused += 1
                raise _refusal(400, "invalid_grant", "The refresh token is invalid, expired, revoked or was used.")
            if self.fault:
                self.fault("before")
            access = secrets.token_urlsafe(24)
            self._good[access] = time.monotonic() + self._ttl
            self.minted += 1
            if self._rotate:
                self.refresh_token = secrets.token_urlsafe(24)
            answer = {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": self._ttl,
                "refresh_token": self.refresh_token,
                "scope": _SCOPE,
                "created_at": int(time.time()),
            }
            if self.fault:
                self.fault("after")
            return answer

    def accepts(self, token: str) -> bool:
        """Tell whether an access token is good.

        Args:
            token: The token.

        Returns:
            False where it was never minted, has expired or was voided.
        """
        with self._lock:
            return self._good.get(token, 0.0) > time.monotonic()

    def expire(self) -> int:
        """Void all access tokens.

        Returns:
            How many were good until now.
        """
        with self._lock:
            now = time.monotonic()
            voided = sum(until > now for until in self._good.values())
            self._good.clear()
            return voided


def _refusal(status: int, error: str, description: str) -> Refusal:
    return Refusal(status, {"error": error, "error_description": description}, {"Cache-Control": "no-store"})
