"""Where a page holds its records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from taps.engine.codec import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROOT", "RecordsPath", "listed_at"]

ROOT = ""
"""What stands for a field where the document itself is the array."""

_PATH = re.compile(r"\$(?:\[\*\])?(?:\.\w+(?:\[\*\])?)*", re.ASCII)
_STEP = re.compile(r"\.(\w+)(\[\*\])?", re.ASCII)


def listed_at(path: str) -> str | None:
    """Give the field that holds the records where a JSONPath is just `$.field[*]` or `$[*]`, or else `None`."""
    if path == "$[*]":
        return ROOT
    steps = _STEP.findall(path)
    return str(steps[0][0]) if len(steps) == 1 and steps[0][1] else None


class RecordsPath:
    """A JSONPath of fields and `[*]`.

    `$.data[*]` are the elements of an array, `$[*]` those of the document itself, `$.data` is one object,
    `$.ivrs[*].menus[*]` are elements of elements.

    Args:
        path: The JSONPath.
        enclosing_ids: Names under which records get the `id` of what they are nested in, by the name of the array that
            holds it: `{"ivrs": "ivr_id"}`.
        lone: Whether one object is taken where an array is due.

    Raises:
        ValueError: The path has anything else in it.
    """

    def __init__(self, path: str, enclosing_ids: Mapping[str, str] | None = None, *, lone: bool = False) -> None:
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not a JSONPath of fields and [*]")
        self._path = path
        self._steps = [(name, bool(star)) for name, star in _STEP.findall(path)]
        self._listed = path.startswith("$[*]")
        self._enclosing_ids = dict(enclosing_ids or {})
        self._lone = lone

    def select(self, document: Any) -> list[dict[str, Any]]:
        """Take the records out of a page.

        Args:
            document: The decoded body.

        Returns:
            The records, each an object.

        Raises:
            ValueError: The document is of another shape.
        """
        found = self._elements(document, "it") if self._listed else [document]
        nodes: list[tuple[Any, dict[str, Any]]] = [(node, {}) for node in found]
        enclosing = ROOT
        for name, star in self._steps:
            # A record without members is one that has none; a page without records is of another shape.
            if star and enclosing:
                nodes = [(node, ids) for node, ids in nodes if not isinstance(node, dict) or node.get(name) is not None]
            nodes = [(_member(node, name), self._ids(node, enclosing, ids)) for node, ids in nodes]
            if star:
                nodes = [(element, ids) for node, ids in nodes for element in self._elements(node, f"'{name}'")]
                enclosing = name
        for node, _ in nodes:
            if not isinstance(node, dict):
                raise ValueError(f"at {self._path} there is {kind_of(node)} where an object is due")  # noqa: TRY004
        return [{**node, **ids} if ids else node for node, ids in nodes]

    def _ids(self, node: Any, enclosing: str, ids: dict[str, Any]) -> dict[str, Any]:
        name = self._enclosing_ids.get(enclosing)
        return {**ids, name: node.get("id")} if name and isinstance(node, dict) else ids

    def _elements(self, node: Any, what: str) -> list[Any]:
        if self._lone and isinstance(node, dict):
            return [node]
        if not isinstance(node, list):
            raise ValueError(f"{what} is {kind_of(node)} where an array is due")  # noqa: TRY004
        return node


def _member(node: Any, name: str) -> Any:
    if not isinstance(node, dict):
        raise ValueError(f"there is {kind_of(node)} where an object with '{name}' is due")  # noqa: TRY004
    if name not in node:
        raise ValueError(f"it has no '{name}'")
    return node[name]
