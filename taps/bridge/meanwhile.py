"""What is different in the process while a tap is read."""

from __future__ import annotations

import ctypes
import gc
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["garbage_left_alone", "json_may_be_text", "memory_given_back"]

_YOUNG_OBJECTS = 200_000  # rows are freed when they have been handed over, without the collector


@contextmanager
def memory_given_back() -> Iterator[None]:
    """Give back in the end what Arrow and the allocator keep for later: it is the destination's turn now."""
    try:
        yield
    finally:
        pa.default_memory_pool().release_unused()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
        if trim is not None:
            trim(0)


@contextmanager
def json_may_be_text(resources: Iterable[str]) -> Iterator[None]:
    """Keep dlt from warning, at each table, that a column which Arrow calls text has the hint `json`.

    Arrow has no type for JSON that dlt takes, and the destination makes of the text what the hint says.
    """
    begins = tuple(f"In resource: {name}, when merging arrow schema" for name in resources)

    def is_news(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(begins)

    logger = logging.getLogger("dlt")
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


@contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Have the garbage collector look less often, and pass over what was there before.

    dlt and what it imports are some 100,000 objects. It would look through all of them again and again, because many
    objects come and go meanwhile: a fifth of the time.
    """
    threshold = gc.get_threshold()
    theirs = gc.get_freeze_count()  # frozen by somebody else, who would not want them back
    gc.set_threshold(max(threshold[0], _YOUNG_OBJECTS), *threshold[1:])
    if not theirs:
        gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        if not theirs:
            gc.unfreeze()
