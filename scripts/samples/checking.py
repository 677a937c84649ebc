"""What becomes of recorded records where a sync reads them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simplejson

from samples.shapes import Shape, documents_in
from samples.subjects import SUBJECTS, Subject, streams_of
from taps.engine.errors import RecordError
from taps.engine.jsonapi import flattened
from taps.engine.reader import PageReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from samples.finding import Recording

__all__ = ["Finding", "Share", "check"]


@dataclass(frozen=True)
class Share:
    """How much of what was found the schema does not declare.

    Attributes:
        fields: How many fields there are.
        undeclared: How many of them are not declared.
        occurrences: How often there is a field in a record.
        undeclared_occurrences: How often one that is not declared.
    """

    fields: int
    undeclared: int
    occurrences: int
    undeclared_occurrences: int

    @property
    def of_fields(self) -> float:
        """Per cent of the fields."""
        return 100 * self.undeclared / max(self.fields, 1)

    @property
    def of_occurrences(self) -> float:
        """Per cent of the occurrences."""
        return 100 * self.undeclared_occurrences / max(self.occurrences, 1)

    def __add__(self, other: Share) -> Share:
        return Share(
            self.fields + other.fields,
            self.undeclared + other.undeclared,
            self.occurrences + other.occurrences,
            self.undeclared_occurrences + other.undeclared_occurrences,
        )


@dataclass
class Finding:
    """What was found out of a stream.

    Attributes:
        subject: The tap and the provider.
        stream: The stream's name.
        files: Its recordings.
        records: How many records they have.
        fields: How often each field occurs, nested ones as `parent.child`.
        undeclared: Those of them that the schema does not declare.
        converted: Fields of which values had to be converted.
        refused: What could not be read: the file, and why.
    """

    subject: Subject
    stream: str
    files: list[str] = field(default_factory=list)
    records: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    undeclared: Counter[str] = field(default_factory=Counter)
    converted: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def share(self) -> Share:
        """How much is not declared."""
        return Share(len(self.fields), len(self.undeclared), self.fields.total(), self.undeclared.total())


def check(recordings: Iterable[Recording]) -> list[Finding]:
    """Read recordings as a sync reads pages, each record as a page of its own.

    Args:
        recordings: Those that are of a stream.

    Returns:
        What was found, by provider and stream.
    """
    by_stream: dict[tuple[str, str], list[Recording]] = {}
    for recording in recordings:
        for name in recording.streams:
            if recording.subject:
                by_stream.setdefault((recording.subject.name, name), []).append(recording)
    return [_check_stream(SUBJECTS[subject], name, found) for (subject, name), found in sorted(by_stream.items())]


def _check_stream(subject: Subject, name: str, recordings: Iterable[Recording]) -> Finding:
    stream = streams_of(subject)[name]
    finding = Finding(subject, name)
    shape, reader = Shape(stream), PageReader(stream)
    for recording in recordings:
        finding.files.append(recording.name)
        try:
            documents = documents_in(recording.path.read_bytes())
            records = [record for document in documents for record in shape.records(document)]
        except ValueError as error:
            finding.refused.append((recording.name, str(error)))
            continue
        for record in records:
            finding.records += 1
            finding.fields.update(_fields(flattened(record) if stream.resource_objects else record, stream.schema))
            page = simplejson.dumps(shape.page(record), use_decimal=True).encode()
            try:
                reader.rows(page, shape.parent(record))
            except (RecordError, ValueError) as error:
                finding.refused.append((recording.name, str(error)))
    codec = reader.codec
    finding.undeclared = Counter({path: count for path, count in finding.fields.items() if path in codec.undeclared})
    finding.converted = sorted(codec.converted)
    return finding


def _fields(members: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """List the fields of a record, and of those objects in it whose members are declared."""
    for name, value in members.items():
        yield f"{prefix}{name}"
        declared = schema["properties"].get(name, {})
        while "items" in declared and "properties" not in declared:
            declared = declared["items"]
        if declared.get("properties"):
            for inner in _objects(value):
                yield from _fields(inner, declared, f"{prefix}{name}.")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)
