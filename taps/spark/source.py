"""The data source: `spark.read.format("singer")` and `spark.readStream.format("singer")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader

from taps.spark.options import job_of
from taps.spark.partitions import Partitions
from taps.spark.redaction import redact_options
from taps.spark.streaming import SingerStreamReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
    from pyspark.sql.types import StructType

    from taps.spark.options import Job

__all__ = ["SingerDataSource", "SingerReader"]


class SingerDataSource(DataSource):
    """A stream of a tap as a DataFrame.

    ::

        spark.dataSource.register(SingerDataSource)
        tickets = (
            spark.read.format("singer")
            .option("tap", "tap-helpdesk")
            .option("stream", "tickets")
            .option("base_url", "https://api.example.com")
            .load()
        )

    See `taps.spark.options` for the options. Where `.schema(…)` names columns, no others are read.
    """

    @classmethod
    def name(cls) -> str:
        """Give the name of the format, and see to it that Spark shows no secret among its options.

        This is what `spark.dataSource.register` calls in the process of the user, where the session is.
        """
        session = SparkSession.getActiveSession()
        if session is not None:
            redact_options(session)
        return "singer"

    def schema(self) -> StructType:
        """Give the type of the stream's rows.

        Raises:
            OptionError: An option cannot be used.
        """
        return job_of(self.options).schema()

    def reader(self, schema: StructType) -> DataSourceReader:
        """Make what reads all of the stream."""
        return SingerReader(job_of(self.options), schema)

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 - Spark's name
        """Make what reads what is new in the stream, again and again."""
        return SingerStreamReader(job_of(self.options), schema)


class SingerReader(DataSourceReader):
    """Reads a stream.

    Args:
        job: What is to be read.
        schema: The columns that are wanted.

    Raises:
        OptionError: The stream has no such column.
    """

    def __init__(self, job: Job, schema: StructType) -> None:
        self._partitions = Partitions(job, schema)

    def partitions(self) -> Sequence[InputPartition]:
        """Plan the partitions; of each account whose time is to be divided, its first record is asked for."""
        job = self._partitions.job
        return self._partitions.of([(account, job.bookmark(account), None) for account in job.accounts])

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a partition; see `taps.spark.reading.batches` for what can go wrong."""
        return self._partitions.read(partition)
