"""A partition while it is read: a share of a stream, page by page, as Arrow batches."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SyncError

from taps.engine.errors import TooEarlyError
from taps.engine.rows import plain_records
from taps.engine.traversal import Failed, Read, traverse
from taps.engine.writer import PageWriter
from taps.spark.errors import OptionError, ReadError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa

    from taps.engine.share import Share
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap
    from taps.spark.accounts import Account
    from taps.spark.columns import Columns
    from taps.spark.options import Job

__all__ = ["batches", "root_of"]

_RECORDS = 5_000  # in a batch: the pages of many children have a few each
_PATIENCE = 120  # seconds that an executor waits for a time to be over by the API's clock


def batches(
    job: Job, account: Account, share: Share, columns: Columns, fields: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Read a share of a stream.

    Args:
        job: What is read.
        account: Whose records.
        share: Which of them.
        columns: Makes the batches.
        fields: The fields that are wanted; others are passed over.

    Raises:
        OptionError: The settings cannot be used.
        ReadError: The API did not give all of it.
        ValueDoesNotFitError: As of `Columns`.
    """
    waited, given = 0.0, False
    while True:
        try:
            for batch in _batches(job, account, share, columns, fields):
                given = True
                yield batch
        except TooEarlyError as error:  # noqa: PERF203 - it is there to go round again
            waited += error.seconds
            # The first answer tells. Where a later one does, from another of the API's machines, Spark begins anew.
            if waited > _PATIENCE or given:
                raise ReadError(f"{account}Stream '{job.stream}': {error}; set the clock of the driver right") from None
            time.sleep(error.seconds)
        else:
            return


def _batches(
    job: Job, account: Account, share: Share, columns: Columns, fields: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    waiting: list[dict[str, Any]] = []
    tap = job.opened(account)
    tap.share = share
    try:
        with closing(_records(tap, job.stream, fields)) as pages:
            for page in pages:
                waiting += page
                if len(waiting) >= _RECORDS:
                    yield columns.batch(waiting)
                    waiting = []
        if waiting:
            yield columns.batch(waiting)
    except TooEarlyError:
        raise
    except SyncError as error:
        raise ReadError(f"{account}Stream '{job.stream}': {tap.outcome.told(error)}") from None
    finally:
        tap.close()


def root_of(tap: ApiTap, stream: str) -> ApiStream:
    """Give the stream without a parent below whose records a stream is; itself, where it has none.

    Raises:
        OptionError: The provider does not have the stream.
    """
    streams = {each.name: each for each in tap.api_streams}
    if stream not in streams:
        raise OptionError(f"The provider '{tap.provider.name}' of {tap.name} has no stream '{stream}'")
    root = streams[stream]
    while root.parent_name is not None:
        root = streams[root.parent_name]
    return root


class _Plain(PageWriter):
    """Makes records of rows, in the threads that read them; what becomes of them is not its matter."""

    def prepare_records(
        self,
        stream: str,  # noqa: ARG002
        records: Sequence[Any],
        *,
        version: int | None,  # noqa: ARG002
        read_at: datetime,  # noqa: ARG002
    ) -> Sequence[Any]:
        """See `PageWriter`."""
        return plain_records(records)

    def write_records(self, stream: str, records: Sequence[Any]) -> None:
        """See `PageWriter`; nobody calls it."""

    def flush(self) -> None:
        """See `PageWriter`; nobody calls it."""


def _records(tap: ApiTap, stream: str, fields: Sequence[str]) -> Generator[Sequence[dict[str, Any]], None, None]:
    """Give the records of the tap's share of a stream, page by page."""
    root = root_of(tap, stream)
    for each in tap.api_streams:
        each.selected = each.name == stream
        if each.selected:
            _select(each, fields)
    root.begin_sync()
    with closing(traverse(root, _Plain())) as events:
        for event in events:
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Read) and event.stream.name == stream:
                yield event.page.records


def _select(stream: ApiStream, fields: Sequence[str]) -> None:
    """Have no more than these fields read; those that identify a record, or tell when it was changed, always are."""
    for name in stream.schema["properties"]:
        stream.metadata["properties", name].selected = name in fields
