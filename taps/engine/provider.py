"""How a vendor's product differs from the neutral API that a tap is written for, as data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace
from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from taps.engine.auth import AuthForm
    from taps.engine.lanes import Limit
    from taps.engine.stream import ApiStream

__all__ = ["GENERIC", "UNKNOWN_PLAN", "Place", "Plan", "Provider", "email_setting", "provider_settings", "streams_of"]

GENERIC = "generic"
"""Name of the provider that is the neutral API itself."""

_HOST = r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$"


class Place(Struct, frozen=True, kw_only=True):
    """A setting that goes into the address of a product.

    Attributes:
        name: Of the setting.
        description: What it is.
        example: What it looks like.
        pattern: What it has to match, where it is not one of a few.
        hosts: What its values stand for in the address, where they are a few; the first one is the default.
    """

    name: str
    description: str
    example: str
    pattern: str = _HOST
    hosts: Mapping[str, str] = field(default_factory=dict)


class Plan(Struct, frozen=True):
    """What a customer has bought: how many requests a minute.

    Attributes:
        requests_per_minute: Of all streams together; `None` for any number.
        limits: Of single streams, by their names, where they have a limit of their own within that.
    """

    requests_per_minute: int | None
    limits: Mapping[str, Limit] = field(default_factory=dict)


UNKNOWN_PLAN = Plan(None)


class Provider(Struct, frozen=True, kw_only=True):
    """A product that a tap can read.

    Attributes:
        name: Value of the setting `provider`.
        title: The product's name.
        base_url: Its address, with settings in braces; nothing where the user has to give it.
        places: These settings.
        settings: Further settings that it has alone, as `singer_sdk.typing` properties.
        needs: Settings that have to be made, beside those in its address and its credentials.
        auth: The forms of credentials that it takes, of which one has to be given.
        defaults: Settings whose default is another one.
        headers: Of each request.
        prefix: What the neutral paths begin with and its own do not.
        params: Its names of the neutral parameters.
        records: Where its pages hold the records, by the neutral JSONPath.
        every: Declarations that all streams have.
        streams: Declarations of single streams, by their names.
        lacks: Streams that it does not have.
        adds: Streams that the neutral API does not have.
        gaps: Codes with which it refuses what the plan, or the key's scope, does not include.
        rate_headers: Names of the headers that tell of its rate limit, by what they tell (see `read_rate_limits`),
            beside those that are in common use.
        costs: What a request counts for in the rate limit, by the stream's name, where that is more than 1.
        limit: How many requests may be made in all, whatever the plan; told to users, and kept by what the API answers.
        limits: How many may be made for a stream, by its name, whatever the plan.
        plans: What can be bought.
        experimental: Whether it was written from documentation alone.
    """

    name: str
    title: str
    base_url: str = ""
    places: Sequence[Place] = ()
    settings: Sequence[th.Property[Any]] = ()
    needs: Sequence[str] = ()
    auth: Sequence[AuthForm] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, str] = field(default_factory=dict)
    every: Mapping[str, Any] = field(default_factory=dict)
    streams: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lacks: Collection[str] = ()
    adds: Sequence[type[ApiStream]] = ()
    gaps: Collection[str] = ()
    rate_headers: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, int] = field(default_factory=dict)
    limit: Limit | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    experimental: bool = False

    def address(self, settings: Mapping[str, Any]) -> str | None:
        """Give the address, where the settings in it are made as they should be."""
        values = {}
        for place in self.places:
            value = settings.get(place.name, next(iter(place.hosts), None))
            if not isinstance(value, str) or not (value in place.hosts or re.fullmatch(place.pattern, value)):
                return None
            values[place.name] = place.hosts.get(value, value)
        return self.base_url.format_map(values) or None

    def completed(self, settings: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        """Give the settings with the provider's own defaults, and with the address as `base_url`.

        A setting that is made as it is by default counts as not made: Meltano makes all of them.

        Args:
            settings: The settings that are made.
            schema: JSON Schema of all settings.
        """
        declared = schema["properties"]
        own = {
            name: value
            for name, value in self.defaults.items()
            if name not in settings or settings[name] == declared[name].get("default")
        }
        completed = {**settings, **own}
        if "base_url" not in settings and (address := self.address(settings)):
            completed["base_url"] = address
        elif isinstance(completed.get("base_url"), str):
            completed["base_url"] = completed["base_url"].rstrip("/")
        return completed

    @property
    def address_settings(self) -> list[str]:
        """The settings of which the address is made."""
        return [place.name for place in self.places if not place.hosts] if self.base_url else ["base_url"]

    def missing(self, settings: Mapping[str, Any]) -> list[str]:
        """List the settings that have to be made for this provider, and are not."""
        address = () if "base_url" in settings else self.address_settings
        known = {**self.defaults, **settings}
        # Of several forms of credentials the one counts of which something is given.
        forms = sorted((form.settings for form in self.auth), key=lambda names: not set(names) & settings.keys())
        credentials = forms[0] if forms and set(forms[0]) & settings.keys() else ()
        return [name for name in (*address, *self.needs, *credentials) if name not in known]

    def form(self, settings: Mapping[str, Any]) -> AuthForm:
        """Give the form of the credentials that the settings have."""
        return next(form for form in self.auth if all(settings.get(name) is not None for name in form.settings))


def provider_settings(providers: Sequence[Provider]) -> Iterator[th.Property[Any]]:
    """Declare the setting `provider`, and those that the providers have alone, each once."""
    yield th.Property(
        "provider",
        th.StringType,
        allowed_values=[provider.name for provider in providers],
        default=GENERIC,
        title="Provider",
        description=f"The product to read: {', '.join(map(_titled, providers))}.",
    )
    declared: set[str] = set()
    for provider in providers:
        for made in [*map(_place_setting, provider.places), *_plan_setting(provider), *provider.settings]:
            if made.name not in declared:
                declared.add(made.name)
                yield made


def email_setting(description: str) -> th.Property[Any]:
    """Declare `email`, for a provider whose credentials have an address in them."""
    return th.Property(
        "email",
        th.StringType(pattern=r"^[^\s:/]+@[^\s:/]+$"),
        title="E-mail",
        description=description,
        examples=["jane@acme.com"],
    )


def _titled(provider: Provider) -> str:
    return f"`{provider.name}` is {provider.title}{' (experimental)' if provider.experimental else ''}"


def _place_setting(place: Place) -> th.Property[Any]:
    if place.hosts:
        default, *_ = place.hosts
        return th.Property(
            place.name,
            th.StringType,
            allowed_values=list(place.hosts),
            default=default,
            title=place.name.replace("_", " ").capitalize(),
            description=place.description,
        )
    return th.Property(
        place.name,
        th.StringType(pattern=place.pattern),
        title=place.name.replace("_", " ").capitalize(),
        description=place.description,
        examples=[place.example],
    )


def _plan_setting(provider: Provider) -> Iterator[th.Property[Any]]:
    if provider.plans:
        rates = ", ".join(f"`{name}` {plan.requests_per_minute}" for name, plan in provider.plans.items())
        yield th.Property(
            "plan",
            th.StringType,
            allowed_values=list(provider.plans),
            title="Plan",
            description=f"Plan of the {provider.title} account, by which requests are spread: {rates} a minute. "
            "Without it the tap goes by what the API's answers say. `requests_per_minute` goes before it.",
        )


def streams_of(stream_types: Sequence[type[ApiStream]], provider: Provider) -> tuple[type[ApiStream], ...]:
    """Give a tap's streams as a provider has them.

    Args:
        stream_types: As the neutral API has them, parents before their children.
        provider: The provider.

    Returns:
        Of each stream a class with the provider's declarations, named as before; the same class where it has none.

    Raises:
        AttributeError: The provider declares something that streams do not have.
    """
    made: dict[type[ApiStream], type[ApiStream]] = {}
    for stream_type in (*stream_types, *provider.adds):
        if vars(stream_type)["name"] not in provider.lacks:
            made[stream_type] = _as_declared(stream_type, provider, made)
    return tuple(made.values())


def _as_declared(
    stream_type: type[ApiStream], provider: Provider, made: Mapping[type[ApiStream], type[ApiStream]]
) -> type[ApiStream]:
    name = vars(stream_type)["name"]
    neutral = {
        "pagination": stream_type.pagination,
        "path": stream_type.path.removeprefix(provider.prefix),
        "records_jsonpath": provider.records.get(stream_type.records_jsonpath, stream_type.records_jsonpath),
        "params": {provider.params.get(param, param): value for param, value in stream_type.params.items()},
        "parent_stream_type": made.get(stream_type.parent_stream_type),  # type: ignore[arg-type]
    }
    declared = {**neutral, **provider.every, **provider.streams.get(name, {})}
    declared["pagination"] = _renamed(declared["pagination"], provider.params)
    changed = {attribute: value for attribute, value in declared.items() if getattr(stream_type, attribute) != value}
    if not changed:
        return stream_type
    body = {**changed, "name": name, "__doc__": stream_type.__doc__, "__module__": stream_type.__module__}
    return type(stream_type.__name__, (stream_type,), body)


def _renamed(pagination: Any, params: Mapping[str, str]) -> Any:
    """Give a pagination with other names for those parameters that it names."""
    own = {name: value for name, value in asdict(pagination).items() if name.endswith("_param") and value in params}
    return replace(pagination, **{name: params[value] for name, value in own.items()})
