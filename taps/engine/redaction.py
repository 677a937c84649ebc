"""Keeps credentials out of whatever a tap writes for people to read."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Redactor"]

_MASK = "***"
_CUT = "…"
_SHORTEST = 4  # a mask for anything shorter would eat ordinary text
_SHORTEST_CUT = 8  # of a secret's beginning, where the text ends in the middle of it
_SHORTEST_BASE64 = 6
# Credentials that are none of ours, but not prose such as "Basic authentication".
_AUTHORIZATION = re.compile(r"\b(Basic|Bearer)\s+(?![A-Z]?[a-z]{1,16}[.,;:)\"']?(?:\s|$))[A-Za-z0-9+/=._~-]{4,}")
_LOWER_HALF = 0x80
# Where exceptions keep text besides `args` and `__dict__`: OSError, UnicodeError, ImportError.
_SLOTS = ("strerror", "filename", "filename2", "object", "msg")


class Redactor:
    """Replaces secrets in text, in each form in which they go over the wire or come back.

    Secrets are added when they become known (settings at start, tokens when they are received).
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._patterns: frozenset[str] = frozenset()
        self._beginnings: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Take a further secret: plain, URL-encoded, escaped for JSON, HTML or Python, and in Base64."""
        if len(secret) < _SHORTEST:
            return
        self._patterns |= {"".join(map(_any_form, secret)), *_base64_patterns(secret)}
        written = {
            secret,
            quote(secret, safe="", errors="surrogatepass"),
            repr(secret)[1:-1],
            json.dumps(secret)[1:-1],
            html.escape(secret),
        }
        self._beginnings |= {form for form in written if len(form) > _SHORTEST_CUT}
        longest_first = sorted(self._patterns, key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first), re.IGNORECASE)  # a host's name is in lower case

    def __call__(self, text: str) -> str:
        """Return the text with `***` for each secret in it."""
        if self._pattern is not None:
            text = self._pattern.sub(_MASK, text)
        if self._beginnings:
            text = _CUT.join(map(self._without_beginning, text.split(_CUT)))
        return _AUTHORIZATION.sub(rf"\1 {_MASK}", text)

    def _without_beginning(self, text: str) -> str:
        """Mask a secret that the text ends in the middle of."""
        for form in self._beginnings:
            at = text.rfind(form[:_SHORTEST_CUT])
            if at >= 0 and form.startswith(text[at:]):
                text = text[:at] + _MASK
        return text

    def cleanse(self, error: BaseException) -> None:
        """Take the secrets out of an exception, its notes and all exceptions that it came from, in place.

        Somebody else may write them down, along with causes that a plain traceback leaves out.
        """
        seen: set[int] = set()
        waiting: list[Any] = [error]
        while waiting:
            current = waiting.pop()
            if not isinstance(current, BaseException) or id(current) in seen:
                continue
            seen.add(id(current))
            inside = (*current.args, *vars(current).values(), *getattr(current, "exceptions", ()))
            waiting += [current.__cause__, current.__context__, *inside]
            self._cleanse_text(current)

    def _cleanse_text(self, error: BaseException) -> None:
        if any(self._clean(arg) is not arg for arg in error.args):
            error.args = tuple(map(self._clean, error.args))
        for name, value in vars(error).items():
            if (clean := self._clean(value)) is not value:
                vars(error)[name] = clean
        for name in _SLOTS:
            value = getattr(error, name, None)
            if isinstance(value, str) and (clean := self(value)) != value:
                with contextlib.suppress(AttributeError, TypeError):
                    setattr(error, name, clean)

    def _clean(self, value: Any) -> Any:
        """Give a value itself, or as text where there is a secret in it."""
        if isinstance(value, list):  # notes
            clean = [self._clean(item) for item in value]
            return value if all(new is old for new, old in zip(clean, value, strict=True)) else clean
        if isinstance(value, BaseException):
            return value
        text = value if isinstance(value, str) else repr(value)
        clean_text = self(text)
        return value if clean_text == text else clean_text

    def guard_logs(self) -> None:
        """Have every log record of this process made without secrets, whatever its logger, level and handlers are."""
        make: Any = logging.getLogRecordFactory()
        if getattr(make, "guarded_by", None) is self:
            return

        def make_clean(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record: logging.LogRecord = make(*args, **kwargs)
            self._cleanse_record(record)
            return record

        vars(make_clean)["guarded_by"] = self
        logging.setLogRecordFactory(make_clean)

    def _cleanse_record(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.cleanse(record.exc_info[1])
            text = logging.Formatter().formatException(record.exc_info)
            if self(text) != text:  # an exception that keeps its text where nothing can be replaced
                record.exc_text, record.exc_info = self(text), None
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            return  # `logging` itself says what is wrong with the arguments, which are none of ours
        if (clean := self(message)) != message:
            record.msg, record.args = clean, ()


@lru_cache(maxsize=1024)
def _any_form(char: str) -> str:
    """Give a pattern for a character of a secret in all the ways in which it may be written."""
    if (char.isascii() and char.isalnum()) or char in "_-":
        return re.escape(char)
    encoded = char.encode("utf-8", "surrogatepass")
    once = quote(encoded, safe="")
    percent = {once if once != char else f"%{ord(char):02X}"}
    percent |= {form.replace("%", "%25") for form in percent}
    escaped = {json.dumps(char)[1:-1], repr(char)[1:-1], repr(encoded)[2:-1], f"\\{char}"}
    if ord(char) < _LOWER_HALF:
        escaped |= {f"\\u{ord(char):04x}", f"\\x{ord(char):02x}"}
    entities = {html.escape(char), f"&#{ord(char)};", f"&#x{ord(char):x};", f"&#x{ord(char):02x};"}
    misread = {encoded.decode("latin-1")}  # UTF-8 that was taken for Latin-1, as headers are
    space = {"+"} if char == " " else set()
    coded = "|".join(f"(?i:{re.escape(form)})" for form in sorted(percent | escaped | entities, key=len, reverse=True))
    plain = "|".join(map(re.escape, sorted({char} | misread | space)))
    return f"(?:{coded}|{plain})"


def _base64_patterns(secret: str) -> Iterator[str]:
    """Give patterns for a secret in Base64, alone or amid other bytes, as in `user:key` of Basic authentication."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        # The first characters hold bits of what is before, the last one may hold bits of what comes after.
        own = coded[(before * 8 + 5) // 6 : -1]
        if len(own) >= _SHORTEST_BASE64:
            yield "".join({"+": "[+-]", "/": "[/_]"}.get(char, char) for char in own)
