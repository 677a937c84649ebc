"""Partitions: how the records of a stream are divided among the tasks of a job.

What a stream declares decides:

- A list that can be asked for the records of a time is divided into times of the same length, and so are the children
  of its records. It has to be sorted by its cursor, so that reading ends where the time does, or the API has to take an
  end in the request.
- The children of any other list are divided by their parents: each partition reads the list of the parents, and the
  children of those whose key's hash is in its range.
- All else is one partition: to read a part of it would take all of its requests.

To divide a time, one must know when it begins: at `start_date`, or at the first record, for which one request is made.
No other is needed, so that a driver without credentials can plan as well; it then cuts nothing that has no
`start_date`.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from singer_sdk.exceptions import SyncError

from taps.engine.clocks import IMPLAUSIBLE
from taps.engine.pacing import http_date
from taps.engine.sampling import sampled_pages
from taps.engine.share import Share
from taps.engine.timestamps import parse_timestamp, whole_second
from taps.spark.errors import OptionError, ReadError
from taps.spark.reading import root_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap
    from taps.spark.accounts import Account
    from taps.spark.options import Job

__all__ = ["SKEW", "Planned", "planned", "times"]

_log = logging.getLogger(__name__)
_AT_ONCE = 8  # accounts whose first record is asked for
_MOST = 100_000
SKEW = timedelta(minutes=2)
"""By which a clock of Spark's may be wrong, where the API does not tell the time."""
_SHORTEST = timedelta(hours=1)  # each partition takes a request at least, and some seconds of Spark's
_EPOCH = datetime.fromtimestamp(0, tz=timezone.utc)


class Planned(Struct, frozen=True):
    """A partition.

    Attributes:
        account: Whose records.
        share: Which of them.
        planned_at: Of a part of a time that others go on from: when it was planned. What has changed since is read with
            it again, for it may have moved to the last part when that had been read.
    """

    account: Account
    share: Share
    planned_at: datetime | None = None


def planned(job: Job, spans: Sequence[tuple[Account, datetime | None, datetime | None]]) -> list[Planned]:
    """Plan the partitions.

    Args:
        job: What is to be read.
        spans: The accounts, each with the bookmark from which and the time before which its records are wanted.

    Returns:
        The partitions of each account, mixed, so that those that run at once are of as many accounts as can be.

    Raises:
        OptionError: The settings of an account cannot be used.
        ReadError: The API did not give the first record.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        shares = list(pool.map(lambda span: _shares(job, *span), spans))
    each = [
        [Planned(span[0], share, now if _moves_on(share, span[2]) else None) for share in found]
        for span, (found, now) in zip(spans, shares, strict=True)
    ]
    return [one for one in chain.from_iterable(zip_longest(*each)) if one is not None]


def _moves_on(share: Share, until: datetime | None) -> bool:
    """Tell whether a record that changes leaves a share for one that is read as well."""
    return share.until is not None and until is None


def times(since: datetime | None, until: datetime | None, cuts: Sequence[datetime]) -> list[Share]:
    """Divide a time.

    Args:
        since: Where it begins; `None` for the beginning of all, and for what has no time.
        until: Where it ends; `None` for no end.
        cuts: Where to cut it, in between.
    """
    inner = sorted({cut for cut in cuts if (since is None or since < cut) and (until is None or cut < until)})
    return [Share(since=begin, until=end) for begin, end in zip([since, *inner], [*inner, until], strict=True)]


def _shares(
    job: Job, account: Account, bookmark: datetime | None, until: datetime | None
) -> tuple[list[Share], datetime]:
    """Give an account's shares, and a time by the API's clock at which none of them had been read."""
    whole = Share(since=bookmark and bookmark - _look_back(job, account), until=until)
    now = datetime.now(timezone.utc) - SKEW
    shares, now = ([whole], now) if job.partitions == 1 else _divided(job, account, whole, now)
    readers = min(len(shares), job.at_once or len(shares))
    # Where not all run at once, it is not known which do: then none gets what is left when a limit is divided.
    all_at_once = readers == len(shares)
    made = [
        replace(
            share,
            reader=place if all_at_once else readers - 1,
            readers=readers,
            follows=until is not None or not all_at_once,  # the batches of a streaming query follow one another
        )
        for place, share in enumerate(shares)
    ]
    return made, now


def _look_back(job: Job, account: Account) -> timedelta:
    """Give how far before its bookmark a stream is read again, because its cursor does not tell of changes."""
    root = job.root_type(account)
    if not (root.lookback and root.is_sorted):
        return timedelta()
    tap = job.opened(account, complete=False)
    try:
        return timedelta(days=tap.config["lookback_days"])
    finally:
        tap.close()


def _divided(job: Job, account: Account, whole: Share, now: datetime) -> tuple[list[Share], datetime]:
    asks = True
    try:
        tap = job.opened(account)
    except OptionError:
        # What is missing may be in the environment of the executors, and what is wrong there is told by them.
        asks = False
        tap = job.opened(account, complete=False)
    try:
        root = root_of(tap, job.stream)
        most = min(job.partitions, _most(tap, root.name, job.stream))
        if root.comes_in_windows and most > 1:
            begin, now = _known_times(root, whole, now) if asks else (_said_beginning(tap, whole), now)
            end = min(filter(None, (whole.until, root.end, now)))
            return times(whole.since, whole.until, _cuts(begin, end, most)), now
        if root.name != job.stream:
            return [replace(whole, piece=piece, pieces=most) for piece in range(most)], now
    except SyncError as error:
        raise ReadError(f"{account}Stream '{job.stream}': {tap.outcome.told(error)}") from None
    finally:
        tap.close()
    return [whole], now


def _most(tap: ApiTap, *streams: str) -> int:
    """Give the most partitions that an account may have: each sends a request a minute at least."""
    if tap.shared_by and not tap.config.get(tap.shared_by):
        _log.warning("%s: without '%s' an account is read by one partition alone", tap.name, tap.shared_by)
        return 1
    limits = [lane.requests for stream in streams if (lane := tap.toll(stream).lane)]
    return min([*limits, tap.requests_per_minute or _MOST])


def _known_times(root: ApiStream, whole: Share, now: datetime) -> tuple[datetime | None, datetime]:
    """Give the time of the first record, where there is one, and what time it is, both as the API has them."""
    if whole.since is not None:
        return whole.since, now
    root.begin_sync()
    for sampled in sampled_pages(root, {}):
        told = http_date(sampled.page.headers.get("Date", ""))
        now = told if told is not None and abs(told - now) < IMPLAUSIBLE else now
        return min((instant for instant in sampled.page.content.instants if instant), default=None), now
    return None, now


def _said_beginning(tap: ApiTap, whole: Share) -> datetime | None:
    """Give where the records begin, as far as it is said without asking the API."""
    start_date = parse_timestamp(tap.config["start_date"])
    if whole.since is not None or start_date > _EPOCH:
        return whole.since or start_date
    message = "%s: the driver has no credentials and no start_date, and so cannot divide the time of the records"
    _log.warning(message, tap.name)
    return None


def _cuts(begin: datetime | None, end: datetime, most: int) -> list[datetime]:
    """Give the times between two at which to cut."""
    if begin is None:
        return []
    parts = min(most, max(1, (end - begin) // _SHORTEST))
    return [whole_second(begin + (end - begin) * part / parts) for part in range(1, parts)]
