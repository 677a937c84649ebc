"""Where a tap's messages go."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, overload

from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import ActivateVersionMessage, Message, SchemaMessage, StateMessage

from taps.engine.rows import encode_lines, encode_state
from taps.engine.stopping import stopping

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["MessageWriter", "PageWriter"]


_LARGEST_BUFFER = 256 * 1024


class PageWriter(ABC):
    """What a writer has beside the SDK's methods, so that records reach it a page at a time."""

    @abstractmethod
    def prepare_records(
        self, stream: str, records: Sequence[Any], *, version: int | None, read_at: datetime
    ) -> Sequence[Any]:
        """Make of a page's records what `write_records` is given.

        Called in the thread that has read them: what another one has made is slower to get at than what is in the
        processor's own cache.

        Args:
            stream: The stream's name.
            records: Rows of a `RowType`, or dictionaries.
            version: Of the table, where the stream announces one.
            read_at: When they were read, in UTC.

        Returns:
            As many elements, in the same order.
        """

    @abstractmethod
    def write_records(self, stream: str, records: Sequence[Any]) -> None:
        """Write records of a page, in their order with all other messages, but not necessarily at once.

        Args:
            stream: The stream's name.
            records: What `prepare_records` gave, or some of its elements.
        """

    @abstractmethod
    def flush(self) -> None:
        """Let all that was written get to where it goes."""


class Lines(Sequence[bytes]):
    """Lines in one piece, which are taken apart only where some of them are wanted.

    Args:
        text: The lines, each with its end.
        count: How many there are.
    """

    def __init__(self, text: bytes | memoryview, count: int) -> None:
        self.text = text
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            first, end, step = index.indices(self._count)
            if step == 1:
                begin = self._offset(first)
                return Lines(memoryview(self.text)[begin : self._offset(end)], max(0, end - first))
        return bytes(self.text).splitlines(keepends=True)[index]

    def _offset(self, line: int) -> int:
        if line == self._count:
            return len(self.text)
        text, offset = bytes(self.text), 0
        for _ in range(line):
            offset = text.index(b"\n", offset) + 1
        return offset


class MessageWriter(SingerWriter, PageWriter):
    """Writes Singer messages to standard output, and an announcement only when it is not the one last written.

    The SDK writes a child stream's SCHEMA and ACTIVATE_VERSION again for each parent record. Records of pages wait for
    the next message of another kind, or until they are many: the STATE that covers them goes out with them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._announced: dict[tuple[type[Message], str], Message] = {}
        self._buffer = bytearray()

    def write_message(self, message: Message) -> None:
        """Write one message as a line."""
        if isinstance(message, SchemaMessage | ActivateVersionMessage):
            kind = (type(message), message.stream)
            if self._announced.get(kind) == message:
                return
            self._announced[kind] = message
        if isinstance(message, StateMessage):  # once a page, so it is worth a shorter way
            self._buffer += encode_state(message.value)
        else:
            self._buffer += self.format_message(message).encode() + b"\n"
        self.flush()

    def prepare_records(
        self, stream: str, records: Sequence[Any], *, version: int | None, read_at: datetime
    ) -> Sequence[bytes]:
        """Encode a page's records as lines."""
        return Lines(encode_lines(stream, records, version=version, time_extracted=read_at.isoformat()), len(records))

    def write_records(self, stream: str, records: Sequence[bytes]) -> None:  # noqa: ARG002
        """Write lines."""
        self._buffer += records.text if isinstance(records, Lines) else b"".join(records)
        if len(self._buffer) > _LARGEST_BUFFER:
            self.flush()

    def flush(self) -> None:
        """Write out what has waited, in one piece."""
        if not self._buffer:
            return
        lines, self._buffer = self._buffer, bytearray()
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:  # whoever put a text stream in the place of standard output gets text
            sys.stdout.write(lines.decode())
        else:
            with stopping.finishing():  # a target that gets half a line may drop all that it holds
                sys.stdout.flush()
                _write_all(binary, lines)
                binary.flush()


def _write_all(binary: IO[bytes], text: bytearray) -> None:
    """Write all of a text: with PYTHONUNBUFFERED, one write may take a part, where a signal or a pause cuts in."""
    rest = memoryview(text)
    while rest:
        rest = rest[binary.write(rest) :]
