"""The ticket fields, each with its own form of choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk import shape
from taps.sandbox.helpdesk.desk import GROUPS
from taps.sandbox.seeded import generator, one_in

if TYPE_CHECKING:
    from taps.sandbox.rows import Record


def ticket_fields(seed: int) -> list[Record]:
    """Make the ticket fields.

    Args:
        seed: What their contents depend on.

    Returns:
        The records; what `choices` looks like depends on the field: a list, a map from name to number, a map from
        number to labels, a map of lists, or a map of maps.
    """
    kinds: tuple[tuple[str, str, Any], ...] = (
        ("requester", "default_requester", None),
        ("subject", "default_subject", None),
        ("ticket_type", "default_ticket_type", ["Question", "Incident", "Problem", "Feature Request", "Refund"]),
        ("source", "default_source", {"Email": 1, "Portal": 2, "Phone": 3, "Chat": 7, "Feedback Widget": 9}),
        ("status", "default_status", {"2": ["Open", "Being worked on"], "5": ["Closed", "Erledigt ✔"]}),
        ("priority", "default_priority", {"Low": 1, "Medium": 2, "High": 3, "Urgent": 4}),
        ("group", "default_group", {name: shape.made_id("group", at) for at, name in enumerate(GROUPS[:4])}),
        (
            "cf_country",
            "nested_field",
            {"Deutschland": {"Bayern": ["München", "Fürth"]}, "日本": {"関東": ["東京"]}},
        ),
        ("cf_device", "nested_field", {"Phone": ["A1", "B2"], "Laptop": []}),
        ("cf_size", "custom_dropdown", [{"id": 1, "value": "XL", "position": 1, "label": "特大"}]),
        ("cf_amount", "custom_decimal", []),
        ("cf_order_number", "custom_text", {}),
    )
    return [_ticket_field(seed, at, name, kind, choices) for at, (name, kind, choices) in enumerate(kinds)]


def _ticket_field(seed: int, at: int, name: str, kind: str, choices: Any) -> Record:
    rng = generator(seed, at, 71)
    own_times = shape.times(seed, "ticket_field", at)
    number = shape.made_id("ticket_field", at)
    label = name.removeprefix("cf_").replace("_", " ").capitalize()
    nested = {
        "id": shape.made_id("section_field", at),
        "label": "Région",
        "level": 2,
        "name": f"{name}_level_2",
        "ticket_field_id": number,
        **own_times,
    }
    record: Record = {
        "id": number,
        "name": name,
        "label": label,
        "description": f"Ticket {label.lower()}",
        "position": at + 1,
        "required_for_closure": bool(rng.randrange(2)),
        "required_for_agents": bool(rng.randrange(2)),
        "type": kind,
        "default": kind.startswith("default_"),
        "customers_can_edit": bool(rng.randrange(2)),
        "customers_can_filter": False,
        "label_for_customers": label,
        "required_for_customers": False,
        "displayed_to_customers": bool(rng.randrange(2)),
        **own_times,
        "archived": False,
        "is_fsm": one_in(5, seed, at, 72),
        "field_update_in_progress": None,
        "section_mappings": [{"section_id": shape.made_id("section", at), "position": 1}] if at % 3 == 0 else [],
        "nested_ticket_fields": [],
    }
    if name == "requester":
        record |= {"portal_cc": False, "portal_cc_to": "company"}
    if choices is not None:
        record["choices"] = choices
    if kind == "nested_field":
        record["nested_ticket_fields"] = [{**nested, "description": "", "label_in_portal": "Région"}]
        record["dependent_fields"] = {**nested, "label_for_customers": "Région"}
        inner = ("id", "name", "label", "position", "type", "default", "archived", "created_at", "updated_at")
        record["ticket_field"] = {
            **{key: record[key] for key in inner},
            "choices": [{"value": "Ja / Nein", "choices": []}],
            "customers_can_edit": True,
            "displayed_to_customers": True,
            "label_for_customers": label,
            "required_for_agents": False,
            "required_for_closure": False,
            "required_for_customers": False,
            "dependent_fields": [{**nested, "label_for_customers": "Région"}],
        }
    return record
