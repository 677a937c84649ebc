"""`singer_source`: a dlt source with a resource for each stream of any Singer tap."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import shlex
import sys
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dlt
from singer_sdk import Tap

from taps.bridge.columns import columns_of
from taps.bridge.errors import DiscoveryError, NameCollisionError, TapConfigError, TapNotFoundError, UnknownStreamError
from taps.bridge.hub import STREAM_HINT, Handed, Limits, RowForm, read_tap
from taps.bridge.inprocess import InProcess
from taps.bridge.process import AsProcess
from taps.engine.tap import ApiTap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dlt.common.normalizers.naming import NamingConvention
    from dlt.common.schema.typing import TWriteDispositionConfig
    from dlt.extract import DltResource, DltSource

    from taps.bridge.catalog import StreamEntry
    from taps.bridge.running import Runner

__all__ = ["singer_source"]

_GROUP = "frontline_taps"
_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_INTERPRETER = re.compile(r"(python|node|ruby|bash|sh)[\d.]*")
_HUB = "singer_tap"
_PYTHON_TYPES = {"integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def singer_source(
    tap: str | Sequence[str] | type[Tap],
    config: Mapping[str, Any] = dlt.secrets.value,
    *,
    streams: Iterable[str] | None = None,
    catalog: Mapping[str, Any] | str | Path | None = None,
    name: str | None = None,
    write_disposition: TWriteDispositionConfig | Mapping[str, TWriteDispositionConfig] | None = None,
    primary_key: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    nested: Literal["json", "tables"] = "json",
    arrow: bool | None = None,
    max_records: int | None = None,
    max_seconds: float | None = None,
    env: Mapping[str, str] | None = None,
    discovery_timeout: float = 300,
    catalog_option: str = "--catalog",
) -> DltSource:
    """Make a dlt source of a Singer tap.

    Each stream is a resource. An incremental one is merged by its key, or appended where it has none; one that is read
    in full replaces its table, if the tap proved that it gave everything. Bookmarks are in the state of the resources.

    Args:
        tap: The tap: a name such as `tap-helpdesk` or a class of this package, `module:Class` of any tap of the Singer
            SDK, or the executable of any tap with its arguments, as one string or as a list.
        config: The tap's settings. Without it, dlt looks for `sources.<name>.config` in its secrets, with `name` as
            below. In environment variables that is `SOURCES__<NAME>__CONFIG` with all of them as JSON; a tap that is
            named by its name or class also takes them one by one, as `SOURCES__<NAME>__CONFIG__<SETTING>`.
        streams: The streams to make resources of; all that the catalog does not deselect, where none are named.
        catalog: A Singer catalog, or the path of a file with one; by default the tap is asked for it.
        name: Name of the source, and of the section of its settings; by default the tap's, such as `tap_helpdesk`.
        write_disposition: For all streams, or by stream. A dictionary with `disposition` in it is one for all.
        primary_key: For all streams, or by stream.
        nested: What becomes of objects and arrays: columns of JSON, or columns and child tables as dlt makes them.
        arrow: Whether rows are handed over as Arrow tables, past dlt's row-by-row normaliser, which is several times
            faster; by default unless `nested` is `tables`. Without it rows have `_dlt_id` and `_dlt_load_id`, and
            functions given to `add_map` or `add_filter` get dictionaries.
        max_records: Of incremental streams, stop at the next state after as many records.
        max_seconds: Of incremental streams, stop at the next state after as many seconds.
        env: Environment variables for a tap that runs as a process, beside those of this process.
        discovery_timeout: Seconds in which a tap that runs as a process must list its streams.
        catalog_option: How such a tap calls the option that takes a catalog; old ones call it `--properties`.

    Raises:
        BridgeError: The tap is not there or cannot be asked, or does not have what is asked for.
        ConfigFieldMissingException: No settings are given, and dlt has none for this source.
    """
    if nested not in {"json", "tables"}:
        raise TapConfigError(f"nested is {nested!r}; it must be 'json' or 'tables'")
    if arrow and nested == "tables":
        raise TapConfigError("arrow=True does not go with nested='tables': dlt unnests dictionaries, not Arrow tables")
    for limit_name, limit in (("max_records", max_records), ("max_seconds", max_seconds)):
        if limit is not None and limit <= 0:
            raise TapConfigError(f"{limit_name} is {limit}; it must be greater than 0")
    make, tap_name, declared = _runner_of(tap, env, discovery_timeout, catalog_option)
    source_name = name or re.sub(r"\W+", "_", tap_name)
    if not source_name.isidentifier():
        raise TapConfigError(f"name is {source_name!r}; it must be usable as a name in Python, such as 'helpdesk'")
    options = {
        "make": make,
        "streams": None if streams is None else list(streams),
        "catalog": catalog,
        "write_disposition": write_disposition,
        "primary_key": primary_key,
        "rows": RowForm(arrow=nested == "json" if arrow is None else arrow, nested=nested == "tables"),
        "limits": Limits(max_records, max_seconds),
    }
    factory = _source.clone(name=source_name, section=source_name)
    given = _from_dlt(declared, source_name) if config is dlt.secrets.value else dict(config)
    # Without any settings dlt looks for them itself, and says where it did.
    return factory(options) if given is None else factory(options, given)


@dlt.source
def _source(options: dict[str, Any], config: dict[str, Any] = dlt.secrets.value) -> Iterator[DltResource]:
    runner: Runner = options["make"](config)
    entries = _catalog(runner, options["catalog"])
    wanted = _wanted(runner, entries, options["streams"])
    naming = dlt.current.source_schema().naming
    _check_names(runner, wanted, naming)

    assumed = {entry.name for entry in wanted if _disposition(options, entry) is None}

    @dlt.resource(name=_HUB, selected=False)
    def hub() -> Iterator[Handed | None]:
        yield from read_tap(runner, entries, options["limits"], options["rows"], assumed=assumed)

    for entry in wanted:
        yield _resource(entry, hub, options)


def _resource(entry: StreamEntry, hub: DltResource, options: Mapping[str, Any]) -> DltResource:
    keys = _of_stream(options["primary_key"], entry.name, lambda value: isinstance(value, dict))
    keys = list(entry.keys) if keys is None else [keys] if isinstance(keys, str) else list(keys)
    disposition = _disposition(options, entry)
    if disposition is None:
        disposition = "replace" if not entry.incremental else "merge" if keys else "append"

    def pick(handed: Handed) -> Any:
        return handed.take(entry.name)

    resource = dlt.transformer(
        pick,
        data_from=hub,
        name=entry.name,
        primary_key=keys,
        write_disposition=disposition,
        columns=columns_of(
            entry.schema,
            keys,
            # It decides between two versions of a row, which only a merge does.
            replication_key=entry.replication_key if disposition == "merge" else None,
            nested=options["rows"].nested,
        ),
    )
    hints: dict[str, Any] = {STREAM_HINT: entry.name}
    if entry.description:
        hints["description"] = entry.description
    resource.apply_hints(additional_table_hints=hints)
    return resource


def _disposition(options: Mapping[str, Any], entry: StreamEntry) -> Any:
    """Give the write disposition that the user chose for a stream; `None` where there is none."""
    return _of_stream(
        options["write_disposition"],
        entry.name,
        lambda value: isinstance(value, dict) and "disposition" not in value,
    )


def _of_stream(given: Any, stream: str, by_stream: Callable[[Any], bool]) -> Any:
    return given.get(stream) if by_stream(given) else given


def _from_dlt(declared: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Find settings that are in dlt's secrets one by one, as in environment variables, beside those in a table."""
    section = f"sources.{name}.config"
    single: dict[str, Any] = {
        setting: dlt.secrets.get(f"{section}.{setting}", _PYTHON_TYPES.get(_type(schema), str))
        for setting, schema in declared.items()
    }
    found = {setting: value for setting, value in single.items() if value is not None}
    table = dlt.secrets.get(section, dict) or {}
    if not found:
        return None
    # All of them in one variable come before those in a file, and these come after one in a variable of its own.
    return {**found, **table} if section.upper().replace(".", "__") in os.environ else {**table, **found}


