"""Which stream a file is a recording of, by its name and the folders that it is in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import inflection

from samples.subjects import SUBJECTS, Subject, streams_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Recording", "recordings_in"]

_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_NUMBER = re.compile(r"(?:_*(?:page|part)?_*[0-9]+)+$|_+(?:page|part)$")
_SIGNS = re.compile(r"[^0-9A-Za-z]")


@dataclass(frozen=True)
class Recording:
    """A file.

    Attributes:
        path: Where it is.
        name: The same, from the folder that was asked for.
        subject: Which tap and provider it is of; `None` where that is not to be seen.
        streams: Which streams: several where they are read from the same pages, none where it is of no stream.
    """

    path: Path
    name: str
    subject: Subject | None
    streams: tuple[str, ...] = ()


def recordings_in(place: Path, subject: Subject | None) -> Iterator[Recording]:
    """Find the files in a folder, those in its folders too, each with what it is a recording of.

    Args:
        place: The folder, or a single file.
        subject: The tap and the provider of all of them; by their folders where it is not given.
    """
    folder = place if place.is_dir() else place.parent
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    for path in files:
        inner = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inner.parts):
            folders = inner.parts[:-1]
            owner = subject or _subject_of((folder.resolve().name, *folders))
            known = owner is not None and path.suffix.lower() in _SUFFIXES
            streams = _streams_named(owner, folders, path.stem) if owner and known else ()
            yield Recording(path, inner.as_posix(), owner, streams)


def _subject_of(folders: Sequence[str]) -> Subject | None:
    names = (_SIGNS.sub("_", folder).lower().removeprefix("tap_") for folder in reversed(folders))
    return next((SUBJECTS[name] for name in names if name in SUBJECTS), None)


def _streams_named(subject: Subject, folders: Sequence[str], stem: str) -> tuple[str, ...]:
    """Give the streams that a file is of: `tickets`, `tickets-2`, `tickets/1`, `groups__admin`, `stats/legs`."""
    stem, _, variant = stem.partition("__")
    if variant != variant.lower():  # a variant is a word; what shouts is a remark
        return ()
    parts = [_SIGNS.sub("_", inflection.underscore(part)) for part in (*folders, stem)]
    names = [["_".join(parts[first:])] for first in range(len(parts))]
    names.append(parts[-2:-1])  # a folder of a stream's recordings
    known = _known_names(subject)
    for name in [name for each in names for name in each]:
        for tried in (name, _NUMBER.sub("", name)):
            if tried in known:
                return known[tried]
    return ()


@cache
def _known_names(subject: Subject) -> dict[str, tuple[str, ...]]:
    """Give the streams by their names, and by the ends of their paths where those are of no other path."""
    by_end: dict[str, list[str]] = {}
    streams = streams_of(subject)
    for name, stream in streams.items():
        parts = [inflection.underscore(part) for part in stream.path.split("/") if part and "{" not in part]
        for first in range(len(parts)):
            by_end.setdefault("_".join(parts[first:]), []).append(name)
    one_path = {end: tuple(names) for end, names in by_end.items() if len({streams[name].path for name in names}) == 1}
    return {**one_path, **{name: (name,) for name in streams}}
