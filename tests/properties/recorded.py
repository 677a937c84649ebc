"""A body of each stream, as the sandbox gives it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from wire import BASE_URL, TAPS

from support import config_for, sync
from taps.engine.reader import PageReader
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taps.engine.page import Content
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

_ENOUGH = 2  # records on a page
_OPTIONS: dict[str, dict[str, Any]] = {"voice": {"export_page": 7}}  # or else its pages are the longest by far


class Body(NamedTuple):
    """What a stream was given."""

    tap_class: type[ApiTap]
    stream: type[ApiStream]
    text: bytes
    parent: tuple[tuple[str, Any], ...]

    @property
    def kind(self) -> str:
        """What a reader sees of the stream: how it is paged, where its records are, and what is done with them."""
        declared = self.stream
        pagination = type(declared.pagination).__name__
        traits = {
            "flattened": declared.resource_objects,
            "lone": declared.lone_object,
            "nested": declared.enclosing_ids,
            "copied": declared.copied_fields,
            "snapshot": declared.snapshot_field,
            "incremental": declared.replication_key,
            "child": declared.parent_stream_type,
            "one": not declared.records_jsonpath.endswith("[*]"),
        }
        return " ".join([self.api, pagination, *(name for name, has in traits.items() if has)])

    @property
    def api(self) -> str:
        """Give the API's name; each has an envelope of its own."""
        return next(api for api, tap_class in TAPS.items() if tap_class is self.tap_class)


@cache
def bodies() -> Mapping[str, list[Body]]:
    """Sync every tap once; give a page with records of each stream, by kind.

    Streams are of one kind where the same code reads them by the same declarations, apart from their schemas.
    """
    kinds: dict[str, list[Body]] = {}
    for api, tap_class in TAPS.items():
        for body in _recorded(api, tap_class):
            kinds.setdefault(body.kind, []).append(body)
    return kinds


def _recorded(api: str, tap_class: type[ApiTap]) -> list[Body]:
    found: dict[str, tuple[int, Body]] = {}
    rows = PageReader.rows

    def record(self: PageReader, text: bytes, parent: Mapping[str, Any]) -> Content:
        content = rows(self, text, parent)
        name, count = self._instance.name, min(len(content.records), _ENOUGH)
        if count > found.get(name, (0,))[0]:
            clean = text.replace(sandbox.base_url.encode(), BASE_URL.encode())
            found[name] = count, Body(tap_class, self._stream, clean, tuple(parent.items()))
        return content

    with (
        Sandbox(api=api, size=60, seed=3, page_cap=3, **_OPTIONS.get(api, {})) as sandbox,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(PageReader, "rows", record)
        output = sync(tap_class, config_for(sandbox), streams=[stream.name for stream in tap_class.stream_types])
    assert not output.exit_code, output.errors
    missing = {stream.name for stream in tap_class.stream_types} - found.keys()
    assert not missing, f"no page with records was seen of {missing}"
    return [body for _, body in found.values()]
