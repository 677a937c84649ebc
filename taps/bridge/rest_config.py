"""`rest_api_config`: a tap's streams as a configuration for dlt's own REST source, without any Singer in it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dlt
from singer_sdk.exceptions import ConfigurationError, SingerSDKError

from taps.bridge.errors import TapConfigError, TapNotFoundError
from taps.bridge.ours import in_a_thread, our_tap, our_taps
from taps.bridge.rest_auth import auth_of
from taps.bridge.rest_code import made, setting
from taps.bridge.rest_resources import resources_of
from taps.engine.tap import ApiTap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dlt.sources.rest_api.typing import RESTAPIConfig

    from taps.bridge.rest_code import Call
    from taps.engine.provider import Provider

__all__ = ["RestApiConfig", "RestPlan", "planned", "rest_api_config", "tap_names"]


@dataclass(frozen=True)
class RestApiConfig:
    """What dlt's REST source can read of a tap's streams.

    Attributes:
        name: What the tap reads, for the name of a source: `helpdesk`.
        config: The argument of `dlt.sources.rest_api.rest_api_source`.
        uncovered: The streams that are not in it, each with the reason in a line.
    """

    name: str
    config: RESTAPIConfig = field(repr=False)  # it has the credentials
    uncovered: Mapping[str, str]


@dataclass(frozen=True)
class RestPlan:
    """The same before it is made, so that it can be printed as well.

    Attributes:
        tap: The tap.
        provider: What it reads.
        name: As of `RestApiConfig`.
        tree: The configuration (see `rest_code`); settings whose values are not known stand in it by their names.
        uncovered: As of `RestApiConfig`.
    """

    tap: type[ApiTap]
    provider: Provider
    name: str
    tree: dict[str, Any]
    uncovered: Mapping[str, str]

    def where(self, name: str) -> str:
        """Tell where dlt has the value of a setting."""
        return f"sources.{self.name}.{name}"

    def is_secret(self, name: str) -> bool:
        """Whether a setting's value must not be shown."""
        return bool(self.tap.config_jsonschema["properties"].get(name, {}).get("secret"))

    def is_optional(self, name: str) -> bool:
        """Whether the tap can do without a setting."""
        return name not in (*self.tap.needed_settings(self.provider), *self.tap.one_of)


def rest_api_config(tap: type[ApiTap] | str, config: Mapping[str, Any] | None = None) -> RestApiConfig:
    """Make the configuration of dlt's REST source that loads the same rows as a tap.

    Streams that dlt cannot read as they have to be read are left out and named; `singer_source` reads these too. Those
    that are read in full replace their tables, the others are merged by their keys::

        helpdesk = rest_api_config("helpdesk", {"base_url": "https://acme.example.com", "api_key": "…"})
        source = rest_api_source(helpdesk.config, name=helpdesk.name)

    Args:
        tap: A tap of this package: its class, or its name, such as `tap-helpdesk` or `helpdesk`.
        config: The tap's settings. Without them, dlt's secrets have those that must be made: `base_url`, for example,
            at `sources.helpdesk.base_url`.

    Raises:
        TapNotFoundError: There is no such tap.
        TapConfigError: The settings cannot be used, or dlt has nothing like the tap's authentication.
        ConfigFieldMissingException: A setting is not in dlt's secrets.
    """
    plan = planned(tap, config, complete=config is not None)

    def lookup(name: str) -> Any:
        return dlt.config.get(plan.where(name)) if plan.is_optional(name) else dlt.secrets[plan.where(name)]

    return RestApiConfig(plan.name, made(plan.tree, lookup), plan.uncovered)


def planned(tap: type[ApiTap] | str, config: Mapping[str, Any] | None = None, *, complete: bool = False) -> RestPlan:
    """Plan the configuration.

    Args:
        tap: As of `rest_api_config`.
        config: The tap's settings, as far as they are known.
        complete: Whether these are all. Otherwise those that must be made stand in the plan by their names.

    Raises:
        BridgeError: As of `rest_api_config`.
    """
    tap_class = _tap_class(tap)
    name = tap_class.name.removeprefix("tap-").replace("-", "_")
    given = dict(config or {})
    settings = given if complete else {**_placeholders(tap_class, given), **given}

    def ask() -> tuple[dict[str, str] | Call, dict[str, Any], dict[str, dict[str, Any]]]:
        instance = tap_class(config=settings)
        schemas = {stream.name: stream.schema for stream in instance.streams.values()}
        return auth_of(instance.authenticator(), instance.config), dict(instance.config), schemas

    try:
        auth, effective, schemas = in_a_thread(ask)
    except (ConfigurationError, SingerSDKError) as error:
        raise TapConfigError(f"{tap_class.name}: {tap_class.redactor(' '.join(str(error).split()))}") from None
    resources, uncovered = resources_of(tap_class.streams_for(given), effective, schemas)
    provider = tap_class.provider_of(given)
    client = {"base_url": effective["base_url"], "auth": auth}
    if provider.headers:
        client["headers"] = dict(provider.headers)
    tree = {
        "client": client,
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": resources,
    }
    return RestPlan(tap_class, provider, name, tree, uncovered)


def tap_names() -> list[str]:
    """List the taps that there are, as `rest_api_config` takes them."""
    return [name.removeprefix("tap-") for name in our_taps()]


def _tap_class(tap: type[ApiTap] | str) -> type[ApiTap]:
    if isinstance(tap, str):
        name = tap.strip().replace("_", "-").removeprefix("tap-")
        found = our_tap(f"tap-{name}")
        if found is None:
            raise TapNotFoundError(f"There is no tap '{tap}'; there are {', '.join(tap_names())}")
        tap = found
    if not (inspect.isclass(tap) and issubclass(tap, ApiTap)):
        raise TapNotFoundError(f"{tap!r} is no tap of this package, whose streams are declarations")
    return tap


def _placeholders(tap_class: type[ApiTap], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give texts that stand for the settings that must be made, and for texts that have no default."""
    schema = tap_class.config_jsonschema
    provider = tap_class.provider_of(given)
    chosen = [name for name in tap_class.one_of if name in given] or tap_class.one_of[:1]
    # Where the address is not known as a whole, it stands for itself.
    address = [] if provider.address(given) else ["base_url"]
    known = dict.fromkeys((*schema.get("required", ()), *chosen, "base_url"), "")
    needed = [name for name in provider.missing(known) if "default" not in schema["properties"][name]]
    names = [*schema.get("required", ()), *address, *chosen, *needed]
    names += [
        name
        for name, declared in schema["properties"].items()
        if "string" in declared.get("type", ())
        and declared.get("format") != "date-time"
        and not declared.keys() & {"default", "enum", "pattern"}
        and name not in (*tap_class.one_of, "base_url")
    ]
    return {name: setting(name, schema["properties"][name].get("pattern", "")) for name in dict.fromkeys(names)}
