"""What dlt's REST source runs for us beside what it can do itself: steps for records, a paginator, an authenticator.

`taps dlt-config` copies out of this file what a configuration needs, so that the module that it prints stands alone.
Therefore nothing in here uses more than dlt, the standard library, and functions of the engine that need no more.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlt.common.configuration import configspec
from dlt.common.time import ensure_datetime_in_tz
from dlt.common.typing import TSecretStrValue  # noqa: TC002 - dlt reads a configspec's annotations
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator

from taps.engine.jsonapi import flattened
from taps.engine.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from requests import PreparedRequest, Response

__all__ = [
    "AskedFrom",
    "Copied",
    "Members",
    "Moment",
    "OffsetByReceived",
    "RefreshToken",
    "Renamed",
    "Stamped",
    "ensure_datetime_in_tz",
    "flattened",
]


@dataclass(frozen=True)
class Renamed:
    """Gives a field another name, such as `ticket_id` to what dlt calls `_tickets_id`."""

    field: str
    to: str

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Rename it in a record."""
        if self.field in record:
            record[self.to] = record.pop(self.field)
        return record


@dataclass(frozen=True)
class Copied:
    """Copies a nested field, such as `user.id`, to the record itself; null where the path does not lead on."""

    path: str
    to: str

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Copy it in a record."""
        found: Any = record
        for name in self.path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        record[self.to] = found
        return record


@dataclass(frozen=True)
class Members:
    """Replaces a record by those in one of its arrays, each of which takes along fields of it under other names."""

    array: str
    takes: dict[str, str]

    def __call__(self, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the members of a record."""
        taken = {to: record.get(field) for field, to in self.takes.items()}
        for member in record.get(self.array) or ():
            yield {**member, **taken}


@dataclass(frozen=True)
class Stamped:
    """Puts the time of reading into a field: always, or else where a record has none."""

    field: str
    always: bool

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Stamp a record."""
        if self.always or record.get(self.field) is None:
            record[self.field] = datetime.now(timezone.utc)
        return record


@dataclass(frozen=True)
class Moment:
    """Reads a timestamp, because as texts those with fractions or offsets are not in the order of time."""

    field: str

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Read it in a record."""
        if record.get(self.field) is not None:
            record[self.field] = ensure_datetime_in_tz(record[self.field], timezone.utc)
        return record


@dataclass(frozen=True)
class AskedFrom:
    """Writes the time from which the API is asked for records the way that the API wants it."""

    template: str

    def __call__(self, start: datetime) -> str:
        """Write a time."""
        milliseconds = (start - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
        cut = start.replace(microsecond=start.microsecond // 1000 * 1000)
        return self.template.format(
            timestamp=format_timestamp(start),
            milliseconds_timestamp=format_timestamp(cut),
            seconds=milliseconds // 1000,
            milliseconds=milliseconds,
        )


class OffsetByReceived(OffsetPaginator):
    """Counts the records that came, and ends where the API ignores the offset and sends the same page again.

    dlt's own counts those that were asked for, so that it passes over records where pages are shorter, and never ends
    where they are all the same.
    """

    def __init__(self, *, limit: int, limit_param: str, offset_param: str, keys: Sequence[str]) -> None:
        super().__init__(limit=limit, limit_param=limit_param, offset_param=offset_param, total_path=None)
        self.keys = keys
        self.before: list[Any] = []

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Move on by what was received."""
        page = data if data is not None else []
        came = [[record.get(key) for key in self.keys] for record in page]
        if came == self.before and self.current_value > self.initial_value:
            page.clear()
        self.before, self.value_step = came, len(page)
        super().update_state(response, page)


@configspec
class RefreshToken(OAuth2ClientCredentials):
    """Gets access tokens for a refresh token that may be good for one use only.

    The new one that comes with an access token is written to `token_cache_path` before that is used; without such a
    file it is lost at the end, and the next run is refused. What is in the file comes before what is configured.
    """

    refresh_token: TSecretStrValue | None = None
    token_cache_path: str | None = None
    redirect_uri: str | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request; one thread at a time, for two could void each other's token."""
        with TOKENS:
            return super().__call__(request)

    def build_access_token_request(self) -> dict[str, Any]:
        """Ask with the latest refresh token."""
        cache = self._cache()
        if cache and cache.exists():
            self.refresh_token = json.loads(cache.read_text(encoding="utf-8"))["refresh_token"]
        request = super().build_access_token_request()
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        redirect = {"redirect_uri": self.redirect_uri} if self.redirect_uri else {}
        return {**request, "data": {**request["data"], **form, **redirect}}

    def parse_access_token(self, response_json: Any) -> str:
        """Keep the refresh token first."""
        self.refresh_token = response_json.get("refresh_token") or self.refresh_token
        if cache := self._cache():
            cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = cache.with_name(f".{cache.name}.new")
            new.unlink(missing_ok=True)  # whoever left it there could read it
            new.touch(mode=0o600, exist_ok=False)
            new.write_text(json.dumps({"refresh_token": self.refresh_token}), encoding="utf-8")
            new.replace(cache)
        return super().parse_access_token(response_json)

    def parse_expiration_in_seconds(self, response_json: Any) -> int:
        """Ask anew a little before the end, for a request may be under way when it comes."""
        seconds = super().parse_expiration_in_seconds(response_json)
        return seconds - min(60, seconds // 10)

    def _cache(self) -> Path | None:
        return Path(self.token_cache_path).expanduser() if self.token_cache_path else None


TOKENS = threading.Lock()
