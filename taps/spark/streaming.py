"""A stream of a tap as a stream of Spark's: each batch has what has changed since the one before.

An offset is a Singer state: the bookmark up to which all has been read. So a query that is started again from its
checkpoint reads the same time again that it was reading when it stopped, and Spark drops what it had of it.

Only the time up to a little before now is read, so that it can get no more records: a record that changes is in one
batch as it was before, and in a later one as it is then. Whether that time is over is checked by the API's clock, since
a driver's may be ahead.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSourceStreamReader

from taps.engine.timestamps import format_timestamp, whole_second
from taps.spark.errors import OptionError
from taps.spark.options import bookmark_of
from taps.spark.partitions import Partitions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from pyspark.sql.datasource import InputPartition
    from pyspark.sql.types import StructType

    from taps.spark.accounts import Account
    from taps.spark.options import Job

__all__ = ["SingerStreamReader"]

_State = dict[str, Any]


class SingerStreamReader(DataSourceStreamReader):
    """Reads what is new in a stream.

    Args:
        job: What is to be read.
        schema: The columns that are wanted.

    Raises:
        OptionError: The stream has no such column, or no replication key, by which to tell what is new.
    """

    def __init__(self, job: Job, schema: StructType) -> None:
        self._partitions = Partitions(job, schema)
        self._job = job
        for account in job.accounts:
            root = job.root_type(account)
            if not root.replication_key:
                whose = "it" if root.name == job.stream else f"its parent '{root.name}'"
                raise OptionError(
                    f"{account}Stream '{job.stream}' cannot be read with readStream, for {whose} has no replication "
                    f"key that tells what is new; read it in full, with spark.read"
                )
        self._latest: Mapping[str, datetime] = {}

    def initialOffset(self) -> _State:  # noqa: N802 - Spark's name, as of those below
        """Give the state to begin from: the option `state`, or an empty one, which means `start_date`."""
        return self._offset({account.name: self._job.bookmark(account) for account in self._job.accounts})

    def latestOffset(self, start: _State | None = None, limit: object = None) -> _State:  # noqa: N802, ARG002
        """Give the state that the next batch comes to. Before Spark 4.2 it is not told where that starts."""
        now = whole_second(datetime.now(timezone.utc))
        latest: dict[str, datetime | None] = {}
        for account in self._job.accounts:
            start_param = self._job.root_type(account).start_param
            settle = max(self._job.settle, start_param.margin if start_param else 0)
            reached = now - timedelta(seconds=settle)
            known = [reached, self._latest.get(account.name), self._bookmark(start or {}, account)]
            latest[account.name] = max(moment for moment in known if moment)  # a clock may go back
        return self._offset(latest)

    def partitions(self, start: _State, end: _State) -> Sequence[InputPartition]:
        """Plan the partitions of a batch."""
        spans = [
            (account, self._bookmark(start, account), self._bookmark(end, account)) for account in self._job.accounts
        ]
        self._latest = {account.name: until for account, _, until in spans if until}
        # An account that is new since the batch was planned has no end there, and comes with the next one.
        return self._partitions.of([span for span in spans if span[2] is not None and span[1] != span[2]])

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a partition; see `taps.spark.reading.batches` for what can go wrong."""
        return self._partitions.read(partition)

    def _bookmark(self, offset: _State, account: Account) -> datetime | None:
        state = offset.get(account.name, {}) if self._job.several else offset
        return bookmark_of(state, self._job.root_type(account).name)

    def _offset(self, bookmarks: Mapping[str, datetime | None]) -> _State:
        states = {account.name: self._state(account, bookmarks[account.name]) for account in self._job.accounts}
        return states if self._job.several else states[""]

    def _state(self, account: Account, bookmark: datetime | None) -> _State:
        if bookmark is None:
            return {"bookmarks": {}}
        root = self._job.root_type(account)
        entry = {"replication_key": root.replication_key, "replication_key_value": format_timestamp(bookmark)}
        return {"bookmarks": {root.name: entry}}
