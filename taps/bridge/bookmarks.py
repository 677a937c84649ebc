"""A tap's state, kept where dlt keeps what belongs to a resource.

A Singer tap has one state for all of its streams. dlt has one for each resource, which goes with the load package,
comes back from the destination on a new machine, and is dropped with the resource. So the bookmark of each stream lies
in the state of its resource, under `bookmark`. What belongs to no stream lies in the state of the source, under
`singer_state`.

A stream's `bookmark` is there, be it null, once a load had its rows. That matters to what has no bookmark of its own:
a child stream whose rows are covered by its parent's, and a tap that keeps its state in a form of its own.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import dlt

from taps.bridge.errors import TapConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dlt.extract import DltSource

__all__ = ["Bookmarks", "keep_stop", "more_to_read", "without_progress"]

_BOOKMARK = "bookmark"
_REST = "singer_state"
_STOPPED = "stopped_at_limit"
_OWN = "streams_at_the_top"  # whose entries are not below `bookmarks`
_TRANSIENT = {"progress_markers", "starting_replication_value", "replication_key_signpost", "currently_syncing"}


class Bookmarks:
    """The bookmarks of a tap's streams in the state of the dlt source that is being extracted.

    Args:
        resources: The resource's name for each stream of the tap.
        selected: The streams that are read.
        replaced: Those of them that are read in full each time, so that nothing is kept of them.
    """

    def __init__(self, resources: Mapping[str, str], selected: Collection[str], replaced: Collection[str] = ()) -> None:
        self._resources = resources
        self._selected = [name for name in resources if name in selected]
        self._replaced = set(replaced)

    def loaded(self, stream: str) -> bool:
        """Tell whether an earlier load had this stream's rows."""
        return _BOOKMARK in _kept().get(self._resources[stream], {})

    def state(self) -> dict[str, Any]:
        """Put together what the tap is to begin from."""
        kept = _kept()
        entries = {
            stream: copy.deepcopy(kept[resource][_BOOKMARK])
            for stream, resource in self._resources.items()
            if stream not in self._replaced and kept.get(resource, {}).get(_BOOKMARK) is not None
        }
        rest = copy.deepcopy(dlt.current.source_state().get(_REST, {}))
        own = set(rest.pop(_OWN, ()))
        if not all(self.loaded(stream) for stream in self._selected if stream not in self._replaced):
            # What belongs to no stream may say of any that it is done; but one is new, or was dropped.
            rest = {}
        below = {name: entry for name, entry in entries.items() if name not in own}
        if below:
            others = rest.get("bookmarks")
            rest["bookmarks"] = {**others, **below} if isinstance(others, dict) else below
        return {**rest, **{name: entry for name, entry in entries.items() if name in own}}

    def keep(self, state: Mapping[str, Any]) -> None:
        """Take a state for that from which the next load begins. All rows before it must have been handed over.

        Args:
            state: The value of a STATE message.
        """
        rest = copy.deepcopy(dict(state))
        rest.pop("currently_syncing", None)  # it lets a tap begin in the middle of its streams, which saves nothing
        bookmarks = rest.pop("bookmarks") if isinstance(rest.get("bookmarks"), dict) else {}
        # What a tap has in both places is the stream's below `bookmarks`, and of no stream at the top.
        own = [name for name in rest if name in self._resources and (name not in bookmarks or name in self._replaced)]
        bookmarks.update({name: rest.pop(name) for name in own})
        for stream, resource in self._resources.items():
            entry = bookmarks.pop(stream, None)
            if stream not in self._replaced and (entry is not None or stream in self._selected):
                dlt.current.resource_state(resource)[_BOOKMARK] = entry
        if isinstance(state.get("bookmarks"), dict):
            rest["bookmarks"] = bookmarks
        if own:
            rest[_OWN] = own
        if rest or _REST in dlt.current.source_state():
            dlt.current.source_state()[_REST] = rest


def keep_stop(hub: str, *, stopped: bool) -> None:
    """Keep whether a limit ended this run, so that the next one has more to read.

    Args:
        hub: Name of the resource that ran the tap.
        stopped: Whether a limit ended it.
    """
    dlt.current.source_state().setdefault(_STOPPED, {})[hub] = stopped


def more_to_read(pipeline: dlt.Pipeline, source: DltSource | str) -> bool:
    """Tell whether the last run of a source was ended by `max_records` or `max_seconds`, so that more is to be read.

    Args:
        pipeline: The pipeline that ran it.
        source: The source, or its name.

    Raises:
        TapConfigError: The pipeline has never run it.
    """
    name = source if isinstance(source, str) else source.name
    sources = pipeline.state.get("sources", {})
    if name not in sources:
        raise TapConfigError(f"The pipeline '{pipeline.pipeline_name}' has run no source '{name}', but {list(sources)}")
    return any(sources[name].get(_STOPPED, {}).values())


def without_progress(state: Any) -> Any:
    """Leave out of a state what does not save a later run any work: two that are equal then are equally far."""
    if isinstance(state, dict):
        return {name: without_progress(value) for name, value in state.items() if name not in _TRANSIENT}
    return state


def _kept() -> dict[str, Any]:
    resources: dict[str, Any] = dlt.current.source_state().get("resources", {})
    return resources
