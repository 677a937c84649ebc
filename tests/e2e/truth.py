"""What a tap says, held against what the sandbox has; a destination's rows are then held against that."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import simplejson
from compared import key_of, same_value, schema_of
from loaders import Loader, differences

from support import config_for, sync

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox
    from taps_under_test import TapUnderTest


class Truth:
    """What the tap says now, by stream, after it has been held against what the sandbox has."""

    def __init__(self, tap: TapUnderTest, sandbox: Sandbox, folder: Path) -> None:
        settings = {"token_cache_path": str(folder / "tokens-of-truth.json")} if tap.api == "sales_engagement" else {}
        output = sync(tap.tap_class, config_for(sandbox, **settings))
        assert output.exit_code == 0, output.log
        self.records = {stream.name: output.records(stream.name) for stream in tap.streams}
        world = getattr(sandbox, tap.api)
        for stream in tap.streams:
            fields = schema_of(tap, stream)["properties"]
            text = simplejson.dumps(world.records(stream.name), use_decimal=True)
            held = {key_of(stream, record): record for record in json.loads(text, parse_float=Decimal)}
            for record in self.records[stream.name]:
                other = held.pop(key_of(stream, record))
                for name, declared in fields.items():
                    if name != stream.snapshot_field:
                        assert same_value(record.get(name), other.get(name), declared), (stream.name, name)
            assert not held


def compare(tap: TapUnderTest, loader: Loader, truth: Truth, syncs: int) -> list[str]:
    lines: list[str] = []
    for stream in tap.streams:
        fields = schema_of(tap, stream)["properties"]
        lines += differences(loader, stream, fields, truth.records[stream.name], syncs)
    return lines
