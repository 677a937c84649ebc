"""Singer messages, read line by line out of what a tap writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson
from msgspec import UNSET, Raw, Struct, UnsetType

from taps.bridge.errors import BatchNotSupportedError, MessageError
from taps.bridge.running import Rows, Schema, State
from taps.bridge.shim import END

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taps.bridge.rows import RawRow
    from taps.bridge.running import Event

__all__ = ["MessageReader", "excerpt"]

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_EXCERPT = 120  # characters of what is no message


class _Message(Struct):
    type: str
    stream: str | None = None
    record: dict[str, Raw] | UnsetType = UNSET
    schema: dict[str, Any] | UnsetType = UNSET
    key_properties: list[str] | None = None
    value: dict[str, Any] | UnsetType | None = UNSET


_decoder = msgspec.json.Decoder(_Message)


class MessageReader:
    """Makes events of a tap's output, which comes in pieces of any size.

    Args:
        tap: What to call the tap in errors.
        redact: Takes credentials out of what is shown of a line.

    Attributes:
        ended: Whether the tap said that it came to its end, as one run by `taps.bridge.shim` does.
        unfinished: Name of the stream that the last state says is still being read.
    """

    def __init__(self, tap: str, redact: Callable[[str], str]) -> None:
        self._tap = tap
        self._redact = redact
        self._pieces: list[bytes] = []  # of a line whose end has not come
        self._lines = 0
        self._announced: set[str] = set()
        self.ended = False
        self.unfinished: str | None = None

    def read(self, piece: bytes) -> Iterator[Event]:
        """Take the next piece; give the events of the lines that are whole with it.

        Raises:
            MessageError: A line is no Singer message, or one that the bridge does not take.
        """
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._pieces, lines[0]])
            self._pieces = []
        if rest:
            self._pieces.append(rest)
        yield from self._events(lines)

    def close(self) -> Iterator[Event]:
        """Take what came after the last line's end: some taps end without one.

        Raises:
            MessageError: It is no whole message.
        """
        if rest := b"".join(self._pieces):
            self._pieces = []
            yield from self._events([rest])

    def _events(self, lines: list[bytes]) -> Iterator[Event]:
        rows: list[RawRow] = []
        stream, size = "", 0
        for line in lines:
            self._lines += 1
            if not line or line.isspace():
                continue
            message = self._message(line)
            if message.type == "RECORD":
                if message.stream != stream:
                    if rows:
                        yield Rows(stream, rows, size)
                    rows, size = [], 0
                    stream = self._of_stream(message, line)
                if message.record is UNSET:
                    raise self._error(line, "a RECORD message has no 'record'")
                rows.append(message.record)
                size += len(line)
                continue
            if rows:
                yield Rows(stream, rows, size)
                rows, size, stream = [], 0, ""
            yield from self._other(message, line)
        if rows:
            yield Rows(stream, rows, size)

    def _other(self, message: _Message, line: bytes) -> Iterator[Event]:
        if message.type == "SCHEMA":
            if message.stream is None or message.schema is UNSET:
                raise self._error(line, "a SCHEMA message has no 'stream' or no 'schema'")
            self._announced.add(message.stream)
            yield Schema(message.stream, message.schema, tuple(message.key_properties or ()))
        elif message.type == "STATE":
            if message.value is UNSET:
                raise self._error(line, "a STATE message has no 'value'")
            value = message.value or {}
            syncing = value.get("currently_syncing")
            self.unfinished = str(syncing) if syncing else None
            yield State(value)
        elif message.type == "BATCH":
            raise BatchNotSupportedError(
                f"{self._tap}, line {self._lines} of its output: a BATCH message, which the bridge does not read. Take "
                f"'batch_config' out of the tap's settings",
                line=self._lines,
            )
        elif message.type == END:
            self.ended = True

    def _of_stream(self, message: _Message, line: bytes) -> str:
        if message.stream not in self._announced:
            raise self._error(line, f"a RECORD message of stream '{message.stream}' before its SCHEMA message")
        assert message.stream is not None  # noqa: S101 - it is one of the announced ones
        return message.stream

    def _message(self, line: bytes) -> _Message:
        try:
            if not line.isascii():
                line.decode()  # the decoder passes over values
            return _decoder.decode(line)
        except UnicodeDecodeError:
            raise self._error(line, "no UTF-8") from None
        except msgspec.ValidationError as error:
            raise self._error(line, f"no Singer message ({error})") from None
        except msgspec.DecodeError:
            whole = without_halves(line)
            if whole is None:
                raise self._error(line, "no JSON") from None
            return self._message(whole)

    def _error(self, line: bytes, problem: str) -> MessageError:
        shown = excerpt(line, self._redact)
        return MessageError(
            f"{self._tap}, line {self._lines} of its output: {problem}: {shown}. A tap must write nothing but Singer "
            f"messages to standard output",
            line=self._lines,
        )


def without_halves(line: bytes) -> bytes | None:
    """Put U+FFFD for each half of a surrogate pair: taps in Python write them escaped, as JSON may have them.

    Returns:
        The line; `None` where it is no JSON, or has none.
    """
    if not _HALF.search(line):
        return None
    try:
        value = simplejson.loads(line, use_decimal=True)
    except ValueError:
        return None
    text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False)
    made = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return None if made == line else made


def excerpt(output: bytes | bytearray, redact: Callable[[str], str]) -> str:
    """Give the beginning of what is no message, as one line without credentials."""
    # First made unreadable, then cut: half a credential would not be found.
    text = " ".join(redact(output[: 100 * _EXCERPT].decode(errors="replace")).split())
    return text[:_EXCERPT] + ("…" if len(text) > _EXCERPT else "")
