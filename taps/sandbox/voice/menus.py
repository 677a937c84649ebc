"""Interactive voice responses: the menus that callers hear, and where their keys lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.seeded import generator
from taps.sandbox.voice import shape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from taps.sandbox.rows import Record

_KEYS = "1234567890"
_MENUS_AN_IVR = 3


def ivrs(size: shape.Size) -> list[Record]:
    """Make the interactive voice responses with their menus and the menus' routes inside.

    Args:
        size: The call centre's size.

    Returns:
        The records; one has no menus, and one null in their place.
    """
    return [_ivr(size, at) for at in range(size.ivrs)]


def menus_in(records: Iterable[Record]) -> list[Record]:
    """Take the menus out.

    Args:
        records: Interactive voice responses.

    Returns:
        The menus, each with `ivr_id`.
    """
    return [{**menu, "ivr_id": ivr.get("id")} for ivr in records for menu in ivr.get("menus") or ()]


def routes_in(records: Iterable[Record]) -> list[Record]:
    """Take the menus' routes out.

    Args:
        records: Interactive voice responses.

    Returns:
        The routes, each with `ivr_id` and `ivr_menu_id`.
    """
    return [
        {**route, "ivr_id": menu["ivr_id"], "ivr_menu_id": menu.get("id")}
        for menu in menus_in(records)
        for route in menu.get("routes") or ()
    ]


def _ivr(size: shape.Size, at: int) -> Record:
    rng = generator(size.seed, at, 61)
    count = (2, 1, 3, 0, 1, 2)[at] if at < size.ivrs - 1 else None
    numbers = shape.some(rng, range(size.numbers), 2)
    return {
        "id": shape.made_id("ivr", at),
        "name": ("Main", "Zentrale außer Haus", "夜間", "Empty", "Partners & resellers", "الرئيسية", "Draft")[at],
        "menus": None if count is None else [_menu(rng, at * _MENUS_AN_IVR + menu) for menu in range(count)],
        "phone_number_ids": [shape.made_id("number", number) for number in numbers],
        "phone_number_names": [f"Line {number}" for number in numbers],
    }


def _menu(rng: Random, at: int) -> dict[str, Any]:
    keys = rng.sample(_KEYS, 10 if not at else rng.randrange(6))
    return {
        "id": shape.made_id("menu", at),
        "name": "Main menu" if not at % _MENUS_AN_IVR else f"Menü {at}",
        "default": not at % _MENUS_AN_IVR,
        "greeting_id": rng.choice((None, shape.made_id("greeting", at % 8))),
        "routes": [_route(rng, at, at * len(_KEYS) + place, key) for place, key in enumerate(keys)],
    }


def _route(rng: Random, menu: int, at: int, key: str) -> dict[str, Any]:
    action = rng.choice(("menu", "group", "voicemail", "phone_number"))
    choices: dict[str, dict[str, Any]] = {
        "menu": {"menu_id": shape.made_id("menu", menu)},
        "group": {"group_ids": [shape.made_id("group", group) for group in shape.some(rng, range(6), 3)]},
        "voicemail": {},
        "phone_number": {"phone_number": shape.digits(rng, "+1"), "textback_phone_number_id": 5},
    }
    return {
        "id": shape.made_id("route", at),
        "keypress": key,
        "greeting": rng.choice((None, None, "voicemail_en")),
        "action": action,
        "options": choices[action],
        "option_text": rng.choice((None, "Main menu", "販売")),
        "overflow_options": [{"overflow_to": "group", "threshold": 30}] if not rng.randrange(6) else [],
    }
