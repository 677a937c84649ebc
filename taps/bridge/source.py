"""`singer_source`: a dlt source with a resource for each stream of any Singer tap."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dlt

from taps.bridge.columns import columns_of
from taps.bridge.configuration import settings_from_dlt
from taps.bridge.errors import DiscoveryError, NameCollisionError, TapConfigError, UnknownStreamError
from taps.bridge.finding import find_tap
from taps.bridge.hub import STREAM_HINT, Handed, Limits, RowForm, read_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dlt.common.normalizers.naming import NamingConvention
    from dlt.common.schema.typing import TWriteDispositionConfig
    from dlt.extract import DltResource, DltSource
    from singer_sdk import Tap

    from taps.bridge.catalog import StreamEntry
    from taps.bridge.running import Runner

__all__ = ["singer_source"]

_HUB = "singer_tap"
_DISPOSITIONS = ("append", "merge", "replace", "skip")


def singer_source(
    tap: str | Sequence[str] | type[Tap],
    config: Mapping[str, Any] | None = dlt.secrets.value,
    *,
    streams: str | Iterable[str] | None = None,
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
    make, tap_name, declared = find_tap(tap, env, discovery_timeout, catalog_option)
    source_name = name or re.sub(r"\W+", "_", tap_name)
    if not source_name.isidentifier():
        raise TapConfigError(f"name is {source_name!r}; it must be usable as a name in Python, such as 'helpdesk'")
    options = {
        "make": make,
        "streams": [streams] if isinstance(streams, str) else None if streams is None else list(streams),
        "catalog": catalog,
        "write_disposition": write_disposition,
        "primary_key": primary_key,
        "rows": RowForm(arrow=nested == "json" if arrow is None else arrow, nested=nested == "tables"),
        "limits": Limits(max_records, max_seconds),
    }
    factory = _source.clone(name=source_name, section=source_name)
    looked_up = config is None or config is dlt.secrets.value
    given = settings_from_dlt(declared, source_name) if looked_up else dict(config or {})
    # Without any settings dlt looks for them itself, and says where it did.
    return factory(options) if given is None else factory(options, given)


@dlt.source
def _source(options: dict[str, Any], config: dict[str, Any] = dlt.secrets.value) -> Iterator[DltResource]:
    runner: Runner = options["make"](config)
    entries = _catalog(runner, options["catalog"])
    wanted = _wanted(runner, entries, options["streams"])
    _check_named(runner, entries, options)
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
    for key in keys:
        if key not in entry.schema.get("properties", {}):
            raise TapConfigError(f"The key '{key}' of stream '{entry.name}' is no field of it")
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
    if streams is not None and not streams:
        raise TapConfigError("streams is empty; name a stream, or leave it out for all of them")
    if streams is None:
        return [entry for entry in entries if not entry.deselected]
    known = {entry.name: entry for entry in entries}
    for name in streams:
        if name not in known:
            raise UnknownStreamError(f"{runner.name} has no stream '{name}'; it has {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(streams)]


def _check_named(runner: Runner, entries: Sequence[StreamEntry], options: Mapping[str, Any]) -> None:
    """Refuse options for streams and fields that there are not, and dispositions that dlt does not know."""
    known = {entry.name: entry for entry in entries}
    for option in ("write_disposition", "primary_key"):
        given = options[option]
        if isinstance(given, dict) and "disposition" not in given:
            for name in given.keys() - known:
                raise UnknownStreamError(
                    f"{option}: {runner.name} has no stream '{name}'; it has {', '.join(sorted(known))}"
                )
    for entry in entries:
        disposition = _disposition(options, entry)
        kind = disposition.get("disposition") if isinstance(disposition, dict) else disposition
        if kind is not None and kind not in _DISPOSITIONS:
            raise TapConfigError(
                f"write_disposition of '{entry.name}' is {kind!r}; it must be {', '.join(_DISPOSITIONS)}"
            )
        if isinstance(disposition, dict) and disposition.get("strategy") == "scd2" and options["rows"].arrow:
            raise TapConfigError(f"write_disposition of '{entry.name}' is scd2, which needs arrow=False")


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
