"""What `meltano.yml` has of the taps: their settings and capabilities, and how they read the sandbox."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from documented import COMMAND
from setting_pages import types_of
from taps.sandbox.apis import APIS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documented import Documented

__all__ = ["dev_block", "meltano_setting", "plugin_block"]

#: Where `tap-sandbox` serves the first API for the environment `dev`; the others are at the ports after it.
DEV_PORT = 8080


def meltano_kind(declared: Mapping[str, Any]) -> str:
    """Say how Meltano is to read a setting from text, as in an environment variable."""
    if declared.get("enum"):
        return "options"
    if declared.get("format") in {"date", "date-time"}:
        return "date_iso8601"
    # Meltano 4 has a kind `decimal`, but ends in a traceback as it writes such a value into the tap's config file. The
    # taps take a number as text too.
    kinds = {"integer": "integer", "boolean": "boolean", "array": "array", "object": "object"}
    return next((kinds[name] for name in types_of(declared) if name in kinds), "string")


def meltano_setting(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a setting in Meltano's terms."""
    setting = {"name": name, "label": declared.get("title", name), "kind": meltano_kind(declared)}
    if declared.get("secret"):
        setting["sensitive"] = True
    if "default" in declared:
        setting["value"] = declared["default"]
    if declared.get("enum"):
        setting["options"] = [{"label": str(value), "value": value} for value in declared["enum"]]
    if declared.get("examples"):
        setting["placeholder"] = f"Ex. {declared['examples'][0]}"
    if declared.get("description"):
        setting["description"] = declared["description"]
    return setting


def plugin_block(tap: Documented) -> str:
    """Write the generated part of an extractor in `meltano.yml`."""
    block: dict[str, Any] = {"capabilities": tap.about["capabilities"]}
    block["settings_group_validation"] = tap.setting_groups
    block["settings"] = [meltano_setting(name, declared) for name, declared in tap.settings.items()]
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=110)
    return textwrap.indent(f"# by {COMMAND}\n{text}", " " * 4)


def dev_block() -> str:
    """Write the settings with which the taps read the sandbox, in `meltano.yml`."""
    extractors = []
    for port, api in enumerate(APIS.values(), DEV_PORT):
        base_url = f"http://127.0.0.1:{port}"
        credentials = {name: value.replace("{base_url}", base_url) for name, value in api.credentials.items()}
        extractors.append({"name": api.tap, "config": {"base_url": base_url, **credentials}})
    text = yaml.safe_dump(extractors, sort_keys=False, width=110)
    return textwrap.indent(f"# by {COMMAND}\n{text}", " " * 6)
