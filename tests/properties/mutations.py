"""Bodies, damaged: what a broken proxy, a new version of an API or a disk full of errors makes of an answer."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NASTY = [
    *("null", "true", "false", "0", "-1", "-0", "-0.0", "1.0", "1e2", "0.1", "12345678901234567890", "1e400", "1E-400"),
    *("9" * 400, "9" * 4300, "9" * 4301, "-" + "9" * 5000, "0." + "1" * 5000, "1e999999999", "1e-999999999"),
    *("1e999999999999999999", "1e9999999999999999999", "-1e-99999999999999999999", "18446744073709551616"),
    *('""', '"0"', '"12"', '"1.50"', '"true"', '"null"', '" 12"', '"1e5"', '"1e999999999"', '"NaN"', '"\\u0000"'),
    *(
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\u2028"',
        '"é😀"',
        '"a\\nb\\rc"',
        '"2024-01-01"',
        '"9999-12-31T23:59:59-14:00"',
    ),
    *('"0001-01-01T00:00:00+14:00"', '"2016-12-31T23:59:60Z"', '"2024-01-01T00:00:00.1234567891Z"', '"../x"'),
    *('"http://127.0.0.1:9/v1/x?page=2"', '"https://elsewhere.example.com/"', '"http://[broken"', '"/"', '"?"', '"#"'),
    *("[]", "{}", "[null]", "[[]]", "[{}]", '{"id":null}', '{"id":{}}', '{"data":[]}', '{"":0}', '{"a":1,"a":2}'),
    *("[" * 60 + "]" * 60, "[" * 900 + "]" * 900, '{"a":' * 990 + "1" + "}" * 990, "[" * 5000 + "]" * 5000),
    *(json.dumps("x" * 20_000), "[" + "1," * 2000 + "1]", "NaN", "-Infinity", "01", "1.", "'x'", "undefined", ""),
]


class _Members(list[tuple[str, Any]]):
    """An object as the pairs in its text, of which two may have one name."""


class _Text(str):
    """A value as it stands in the text."""

    __slots__ = ()


def mutated(body: bytes, seed: str) -> bytes:
    """Give a body with one to three damages, always the same for a seed."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        body = chance.choice(_DAMAGES)(body, chance)
    return body


def _within(body: bytes, chance: random.Random) -> tuple[int, int]:
    first = chance.randint(0, len(body))
    return first, min(len(body), first + chance.choice([1, 1, 2, 5, 40, 400]))


def _flip(body: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(chance.choice([1, 1, 2, 8]) if body else 0):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _cut_off(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randint(0, len(body))]


def _cut_out(body: bytes, chance: random.Random) -> bytes:
    first, end = _within(body, chance)
    return body[:first] + body[end:]


def _repeat(body: bytes, chance: random.Random) -> bytes:
    first, end = _within(body, chance)
    return body[:end] + body[first:end] + body[end:]


def _insert(body: bytes, chance: random.Random) -> bytes:
    place = chance.randint(0, len(body))
    piece = chance.choice([chance.randbytes(3), b"\xff", b"\xed\xa0\x80", b"\x00", b"\r\n", b",", b"}", b"]", b'"'])
    return body[:place] + piece + body[place:]


def _encode(body: bytes, chance: random.Random) -> bytes:
    text = body.decode("utf-8", "replace")
    encoding = chance.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7"])
    return text.encode(encoding, "replace")


def _structure(body: bytes, chance: random.Random) -> bytes:
    """Change the document: members go, come twice or change places, values become others."""
    try:
        document = json.loads(body, object_pairs_hook=_Members, parse_int=_Text, parse_float=_Text)
    except (ValueError, RecursionError):
        return _flip(body, chance)
    places: list[tuple[Any, int]] = []
    _find(document, places)
    if not places or chance.random() < 0.03:
        return chance.choice(_NASTY).encode()
    node, index = chance.choice(places)
    chance.choice(_CHANGES)(node, index, chance)
    try:
        return _written(document).encode("utf-8", "surrogatepass")
    except RecursionError:
        return body


def _find(node: Any, places: list[tuple[Any, int]]) -> None:
    """List all members and elements."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            places += [(node, index) for index in range(len(node))]
            waiting += [value for _, value in node] if isinstance(node, _Members) else node


def _value(node: Any, index: int) -> Any:
    return node[index][1] if isinstance(node, _Members) else node[index]


def _put(node: Any, index: int, value: Any) -> None:
    node[index] = (node[index][0], value) if isinstance(node, _Members) else value


def _delete(node: Any, index: int, _: random.Random) -> None:
    del node[index]


def _duplicate(node: Any, index: int, chance: random.Random) -> None:
    node.insert(index, node[index])
    if chance.random() < 0.7:
        _replace(node, index, chance)


def _replace(node: Any, index: int, chance: random.Random) -> None:
    _put(node, index, _Text(chance.choice(_NASTY)))


def _swap(node: Any, index: int, chance: random.Random) -> None:
    other = chance.randrange(len(node))
    one, two = _value(node, index), _value(node, other)
    _put(node, index, two)
    _put(node, other, one)


def _wrap(node: Any, index: int, chance: random.Random) -> None:
    value = _value(node, index)
    _put(node, index, [value] if chance.random() < 0.5 else _Members([("value", value)]))


def _as_text(node: Any, index: int, _: random.Random) -> None:
    value = _value(node, index)
    if not isinstance(value, list):
        _put(node, index, str(value) if isinstance(value, _Text) else _Text(value if isinstance(value, str) else "1"))


def _rename(node: Any, index: int, chance: random.Random) -> None:
    if isinstance(node, _Members):
        name, value = node[index]
        node[index] = (chance.choice([name.upper(), f"{name}.x", "", "id", 'a"b', "\ud800"]), value)


def _written(node: Any) -> str:
    if isinstance(node, _Text):
        return str(node)
    if isinstance(node, _Members):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(value)}" for name, value in node) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_written, node)) + "]"
    return json.dumps(node)


_CHANGES: list[Callable[[Any, int, random.Random], None]] = [
    *([_replace] * 6),
    _delete,
    _duplicate,
    _swap,
    _wrap,
    _as_text,
    _rename,
]
_DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    *([_structure] * 12),
    _flip,
    _flip,
    _cut_off,
    _cut_out,
    _repeat,
    _insert,
    _encode,
]
