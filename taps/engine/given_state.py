"""The state that a user gives: checked, for one that is of no use would read everything anew, or nothing ever again."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from taps.engine.errors import InvalidInputError
from taps.engine.timestamps import format_timestamp, parse_timestamp, whole_second
from taps.engine.wording import listed, meant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream

__all__ = ["check_state", "ineffective_bookmarks"]

_TOLERATED = timedelta(days=1)  # that a bookmark is ahead of this machine's clock
_VALUE = "replication_key_value"
_PARENTS = "parent_bookmark"  # as of taps.engine.coverage
_KNOWN = {
    _VALUE,
    "replication_key",
    "starting_replication_value",
    "progress_markers",
    _PARENTS,
    "partitions",
}


def check_state(state: Mapping[str, Any], streams: Mapping[str, Stream]) -> None:
    """Refuse a state from which no sync could begin.

    Args:
        state: As given; an empty one is none.
        streams: The tap's, by name.

    Raises:
        InvalidInputError: It is not what a tap writes, is another tap's, or a bookmark is no timestamp of the past.
    """
    if state and "bookmarks" not in state:
        what = "it is a whole STATE message; give what is its 'value'"
        found = f"it has no 'bookmarks', but {_names(state)}; give the value of this tap's last STATE message"
        raise _unusable(what if isinstance(state.get("value"), dict) else found)
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict) or not all(isinstance(entry, dict) for entry in bookmarks.values()):
        raise _unusable("'bookmarks' must be an object with an object for each stream")
    if bookmarks and not bookmarks.keys() & streams.keys():
        raise _unusable(
            f"it has bookmarks of {_names(bookmarks)}, and none of a stream of this tap; give this tap's own, or none"
        )
    for name, entry in bookmarks.items():
        used = (_VALUE, _PARENTS) if name in streams and streams[name].replication_key else (_PARENTS,)
        for field in used:
            if name in streams and entry.get(field) is not None:
                _check_bookmark(name, entry[field])


def _check_bookmark(name: str, value: Any) -> None:
    try:
        instant = parse_timestamp(str(value))
    except ValueError as error:
        raise _unusable(f"the bookmark of stream '{name}': {error}; {_without(name)}") from None
    now = datetime.now(timezone.utc)
    if instant > now + _TOLERATED:
        clock = format_timestamp(whole_second(now))
        raise _unusable(
            f"the bookmark of stream '{name}' is {value}, but by this machine's clock it is {clock}; {_without(name)}"
        )


def ineffective_bookmarks(state: Mapping[str, Any], streams: Mapping[str, Stream]) -> Iterator[str]:
    """Say of each entry of a checked state that is of no use, in a line, why.

    Args:
        state: As given.
        streams: The tap's, by name.
    """
    for name, entry in state.get("bookmarks", {}).items():
        if name not in streams:
            yield f"The state has a stream '{name}', which this tap does not have; it is left out{meant(name, streams)}"
            continue
        cursor, found = streams[name].replication_key, entry.get("replication_key")
        if not cursor or not entry or (entry.keys() & _KNOWN and (found == cursor or _VALUE not in entry)):
            continue
        if _VALUE in entry:
            problem = f"is on '{found}', and this tap's is on '{cursor}'"
        else:
            problem = f"has {_names(entry)}, and no '{_VALUE}'"
        yield f"The bookmark of stream '{name}' {problem}; the stream begins at start_date"


def _unusable(problem: str) -> InvalidInputError:
    return InvalidInputError(f"The state is not usable: {problem}")


def _without(name: str) -> str:
    return f"without it, '{name}' begins at start_date"


def _names(found: Mapping[str, Any]) -> str:
    return listed(f"'{name}'" for name in found)
