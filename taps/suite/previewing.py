"""`taps preview`: some rows of a stream."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from singer_sdk.exceptions import SyncError

from taps.engine.advice import advice_for_stream
from taps.engine.errors import StatusError
from taps.engine.sampling import sampled_pages
from taps.engine.wording import meant
from taps.suite.ending import UNREADABLE, USAGE, EndedError
from taps.suite.opening import opened, stream_named, tap_named
from taps.suite.showing import Column, console, messages, say, show, total_width, without_secrets, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from taps.engine.page import Page
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["preview"]

_MOST_IN_VAIN = 50  # requests one after another that bring no row
_LENGTHS = (80, 60, 50, 40, 32, 24, 16)  # characters that a cell may have in a table, the longest that fits
_BY_DEFAULT = 32  # the same, where the fields are chosen by what fits
_LONGEST_BELOW = 300  # in a row that is shown below its head


def preview(name: str, stream: str, config: Sequence[str], *, limit: int, fields: Sequence[str], as_json: bool) -> None:
    """Show the first rows that an API gives of a stream.

    Args:
        name: The tap.
        stream: The stream.
        config: As of `opened`.
        limit: Rows at most.
        fields: Fields to show, in this order; none for the keys and as many others as fit.
        as_json: Whether to write whole rows as JSON, one a line.

    Raises:
        EndedError: The settings cannot be used, or the stream cannot be read.
    """
    tap_class = tap_named(name)
    with opened(tap_class, config) as tap:
        wanted = stream_named(tap, stream)
        for other in tap.api_streams:
            other.selected = other is wanted
        declared = list(wanted.schema["properties"])
        for field in fields:
            if field not in declared:
                hint = meant(field, declared) or f"; there are {', '.join(declared)}"
                raise EndedError(f"{stream} has no field '{field}'{hint}", exit_code=USAGE)
        rows = _rows(tap, wanted, limit)
        if as_json:
            for row in rows:
                chosen = {field: row.get(field) for field in fields} if fields else row
                line = write_json(without_secrets(chosen, tap.redactor), indent=None)
                console().out(line, highlight=False)
        elif rows:
            _show(tap, wanted, rows, fields)
        if not rows:
            say(f"{stream} has no row, as far as was read", messages())


def _rows(tap: ApiTap, stream: ApiStream, limit: int) -> list[dict[str, Any]]:
    try:
        return list(islice(_records(stream), limit))
    except SyncError as error:
        tap.outcome.failed(stream, error, announce=False)
        tap.outcome.require_an_answer()
        advice = advice_for_stream(error)
        message = f"{str(error).rstrip('.')}. {advice}" if advice else str(error)
        raise EndedError(tap.redactor(f"Stream '{stream.name}': {message}"), exit_code=UNREADABLE) from None


def _records(stream: ApiStream) -> Iterator[dict[str, Any]]:
    """Give the records one by one, each once, and read a page when one of it is wanted."""
    seen: set[tuple[Any, ...]] = set()
    for page in _pages(stream, _Tries(stream)):
        for key, record in zip(page.content.keys, page.records, strict=True):
            if key not in seen:
                seen.add(key)
                yield record


class _Tries:
    """Counts the requests that bring no row, and says so when there are too many.

    Args:
        stream: Whose rows are wanted.
    """

    def __init__(self, stream: ApiStream) -> None:
        self._stream = stream
        self._in_vain = 0

    def note(self, stream: ApiStream, records: Sequence[Any] = ()) -> None:
        """Take note of a request, and of what it brought."""
        self._in_vain = 0 if records and stream is self._stream else self._in_vain + 1

    def go_on(self) -> bool:
        """Tell whether to ask for more."""
        if self._in_vain < _MOST_IN_VAIN:
            return True
        say(f"{_MOST_IN_VAIN} requests in a row brought no row of {self._stream.name}; it ends here", messages())
        return False


def _pages(stream: ApiStream, tries: _Tries) -> Iterator[Page]:
    if stream.parent_name is None:
        stream.begin_sync()
        for sampled in sampled_pages(stream, {}):
            tries.note(stream, sampled.page.records)
            yield sampled.page
            if not tries.go_on():
                return
        return
    parent = stream_named(stream.tap, stream.parent_name)
    for page in _pages(parent, tries):
        for key in page.content.keys:
            try:
                for sampled in sampled_pages(stream, parent.child_context(key)):
                    tries.note(stream, sampled.page.records)
                    yield sampled.page
            except StatusError as error:
                if error.status not in stream.gone_on:
                    raise
                tries.note(stream)
            if not tries.go_on():
                return


# As a table


def _show(tap: ApiTap, stream: ApiStream, rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> None:
    texts = {field: [tap.redactor(_text(row.get(field))) for row in rows] for field in _in_order(stream)}
    shown = fields or _that_fit(stream, texts)
    columns = [Column(field, right=_is_number(rows, field)) for field in shown]
    lengths = [_BY_DEFAULT] if not fields else [*_LENGTHS, _LONGEST_BELOW]
    for length in lengths:
        cells = [[_cut(texts[field][place], length) for field in shown] for place in range(len(rows))]
        if total_width(columns, cells) <= console().width:
            break
    show(columns, cells)
    if not fields and (others := [field for field in texts if field not in shown]):
        hint = "Choose some with --fields, or see whole rows with --json"
        say(f"{len(others)} more fields: {', '.join(others)}. {hint}", messages())


def _in_order(stream: ApiStream) -> Iterable[str]:
    """Give the fields with what identifies a record first, and then what tells of its time and of its parent."""
    cursor = stream.replication_key
    first = [*stream.primary_keys, *stream.parent_key_fields, *([cursor] if cursor else [])]
    return dict.fromkeys([*first, *stream.schema["properties"]])


def _that_fit(stream: ApiStream, cells: dict[str, list[str]]) -> list[str]:
    """Choose the fields that have values and fit beside each other; nested ones after the others."""
    keys = [*stream.primary_keys, *stream.parent_key_fields]
    told = [field for field, values in cells.items() if field in keys or any(values)]
    told.sort(key=lambda field: field not in keys and any(value[:1] in {"{", "["} for value in cells[field]))
    shown: list[str] = []
    for field in told:
        chosen = [*shown, field]
        rows = zip(*([_cut(value, _BY_DEFAULT) for value in cells[name]] for name in chosen), strict=True)
        if field in keys or total_width([Column(name) for name in chosen], list(rows)) <= console().width:
            shown = chosen
    return shown


def _text(value: Any) -> str:
    """Write a value in a line; nothing for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else write_json(value, indent=None)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _cut(line: str, length: int) -> str:
    if cell_len(line) <= length:
        return line
    start = set_cell_size(line, length - 1)
    # At the end of a word, where one is near.
    cut = start.rfind(" ") if start.rfind(" ") > len(start) // 2 else len(start)
    return f"{start[:cut].rstrip()}…"


def _is_number(rows: Sequence[dict[str, Any]], field: str) -> bool:
    values = [row[field] for row in rows if row.get(field) is not None]
    return bool(values) and not any(isinstance(value, (str, bool, dict, list)) for value in values)
