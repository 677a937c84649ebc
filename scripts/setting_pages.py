"""What the documentation tells of the taps' settings: a table on each tap's page, and one page of all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markdown_tables import code, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from documented import Documented

__all__ = ["settings_page", "settings_table", "types_of"]

_HEADER = ["Setting", "Type", "Default", "Meaning"]


def types_of(declared: Mapping[str, Any]) -> list[str]:
    """List the JSON types that a setting may have, without null."""
    types = declared.get("type", "string")
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def allowed_values(declared: Mapping[str, Any]) -> str:
    """Put a setting's type and bounds into words."""
    if declared.get("enum"):
        return "one of " + code(*map(str, declared["enum"]))
    if declared.get("format") in {"date", "date-time"}:
        return "date or time"
    if declared.get("format") == "uri":
        return "URL"
    [kind, *_] = types_of(declared)
    if kind == "array":
        return f"list: {allowed_values(declared.get('items', {}))}"
    words = {"string": "text", "boolean": "true or false", "integer": "whole number"}.get(kind, kind)
    low, above = declared.get("minimum"), declared.get("exclusiveMinimum")
    high = declared.get("maximum")
    bounds = [
        f"from {low:,}" if low is not None else "",
        f"above {above:,}" if above is not None else "",
        f"to {high:,}" if high is not None else "",
    ]
    return " ".join([words, *filter(None, bounds)])


def settings_table(tap: Documented) -> str:
    """Write the table of a tap's own settings."""
    rows = []
    for name in (name for name in tap.settings if name in tap.own_settings):
        row = setting_row(tap, name)
        if name in tap.required:
            row[2] = "**required**"
        elif name in tap.required_of_generic:
            row[2] = "**required** of `generic`" if len(tap.tap_class.providers) > 1 else "**required**"
        elif name in tap.one_of:
            row[2] = f"**one of {len(tap.one_of)}**"
        rows.append(row)
    rest = [name for name in tap.settings if name not in tap.own_settings]
    note = f"\nAnd those that the SDK gives each tap: {code(*rest)}.\n" if rest else ""
    return table(_HEADER, rows) + note


def setting_row(tap: Documented, name: str) -> list[str]:
    """Describe a setting."""
    declared = tap.settings[name]
    default = f"`{json.dumps(declared['default'])}`" if "default" in declared else ""
    notes = [declared.get("description", ""), *(["Secret."] if declared.get("secret") else [])]
    return [code(name), allowed_values(declared), default, " ".join(notes)]


def settings_page(taps: Sequence[Documented], command: str) -> str:
    """Write the reference of the settings: those of all taps once, and of each tap what it has of its own.

    Args:
        taps: The taps.
        command: By which the page is made.
    """
    rows = {tap.name: {name: setting_row(tap, name) for name in sorted(tap.own_settings)} for tap in taps}
    first, *others = rows.values()
    shared = [name for name in first if all(name in row and row[name][:3] == first[name][:3] for row in others)]
    head = (
        f"<!-- made by {command} -->\n\n# Settings\n\n"
        "A setting is made in the file of `--config`; in a variable of the environment, with `--config=ENV`, that\n"
        "has the name of the tap and of the setting, as `TAP_HELPDESK_API_KEY`;\n"
        "[in Meltano](../meltano.md#environments-settings-secrets); or\n"
        "[where dlt looks](../dlt.md#settings-and-secrets). A bad one is one line that names it, what it was and\n"
        "what is allowed, before any request is made.\n"
    )
    parts = [head, f"## Of all taps\n\n{table(_HEADER, [first[name] for name in shared])}"]
    for tap in taps:
        own = [row for name, row in rows[tap.name].items() if name not in shared]
        parts.append(
            f"## Of {tap.name}\n\nWhich of them are required, [its page](../{tap.name}.md#settings) says.\n\n"
            f"{table(_HEADER, own)}"
        )
    return "\n".join(parts)
