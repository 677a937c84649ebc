"""Batches: records in files of their own, which BATCH messages name, instead of a RECORD message each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from singer_sdk.exceptions import SyncError
from zlib_ng import zlib_ng

from taps.engine.rows import encode_rows
from taps.engine.writer import Lines, PageWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from singer_sdk.metrics import Counter

    from taps.engine.stream import ApiStream

__all__ = ["BatchFile", "Batches"]

_GZIP = 16 + zlib_ng.MAX_WBITS
_LEVEL = 4  # half the time of the usual 6, and a few percent larger


class BatchFile(Protocol):
    """A batch file while it is made, in memory: whoever is told of it finds it whole."""

    ending: str
    """Of its name."""

    @staticmethod
    def prepare(records: Sequence[Any]) -> Sequence[Any]:
        """Make of a page's records what `add` is given, as many and in the same order."""

    def add(self, records: Sequence[Any]) -> None:
        """Put records into it."""

    def finish(self) -> bytes:
        """Give the whole file."""


class JsonLines:
    """A JSON object a line, packed with gzip where that is wanted."""

    def __init__(self, compression: str | None) -> None:
        self.ending = ".json.gz" if compression == "gzip" else ".json"
        self._packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _GZIP) if compression == "gzip" else None
        self._parts: list[bytes] = []

    @staticmethod
    def prepare(records: Sequence[Any]) -> Lines:
        """See `BatchFile`."""
        return Lines(encode_rows(records), len(records))

    def add(self, records: Sequence[bytes]) -> None:
        """See `BatchFile`."""
        text = records.text if isinstance(records, Lines) else b"".join(records)
        self._parts.append(self._packer.compress(text) if self._packer else bytes(text))

    def finish(self) -> bytes:
        """See `BatchFile`."""
        if self._packer:
            self._parts.append(self._packer.flush())
        return b"".join(self._parts)


class Batches(PageWriter):
    """Writes the records of a stream and its children into batch files.

    The state of the stream covers the children's rows as well. So it is told only when all that was read up to then is
    in files that have been named: when the stream's own file is full, and at the end. A child's file that is full is
    named at once.

    Args:
        root: The stream, which has no parent.
        streams: It and its descendants.
    """

    def __init__(self, root: ApiStream, streams: Iterable[ApiStream]) -> None:
        self._config: Any = root.batch_config
        self._root = root
        self._streams = {stream.name: stream for stream in streams}
        self._sync = uuid4()
        self._files: dict[str, tuple[BatchFile, int]] = {}
        self._named: defaultdict[str, int] = defaultdict(int)
        self._texts: defaultdict[str, set[str]] = defaultdict(set)
        self._counters: dict[str, Counter] = {}
        self.broken = False
        """Whether a file could not be written, so that records are lost that were read."""

    def prepare_records(
        self,
        stream: str,  # noqa: ARG002
        records: Sequence[Any],
        *,
        version: int | None,  # noqa: ARG002
        read_at: datetime,  # noqa: ARG002
    ) -> Sequence[Any]:
        """See `PageWriter`."""
        return self._kind.prepare(records)

    def write_records(self, stream: str, records: Sequence[Any]) -> None:
        """Put records into the stream's file, and name it when it is full and there are more.

        Raises:
            SyncError: A file could not be written.
        """
        while records:
            file, count = self._files.get(stream) or (self._made(stream), 0)
            if count == self._config.batch_size:
                self._name(stream)
                continue
            some = records[: self._config.batch_size - count]
            file.add(some)
            self._files[stream] = file, count + len(some)
            records = records[len(some) :]

    def is_full_with(self, count: int) -> bool:
        """Tell whether so many records more are too many for the stream's own file."""
        _, held = self._files.get(self._root.name, (None, 0))
        return held > 0 and held + count > self._config.batch_size

    def flush(self) -> None:
        """Do nothing: a file that is not full waits for more."""

    def name_all(self) -> None:
        """Name what there is, full or not.

        Raises:
            SyncError: A file could not be written.
        """
        for stream in sorted(self._files, key=lambda name: name == self._root.name):  # children first
            self._name(stream)

    def close(self) -> None:
        """Log how many batches there were."""
        for counter in self._counters.values():
            counter.exit()

    @property
    def _kind(self) -> type[BatchFile]:
        if self._config.encoding.format != "parquet":
            return JsonLines
        from taps.engine.parquet import Parquet  # noqa: PLC0415 - it takes 100 ms to import, and is an extra

        return Parquet

    def _made(self, name: str) -> BatchFile:
        compression, kind = self._config.encoding.compression, self._kind
        if kind is JsonLines:
            return JsonLines(compression)
        return kind(compression, self._streams[name], self._texts[name])  # type: ignore[call-arg]

    def _name(self, name: str) -> None:
        file, _ = self._files.pop(name)
        stream, storage = self._streams[name], self._config.storage
        self._named[name] += 1
        filename = f"{storage.prefix or ''}{stream.tap_name}--{name}-{self._sync}-{self._named[name]}{file.ending}"
        try:
            content = file.finish()
            with storage.open(filename, "wb") as opened:
                opened.write(content)
            url = storage.get_url(filename)
        except Exception as error:  # noqa: BLE001 - storages have exceptions of their own, and none may pass unnoticed
            self.broken = True
            reason = getattr(error, "strerror", None) or str(error)
            raise SyncError(f"The batch file {filename} cannot be written to {storage.root}: {reason}") from None
        if name not in self._counters:
            self._counters[name] = stream.get_batch_counter()
        self._counters[name].increment()
        stream.write_batch(self._config.encoding, url)
