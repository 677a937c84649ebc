"""What to read of a list, whatever way it comes in pages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from taps.engine.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from taps.engine.client import Request

__all__ = ["WHOLE", "Fallback", "Part", "Query", "StartParam", "Sublists", "path_segment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_A_MILLISECOND = timedelta(milliseconds=1)


class StartParam(Struct, frozen=True):
    """How an API is asked for records from a time on.

    Attributes:
        name: Of the query parameter.
        template: Its value, with `{timestamp}` (`2024-01-31T08:00:00.123456Z`), `{milliseconds_timestamp}` (the same,
            cut to milliseconds), `{seconds}` or `{milliseconds}` (since 1970). What is cut is cut towards the past.
        margin: Seconds before now from which on the API refuses to be asked.
        early: Seconds to ask from before a record that is known, where it is not sure that the API gives those of the
            very time that it is asked for.
        open_end: What `{end}` in the template is where no end is wanted; otherwise it is a timestamp in milliseconds.
            `None` where the API cannot be asked for records up to a time.
    """

    name: str
    template: str = "{timestamp}"
    margin: int = 0
    early: int = 0
    open_end: str | None = None

    @property
    def without_end(self) -> str:
        """The template for all records from a time on."""
        return self.template.replace("{end}", self.open_end or "")

    def value(self, start: datetime, end: datetime | None = None) -> str:
        """Write the parameter's value for a time, or for that from one time to another.

        Args:
            start: From when on.
            end: Up to when, where not all is wanted; an API that cannot be asked so gives what is later as well.
        """
        until = self.open_end
        if end is not None and end > start:  # no API need take a range that is none
            # Cut towards the future: one record too many is left out later, one that did not come is lost.
            until = format_timestamp(_EPOCH - (_EPOCH - end) // _A_MILLISECOND * _A_MILLISECOND)
        milliseconds = (start - _EPOCH) // _A_MILLISECOND
        return self.template.format(
            timestamp=format_timestamp(start),
            milliseconds_timestamp=format_timestamp(_EPOCH + milliseconds * _A_MILLISECOND),
            seconds=milliseconds // 1000,
            milliseconds=milliseconds,
            end=until,
        )


class Fallback(Struct, frozen=True, kw_only=True):
    """How else to ask for a list that the API refuses at its first page.

    Attributes:
        statuses: Those of the refusal.
        path: Another path.
        start_param: Another way to ask for records from a time on; `None` to ask for all.
        setting: Name of a setting that has to be made for it.
    """

    statuses: frozenset[int]
    path: str | UnsetType = UNSET
    start_param: StartParam | UnsetType | None = UNSET
    setting: str | None = None


class Part(Struct, frozen=True, kw_only=True):
    """A part of a stream that the API gives in a list of its own.

    Attributes:
        params: Query parameters that ask for it.
        marks: Fields that its records get.
        setting: Name of the setting by which it is read; without one it is the stream itself.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Any] = field(default_factory=dict)
    setting: str | None = None


WHOLE = Part()
"""What a stream is without further parts."""


class Sublists(Struct, frozen=True):
    """Lists of the same stream that are below its records.

    Attributes:
        path: Of such a list, with `{id}` for the record's key.
        count: Field of a record that tells how many it has.
    """

    path: str
    count: str


class Query(Struct, frozen=True):
    """What to read.

    Attributes:
        request: The list's address and its parameters, without those of paging and of the start.
        page_size: Records to ask for in a page.
        cursor: Name of the replication key, where the list is incremental.
        start_param: How to ask for records from a time on, where the list can be asked so.
        start: The time from which to read.
        early: Seconds by which it is asked for from earlier on.
        end: The time before which the records are that are wanted, where not all are.
    """

    request: Request
    page_size: int
    cursor: str | None = None
    start_param: StartParam | None = None
    start: datetime = _EPOCH
    early: int = 0
    end: datetime | None = None

    @property
    def asked(self) -> datetime:
        """The time that is asked for."""
        return max(self.start - timedelta(seconds=self.early), _EPOCH) if self.early else self.start

    def first(self) -> Request:
        """Make the request for all that is to be read."""
        if self.start_param is None:
            return self.request
        request = self.request.with_params({self.start_param.name: self.start_param.value(self.asked, self.end)})
        return replace(request, start=self.asked)

    def beginning(self, start: datetime) -> Query:
        """Copy the query with another start."""
        return replace(self, start=start, early=0)

    def going_on(self, start: datetime) -> Query:
        """Copy the query with another start, at or right behind a record that is known."""
        return replace(self, start=start, early=self.start_param.early if self.start_param else 0)


def path_segment(key: object) -> str:
    """Write a key as one segment of a path, whatever characters it has; dots alone would lead to another path."""
    text = quote(str(key), safe="", errors="surrogatepass")
    return text if text.strip(".") else text.replace(".", "%2E")
