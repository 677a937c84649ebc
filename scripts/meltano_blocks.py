"""What Meltano is told of the taps: their settings and capabilities, and how they read the sandbox.

`meltano.yml` has it, and the definition of each tap in the form of Meltano's plugin hub, in `docs/hub`.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from documented import COMMAND, MetadataError
from setting_pages import types_of
from taps.sandbox.apis import APIS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from documented import Documented

__all__ = ["definition_of", "dev_block", "hub_definition", "meltano_setting", "plugin_block"]

#: The distribution that has the taps, and the variant that the hub is to know them by.
DISTRIBUTION = "frontline-taps"

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


def declared_to_meltano(tap: Documented) -> dict[str, Any]:
    """Describe what a tap can do and is to be told, in Meltano's terms."""
    return {
        "capabilities": tap.about["capabilities"],
        "settings_group_validation": tap.setting_groups,
        "settings": [meltano_setting(name, declared) for name, declared in tap.settings.items()],
    }


def plugin_block(tap: Documented) -> str:
    """Write the generated part of an extractor in `meltano.yml`."""
    text = yaml.safe_dump(declared_to_meltano(tap), sort_keys=False, allow_unicode=True, width=110)
    return textwrap.indent(f"# by {COMMAND}\n{text}", " " * 4)


def hub_definition(tap: Documented, project: Mapping[str, Any]) -> str:
    """Write the definition of a tap as the hub has one for each variant of an extractor.

    Args:
        tap: The tap.
        project: What is in `meltano.yml`, which has the tap's name for people.

    Raises:
        MetadataError: The tap is not in there.
    """
    labels = {plugin["name"]: plugin["label"] for plugin in project["plugins"]["extractors"] if "label" in plugin}
    if tap.name not in labels:
        raise MetadataError(f"meltano.yml has no extractor {tap.name} with a label; add one after the others' example")
    products = [provider.title.partition(",")[0] for provider in tap.tap_class.providers[1:]]
    definition = {
        "name": tap.name,
        "variant": DISTRIBUTION,
        "label": labels[tap.name],
        "description": tap.description,
        "namespace": tap.name.replace("-", "_"),
        "pip_url": DISTRIBUTION,
        "executable": tap.name,
        "maintenance_status": "beta",
        # The hub's own words: it rates the plugins that it tests itself, and knows of no other.
        "quality": "unknown",
        "keywords": ["api", "meltano_sdk", *products],
        "supported_python_versions": tap.about["supported_python_versions"],
        **declared_to_meltano(tap),
    }
    text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=110)
    return f"# by {COMMAND}\n{text}"


def definition_of(project: Mapping[str, Any], name: str) -> str:
    """Write the definition of a loader or mapper that `meltano.yml` has, for a project that asks no hub.

    Args:
        project: What is in `meltano.yml`.
        name: Of the plugin.
    """
    kinds = ("loaders", "mappers")
    [plugin] = [plugin for kind in kinds for plugin in project["plugins"][kind] if plugin["name"] == name]
    definition = {"name": name, "variant": "original", **plugin}
    definition.pop("mappings", None)
    text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=110)
    return f"# by {COMMAND}, from meltano.yml\n{text}"


def dev_block() -> str:
    """Write the settings with which the taps read the sandbox, in `meltano.yml`."""
    extractors = []
    for port, api in enumerate(APIS.values(), DEV_PORT):
        base_url = f"http://127.0.0.1:{port}"
        credentials = {name: value.replace("{base_url}", base_url) for name, value in api.credentials.items()}
        extractors.append({"name": api.tap, "config": {"base_url": base_url, **credentials}})
    text = yaml.safe_dump(extractors, sort_keys=False, width=110)
    return textwrap.indent(f"# by {COMMAND}\n{text}", " " * 6)
