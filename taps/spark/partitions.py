"""Partitions as Spark has them: made on the driver, read on the executors."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from msgspec.structs import replace
from pyspark.sql.datasource import InputPartition

from taps.engine.timestamps import whole_second
from taps.engine.wording import meant
from taps.spark.columns import Columns
from taps.spark.errors import OptionError
from taps.spark.planning import SKEW, planned
from taps.spark.reading import batches
from taps.spark.types import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from pyspark.sql.types import StructType

    from taps.spark.accounts import Account
    from taps.spark.options import Job
    from taps.spark.planning import Planned

__all__ = ["Partitions", "PlannedPartition"]


class PlannedPartition(InputPartition):
    """A partition. Its text may get into a log, so it has no settings in it."""

    def __init__(self, planned: Planned) -> None:
        super().__init__(planned)

    def __repr__(self) -> str:
        return f"PlannedPartition(account={self.value.account.name!r}, share={self.value.share!r})"


class Partitions:
    """Makes and reads the partitions of a job.

    Args:
        job: What is to be read.
        schema: The columns that are wanted; others are not read.

    Raises:
        OptionError: The stream has no such column, or the columns have types that nothing of a record becomes.
    """

    def __init__(self, job: Job, schema: StructType) -> None:
        self.job = job
        self._schema = schema
        known = job.schema().fieldNames()
        for name in schema.fieldNames():
            if name not in known:
                raise OptionError(f"Stream '{job.stream}' has no field '{name}'{meant(name, known)}")
        self._columns("")

    def of(self, spans: Sequence[tuple[Account, datetime | None, datetime | None]]) -> list[InputPartition]:
        """Plan the partitions of accounts, each with its bookmark and with the time before which its records are."""
        return [PlannedPartition(one) for one in planned(self.job, spans)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a partition; see `taps.spark.reading.batches`."""
        one: Planned = partition.value
        fields = [name for name in self._schema.fieldNames() if name != ACCOUNT]
        columns = self._columns(one.account.name)
        yield from batches(self.job, one.account, one.share, columns, fields)
        if one.planned_at is not None:
            # Not what is dated ahead, which has not changed: it is in the last part.
            soon = whole_second(datetime.now(timezone.utc)) + SKEW
            changed = replace(one.share, since=one.planned_at, until=soon, settled=False, follows=True)
            yield from batches(self.job, one.account, changed, columns, fields)

    def _columns(self, account: str) -> Columns:
        keys = self.job.stream_type(self.job.accounts[0]).primary_keys
        return Columns(self.job.stream, keys, self._schema, account)
