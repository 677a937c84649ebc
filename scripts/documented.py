"""The taps and products that are documented, and what is known of each."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from request_costs import COSTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk import Stream

    from taps.engine.provider import Provider
    from taps.engine.tap import ApiTap

__all__ = ["COMMAND", "PAGES", "ROOT", "TAPS", "Documented", "MetadataError", "page_of", "products"]

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "./.venv/bin/python scripts/generate_metadata.py"


class MetadataError(Exception):
    """The metadata cannot be written. The message is one line for the user."""


@dataclass(frozen=True)
class Documented:
    """A tap whose metadata is kept.

    Attributes:
        name: Of its command and of the Meltano plugin.
        location: Its class, as `module:class`.
    """

    name: str
    location: str

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the installed command says of itself."""
        command = [str(Path(sys.executable).with_name(self.name)), "--about", "--format=json"]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise MetadataError(f"{self.name} is not installed beside {sys.executable}; run ./scripts/setup") from None
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise MetadataError(f"{self.name} --about failed with exit code {error.returncode}: {last}") from None
        about: dict[str, Any] = json.loads(run.stdout)
        return about

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """All settings, the tap's own before those that the SDK adds to each."""
        settings: dict[str, dict[str, Any]] = self.about["settings"]["properties"]
        return {name: settings[name] for name in sorted(settings, key=lambda name: name not in self.own_settings)}

    @cached_property
    def own_settings(self) -> set[str]:
        """The names of the settings that the tap itself declares."""
        return set(self.tap_class.config_jsonschema["properties"])

    @property
    def description(self) -> str:
        """What it reads, in a sentence."""
        description: str = self.about["description"]
        return description

    @property
    def one_of(self) -> Sequence[str]:
        """The names of the settings of which exactly one has to be made."""
        return self.tap_class.one_of

    @property
    def setting_groups(self) -> list[list[str]]:
        """The names of the settings that have to be made, once for each way to make them."""
        groups = []
        for provider in self.tap_class.providers:
            for form in [form.settings for form in provider.auth] or [[]]:
                names = [*form, *self.required, *provider.address_settings, *provider.needs]
                groups.append([name for name in dict.fromkeys(names) if "default" not in self.settings[name]])
        return groups

    @property
    def required(self) -> list[str]:
        """The names of the settings that have to be made."""
        return list(self.about["settings"].get("required", ()))

    @property
    def required_of_generic(self) -> Sequence[str]:
        """The names of the settings that have to be made beside them, where no other provider is chosen."""
        generic = self.tap_class.providers[0]
        return (*generic.address_settings, *generic.needs)

    @cached_property
    def streams(self) -> list[Stream]:
        """Its streams by name."""
        config = dict.fromkeys((*self.required, *self.required_of_generic), "https://example.com")
        return sorted(self.tap_class(config=config, validate_config=False).streams.values(), key=lambda s: s.name)

    @cached_property
    def tap_class(self) -> type[ApiTap]:
        """The tap's class."""
        module, _, name = self.location.partition(":")
        tap_class: type[ApiTap] = getattr(importlib.import_module(module), name)
        return tap_class


TAPS = [
    Documented("tap-helpdesk", "taps.helpdesk.tap:TapHelpdesk"),
    Documented("tap-voice", "taps.voice.tap:TapVoice"),
    Documented("tap-sales-engagement", "taps.sales_engagement.tap:TapSalesEngagement"),
    Documented("tap-oncall", "taps.oncall.tap:TapOncall"),
    Documented("tap-contact-center", "taps.contact_center.tap:TapContactCenter"),
]

#: The page of each product, by the provider's name.
PAGES = {
    "freshdesk": "freshdesk.md",
    "zendesk_talk": "zendesk-talk.md",
    "outreach": "outreach.md",
    "opsgenie": "opsgenie.md",
    "jsm_ops": "opsgenie.md",
}


def products() -> Iterable[tuple[Documented, Provider]]:
    """List the products that the taps can read, each with its tap."""
    return ((tap, provider) for tap in TAPS for provider in tap.tap_class.providers[1:])


def page_of(provider: Provider) -> str:
    """Name the page of a product.

    Raises:
        MetadataError: It has none.
    """
    if provider.name not in PAGES or provider.name not in COSTED:
        raise MetadataError(
            f"the provider {provider.name} has no page; write one, and put it into PAGES of documented.py and into "
            "COSTED of request_costs.py"
        )
    return PAGES[provider.name]
