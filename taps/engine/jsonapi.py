"""Records in the form of JSON:API (jsonapi.org), made flat."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import inflection

__all__ = ["flattened"]


def flattened(record: dict[str, Any]) -> dict[str, Any]:
    """Bring a resource object into the form of a plain record.

    Args:
        record: `{"id", "type", "attributes": {...}, "relationships": {...}}`, or a record that is flat already.

    Returns:
        The id, the attributes, and of each relationship with data `ownerId` (to-one) or `tagIds` (to-many). A flat
        record as it is.
    """
    attributes = record.get("attributes")
    if not isinstance(attributes, dict):
        return record
    flat = {"id": record.get("id"), **attributes}
    relationships = record.get("relationships")
    for name, relationship in relationships.items() if isinstance(relationships, dict) else ():
        if not isinstance(relationship, dict) or "data" not in relationship:
            continue
        data = relationship["data"]
        if isinstance(data, list):
            flat[_to_many(name)] = [_id(item) for item in data]
        else:
            flat[f"{name}Id"] = _id(data)
    return flat


def _id(identifier: Any) -> Any:
    return identifier.get("id") if isinstance(identifier, dict) else None


@lru_cache(maxsize=1024)
def _to_many(name: str) -> str:
    return f"{inflection.singularize(name)}Ids"
