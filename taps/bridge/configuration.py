"""A tap's settings where dlt keeps settings: in files and in environment variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import dlt

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["settings_from_dlt"]

_PYTHON_TYPES = {"integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def settings_from_dlt(declared: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Find settings that are in dlt's secrets one by one, as in environment variables, beside those in a table."""
    section = f"sources.{name}.config"
    single: dict[str, Any] = {}
    for setting, schema in declared.items():
        kind, key = _PYTHON_TYPES.get(_type(schema), str), f"{section}.{setting}"
        # What is no secret may be in config.toml.
        value: Any = dlt.secrets.get(key, kind) if schema.get("secret") else dlt.config.get(key, kind)
        if value is not None:
            single[setting] = value
    if not single:
        return None
    # A variable of a setting's own comes before one that holds all of them, and that before a file.
    variable = section.upper().replace(".", "__")
    own = {name: value for name, value in single.items() if f"{variable}__{name.upper()}" in os.environ}
    return {**single, **(dlt.secrets.get(section, dict) or {}), **own}


def _type(schema: Mapping[str, Any]) -> str:
    said = schema.get("type")
    types = [said] if isinstance(said, str) else [name for name in said or () if name != "null"]
    return types[0] if len(types) == 1 else "string"
