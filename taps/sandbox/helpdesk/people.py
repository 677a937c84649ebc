"""Agents, contacts and companies, and the groups, roles and skills that sort the agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk import shape
from taps.sandbox.instants import DAY, SECOND, stamp
from taps.sandbox.pools import LANGUAGES, TAGS, TIME_ZONES, Person, pools
from taps.sandbox.seeded import generator, mix, one_in

if TYPE_CHECKING:
    from random import Random

    from taps.sandbox.rows import Record

_INDUSTRIES = ("Retail", "Food and Beverage", "Automotive", "Media", "", None)


class People:
    """Makes the records about people, each by its position.

    Args:
        size: The help desk's size.
    """

    def __init__(self, size: shape.Size) -> None:
        self._size = size
        self._seed = size.seed
        self._pools = pools()

    def agent_id(self, number: int) -> int:
        """Give an agent's id.

        Args:
            number: Any number.

        Returns:
            The id of one of the agents.
        """
        return shape.made_id("agent", number % self._size.agents)

    def group_id(self, number: int) -> int | None:
        """Give a group's id, or none: some records belong to no group.

        Args:
            number: Any number.

        Returns:
            The id of one of the groups, or None.
        """
        position = number % (self._size.groups + 2)
        return shape.made_id("group", position) if position < self._size.groups else None

    def contact_id(self, number: int) -> int:
        """Give a contact's id.

        Args:
            number: Any number.

        Returns:
            The id of one of the contacts.
        """
        return shape.made_id("contact", number % self._size.contacts)

    def company_of(self, contact: int) -> int | None:
        """Tell which company a contact belongs to.

        Args:
            contact: The contact's position.

        Returns:
            The company's id; None for one contact in five.
        """
        if one_in(5, self._seed, contact, 11):
            return None
        return shape.made_id("company", mix(self._seed, contact, 12) % self._size.companies)

    def company_name(self, company: int) -> str:
        """Give a company's name.

        Args:
            company: The company's id.

        Returns:
            The name; a number is added where the pool's names are used up, for a name is unique.
        """
        position = company - shape.made_id("company", 0)
        names = self._pools.companies
        rounds, at = divmod(position, len(names))
        name = names[(at + self._seed) % len(names)]
        return f"{name} {rounds + 1}" if rounds else name

    def card(self, contact: int) -> dict[str, Any]:
        """Give what a ticket shows of its requester.

        Args:
            contact: The contact's position.

        Returns:
            Id, name, address and telephone numbers.
        """
        person = self._person(contact)
        rng = generator(self._seed, contact, 13)
        return {
            "id": shape.made_id("contact", contact),
            "name": person.name,
            "email": None if one_in(17, self._seed, contact, 14) else f"{person.mailbox}.{contact}@mail.example",
            "mobile": None if rng.randrange(2) else f"+49 151 {rng.randrange(10**7):07d}",
            "phone": rng.choice(
                (None, "", f"(020) 7946 {rng.randrange(10**4):04d}", f"+81-3-{rng.randrange(10**8):08d}")
            ),
        }

    def contact_times(self, contact: int) -> tuple[int, int]:
        """Give a contact's two instants.

        Args:
            contact: The contact's position.

        Returns:
            When it was made and when it was last changed.
        """
        created = shape.early(self._seed, "contact", contact)
        updated = shape.later(self._seed, "contact", contact, created)
        if one_in(53, self._seed, contact, 15):
            updated += 123_000
        return created, updated

    def contact_updated(self, contact: int) -> int:
        """Give a contact's last change.

        Args:
            contact: The contact's position.

        Returns:
            The instant.
        """
        return self.contact_times(contact)[1]

    def contact(self, contact: int) -> Record:
        """Make a contact.

        Args:
            contact: The contact's position.

        Returns:
            The record.
        """
        person = self._person(contact)
        rng = generator(self._seed, contact, 16)
        created, updated = self.contact_times(contact)
        company = self.company_of(contact)
        card = self.card(contact)
        rated = rng.choice((None, None, 103, 100, -103))
        record: Record = {
            "active": not one_in(4, self._seed, contact, 17),
            "address": rng.choice((None, "", rng.choice(self._pools.addresses), rng.choice(self._pools.addresses))),
            "description": rng.choice((None, "", "Met at the trade fair ✨", "Prefers e-mail.\nNever call before 9.")),
            "email": card["email"],
            "id": card["id"],
            "job_title": rng.choice((None, rng.choice(self._pools.jobs))),
            "language": rng.choice(LANGUAGES),
            "mobile": card["mobile"],
            "name": card["name"],
            "phone": card["phone"],
            "time_zone": rng.choice(TIME_ZONES),
            "twitter_id": rng.choice((None, None, f"@{person.mailbox}")),
            "custom_fields": _contact_fields(contact, rng),
            "facebook_id": rng.choice((None, None, 100_000_000_000_000 + rng.randrange(10**9))),
            "created_at": stamp(created),
            "updated_at": _spelled(updated, offset=one_in(61, self._seed, contact, 18)),
            "csat_rating": rated,
            "preferred_source": rng.choice((None, "email", "phone", "portal", "outbound_email")),
            "company_id": company,
            "unique_external_id": rng.choice((None, f"crm-{contact:07d}")),
            "twitter_profile_status": False,
            "twitter_followers_count": None,
            "first_name": person.first,
            "last_name": person.last,
            "visitor_id": f"{rng.getrandbits(128):032x}",
            # Past 2^53, where a reader that goes through floats loses digits.
            "org_contact_id": 9_100_000_000_000_000_001 + contact,
            "other_phone_numbers": [card["phone"]] if card["phone"] else [],
            "customer_id": company or 0,
            "deleted": False,
            "external_id": None,
            "fb_profile_id": None,
            "helpdesk_agent": False,
            "custom_field": {"cf_legacy": rng.choice((None, "", "yes"))},
            "contact_type": rng.choice(("contact", "contact", "visitor")),
            "social_handler": [],
            "view_all_tickets": rng.choice((None, True, False)),
            "other_emails": [f"{person.mailbox}.{contact}@private.example"]
            if one_in(4, self._seed, contact, 19)
            else [],
            "tags": rng.sample(TAGS, rng.choice((0, 0, 1, 3))),
            "avatar": _avatar(self._seed, contact) if one_in(3, self._seed, contact, 20) else None,
            "devices": [
                {
                    "app_version": "4.2.1",
                    "device_make": "Fairphone",
                    "device_model": "5",
                    "device_type": "phone",
                    "os": "Android",
                    "os_version": "14",
                }
            ][: rng.randrange(2)],
        }
        if company is not None:
            others = {
                shape.made_id("company", rng.randrange(self._size.companies)) for _ in range(rng.choice((0, 0, 1, 2)))
            }
            record["other_companies"] = [
                {"company_id": other, "view_all_tickets": bool(other & 1)} for other in sorted(others - {company})
            ]
        return record

    def company(self, company: int) -> Record:
        """Make a company.

        Args:
            company: The company's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, company, 21)
        number = shape.made_id("company", company)
        return {
            "id": number,
            "name": self.company_name(number),
            "description": rng.choice((None, "", "Wholesale & retail", "<p>Kunde seit 2019</p>")),
            "note": rng.choice((None, "pays late 🙄")),
            "domains": [f"company-{company}.example", f"company-{company}.test"][: rng.randrange(3)],
            **shape.times(self._seed, "company", company),
            "custom_fields": {
                "cf_employees": rng.choice((None, rng.randrange(1, 90_000))),
                "cf_discount": rng.choice((None, 0.1, 12.5)),
                "cf_contract_until": rng.choice((None, "2027-06-30")),
            },
            "health_score": rng.choice((None, "Happy", "At risk", "Doing okay")),
            "account_tier": rng.choice((None, "Basic", "Premium")),
            "renewal_date": rng.choice((None, "2026-11-30T00:00:00Z", "2027-01-31T00:00:00+02:00")),
            "industry": rng.choice(_INDUSTRIES),
        }

    def agent(self, agent: int) -> Record:
        """Make an agent.

        Args:
            agent: The agent's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, agent, 22)
        person = self._pools.person(mix(self._seed, agent, 23))
        own_times = shape.times(self._seed, "agent", agent)
        groups = sorted(rng.sample(range(self._size.groups), rng.randrange(4)))
        roles = sorted(rng.sample(range(self._size.roles), rng.randrange(1, 3)))
        skills = sorted(rng.sample(range(self._size.skills), rng.randrange(3)))
        available = bool(rng.randrange(2))
        seen = stamp(shape.END - rng.randrange(90 * DAY // SECOND) * SECOND)
        return {
            "available": available,
            "occasional": one_in(6, self._seed, agent, 24),
            "id": shape.made_id("agent", agent),
            "ticket_scope": rng.randrange(1, 4),
            **own_times,
            "last_active_at": rng.choice((None, seen, seen)),
            "available_since": seen if available else None,
            "type": rng.choice(("support_agent", "support_agent", "field_agent", "collaborator")),
            "contact": {
                "active": not one_in(8, self._seed, agent, 25),
                "email": f"{person.mailbox}.{agent}@helpdesk.example",
                "job_title": rng.choice((None, rng.choice(self._pools.jobs))),
                "language": rng.choice(LANGUAGES),
                "last_login_at": rng.choice((None, stamp(shape.END - rng.randrange(10**6) * SECOND, offset_hours=2))),
                "mobile": rng.choice((None, "", "+1 555 0100")),
                "name": person.name,
                "phone": rng.choice((None, "+1 555 0199")),
                "time_zone": rng.choice(TIME_ZONES),
                **own_times,
            },
            "signature": rng.choice((None, "", f"<div><p>{person.first} ✍️</p>\n</div>")),
            "deactivated": False,
            "focus_mode": one_in(2, self._seed, agent, 26),
            "group_ids": [shape.made_id("group", group) for group in groups],
            "role_ids": [shape.made_id("role", role) for role in roles],
            "skill_ids": [shape.made_id("skill", skill) for skill in skills],
        }

    def _person(self, contact: int) -> Person:
        return self._pools.person(mix(self._seed, contact, 10))


def _spelled(moment: int, *, offset: bool) -> str:
    return stamp(moment, digits=3 if moment % SECOND else 0, offset_hours=2 if offset else 0)


def _contact_fields(contact: int, rng: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "cf_loyalty_points": rng.choice((None, 0, rng.randrange(10**6))),
        "cf_ratio": rng.choice((0.1, 0.30000000000000004, 1e-7, None)),
        "cf_newsletter": bool(rng.randrange(2)),
        "cf_birthday": rng.choice((None, "1984-02-29")),
        "cf_notes_ünïcode": rng.choice((None, "", "naïve 🤷")),
    }
    if not contact % 41:
        fields["cf_account_number"] = 9_007_199_254_740_993
    return fields


def _avatar(seed: int, contact: int) -> dict[str, Any]:
    number = shape.made_id("avatar", contact)
    return {
        "avatar_url": f"https://files.example/avatars/{number}",
        "content_type": "image/jpeg",
        "id": number,
        "name": "портрет.jpg",
        "size": 20_000 + contact % 9_000,
        **shape.times(seed, "avatar", contact),
    }
