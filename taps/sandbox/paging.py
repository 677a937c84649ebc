"""Which records a page holds, by cursor or by number, even or ragged."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from zlib import crc32

_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Slice:
    """A page's part of its list.

    Attributes:
        start: The first record's position.
        stop: The position after the last record's.
        cursor: What leads to the next page; None on the last page, and where pages go by number.
    """

    start: int
    stop: int
    cursor: str | None = None


def read_cursor(cursor: str) -> tuple[int, int] | None:
    """Read a cursor that `by_cursor` gave.

    Args:
        cursor: The cursor.

    Returns:
        The position and the page that it stands for, or None where it is none of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    match = _CURSOR.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def by_cursor(total: int, size: int, position: tuple[int, int], ragged: str | None) -> Slice:
    """Cut a page out of a list whose pages are linked.

    Args:
        total: The list's length.
        size: The most records a page may hold.
        position: Where the page starts and its number from 0, as `read_cursor` gives them; (0, 0) is the first page.
        ragged: The list's name where pages are to be full, short and empty by turns; each list starts its turns
            elsewhere, so that short lists show all three as well. None for even pages.

    Returns:
        The page.
    """
    offset, page = position
    start = min(offset, total)
    # The short page is never empty, so each round of three moves on and the list ends.
    lengths = (size,) if ragged is None else (size, max(1, size // 3), 0)
    length = lengths[(page + crc32((ragged or "").encode())) % len(lengths)]
    stop = min(start + length, total)
    if stop == total:
        return Slice(start, stop)
    token = base64.urlsafe_b64encode(f"{stop}.{page + 1}".encode()).decode().rstrip("=")
    return Slice(start, stop, token)


def by_number(total: int, size: int, page: int, *, ragged: bool) -> Slice:
    """Cut a page out of a list whose pages are numbered.

    Args:
        total: The list's length.
        size: The most records a page may hold.
        page: The page's number from 1.
        ragged: Whether pages are to be full and short by turns. None is empty before the end: to a client that
            counts pages, an empty page is the end.

    Returns:
        The page; empty past the end.
    """
    lengths = (size, max(1, size // 2), size, max(1, size // 3)) if ragged else (size,)
    rounds, rest = divmod(page - 1, len(lengths))
    start = rounds * sum(lengths) + sum(lengths[:rest])
    return Slice(min(start, total), min(start + lengths[rest], total))


def by_linked_number(total: int, size: int, page: int, ragged: str | None) -> tuple[Slice, bool]:
    """Cut a page out of a list whose pages are numbered and linked: none but the link's absence is its end.

    Args:
        total: The list's length.
        size: The most records a page may hold.
        page: The page's number from 1.
        ragged: The list's name where pages are to be full, short and empty by turns, as for `by_cursor`.

    Returns:
        The page, and whether there is one after it.
    """
    lengths: tuple[int, ...] = (size,) if ragged is None else (size, max(1, size // 3), 0)
    turn = crc32((ragged or "").encode()) % len(lengths)
    lengths = lengths[turn:] + lengths[:turn]
    rounds, rest = divmod(page - 1, len(lengths))
    start = min(rounds * sum(lengths) + sum(lengths[:rest]), total)
    stop = min(start + lengths[rest], total)
    return Slice(start, stop), stop < total
