"""What to say of settings that cannot be used."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

from taps.engine.provider import GENERIC
from taps.engine.timestamps import format_timestamp, parse_timestamp
from taps.engine.wording import meant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema import ValidationError

    from taps.engine.provider import Provider

__all__ = [
    "batch_errors",
    "choice_errors",
    "dates_without_records",
    "missing_settings",
    "setting_errors",
    "unknown_settings",
]

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


def unknown_settings(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Say of each setting that no tap knows, in a line, which one may have been meant."""
    for name in sorted(set(config) - set(schema["properties"])):
        yield f"Setting '{name}' is unknown and has no effect{meant(name, schema['properties'])}"


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
    """Say in a line that batches do not go with what changes records, or that Parquet's package is missing.

    The SDK would write the records unchanged, with what is to be masked.
    """
    encoding = (config.get("batch_config") or {}).get("encoding") or {}
    if encoding.get("format") == "parquet" and find_spec("pyarrow") is None:
        yield (
            "Setting 'batch_config' asks for Parquet, which needs pyarrow; install it with: "
            "pip install 'frontline-taps[parquet]'"
        )
    size = (config.get("batch_config") or {}).get("batch_size")
    if isinstance(size, int) and size < 1:
        yield f"Setting 'batch_config' has the batch_size {size}; it must be 1 or more"
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
