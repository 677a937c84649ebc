"""Where a tap's messages go."""

from __future__ import annotations

from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import Message, SchemaMessage

__all__ = ["MessageWriter"]


class MessageWriter(SingerWriter):
    """Writes Singer messages to standard output, and a SCHEMA only when it is not the one last written.

    The SDK writes a child stream's SCHEMA again for each parent record.
    """

    def __init__(self) -> None:
        super().__init__()
        self._schemas: dict[str, SchemaMessage] = {}

    def write_message(self, message: Message) -> None:
        """Write one message as a line."""
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        super().write_message(message)
