"""Values that loaders lose, put into streams of all five APIs, so that a test can say what arrived."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import cycle
from typing import TYPE_CHECKING, Any

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.sandbox.server import Sandbox

#: Streams whose fields have, all together, each type that a schema of the API declares.
STREAMS = {
    "helpdesk": ("companies", "tickets", "skills", "groups", "surveys"),
    "voice": ("calls", "agents_activity", "phone_numbers", "greetings"),
    "sales_engagement": ("accounts", "purchases", "events", "templates", "users"),
    "oncall": ("alerts", "services"),
    "contact_center": ("agents_overview", "account_overview"),
}

TEXTS = (
    "",
    " ",
    "null",
    "NULL",
    r"\N",
    "\\",
    "\\.",
    'a "quoted" word',
    '"',
    "it's",
    "a,b;c|d",
    "two\nlines",
    "\r\nand\rmore\n",
    "\ttab\t",
    " blanks about ",
    "中文 łódź ñ é",
    "שלום مرحبا \u202egnp.exe",
    "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\u0001\u001f\u007f\u0085\u2028\ufeff",
    "007",
    "1e5",
    "true",
    "2024-01-31",
    "{}",
    '["a", {"b": 1}]',
    "%s %(x)s :y $1 {z} ${HOME}",
    "'; drop table tickets; --",
    "=1+1",
)
LONG = "ж\n" * 70_000
INTEGERS = (0, -1, 2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 2**20, -(2**63))  # the sandbox adds to some
NUMBERS = (
    Decimal("0.1"),
    Decimal("-0.000000000000000000000000000001"),
    Decimal("123456789012345678.123456789012345678"),
    Decimal("0.30000000000000004"),
    Decimal("1.50"),
    12,
    2**53 + 1,
    Decimal("1E+30"),
)
MOMENTS = (
    "2024-01-31T23:30:00.123456-02:30",
    "2024-02-29T00:00:00Z",
    "2024-03-31T02:30:00.5+05:45",
    "1969-12-31T23:59:59.999999Z",
    "9999-12-31T00:00:00Z",
    "2024-01-31T08:00:00+00:00",
)
OBJECTS: tuple[dict[str, Any], ...] = (
    {},
    {"a": None, "B": [], "c": {}, "d": ""},
    {"n": Decimal("123456789012345678.123456789012345678"), "i": 2**70, "f": Decimal("0.1"), "t": True, "s": "1"},
    {"deep": [{"er": [[1, "1", None, {"x": ['"', "\\", "'", "\n", "🙂"]}]]}]},
    {"a key with 'quotes', \"more\", 🙂 and \\": "{", "": "empty key", "order": 1, "Order": 2},
)
ITEMS = {
    "string": (["a", "", 'b"c', "d,e", "f\\g", "h\ni", "{j}", "NULL", "🙂"], [""], ["x", None]),
    "integer": ([1, 2**53 + 1, -(2**63), 2**63 - 1], [0], [1, None]),
    "object": ([{"a": Decimal("0.10")}, {}, {"b": [None, '"', "\\"]}], [{"c": "🙂"}]),
    "array": ([[1, 2], []], [[None]]),
}


def plant(sandbox: Sandbox) -> None:
    """Add records to some lists of the API: of each field's type, one value after the other."""
    world = getattr(sandbox, sandbox.api.name)
    for stream in STREAMS[sandbox.api.name]:
        path = ROOT / "schemas" / sandbox.api.name / f"{stream}.json"
        schema = json.loads(path.read_text(encoding="utf-8"))
        held = world.records(stream)
        (key,) = schema["required"]
        below = world.records("conversations") if stream == "tickets" else []
        world.put(stream, [*held, *records(schema["properties"], key, held[0])])
        for ticket in {record["ticket_id"] for record in below}:  # which went with the old list
            world.put_children("conversations", ticket, [each for each in below if each["ticket_id"] == ticket])


def records(declared: Mapping[str, Any], key: str, template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make records that have each value in each field that it fits; then one with the key alone, one all null."""
    stamps = {"updated_at", "updatedAt", "created_at", "createdAt"} & declared.keys()
    fields = {name: cycle(values_of(kinds)) for name, kinds in declared.items() if name not in {key, *stamps}}
    number = isinstance(template[key], int)
    made: list[dict[str, Any]] = [{name: next(values) for name, values in fields.items()} for _ in TEXTS]
    made[-1][next(name for name in fields if values_of(declared[name]) is TEXTS)] = LONG
    made += [{}, dict.fromkeys(fields)]
    for place, values in enumerate(made):
        changed = dict.fromkeys(stamps, f"2026-01-02T03:{place:02}:00Z")  # an API may page by them: all different
        yield {key: 7_000_000_000 + place if number else f"hard {place}", **changed, **values}


def values_of(declared: Mapping[str, Any]) -> tuple[Any, ...]:  # noqa: PLR0911 - one for each kind
    kinds = declared["type"] if isinstance(declared["type"], list) else [declared["type"]]
    if "properties" in declared:
        members = {name: cycle(values_of(member)) for name, member in declared["properties"].items()}
        return (*({name: next(values) for name, values in members.items()} for _ in range(5)), {}, None)
    if "object" in kinds:
        return (*OBJECTS, None)
    if "array" in kinds:
        items = declared.get("items", {})
        if "properties" in items:
            objects = values_of(items)
            return ([*objects], [objects[0]], [], None)
        kind = next((kind for kind in ITEMS if kind in items.get("type", ())), "object")
        return (*ITEMS[kind], [], None)
    if "string" in kinds:
        form = declared.get("format")
        if form == "date":
            return ("2024-02-29", "1969-12-31", None)
        return {"date-time": MOMENTS, "email": ("a@b.example", None), "uri": ("https://a.example/?q=%20", None)}.get(
            form or "", TEXTS
        )
    return {"integer": INTEGERS, "number": NUMBERS, "boolean": (True, False, None)}[kinds[0]]
