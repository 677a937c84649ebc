"""How far a parent's bookmark holds for its children.

A child stream has no bookmark of its own: its parent's moves only when the child's rows have been written. That holds
for a child that was selected. One that was left out while the parent's bookmark moved is behind, and would never see
the parents that it missed. So its entry in the state says from where: `parent_bookmark`, the parent's bookmark when the
child was last read along, or null if it never was. A sync that has the child selected reads the parent from there, and
takes the mark away when it is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import TapState

__all__ = ["catch_up", "leave_behind", "marks_of"]

_MARK = "parent_bookmark"


def leave_behind(state: TapState, parent: str, children: Iterable[str]) -> None:
    """Mark children that a sync leaves out, unless they are behind already.

    Args:
        state: The tap's, which is changed.
        parent: Name of the parent stream.
        children: Names of its children that are not selected.
    """
    bookmarks = state.setdefault("bookmarks", {})
    for child in children:
        entry = bookmarks.setdefault(child, {})
        entry.setdefault(_MARK, bookmarks.get(parent, {}).get("replication_key_value"))


def catch_up(state: TapState, children: Iterable[str]) -> None:
    """Take the marks away from children that have been read along to the end."""
    for child in children:
        state.get("bookmarks", {}).get(child, {}).pop(_MARK, None)


def marks_of(state: TapState, children: Iterable[str]) -> list[str | None]:
    """Give from where those of the children must be read that are behind; `None` is from the beginning."""
    entries = (state.get("bookmarks", {}).get(child, {}) for child in children)
    return [entry[_MARK] for entry in entries if _MARK in entry]
