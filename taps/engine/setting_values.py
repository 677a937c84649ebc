"""What settings are made: from the environment, as numbers, and which of them are secret."""

from __future__ import annotations

import contextlib
import json
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values, find_dotenv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["environment_settings", "secrets_of", "setting_of", "unread_variables", "usable_numbers"]

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


def secrets_of(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """List the values of those settings that the schema marks as secret, of whatever type they are given."""
    for name, declared in schema.get("properties", {}).items():
        if declared.get("secret") and config.get(name) is not None:
            yield from _texts(config[name])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    else:
        yield str(value)


def environment_settings(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Read settings from the environment, and from a `.env` file in this folder or one above.

    The SDK's own reader leaves decimals as text and fails without a name on a number that is none.

    Args:
        schema: JSON Schema of the settings.
        prefix: Of the variables, for example `TAP_HELPDESK_`.

    Returns:
        The settings that are there. What cannot be read as the type declared stays text, for the validation to name.
    """
    variables = {**dotenv_values(find_dotenv(usecwd=True)), **os.environ}
    found = {name: variables.get(prefix + name.upper().replace("-", "_")) for name in schema["properties"]}
    return {
        name: setting_of(text, schema["properties"][name].get("type", ()))
        for name, text in found.items()
        if text is not None
    }


def unread_variables(settings: Iterable[str], prefix: str) -> Iterator[str]:
    """Say in a line that some of these settings are in the environment, where it was not asked for them."""
    names = [prefix + name.upper() for name in settings if prefix + name.upper() in os.environ]
    if names:
        yield f"The environment has {' and '.join(names)}: settings are read from there only with --config ENV"


def setting_of(text: str, types: Sequence[str]) -> Any:
    """Read a setting that is given as text.

    Args:
        text: The value; a list may be without its brackets.
        types: Those that the setting may have.

    Returns:
        The value; the text itself where it cannot be read so, for the validation to name.
    """
    if "string" in types:
        return text
    if "boolean" in types and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    try:
        return json.loads(text)
    except ValueError:
        try:
            return json.loads(f"[{text}]") if "array" in types else text
        except ValueError:
            return text


def usable_numbers(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Make numbers of what stands for one.

    The SDK reads a file's decimals as `Decimal`, which neither clocks nor sockets take, and Meltano 4 can pass a number
    with a fraction only as text.
    """
    usable = dict(config)
    for name, value in config.items():
        numeric = "number" in schema["properties"].get(name, {}).get("type", ())
        if isinstance(value, Decimal) or (numeric and isinstance(value, str)):
            with contextlib.suppress(ValueError):
                usable[name] = float(value)
    return usable
