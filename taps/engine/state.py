"""Bookmarks that keep the promise of STATE: whoever restarts from one loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# The class of the SDK's public `Stream.state_manager`; its module alone is private.
from singer_sdk.streams._state import StreamStateManager

from taps.engine.timestamps import ascending, format_timestamp, parse_timestamp, whole_second

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

__all__ = ["Bookmarks", "CoveredByParent"]

_MARKERS = "progress_markers"
_KEY = "replication_key"
_VALUE = "replication_key_value"


class Bookmarks(StreamStateManager):
    """A stream's bookmark.

    It differs from the SDK's in four points. Timestamps are compared as instants, not as text, for `08:00:00.5Z` sorts
    before `08:00:00Z` and offsets sort anywhere. A bookmark never gets ahead of the start of the sync: what changes
    while we read comes again next time. It stands still while the stream, or a child whose rows it covers, has failed.
    And where a list that should be sorted is not, the bookmark goes back to where it began and moves only at the end.

    Args:
        not_after: Gives the latest instant that a bookmark may have.
        complete: Tells whether all rows up to here have been written.
        **kwargs: As of the SDK's class.
    """

    def __init__(self, *, not_after: Callable[[], datetime], complete: Callable[[], bool], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._not_after = not_after
        self._complete = complete
        self._begun_with: dict[str, Any] | None = None
        self._latest: datetime | None = None

    def increment_state(self, latest_record: Record, *, context: Context | None = None, replication_key: str) -> None:
        """Move the bookmark to a record that has been written.

        A sorted stream's bookmark moves at once, but only to the whole second: servers that sort by the second give
        fractions in any order. An unsorted stream's progress becomes its bookmark in `finalize_state`.

        Args:
            latest_record: The record; one without a replication key moves nothing.
            context: The stream's context.
            replication_key: Name of the field.
        """
        value = latest_record.get(replication_key)
        self.advance([None if value is None else parse_timestamp(value)], replication_key, context=context)

    def advance(
        self, instants: Iterable[datetime | None], replication_key: str, *, context: Context | None = None
    ) -> None:
        """Move the bookmark to the records of a page that has been written; otherwise as `increment_state`.

        Args:
            instants: The records' replication keys, in their order.
            replication_key: Name of the field.
            context: The stream's context.
        """
        moments = [instant for instant in instants if instant is not None]
        if not moments or not self._complete():
            return
        state = self.get_context_state(context)
        if self._begun_with is None:
            self._begun_with = {name: state[name] for name in (_KEY, _VALUE) if name in state}
        latest = self._latest or moments[0]
        if moments[0] >= latest and ascending(moments):
            latest = moments[-1]
        else:
            for instant in moments:
                if instant >= latest:
                    latest = instant
                elif self._is_sorted and whole_second(instant) < whole_second(latest):
                    self._take_back(state, instant, replication_key)
        self._latest = latest
        reached = min(latest, self._not_after())
        if self._is_sorted:
            _advance(state, replication_key, whole_second(reached))
        else:
            _advance(state.setdefault(_MARKERS, {}), replication_key, reached)

    def _take_back(self, state: dict[str, Any], late: datetime, replication_key: str) -> None:
        self._logger.warning(
            "The records are not sorted by %s as they should be (%s came late): the bookmark moves only at the end",
            replication_key,
            format_timestamp(late),
        )
        self._is_sorted = False
        for name in (_KEY, _VALUE):
            state.pop(name, None)
        state.update(self._begun_with or {})

    def finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Make an unsorted stream's progress its bookmark, if all of it has been written."""
        if self._complete():
            super().finalize_state(state)


def _advance(bookmark: dict[str, Any], replication_key: str, instant: datetime) -> None:
    before = bookmark.get(_VALUE) if bookmark.get(_KEY) == replication_key else None
    if before is None or parse_timestamp(before) < instant:
        bookmark[_KEY] = replication_key
        bookmark[_VALUE] = format_timestamp(instant)


class CoveredByParent(StreamStateManager):
    """The state of a child stream: none. Its parent's bookmark moves only when the child's rows have been written."""

    @property
    def is_flushed(self) -> bool:
        """There is never anything to flush, so the SDK writes no STATE for each parent."""
        return True

    @is_flushed.setter
    def is_flushed(self, value: bool) -> None:
        pass