def _type(schema: Mapping[str, Any]) -> str:
    said = schema.get("type")
    types = [said] if isinstance(said, str) else [name for name in said or () if name != "null"]
    return types[0] if len(types) == 1 else "string"


def _runner_of(
    tap: str | Sequence[str] | type[Tap],
    env: Mapping[str, str] | None,
    discovery_timeout: float,
    catalog_option: str,
) -> tuple[Callable[[Mapping[str, Any]], Runner], str, Mapping[str, Any]]:
    """Tell how a tap is run, given its settings; what it is called; and which settings it declares, if it does."""
    if isinstance(tap, str) and (ours := entry_points(group=_GROUP, name=tap.strip())):
        tap = next(iter(ours)).load()
    elif isinstance(tap, str) and _CLASS.fullmatch(tap.strip()):
        tap = _class_of(tap.strip())
    if inspect.isclass(tap):
        if not issubclass(tap, Tap):
            raise TapNotFoundError(f"{tap.__module__}:{tap.__qualname__} is no tap of the Singer SDK")
        declared = tap.config_jsonschema.get("properties", {})
        if issubclass(tap, ApiTap):
            return partial(InProcess, tap), tap.name, declared
        command = [sys.executable, "-m", "taps.bridge.shim", f"{tap.__module__}:{tap.__qualname__}"]
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        make = partial(
            AsProcess,
            tap.name,
            command,
            env={**paths, **(env or {})},
            proves_end=True,
            discovery_timeout=discovery_timeout,
        )
        return make, tap.name, declared
    command = shlex.split(tap) if isinstance(tap, str) else [str(part) for part in tap]
    if not command:
        raise TapNotFoundError("tap is empty; give the name, the class or the executable of a tap")
    # An interpreter's name says nothing of the tap; its script's does.
    script = len(command) > 1 and _INTERPRETER.fullmatch(Path(command[0]).name)
    called = Path(command[1]).stem if script else Path(command[0]).name
    make = partial(
        AsProcess,
        called,
        command,
        env=env,
        discovery_timeout=discovery_timeout,
        catalog_option=catalog_option,
    )
    return make, called, {}


