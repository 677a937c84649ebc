"""A stream as a declaration: from class attributes to pages, records and bookmarks."""

from __future__ import annotations

import logging
import string
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import metrics
from singer_sdk.exceptions import SyncError
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from taps.engine.client import Request
from taps.engine.clocks import IMPLAUSIBLE
from taps.engine.coverage import catch_up, leave_behind, marks_of
from taps.engine.declaration import DeclaredStream
from taps.engine.pacing import http_date
from taps.engine.page_loop import PageLoop, takes_pages
from taps.engine.query import WHOLE, Query, path_segment
from taps.engine.reader import PageReader
from taps.engine.reading import Reading
from taps.engine.report import StreamReport
from taps.engine.seam import Seam
from taps.engine.state import Bookmarks, CoveredByParent
from taps.engine.tail import pages_before, settled_pages
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.mapper import StreamMap
    from singer_sdk.streams._state import StreamStateManager

    from taps.engine.account import Tally
    from taps.engine.errors import StatusError
    from taps.engine.page import Page
    from taps.engine.query import Part
    from taps.engine.tap import ApiTap
    from taps.engine.writer import PageWriter

__all__ = ["ApiStream"]


class ApiStream(DeclaredStream):
    """A list that an API gives at one path, read and synced by what a subclass declares (see `DeclaredStream`)."""

    def __init__(self, tap: ApiTap) -> None:
        super().__init__(tap)
        self.tap = tap
        self.failed = False
        """Whether this stream ended in an error and gives no more records in this sync."""
        self._aside = False
        self._not_after = datetime.fromtimestamp(tap.initialized_at / 1000, tz=timezone.utc)
        self._report = StreamReport(self)
        if self.is_sorted:
            self.STATE_MSG_FREQUENCY = self.config["page_size"]

    # What the declarations mean

    @cached_property
    def parent_key_fields(self) -> tuple[str, ...]:
        """Fields of the path that are filled with the parent's key; empty for a stream without a parent."""
        return tuple(field for _, field, _, _ in string.Formatter().parse(self.path) if field)

    @cached_property
    def reader(self) -> PageReader:
        """Reader of this stream's pages, made for the schema that the catalog has in force."""
        return PageReader(self)

    @property
    def complete(self) -> bool:
        """Whether this stream and the children whose rows it covers have brought all that they were asked for."""
        return not self.failed and not any(child.failed for child in self._descendents)

    @property
    def state_manager(self) -> StreamStateManager:
        """The keeper of this stream's bookmark."""
        return self._bookmarks

    @cached_property
    def _bookmarks(self) -> StreamStateManager:
        arguments: dict[str, Any] = {
            "tap_name": self.tap_name,
            "stream_name": self.name,
            "tap_state": self.tap_state,
            "state_partitioning_keys": self.state_partitioning_keys,
            "is_sorted": self.is_sorted,
        }
        if self.parent_stream_type:
            return CoveredByParent(**arguments)
        return Bookmarks(
            not_after=lambda: self._not_after, complete=lambda: self.complete and not self._aside, **arguments
        )

    @property
    def _descendents(self) -> Iterator[ApiStream]:
        return (child for child in self.descendent_streams if isinstance(child, ApiStream))

    def _descendents_that_are(self, *, selected: bool) -> list[str]:
        return [child.name for child in self._descendents if child.selected is selected]

    def url(self, path: str, context: Context | None) -> str:
        """Give the address of a path below `base_url`, with the parent's key in it."""
        keys = {field: path_segment((context or {})[field]) for field in self.parent_key_fields}
        return f"{self.config['base_url']}{path.format_map(keys)}"

    def query(self, context: Context | None, part: Part = WHOLE) -> Query:
        """Say what to read.

        Args:
            context: The parent's key, for a child stream.
            part: Which part of the stream.
        """
        query = Query(
            request=Request(self.url(self.path, context), {**self.params, **part.params}),
            page_size=self.config["page_size"],
            cursor=type(self).replication_key,
            start_param=self.start_param,
            end=self.end,
        )
        if not self.start_param:
            return query
        start = self.start(context)
        return query.going_on(start) if start > parse_timestamp(self.config["start_date"]) else query.beginning(start)

    def start(self, context: Context | None) -> datetime:
        """Give the time from which records are asked for.

        That is the bookmark, less the look-back, or else `start_date`; and earlier, where a child is behind, or where
        the API refuses to be asked for what is so recent. A share of the stream begins where it begins.
        """
        start_date = parse_timestamp(self.config["start_date"])
        bookmark = self.get_starting_replication_key_value(context)
        start = parse_timestamp(bookmark) if bookmark else start_date
        if (since := self.tap.share.since) is not None:
            start = max(since, start_date)
        for mark in marks_of(self.tap_state, self._descendents_that_are(selected=True)):
            start = min(start, max(parse_timestamp(mark), start_date) if mark else start_date)
        if self.lookback and start > start_date and not (since and self.asked_by_cursor):
            start -= timedelta(days=self.config["lookback_days"])
        if self.margin:
            start = min(start, self._not_after - timedelta(seconds=self.margin))
        return start

    @cached_property
    def end(self) -> datetime | None:
        """The time before which the records are that are read, where a setting says so and they have a cursor.

        `end_date` is none where the list is asked for by something else than its cursor, such as the creation: a record
        that changed long after that would come neither with the step of the one nor with that of the other.
        """
        said = self.config.get("end_date") if self.asked_by_cursor else None
        ends = [parse_timestamp(said)] if said else []
        if self.tap.share.until is not None and type(self).replication_key:
            ends.append(self.tap.share.until)
        return min(ends, default=None)

    @property
    def asked_by_cursor(self) -> bool:
        """Whether the list has a cursor, and is asked for by it."""
        return type(self).replication_key is not None and (self.is_sorted or not self.lookback)

    @property
    def margin(self) -> int:
        """Seconds before now from which on the API gives no, or not all, records."""
        return self.start_param.margin if self.start_param else 0

    @property
    def comes_in_windows(self) -> bool:
        """Whether the records of a time can be had without those after it."""
        bounded = self.start_param is not None and self.start_param.open_end is not None
        return self.asked_by_cursor and self.start_param is not None and (self.is_sorted or bounded)

    def compare_start_date(self, value: str, start_date_value: str) -> str:
        """Give the later of a bookmark and the setting `start_date`."""
        return max(value, start_date_value, key=parse_timestamp)

    def get_replication_key_signpost(self, context: Context | None = None) -> None:  # noqa: ARG002
        """Give none: `Bookmarks` itself keeps a bookmark from getting ahead of the sync's start."""
        return

    @cached_property
    def stream_maps(self) -> list[StreamMap]:
        """What becomes of a record on its way out; made when it is needed, and so not for a stream that is not read."""
        maps = self.tap.mapper.stream_maps
        if self.name not in maps:
            catalog = self.tap.input_catalog
            entry = (catalog.get_stream(self.name) if catalog else None) or self._singer_catalog_entry
            self.tap.mapper.register_raw_streams_from_catalog(Catalog({self.name: entry}))
        return maps[self.name]

    # From pages to records

    @property
    def repeats_at_seams(self) -> bool:
        """Whether the list is asked for again from its last cursor on, so that some records come twice."""
        return self.is_sorted and type(self).replication_key is not None

    def pages(self, context: Context | None) -> Iterator[Page]:
        """Get the list page by page, to its end; the records are dictionaries.

        Args:
            context: The parent's key, for a child stream.

        Raises:
            SyncError: A page could not be had or used. The pages before it have been given.
        """
        return Reading(self, context).pages()

    def readings(self, writer: PageWriter | None = None) -> Iterator[Reading]:
        """Begin to read the lists of a stream without a parent, one after another; the one that is sorted comes last.

        Args:
            writer: As of `Reading`.
        """
        for part in self.parts:
            if self.config.get(part.setting or ""):
                yield Reading(self, None, writer, part)
        yield Reading(self, None, writer)

    def fresh_pages(self, reading: Reading) -> Iterator[Page]:
        """Give a list page by page, each version of a record once, to its end; or where that recedes, to where it was.

        Args:
            reading: The list.

        Raises:
            SyncError: A page could not be had or used. The pages before it have been given.
        """
        pages = reading.pages()
        if self.repeats_at_seams:
            pages = settled_pages(pages, Seam(), lambda: self._not_after, self._say_that_it_recedes)
        if self.end is not None:
            pages = pages_before(pages, self.end, ordered=self.repeats_at_seams and not reading.aside)
        return pages if self.parent_stream_type else self.tap.share.pages(pages)

    def _say_that_it_recedes(self, until: datetime) -> None:
        message = "%s: the list grows while it is read; what changed after %s comes with the next sync"
        self.log(message, self.name, format_timestamp(until), level=logging.WARNING)

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Give the records as they are declared, each once where the API repeats some at a seam.

        Args:
            context: The parent's key, for a child stream.
        """
        for reading in [Reading(self, context)] if context else self.readings():
            self._aside = reading.aside
            for page in self.fresh_pages(reading):
                yield from page.records

    def note_answer(self, page: Page) -> None:
        """Count a request, and hold bookmarks to the start of the sync by the server's clock, where it is behind."""
        self._report.meters.requests.increment()
        moment = http_date(page.headers.get("Date", ""))
        if moment is not None:
            self.tap.clocks.compare(moment)
        if moment is not None and abs(moment - self._not_after) < IMPLAUSIBLE:
            self._not_after = min(moment, self._not_after)
            self.tap.share.require_ended(moment - timedelta(seconds=self.margin))

    def counts_as_empty(self, error: StatusError, context: Context | None, *, begun: bool) -> bool:
        """Decide, with a warning, whether a refusal means that there is nothing to read.

        Args:
            error: The refusal.
            context: The parent's key, for a child stream.
            begun: Whether pages have been given before.
        """
        if error.status in self.gone_on and context:
            self._report.parent_gone(error)
            return True
        if not begun and (why := self.may_skip(error)):
            self.log("%s; skipped, %s", error, why, level=logging.WARNING)
            self.tap.outcome.skipped(error)
            self.tally.skipped = True
            return True
        return False

    def may_skip(self, error: StatusError) -> str | None:
        """Tell whether a refusal means that the whole stream counts as empty, and why."""
        if error.lacking or (self.optional and error.status in self.inaccessible_on):
            return "as the plan or the key does not include it"
        if error.status in self.inaccessible_on and self.config["skip_inaccessible_streams"]:
            return "as skip_inaccessible_streams says"
        return None

    # Children

    @cached_property
    def wanted_children(self) -> list[ApiStream]:
        """The child streams that are to be read: selected themselves, or for the sake of their own children."""
        children = [child for child in self.child_streams if isinstance(child, ApiStream)]
        return [child for child in children if child.selected or child.has_selected_descendents]

    def child_context(self, key: tuple[Any, ...]) -> dict[str, Any]:
        """Give a record's key under the name by which each child has it in its path."""
        children = [child for child in self.child_streams if isinstance(child, ApiStream)]
        return {field: key[0] for child in children for field in child.parent_key_fields}

    def get_child_context(self, record: Record, context: Context | None) -> Context | None:  # noqa: ARG002
        """Give the context of a record's children."""
        return self.child_context((record[type(self).primary_keys[0]],))

    def preprocess_context(self, context: Context) -> Context:
        """Keep of a parent's context what this stream's path needs."""
        return {field: context[field] for field in self.parent_key_fields}

    # Syncing

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        # Private to the SDK, which ends the whole sync at the first error of a stream: here alone it can be caught
        # so that the other streams still run, and here alone pages can be written as a whole.
        # tests/engine/test_sdk_hooks.py fails when the SDK no longer calls it.
        if self.failed:
            return
        try:
            yield from self._synced(context, write_messages=write_messages)
        except Exception as error:
            self.tap.redactor.cleanse(error)
            if self.ABORT_AT_RECORD_COUNT is None:  # or else it is a dry run, which goes on with the next stream
                self.tap.close()
            raise

    def _synced(self, context: Context | None, *, write_messages: bool) -> Generator[dict[str, Any], Any, Any]:
        if not context:
            self.tally.bookmark = self.stream_state.get("replication_key_value")
        if self.selected and self.replication_key:
            leave_behind(self.tap_state, self.name, self._descendents_that_are(selected=False))
        try:
            if write_messages and not context and self._takes_pages():
                PageLoop(self, [self, *self._descendents]).run()
            else:
                yield from super()._sync_records(context, write_messages=write_messages)
            if self.complete and not self._ends_before_its_bookmark():
                catch_up(self.tap_state, self._descendents_that_are(selected=True))
        except SyncError as error:
            if self.ABORT_AT_RECORD_COUNT is not None:  # a dry run, which has no end to report failures at
                raise
            self.fail(error)
        if not context:
            for stream in (self, *self._descendents):
                stream.tally.end()

    def _ends_before_its_bookmark(self) -> bool:
        """Whether children that are behind have not been read up to where their parent is."""
        bookmark = self.stream_state.get("replication_key_value")
        return bookmark is not None and self.end is not None and self.end < parse_timestamp(bookmark)

    def _takes_pages(self) -> bool:
        wanted = [self, *(child for child in self._descendents if child.selected or child.has_selected_descendents)]
        return all(takes_pages(stream, ApiStream) for stream in wanted)

    def fail(self, error: SyncError) -> None:
        """Give no more records in this sync, because of an error."""
        self.failed = True
        self.tap.redactor.cleanse(error)
        self.tap.outcome.failed(self, error)

    def announce(self) -> None:
        """Do for a child in the page loop what the SDK's `sync` does before it reads."""
        if self.selected:
            self._write_schema_message()
            if (version := self.table_version) is not None:
                self._write_activate_version_message(version)

    def write_sample(self, record: Record) -> None:
        """Write one record, after the SCHEMA."""
        self._write_schema_message()
        self._write_record_message(record)

    @property
    def table_version(self) -> int | None:
        """Version that each record carries, where the stream announces one."""
        if self.replication_method == REPLICATION_FULL_TABLE and self.emit_activate_version_messages:
            return self.tap.initialized_at // 1000
        return None

    def begin_sync(self) -> None:
        """Make ready what `start` reads."""
        self.state_manager.write_starting_replication_value(
            None, self.replication_method, self.replication_key, dict(self.config), self.compare_start_date
        )

    def get_batch_config(self, config: Mapping[str, Any]) -> Any:
        """Give none where the page loop itself writes the batches, so that the SDK leaves them to it."""
        if not self.parent_stream_type and self._takes_pages():
            return None
        return super().get_batch_config(config)

    @property
    def batch_config(self) -> Any:
        """How batches are to be written, where they are wanted."""
        return super().get_batch_config(self.config)

    def write_batch(self, encoding: Any, url: str) -> None:
        """Write a BATCH message for a file."""
        # Private to the SDK, as is the module of its message; tests/engine/test_sdk_hooks.py fails when it is gone.
        self._write_batch_message(encoding, [url])

    def move_bookmark(self, page: Page, *, state: bool = True) -> None:
        """Move the bookmark to a page that has been written, and write STATE if it can be relied on by now.

        Args:
            page: The page.
            state: Whether it has got to where it goes, so that a STATE may say so.
        """
        if page.aside:
            return
        self.state_manager.is_flushed = False
        if self.replication_method == REPLICATION_INCREMENTAL and isinstance(self.state_manager, Bookmarks):
            self.state_manager.advance(page.content.instants, self.replication_key or "")
        if state:
            self.write_state()

    def set_back(self, state: Mapping[str, Any]) -> None:
        """Have the bookmark where it was: what was read since has not got to where it goes."""
        self.stream_state.clear()
        self.stream_state.update(state)

    def write_state(self) -> None:
        """Write STATE, if the bookmark of this stream can be relied on before its end."""
        if self.is_sorted:
            self.tap.state_writer.write_state(self.tap_state)

    def end_sync(self) -> None:
        """Make final what an unsorted list's bookmark has come to, and write STATE."""
        self.state_manager.finalize_state(self.stream_state)
        self.tap.state_writer.write_state(self.tap_state)

    # Report

    @property
    def tally(self) -> Tally:
        """What this stream's requests took."""
        return self._report.tally

    @property
    def parent_name(self) -> str | None:
        """Name of the stream whose records this one is read for, if it is a child."""
        parent: Any = self.parent_stream_type
        return parent.name if parent else None

    @property
    def rows_written(self) -> int:
        """How many records have been written."""
        return self._report.meters.rows.total

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message, but not what the SDK says of a child again for each parent, or of an error besides ours."""
        if level == logging.ERROR or (level == logging.INFO and self.parent_stream_type):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def get_record_counter(
        self, *, endpoint: str | None = None, log_interval: float = metrics.DEFAULT_LOG_INTERVAL
    ) -> metrics.Counter:
        """Give the counter of this stream's records; a child has one for all of its parents."""
        if self.parent_stream_type:
            return self._report.meters.records
        return self._report.meters.counting(super().get_record_counter(endpoint=endpoint, log_interval=log_interval))

    def get_sync_timer(self) -> metrics.Timer:
        """Give the timer of this stream's sync; a child has one for all of its parents."""
        return self._report.meters.duration if self.parent_stream_type else super().get_sync_timer()

    def spent(self, seconds: float) -> None:
        """Take note of time that a child stream took."""
        self._report.meters.duration.add(seconds)

    def log_sync_costs(self) -> None:
        """Report at the end of the sync."""
        super().log_sync_costs()
        self._report.finish()
        self.tap.outcome.ended(self)
