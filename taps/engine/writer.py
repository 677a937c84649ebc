"""Where a tap's messages go."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import ActivateVersionMessage, Message, SchemaMessage

from taps.engine.rows import encode_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["MessageWriter", "PageWriter"]


class PageWriter(ABC):
    """What a writer has beside the SDK's methods, so that records reach it a page at a time."""

    @abstractmethod
    def write_records(self, stream: str, records: Sequence[Any], *, version: int | None, read_at: datetime) -> None:
        """Write the records of a page.

        Args:
            stream: The stream's name.
            records: Rows of a `RowType`, or dictionaries.
            version: Of the table, where the stream announces one.
            read_at: When they were read, in UTC.
        """


class MessageWriter(SingerWriter, PageWriter):
    """Writes Singer messages to standard output, and an announcement only when it is not the one last written.

    The SDK writes a child stream's SCHEMA and ACTIVATE_VERSION again for each parent record.
    """

    def __init__(self) -> None:
        super().__init__()
        self._announced: dict[tuple[type[Message], str], Message] = {}

    def write_message(self, message: Message) -> None:
        """Write one message as a line."""
        if isinstance(message, SchemaMessage | ActivateVersionMessage):
            kind = (type(message), message.stream)
            if self._announced.get(kind) == message:
                return
            self._announced[kind] = message
        super().write_message(message)

    def write_records(self, stream: str, records: Sequence[Any], *, version: int | None, read_at: datetime) -> None:
        """Write a page's records as lines, all at once."""
        lines = encode_lines(stream, records, version=version, time_extracted=read_at.isoformat())
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:  # whoever put a text stream in the place of standard output gets text
            sys.stdout.write(lines.decode())
        else:
            sys.stdout.flush()
            binary.write(lines)
            binary.flush()
