"""One of our own taps, run in a thread of this process: its rows are handed over as they are, without any JSON text."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from itertools import groupby
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any, cast

import msgspec
from dlt.common.runtime.signals import raise_if_signalled
from singer_sdk.exceptions import ConfigurationError, SingerSDKError
from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from taps.bridge.catalog import entries_of
from taps.bridge.errors import BatchNotSupportedError, DiscoveryError, TapConfigError, TapFailedError
from taps.bridge.ours import in_a_thread
from taps.bridge.rows import raw_rows
from taps.bridge.running import Rows, Runner, Schema, State
from taps.engine.writer import PageWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.singerlib import Message

    from taps.bridge.catalog import StreamEntry
    from taps.bridge.running import Event
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["InProcess"]

_PAGES_AHEAD = 16
_POLL = 0.5  # seconds, in which a thread that waits notices that nobody is there any more
_PATIENCE = 10  # seconds for a tap's thread to end; it is a daemon, so that none can hold up the process
_RECORDS_TOGETHER = 500  # of those that come singly


class InProcess(Runner):
    """One of our own taps, in a thread.

    Args:
        tap_class: The tap.
        config: Its settings.
    """

    def __init__(self, tap_class: type[ApiTap], config: Mapping[str, Any]) -> None:
        self.name = tap_class.name
        self._tap_class = tap_class
        self._config = dict(config)
        self._streams: list[StreamEntry] = []

    def discover(self) -> Sequence[StreamEntry]:
        """Ask the class for its streams; no request is made."""
        return self._entries(None)

    def read_catalog(self, catalog: Any) -> Sequence[StreamEntry]:
        """Read a catalog that the user gives; which stream is whose child, the class tells."""
        return self._entries(catalog)

    def _entries(self, catalog: Any) -> list[StreamEntry]:
        def ask() -> list[StreamEntry]:
            tap = self._tap_class(config=dict(self._config))
            streams = cast("dict[str, ApiStream]", tap.streams).items()
            return entries_of(
                tap.catalog_dict if catalog is None else catalog,
                parents={name: getattr(stream.parent_stream_type, "name", None) for name, stream in streams},
                snapshots=[name for name, stream in streams if stream.snapshot_field in stream.primary_keys],
            )

        try:
            self._streams = in_a_thread(ask)
        except ConfigurationError as error:
            raise TapConfigError(f"{self.name}: {_one_line(self._tap_class, error)}") from None
        except SingerSDKError as error:
            raise DiscoveryError(f"{self.name}: {_one_line(self._tap_class, error)}") from error
        return self._streams

    @contextmanager
    def run(
        self, catalog: Mapping[str, Any], state: Mapping[str, Any], *, loaded: Callable[[str], bool]
    ) -> Iterator[Iterator[Event]]:
        """Run the tap in a thread, which is a few pages ahead of whoever takes the events."""
        writer = _QueueWriter()
        begin_from = _with_marks(self._streams or self.discover(), catalog, state, loaded)
        thread = threading.Thread(
            target=self._sync, args=(writer, dict(catalog), begin_from), name=self.name, daemon=True
        )
        thread.start()
        try:
            yield writer.events()
        finally:
            writer.abandon()
            thread.join(_PATIENCE)

    def _sync(self, writer: _QueueWriter, catalog: dict[str, Any], state: dict[str, Any]) -> None:
        try:
            # In a thread that is not the main one the SDK leaves the signal handlers of the process alone.
            tap = self._tap_class(config=dict(self._config), catalog=catalog, state=state, message_writer=writer)
            writer.on_abandon(tap.close)
            try:
                tap.sync_all()
            finally:
                tap.close()
            writer.flush()
        except _AbandonedError:
            return
        except ConfigurationError as error:
            writer.end(TapConfigError(f"{self.name}: {_one_line(self._tap_class, error)}"))
        except SingerSDKError as error:
            failed = TapFailedError(f"{self.name} failed: {_one_line(self._tap_class, error)}")
            failed.__cause__ = error
            writer.end(failed)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it must reach the thread that waits
            writer.end(error)
        else:
            writer.end(None)


class _AbandonedError(BaseException):
    """Nobody takes the events any more. No `Exception`, so that no handler of a tap holds it up."""


class _QueueWriter(SingerWriter, PageWriter):
    """Puts what a tap writes into a queue that another thread empties."""

    def __init__(self) -> None:
        super().__init__()
        self._queue: Queue[Event | _End] = Queue(_PAGES_AHEAD)
        self._abandoned = threading.Event()
        self._on_abandon: Callable[[], None] | None = None
        self._single: list[Mapping[str, Any]] = []
        self._single_of = ""
        self._announced: dict[str, SchemaMessage] = {}

    # What the tap calls

    def prepare_records(
        self,
        stream: str,  # noqa: ARG002
        records: Sequence[Any],
        *,
        version: int | None,  # noqa: ARG002
        read_at: datetime,  # noqa: ARG002
    ) -> Sequence[Any]:
        """Leave the records as they are."""
        return records

    def write_records(self, stream: str, records: Sequence[Any]) -> None:
        """Hand over a page, which may have rows of two kinds: structs, and what did not fit into them."""
        self.flush()
        for kind, group in groupby(records, type):
            rows = list(group)
            self._put(Rows(stream, raw_rows(rows) if kind is dict else rows))

    def write_message(self, message: Message) -> None:
        """Hand over a single message."""
        if isinstance(message, RecordMessage):
            if message.stream != self._single_of or len(self._single) >= _RECORDS_TOGETHER:
                self.flush()
            self._single_of = message.stream
            self._single.append(dict(message.record))
            return
        self.flush()
        if isinstance(message, SchemaMessage):
            if self._announced.get(message.stream) != message:
                self._announced[message.stream] = message
                self._put(Schema(message.stream, message.schema, tuple(message.key_properties or ())))
        elif isinstance(message, StateMessage):
            self._put(State(_copied(message.value)))  # the tap goes on changing its own
        elif message.type == "BATCH":
            raise BatchNotSupportedError(
                "The tap writes BATCH messages, which the bridge does not read. Take 'batch_config' out of its "
                "settings",
                line=0,
            )

    def flush(self) -> None:
        """Hand over the records that came singly."""
        if self._single:
            rows, self._single = self._single, []
            self._put(Rows(self._single_of, raw_rows(rows)))

    # What the two threads call

    def on_abandon(self, stop: Callable[[], None]) -> None:
        """Have a function called when nobody takes the events any more."""
        self._on_abandon = stop
        if self._abandoned.is_set():
            raise _AbandonedError

    def end(self, error: BaseException | None) -> None:
        """Say that nothing more comes, and why."""
        try:
            self._put(_End(error))
        except _AbandonedError:
            return

    def events(self) -> Iterator[Event]:
        """Take the events out; what ended the tap is raised here."""
        while True:
            try:
                event = self._queue.get(timeout=_POLL)
            except Empty:
                raise_if_signalled()
                continue
            if isinstance(event, _End):
                if event.error is not None:
                    raise event.error
                return
            yield event

    def abandon(self) -> None:
        """Stop the tap: what it writes from now on is an error to it."""
        self._abandoned.set()
        if self._on_abandon is not None:
            self._on_abandon()
        with suppress(Empty):
            while True:
                self._queue.get_nowait()

    def _put(self, event: Event | _End) -> None:
        while not self._abandoned.is_set():
            try:
                self._queue.put(event, timeout=_POLL)
            except Full:
                continue
            return
        raise _AbandonedError


def _copied(state: Mapping[str, Any]) -> dict[str, Any]:
    # There is one after each page, and `deepcopy` takes ten times as long.
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(state))
    return copied


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _with_marks(
    entries: Sequence[StreamEntry],
    catalog: Mapping[str, Any],
    state: Mapping[str, Any],
    loaded: Callable[[str], bool],
) -> dict[str, Any]:
    """Mark the children that were never loaded, or whose tables were dropped, as behind from the beginning.

    A child has no bookmark; its parent's says that its rows are there. Only dlt knows better.
    """
    selected = {
        entry["tap_stream_id"]
        for entry in catalog["streams"]
        if any(item["breadcrumb"] == [] and item["metadata"].get("selected") for item in entry["metadata"])
    }
    parents = {entry.name: entry.parent for entry in entries}
    bookmarks = dict(state.get("bookmarks", {}))
    for entry in entries:
        root = entry.name
        while (above := parents[root]) is not None:
            root = above
        if root != entry.name and bookmarks.get(root) and entry.name in selected and not loaded(entry.name):
            bookmarks[entry.name] = {**bookmarks.get(entry.name, {}), "parent_bookmark": None}
    return {**state, "bookmarks": bookmarks} if bookmarks else dict(state)


def _one_line(tap_class: type[ApiTap], error: BaseException) -> str:
    return tap_class.redactor(" ".join(str(error).split()))
