"""How the help desk is set up: groups, roles, skills, calendars, mailboxes, rules and surveys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk import shape

if TYPE_CHECKING:
    from taps.sandbox.rows import Record

GROUPS = (
    "Billing",
    "Escalations",
    "Account managers",
    "Onboarding",
    "配送",
    "Rückgaben",
    "Second line",
    "Security 🔒",
    "الدعم",
    "Partners",
    "Field service",
    "Night shift",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_QUESTION = "How satisfied are you with the answer that you got?"


class Desk:
    """Makes the collections that an administrator fills in.

    Args:
        size: The help desk's size.
    """

    def __init__(self, size: shape.Size) -> None:
        self._size = size
        self._seed = size.seed

    def settings(self) -> Record:
        """Make the settings, which are one object without an id.

        Returns:
            The record.
        """
        return {
            "primary_language": "en",
            "supported_languages": ["de", "fr", "ja-JP"],
            "portal_languages": ["de"],
            "help_widget_languages": [],
        }

    def groups(self) -> list[Record]:
        """Make the groups.

        Returns:
            The records; every other one has the fields of the newer API as well. Whether tickets are assigned
            automatically is a number in some and a boolean in others.
        """
        return [
            {
                "id": shape.made_id("group", at),
                "name": name,
                "description": (None, "", f"Looks after {name}")[at % 3],
                "escalate_to": shape.made_id("agent", 0) if at % 3 else None,
                "unassigned_for": (None, "30m", "4h")[at % 3],
                "business_hour_id": shape.made_id("business_hour", 1) if at % 2 else None,
                "group_type": "support_agent_group" if at % 5 else "field_agent_group",
                **shape.times(self._seed, "group", at),
                "auto_ticket_assign": (0, 1, True, False)[at % 4],
                "agent_ids": [shape.made_id("agent", agent) for agent in range(at % min(4, self._size.agents))],
                **(_newer_group(at) if at % 2 else {}),
            }
            for at, name in enumerate(GROUPS[: self._size.groups])
        ]

    def roles(self) -> list[Record]:
        """Make the roles.

        Returns:
            The records.
        """
        return [
            {
                "id": shape.made_id("role", at),
                "name": (
                    "Account owner",
                    "Administrator",
                    "Supervisor",
                    "Agent",
                    "Trainee",
                    "Auditor",
                    "Écrivain",
                    "看護",
                )[at],
                "description": None if at % 4 == 3 else "Sees & edits “what it may”.",  # noqa: PLR2004
                "default": not at % 2,
                **shape.times(self._seed, "role", at),
                "agent_type": at % 3 + 1,
                "business_hour_id": None,
                "escalate_to": shape.made_id("agent", at % self._size.agents),
                "unassigned_for": "30m",
                "auto_ticket_assign": bool(at % 2),
            }
            for at in range(self._size.roles)
        ]

    def skills(self) -> list[Record]:
        """Make the skills.

        Returns:
            The records.
        """
        return [
            {
                "id": shape.made_id("skill", at),
                "name": ("Deutsch", "日本語", "Payments", "Hardware", "العربية")[at],
                "rank": at + 1,
                **shape.times(self._seed, "skill", at),
                "agents": [{"id": shape.made_id("agent", agent)} for agent in range(at % min(3, self._size.agents))],
                "match_type": "all" if at % 2 else "any",
                "conditions": [
                    {"resource_type": "ticket", "field_name": "priority", "operator": "in", "value": [3, 4]},
                    {"resource_type": "contact", "field_name": "language", "operator": "is", "value": ["de", "ja-JP"]},
                ][: at % 3],
            }
            for at in range(self._size.skills)
        ]

    def products(self) -> list[Record]:
        """Make the products.

        Returns:
            The records.
        """
        return [
            {
                "id": shape.made_id("product", at),
                "name": ("Kettle", "Toaster Pro™", "掃除機", "Café Crème")[at],
                "description": (None, "", "Makes tea ☕", "12 V / 230 V")[at],
                **shape.times(self._seed, "product", at),
            }
            for at in range(self._size.products)
        ]

    def business_hours(self) -> list[Record]:
        """Make the calendars.

        Returns:
            The records; one is open all week, one carries its hours under the older name as well.
        """
        hours = [
            {day: {"start_time": "8:00 am", "end_time": "5:30 pm"} for day in days}
            for days in (_DAYS[:5], _DAYS, _DAYS[1:6])
        ]
        return [
            {
                "id": shape.made_id("business_hour", at),
                "name": ("Default", "24x7 🌍", "Samstags")[at],
                "is_default": not at,
                "description": (None, "Always on", "")[at],
                "working_hours": hours[at],
                "time_zone": ("Berlin", "UTC", "Vienna")[at],
                **shape.times(self._seed, "business_hour", at),
                "business_hours": hours[0],
            }
            for at in range(3)
        ]

    def email_configs(self) -> list[Record]:
        """Make the older form of the mailboxes.

        Returns:
            The records.
        """
        return [
            {
                "id": shape.made_id("email_config", at),
                "name": ("Support", "Billing", "サポート")[at],
                "product_id": shape.made_id("product", at) if at else None,
                "to_email": f"desk{at}@inbound.example",
                "reply_email": f"support{at or ''}@helpdesk.example",
                "group_id": shape.made_id("group", at) if at == 1 else None,
                "primary_role": not at,
                "active": at != 1,
                **shape.times(self._seed, "email_config", at),
            }
            for at in range(3)
        ]

    def email_mailboxes(self) -> list[Record]:
        """Make the mailboxes.

        Returns:
            The records: two that the help desk runs itself and one on somebody else's mail server.
        """
        server = {"mail_server": "mail.example", "port": 993, "use_ssl": True, "authentication": "plain"}
        custom = {
            "access_type": "both",
            "incoming": {**server, "delete_from_server": False, "user_name": "desk", "failure_code": ""},
            "outgoing": {**server, "port": 587, "user_name": "desk"},
        }
        return [
            {
                "id": config["id"],
                "name": config["name"],
                "support_email": config["reply_email"],
                "group_id": config["group_id"],
                "default_reply_email": config["primary_role"],
                "active": config["active"],
                "mailbox_type": "custom_mailbox" if at == 2 else "helpdesk_mailbox",  # noqa: PLR2004 - the last of three
                "failure_code": (None, 402, None)[at] and "402",
                "created_at": config["created_at"],
                "updated_at": config["updated_at"],
                "product_id": config["product_id"],
                "freshdesk_mailbox": {"forward_email": config["to_email"]},
                "custom_mailbox": custom if at == 2 else None,  # noqa: PLR2004
                "access_type": None,
                "incoming": None,
                "mail_server": None,
                "port": None,
                "use_ssl": None,
                "delete_from_server": None,
                "authentication": None,
                "username": None,
                "password": None,
                "forward_email": config["to_email"],
                "outgoing": {},
            }
            for at, config in enumerate(self.email_configs())
        ]

    def scenarios(self) -> list[Record]:
        """Make the scenario automations.

        Returns:
            The records; not every action has a value.
        """
        actions: list[dict[str, Any]] = [
            {"name": "priority", "value": "4"},
            {"name": "group_id", "value": str(shape.made_id("group", 0))},
            {"name": "add_note", "value": "<div>Bitte prüfen 🙏</div>"},
            {"name": "send_email_to_requester"},
        ]
        return [
            {
                "id": shape.made_id("scenario", at),
                "name": f"Scenario {at + 1}",
                "description": (None, "", "Marks & moves")[at % 3],
                "actions": actions[at % 4 :],
                "private": bool(at % 2),
                **shape.times(self._seed, "scenario", at),
            }
            for at in range(6)
        ]

    def sla_policies(self) -> list[Record]:
        """Make the service level policies.

        Returns:
            The records; the default one applies to all and escalates nothing.
        """
        return [self._sla_policy(at) for at in range(4)]

    def _sla_policy(self, at: int) -> Record:
        agents = [-1, shape.made_id("agent", at % self._size.agents)]
        steps = {f"level_{level}": {"escalation_time": 1_800 * level, "agent_ids": agents} for level in range(1, 5)}
        old_steps = {f"level{level}": {"escalation_time": 900 * level, "agent_ids": agents} for level in range(1, 5)}
        escalation = {
            "reminder_response": {},
            "reminder_resolution": {},
            "reminder_next_response": {},
            "next_response": {},
            "response": {"escalation_time": 0, "agent_ids": agents},
            "resolution": steps | old_steps if at == 1 else steps,
        }
        return {
            "id": shape.made_id("sla_policy", at),
            "name": ("Default", "Gold", "銀", "Weekend")[at],
            "description": (None, "First answer in 15 minutes", "", "Nur samstags")[at],
            "active": at != 2,  # noqa: PLR2004 - one of the four is switched off
            "sla_target": {
                f"priority_{priority}": {
                    "respond_within": 900 * (5 - priority),
                    "resolve_within": 14_400 * (5 - priority),
                    "next_respond_within": None,
                    "business_hours": bool(at % 2),
                    "escalation_enabled": True,
                }
                for priority in (4, 3, 2, 1)
            },
            "applicable_to": {
                "company_ids": [shape.made_id("company", 0)],
                "group_ids": [shape.made_id("group", at)],
                "product_ids": [shape.made_id("product", at)],
                "sources": [1, 2],
                "ticket_types": ["Incident"],
            }
            if at
            else {},
            "is_default": not at,
            "position": at + 1,
            **shape.times(self._seed, "sla_policy", at),
            "escalation": escalation if at else {},
        }

    def surveys(self) -> list[Record]:
        """Make the surveys.

        Returns:
            The records.
        """
        return [
            {
                "id": shape.made_id("survey", at),
                "title": ("Default", "Après-vente", "満足度")[at],
                "active": at == 1,
                **shape.times(self._seed, "survey", at),
                "questions": [
                    {
                        "id": "default_question",
                        "label": _QUESTION,
                        "accepted_ratings": [103, 102, 100, -101, -103],
                        "default": True,
                    },
                    *(
                        {
                            "id": f"question_{shape.made_id('question', at * 3 + extra)}",
                            "label": f"Question {extra + 1}? ✅",
                            "accepted_ratings": [103, 100, -103],
                        }
                        for extra in range(at)
                    ),
                ],
            }
            for at in range(self._size.surveys)
        ]


def _newer_group(at: int) -> dict[str, Any]:
    return {
        "type": "support_agent_group",
        "business_calendar_id": shape.made_id("business_hour", 0) if at % 3 else None,
        "allow_agents_to_change_availability": at % 3 == 0,
        "automatic_agent_assignment": {
            "enabled": True,
            "type": "channel_specific",
            "settings": [
                {
                    "channel": "ticket",
                    "assignment_type": "load_based",
                    "assignment_type_settings": {"capping_limit": at},
                }
            ],
        },
        "sync_status": {},
    }
