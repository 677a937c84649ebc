"""Records in the form of JSON:API (jsonapi.org), made flat."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import inflection

__all__ = ["flattened", "relationship_field"]


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
        to_many = isinstance(data, list)
        flat[relationship_field(name, to_many=to_many)] = [_id(item) for item in data] if to_many else _id(data)
    return flat


@lru_cache(maxsize=1024)
def relationship_field(name: str, *, to_many: bool) -> str:
    """Give the name of the field that a relationship's ids go into: `ownerId` of `owner`, `tagIds` of `tags`."""
    return f"{inflection.singularize(name)}Ids" if to_many else f"{name}Id"


def _id(identifier: Any) -> Any:
    return identifier.get("id") if isinstance(identifier, dict) else None
