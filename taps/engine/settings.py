"""The settings that all taps share, and what to say of a bad one."""

from __future__ import annotations

import contextlib
import json
import os
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values, find_dotenv
from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk import typing as th

from taps.engine.provider import GENERIC, provider_settings
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jsonschema import ValidationError

    from taps.engine.provider import Provider

__all__ = [
    "batch_errors",
    "choice_errors",
    "common_settings",
    "dates_without_records",
    "environment_settings",
    "lookback_setting",
    "meant",
    "missing_settings",
    "secrets_of",
    "setting_errors",
    "unknown_settings",
    "unread_variables",
    "usable_numbers",
]

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}

_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_timestamp(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_timestamp(value))


@_formats.checks("uri", raises=ValueError)
def _is_http_address(value: object) -> bool:
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or parts.username or parts.password or any(c.isspace() for c in value))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and plain


_ALLOWED_FORMATS = {
    "date-time": "a date or timestamp such as 2024-01-31 or 2024-01-31T08:00:00Z",
    "uri": "an http or https address without user, query or fragment",
}


def common_settings(
    providers: Sequence[Provider],
    *,
    base_url_example: str,
    page_size: int = 100,
    max_page_size: int = 100,
    retry_statuses: Sequence[int],
) -> list[th.Property[Any]]:
    """Declare the settings that every tap has, apart from its credentials.

    Args:
        providers: The products that the tap can read.
        base_url_example: An address that shows what `base_url` looks like for this API.
        page_size: Records asked for in a page by default.
        max_page_size: The most that the API gives in a page.
        retry_statuses: HTTP statuses that are tried again by default.

    Returns:
        Properties for `singer_sdk.typing.PropertiesList`, in the order in which they are documented.
    """
    return [
        *provider_settings(providers),
        th.Property(
            "base_url",
            th.URIType,
            title="Base URL",
            description="Address of the API, without the version path and without a trailing slash; of another "
            "`provider` than `generic` only where it is not the product's own, and then with its version path.",
            examples=[base_url_example],
        ),
        th.Property(
            "start_date",
            th.DateTimeType,
            default="1970-01-01T00:00:00Z",
            title="Start date",
            description="Incremental streams begin here when there is no bookmark yet, or when it is later than the "
            "bookmark.",
            examples=["2024-01-31", "2024-01-31T08:00:00Z"],
        ),
        th.Property(
            "end_date",
            th.DateTimeType,
            title="End date",
            description="Incremental streams end before this: what has changed since comes with a run that ends later. "
            "So a long time is read in steps. All other streams are read in full each time.",
            examples=["2024-02-29", "2024-02-29T08:00:00Z"],
        ),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1, maximum=max_page_size),
            default=page_size,
            title="Page size",
            description="Records to ask for in a page. The API may give fewer.",
        ),
        th.Property(
            "max_retries",
            th.IntegerType(minimum=0, maximum=20),
            default=3,
            title="Retries",
            description="How often a request is sent again after a failure that may pass.",
        ),
        th.Property(
            "backoff_factor",
            th.NumberType(minimum=0, maximum=60),
            default=2,
            title="Back-off factor",
            description="Seconds to wait before the first retry; doubled for each further one, with up to a quarter "
            "of random time on top. A `Retry-After` of the API is obeyed instead.",
        ),
        th.Property(
            "retry_statuses",
            th.ArrayType(th.IntegerType(minimum=400, maximum=599)),
            default=list(retry_statuses),
            title="Statuses to retry",
            description="HTTP statuses that are tried again.",
        ),
        th.Property(
            "request_timeout",
            th.NumberType(exclusive_minimum=0, maximum=3600),
            default=60,
            title="Time-out",
            description="Seconds to wait for a connection, and for each further piece of an answer.",
        ),
        th.Property(
            "progress",
            th.BooleanType,
            default=True,
            title="Live view",
            description="Show a live view of the sync where standard error is a terminal and standard output is none.",
        ),
        th.Property(
            "requests_per_minute",
            th.IntegerType(minimum=1, maximum=1_000_000),
            title="Rate budget",
            description="Most requests to send in a minute, spread evenly. Without it there is no limit but the API's "
            "own.",
        ),
        th.Property(
            "max_concurrency",
            th.IntegerType(minimum=1, maximum=32),
            default=4,
            title="Concurrency",
            description="Most requests that are under way at once.",
        ),
        th.Property(
            "skip_inaccessible_streams",
            th.BooleanType,
            default=False,
            title="Skip inaccessible streams",
            description="Treat a stream that the API refuses with 403 or 404 (a feature that the plan or the key "
            "lacks) as empty, with a warning, instead of failing it.",
        ),
        th.Property(
            "user_agent",
            th.StringType(min_length=1, pattern=r"^[\x20-\x7e]+$"),
            default="frontline-taps",
            title="User agent",
            description="The `User-Agent` header of each request.",
        ),
    ]


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
        name: _read_variable(text, schema["properties"][name].get("type", ()))
        for name, text in found.items()
        if text is not None
    }


def unread_variables(settings: Iterable[str], prefix: str) -> Iterator[str]:
    """Say in a line that some of these settings are in the environment, where it was not asked for them."""
    names = [prefix + name.upper() for name in settings if prefix + name.upper() in os.environ]
    if names:
        yield f"The environment has {' and '.join(names)}: settings are read from there only with --config ENV"


def _read_variable(text: str, types: Sequence[str]) -> Any:
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


