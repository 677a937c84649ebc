"""Keeps credentials out of whatever a tap writes for people to read."""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RedactingFilter", "Redactor"]

_MASK = "***"
_SHORTEST = 4  # a mask for anything shorter would eat ordinary text
_AUTHORIZATION = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{4,}")


class Redactor:
    """Replaces secrets in text, in each form in which they go over the wire.

    Secrets are added when they become known (settings at start, tokens when they are received).
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Take a further secret: plain, URL-encoded, escaped, and in Base64, as Basic authentication sends it."""
        if len(secret) < _SHORTEST:
            return
        self._forms |= {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            repr(secret)[1:-1],
            json.dumps(secret)[1:-1],
        }
        self._forms.add(base64.b64encode(secret.encode()).decode().rstrip("=")[:-1])
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def __call__(self, text: str) -> str:
        """Return the text with `***` for each secret in it."""
        if self._pattern is not None:
            text = self._pattern.sub(_MASK, text)
        return _AUTHORIZATION.sub(rf"\1 {_MASK}", text)


class RedactingFilter(logging.Filter):
    """A filter for log handlers: no message, argument or traceback gets past it with a secret."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redact = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; never drop it."""
        if record.exc_info and record.exc_info[1] is not None:
            text = logging.Formatter().formatException(record.exc_info)
            if self._redact(text) != text:
                record.exc_text, record.exc_info = self._redact(text), None
        message = record.getMessage()
        if self._redact(message) != message:
            record.msg, record.args = self._redact(message), ()
        return True
