"""What others rely on of the taps, a line each: streams with keys and cursors, fields with types, settings.

`.venv/bin/python tests/snapshots/catalogs.py` writes it anew into the files beside this one, one a tap.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from taps.contact_center.tap import TapContactCenter
from taps.engine.provider import GENERIC
from taps.engine.schemas import schema_directory
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.engine.tap import ApiTap

FOLDER = Path(__file__).parent
TAP_CLASSES: tuple[type[ApiTap], ...] = (TapHelpdesk, TapVoice, TapSalesEngagement, TapOncall, TapContactCenter)
UPDATE = ".venv/bin/python tests/snapshots/catalogs.py"

Promises = dict[str, str]
"""By what they are of (`field tickets.id`, `setting page_size`), what is promised (`integer`)."""


class Change(NamedTuple):
    """A difference to what was promised.

    Attributes:
        text: In a line.
        breaking: Whether it takes a major version.
    """

    text: str
    breaking: bool


def promises_of(tap_class: type[ApiTap]) -> Promises:
    """List what a tap promises, of all its providers."""
    made: Promises = {}
    for provider in tap_class.providers:
        of = "" if provider.name == GENERIC else f" of {provider.name}"
        for stream in tap_class.streams_for({"provider": provider.name}):
            keys = ", ".join(stream.primary_keys)
            parent: Any = stream.parent_stream_type
            made[f"stream {stream.name}{of}"] = "; ".join(
                filter(
                    None,
                    [
                        f"keys {keys}",
                        stream.replication_key and f"cursor {stream.replication_key}",
                        parent and f"below {parent.name}",
                    ],
                )
            )
            path = schema_directory(tap_class.name.removeprefix("tap-").replace("-", "_")) / f"{stream.name}.json"
            made.update(_fields(f"field {stream.name}.", json.loads(path.read_text(encoding="utf-8"))))
    # Together with the SDK's own, which it adds when it is asked to describe the tap.
    settings = deepcopy(tap_class.config_jsonschema)
    tap_class.append_builtin_config(settings)
    needed = settings.get("required", [])
    for name, declared in settings["properties"].items():
        default = f", by default {declared['default']!r}" if "default" in declared else ""
        made[f"setting {name}"] = f"{_kind(declared)}{default}{', needed' if name in needed else ''}"
    return made


def _fields(prefix: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, declared in schema.get("properties", {}).items():
        yield f"{prefix}{name}", _kind(declared)
        yield from _fields(f"{prefix}{name}.", declared)
        items = declared.get("items")
        if isinstance(items, dict) and items:
            yield f"{prefix}{name}[]", _kind(items)
            yield from _fields(f"{prefix}{name}[].", items)


def _kind(declared: Mapping[str, Any]) -> str:
    types = declared.get("type", "any")
    names = [types] if isinstance(types, str) else sorted(types, key=lambda name: (name == "null", name))
    form = f" ({declared['format']})" if "format" in declared else ""
    values = f" of {', '.join(map(str, declared['enum']))}" if "enum" in declared else ""
    return f"{' or '.join(names)}{form}{values}"


def changes(before: Promises, after: Promises) -> list[Change]:
    """Compare what was promised with what is.

    A new stream, field or optional setting breaks nothing, and neither does null where there was none, or no longer is:
    columns can hold it. All else does.
    """
    found = []
    for what in sorted({*before, *after}):
        old, new = before.get(what), after.get(what)
        if old is None and new is not None:
            found.append(Change(f"{what} is new: {new}", what.startswith("setting ") and new.endswith(", needed")))
        elif new is None:
            found.append(Change(f"{what} is gone; it was: {old}", breaking=True))
        elif old is not None and old != new:
            same = what.startswith("field ") and _without_null(old) == _without_null(new)
            found.append(Change(f"{what} was: {old}; it is: {new}", breaking=not same))
    return found


def _without_null(kind: str) -> str:
    return kind.replace(" or null", "")


def path_of(tap_class: type[ApiTap]) -> Path:
    """Tell where a tap's promises are kept."""
    return FOLDER / f"{tap_class.name}.txt"


def kept(tap_class: type[ApiTap]) -> Promises:
    """Read what is kept."""
    lines = path_of(tap_class).read_text(encoding="utf-8").splitlines()
    return {what: promise for what, _, promise in (line.partition(": ") for line in lines)}


def text_of(promises: Promises) -> str:
    """Write promises as they are kept."""
    return "".join(f"{what}: {promise}\n" for what, promise in sorted(promises.items()))


if __name__ == "__main__":
    for each in TAP_CLASSES:
        path_of(each).write_text(text_of(promises_of(each)), encoding="utf-8")