def lookback_setting(days: int = 14) -> th.Property[Any]:
    """Declare `lookback_days`, for a tap that has streams with `lookback`.

    Args:
        days: The default.
    """
    return th.Property(
        "lookback_days",
        th.NumberType(minimum=0, maximum=3650),
        default=days,
        title="Look-back",
        description="Days taken off the bookmark of streams whose API filters on creation but whose records are "
        "updated later.",
    )


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


def unknown_settings(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Say of each setting that no tap knows, in a line, which one may have been meant."""
    for name in sorted(set(config) - set(schema["properties"])):
        yield f"Setting '{name}' is unknown and has no effect{meant(name, schema['properties'])}"


def meant(name: str, names: Iterable[str]) -> str:
    """Ask whether one of these names was meant by another one, where that is likely, for the end of a message."""
    import difflib  # noqa: PLC0415 - hardly ever needed

    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def dates_without_records(config: Mapping[str, Any]) -> Iterator[str]:
    """Say in a line that nothing would be read: `start_date` is still to come, in any time zone, or after the end."""
    now = datetime.now(timezone.utc)
    start, end = config["start_date"], config.get("end_date")
    if parse_timestamp(start) > now + timedelta(days=1):
        clock = format_timestamp(now.replace(microsecond=0))
        yield f"Setting 'start_date' is \"{start}\", but it is {clock}; it must be in the past"
    if end is not None and parse_timestamp(end) <= parse_timestamp(start):
        yield f"Setting 'end_date' is \"{end}\", and 'start_date' is \"{start}\"; it must be later than that"


def batch_errors(config: Mapping[str, Any]) -> Iterator[str]:
    """Say in a line that batches do not go with what changes records: the SDK would write them unchanged."""
    changed_by = [name for name in ("stream_maps", "flattening_enabled") if config.get(name)]
    if config.get("batch_config") and changed_by:
        yield (
            f"Settings 'batch_config' and '{changed_by[0]}' do not go together: a batch file has the records as they "
            f"are without it; leave one of the two out"
        )


def setting_errors(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Check a configuration.

    Args:
        config: The settings, with the defaults filled in.
        schema: Their JSON Schema.

    Returns:
        A line for each bad setting: its name, what it is (never for a secret), and what is allowed.
    """
    validator = Draft202012Validator(schema, format_checker=_formats)
    found = sorted(validator.iter_errors(dict(config)), key=lambda error: list(map(str, error.absolute_path)))
    lines = [line for error in found for line in _describe(error, config, schema)]
    return list(dict.fromkeys(lines))


def missing_settings(
    provider: Provider, providers: Sequence[Provider], made: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[str]:
    """Say in a line of each setting that the provider needs, and that is not made, what it may be.

    Args:
        provider: The provider.
        providers: All of them, one of which may have been meant.
        made: The settings that are made, without defaults.
        schema: JSON Schema of all settings; those that it requires are not told of here.
    """
    for name in provider.missing(made):
        declared = schema["properties"][name]
        if name in schema.get("required", ()) or "default" in declared:
            continue
        if provider.name == GENERIC:
            meant = [(other.name, place.name) for other in providers for place in other.places if place.name in made]
            hint = "".join(f"; or set 'provider' to {other}, which has '{place}'" for other, place in meant[:1])
            yield f"Setting '{name}' is missing; it must be {_allowed(declared)}{hint}"
        else:
            examples = declared.get("examples")
            yield f"{provider.name} needs `{name}`" + (f", for example {examples[0]}" if examples else "")


def choice_errors(config: Mapping[str, Any], one_of: Sequence[str]) -> Iterator[str]:
    """Say in a line that of these settings not exactly one is made."""
    made = [name for name in one_of if name in config]
    if one_of and len(made) != 1:
        names = " and ".join(f"'{name}'" for name in one_of)
        found = "both are set" if made else "neither is set"
        yield f"Of the settings {names} exactly one must be made, but {found}"


def _describe(error: ValidationError, config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    if not error.absolute_path:
        # The library's own message would show the whole configuration, secrets and all.
        for name in schema.get("required", ()):
            if name not in config:
                yield f"Setting '{name}' is missing; it must be {_allowed(schema['properties'][name])}"
        return
    name = str(error.absolute_path[0])
    declared = schema["properties"].get(name, {})
    if declared.get("secret"):
        value = "empty" if config[name] == "" else "not usable (its value is not shown)"
    else:
        # An address may hold a password, even where it may not.
        value = re.sub(r"//[^/]*@", "//***@", json.dumps(config[name], default=str, ensure_ascii=False))
    yield f"Setting '{name}' is {value}; it must be {_allowed(declared)}"


def _allowed(declared: Mapping[str, Any]) -> str:
    """Put a setting's declaration into words, for example `a whole number from 1 to 100`."""
    names = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text"}
    types = [name for name in declared.get("type", ()) if name != "null"]
    words = " or ".join(names.get(name, name) for name in types) or "as documented"
    if "array" in types:
        words = f"a list, of which each is {_allowed(declared.get('items', {}))}"
    if declared.get("format") in _ALLOWED_FORMATS:
        words = _ALLOWED_FORMATS[declared["format"]]
    if declared.get("enum"):
        words = "one of " + ", ".join(map(json.dumps, declared["enum"]))
    if declared.get("minLength"):
        words = words.replace("text", "text that is not empty")
    if declared.get("pattern"):
        words += f" that matches {declared['pattern']}"
    if "minimum" in declared and "maximum" in declared:
        words += f" from {declared['minimum']} to {declared['maximum']}"
    elif "exclusiveMinimum" in declared and "maximum" in declared:
        words += f" above {declared['exclusiveMinimum']}, at most {declared['maximum']}"
    if declared.get("examples") and declared.get("format") != "date-time":
        words += f", for example {declared['examples'][0]}"
    return words
