"""How a table that is read in full takes the place of the one before, so that a killed load leaves no row twice.

dlt empties such a table once, when it begins to load, and then inserts file after file. A process that is killed when a
file is in the table and dlt has not noted it yet inserts that file again. So where the stream has a key and the
destination can merge, the table is emptied in the same way, and its rows are merged by their key: to do that twice
changes nothing. Everywhere else dlt's own way is left as it is.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.pipeline import PipelineContext
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dlt.extract.resource import DltResource

__all__ = ["empty_when_loading", "merging_instead", "replaces"]

_STRATEGY = "delete-insert"  # what dlt merges by unless told otherwise
_DLTS_OWN = "truncate-and-insert"


def replaces(resource: DltResource) -> bool:
    """Tell whether a resource's table is replaced by each load."""
    disposition = resource.write_disposition
    return (disposition.get("disposition") if isinstance(disposition, dict) else disposition) == "replace"


@contextmanager
def merging_instead(resources: Iterable[DltResource]) -> Iterator[list[DltResource]]:
    """Have resources merged that would be replaced, for as long as they are extracted; they still say `replace` after.

    Args:
        resources: Resources with a key that are replaced.

    Yields:
        Those for which it can be done. `empty_when_loading` has to be called for each of them.
    """
    if not (_is_to_be_loaded() and _destination_merges()):
        yield []
        return
    merged = {resource.name: (resource, resource.write_disposition) for resource in resources}
    for resource, _ in merged.values():
        resource.apply_hints(write_disposition="merge")
    try:
        yield [resource for resource, _ in merged.values()]
    finally:
        for resource, disposition in merged.values():
            resource.apply_hints(write_disposition=disposition)


def empty_when_loading(resources: Sequence[DltResource]) -> None:
    """Have the tables of resources emptied when what is extracted now begins to be loaded.

    dlt does so for `refresh="drop_data"`; the load package says which tables.
    """
    if not resources:
        return
    schema = dlt.current.source_schema()
    state: dict[str, Any] = dlt.current.load_package_state()["state"]  # type: ignore[assignment]
    emptied = state.setdefault("truncated_tables", [])
    for resource in resources:
        name = schema.naming.normalize_table_identifier(str(resource.compute_table_schema()["name"]))
        if name in schema.tables and all(table["name"] != name for table in emptied):
            emptied.append(schema.tables[name])


def _is_to_be_loaded() -> bool:
    try:
        return bool(dlt.current.load_package_state())
    except CurrentLoadPackageStateNotAvailable:  # somebody only iterates over the source
        return False


def _destination_merges() -> bool:
    context = Container()[PipelineContext]
    if not context.is_active() or (destination := context.pipeline().destination) is None:
        return False
    sections = (f"destination.{destination.destination_name}", "destination")
    chosen: list[str | None] = [dlt.config.get(f"{section}.replace_strategy", str) for section in sections]
    strategies = destination.capabilities().supported_merge_strategies or ()
    return set(chosen) <= {None, _DLTS_OWN} and _STRATEGY in strategies