def _class_of(reference: str) -> type[Tap]:
    module, _, name = reference.partition(":")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        raise TapNotFoundError(f"There is no tap '{reference}': there is no module '{error.name}'") from None
    except AttributeError:
        raise TapNotFoundError(f"There is no tap '{reference}': the module has no class '{name}'") from None


def _catalog(runner: Runner, given: Mapping[str, Any] | str | Path | None) -> Sequence[StreamEntry]:
    if given is None:
        return runner.discover()
    what = "catalog"
    try:
        if isinstance(given, str | Path):
            what = f"catalog file {given}"
            given = json.loads(Path(given).read_text(encoding="utf-8"))
        return runner.read_catalog(given)
    except (OSError, ValueError, DiscoveryError) as error:
        raise TapConfigError(f"The {what} cannot be used: {error}") from None


def _wanted(runner: Runner, entries: Sequence[StreamEntry], streams: Sequence[str] | None) -> list[StreamEntry]:
    if streams is None:
        return [entry for entry in entries if not entry.deselected]
    known = {entry.name: entry for entry in entries}
    for name in streams:
        if name not in known:
            raise UnknownStreamError(f"{runner.name} has no stream '{name}'; it has {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(streams)]


def _check_names(runner: Runner, entries: Iterable[StreamEntry], naming: NamingConvention) -> None:
    """Refuse names that become one in the destination, where the values of one would take the other's place."""
    tables: dict[str, str] = {}
    for entry in entries:
        table = naming.normalize_table_identifier(entry.name)
        if (other := tables.setdefault(table, entry.name)) != entry.name:
            raise NameCollisionError(
                f"{runner.name}: the streams '{other}' and '{entry.name}' would both be the table '{table}'. Make two "
                f"sources of them, with streams=[…] and another name each"
            )
        columns: dict[str, str] = {}
        for field in entry.schema.get("properties", {}):
            column = naming.normalize_path(field)
            if (other := columns.setdefault(column, field)) != field:
                raise NameCollisionError(
                    f"{runner.name}: the fields '{other}' and '{field}' of '{entry.name}' would both be the "
                    f"column '{column}'. Deselect one of them in a catalog, or use a naming convention that keeps "
                    f"them apart (SCHEMA__NAMING=direct)"
                )
