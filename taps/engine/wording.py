"""Words for messages: what went wrong with a request, as the API or the error at the root has it; and names."""

from __future__ import annotations

import json
from http.client import IncompleteRead
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

__all__ = ["MESSAGE_LENGTH", "api_codes", "api_message", "listed", "meant", "reason", "root_of"]

MESSAGE_LENGTH = 200
"""Characters that a message has at most."""

_MOST_NAMED = 5
_MESSAGE_FIELDS = ("message", "description", "error_description", "detail", "error", "title")


def api_message(body: bytes) -> str:
    """Find the API's own words in an error's body: a known field of a JSON object, or else the text itself.

    Returns:
        One line, of any length.
    """
    text = body[:10_000].decode("utf-8", "replace")
    try:
        document: Any = json.loads(body)
    except ValueError:
        return _one_line(text)
    if isinstance(document, dict):
        nested, errors = document.get("error"), document.get("errors")
        places = [nested, document, *(errors if isinstance(errors, list) else [])[:1]]
        told = dict.fromkeys(filter(None, map(_told, places)))
        if told:
            return ": ".join(told)
    return _one_line(text)


def api_codes(body: bytes) -> Iterator[str]:
    """List what may be the code of an error in its body: the texts in a JSON object, and in those of its errors."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        return
    errors = document.get("errors") if isinstance(document, dict) else None
    for found in [document, *(errors if isinstance(errors, list) else [])]:
        if isinstance(found, dict):
            yield from (value for value in found.values() if isinstance(value, str))


def listed(names: Iterable[str]) -> str:
    """Name the first few of many, for a message; nothing, where there are none."""
    known = list(names)
    return ", ".join([*known[:_MOST_NAMED], *(["…"] if len(known) > _MOST_NAMED else [])])


def _told(error: Any) -> str:
    """Give what an object says in a field that is known to hold a message, and of which parameter it says so."""
    if not isinstance(error, dict):
        return ""
    found = next(
        (error[name] for name in _MESSAGE_FIELDS if isinstance(error.get(name), str) and error[name].strip()), ""
    )
    about = error.get("field")
    return _one_line(f"{about}: {found}" if found and isinstance(about, str) and about.strip() else found)


def _one_line(text: str) -> str:
    """Put a space for any run of white space and of what a terminal would obey instead of showing it."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _causes(error: BaseException) -> Generator[BaseException, None, None]:
    """Walk to the root of what requests and urllib3 have wrapped."""
    current: Any = error
    for _ in range(10):
        if not isinstance(current, BaseException):
            return
        yield current
        inner = getattr(current, "reason", None) or current.__cause__ or current.__context__
        current = inner or next((arg for arg in current.args if isinstance(arg, BaseException)), None)


def root_of(error: BaseException) -> BaseException:
    """Find the error at the root of what requests and urllib3 have wrapped."""
    return list(_causes(error))[-1]


def reason(error: BaseException) -> str:
    """Say in a few words what was wrong at the root, without the URL that requests puts in its messages."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return str(cause.strerror)
    root = root_of(error)
    if isinstance(root, IncompleteRead):
        came = len(root.partial) if isinstance(root.partial, bytes) else int(root.partial)
        return f"{came} bytes came" if root.expected is None else f"{came} of {came + root.expected} bytes came"
    kind, text = type(root).__name__, (str(root).splitlines() or [""])[0][:MESSAGE_LENGTH]
    if text and (isinstance(root, OSError) or text.lower().startswith(kind.lower())):
        return text
    return f"{kind}: {text}" if text else kind


def meant(name: str, names: Iterable[str]) -> str:
    """Ask whether one of these names was meant by another one, where that is likely, for the end of a message."""
    import difflib  # noqa: PLC0415 - hardly ever needed

    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
