"""Users and teams, and the services and integrations that they look after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.instants import DAY
from taps.sandbox.oncall.shape import FIRST, TENTH, Size, digits, written
from taps.sandbox.pools import SENTENCES, TAGS, pools
from taps.sandbox.seeded import generator, mix

if TYPE_CHECKING:
    from random import Random

    from taps.sandbox.rows import Record

_TEAMS = (
    "Platform",
    "Payments",
    "Datenbank",
    "Réseau",
    "夜間対応",
    "Mobile 📱",
    "Search",
    "Billing & invoices",
    "Sécurité",
    "Edge",
    "Storage",
    "Второй уровень",
)
_SERVICES = ("checkout", "login", "Rechnungslauf", "search", "画像配信", "webhooks", "exports")
_INTEGRATIONS = ("API", "Prometheus", "Email", "CloudWatch", "Zabbix", "Webhook")
_ROLES = ("Owner", "Admin", "User", "Stakeholder")
_RESPONDERS = ("team", "user", "escalation", "schedule")
_METHODS = ("email", "sms", "voice", "mobile")


class People:
    """Makes the records about people and what is theirs, each by its position.

    Args:
        size: The team's size.
    """

    def __init__(self, size: Size) -> None:
        self._size = size
        self._seed = size.seed

    def user_id(self, number: int) -> str:
        """Give a user's id.

        Args:
            number: Any number.

        Returns:
            The id of one of the users.
        """
        return self._size.id("user", number % self._size.users)

    def team_id(self, number: int) -> str:
        """Give a team's id.

        Args:
            number: Any number.

        Returns:
            The id of one of the teams.
        """
        return self._size.id("team", number % self._size.teams)

    def username(self, number: int) -> str:
        """Give a user's sign-in name.

        Args:
            number: Any number.

        Returns:
            The e-mail address of one of the users.
        """
        position = number % self._size.users
        return f"{pools().person(mix(self._seed, position, 51)).mailbox}{position + 1}@oncall.example"

    def user(self, at: int) -> Record:
        """Make a user.

        Args:
            at: The user's position.

        Returns:
            The record; some lack what was never filled in.
        """
        rng = generator(self._seed, at, 52)
        role = rng.choice(_ROLES)
        created = FIRST - rng.randrange(400 * DAY // TENTH) * TENTH
        record = {
            "id": self.user_id(at),
            "blocked": not rng.randrange(10),
            "verified": bool(rng.randrange(5)),
            "username": self.username(at),
            "fullName": pools().person(mix(self._seed, at, 51)).name,
            "role": {"id": role, "name": role},
            "timeZone": rng.choice(("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC")),
            "locale": rng.choice(("en_US", "de_DE", "ja_JP")),
            "userAddress": {
                "country": rng.choice(("", "DE", "日本")),
                "state": "",
                "city": rng.choice(("", "Köln", "Łódź")),
                "line": rng.choice(("", rng.choice(pools().addresses))),
                "zipCode": f"{rng.randrange(100_000):05d}",
            },
            "createdAt": written(created, digits(self._seed, at, 53)),
            "tags": rng.sample(TAGS, rng.randrange(3)),
            "details": {"shift": ["night", "週末"][: rng.randrange(3)]} if rng.randrange(2) else {},
            "skypeUsername": rng.choice((None, f"duty.{at + 1}")),
            "mutedUntil": written(created + 500 * DAY, 3),
            "userContacts": [self._contact(at, rng) for _ in range(rng.randrange(3))],
            "invitationDisabled": bool(rng.randrange(2)),
        }
        return _without(record, ("tags", "details", "skypeUsername", "mutedUntil", "userContacts"), rng)

    def team(self, at: int) -> Record:
        """Make a team.

        Args:
            at: The team's position.

        Returns:
            The record.
        """
        number = self.team_id(at)
        return {
            "id": number,
            "name": _TEAMS[at],
            "description": (None, "", "Looks after what never sleeps: “24/7”")[at % 3],
            "links": {
                "web": f"https://oncall.example/teams/{number}",
                "api": f"https://api.oncall.example/v2/teams/{number}",
            },
        }

    def teams_of(self, user: int) -> list[Record]:
        """Make the list of a user's teams.

        Args:
            user: The user's position.

        Returns:
            From none to three teams.
        """
        first, count = mix(self._seed, user, 54), mix(self._seed, user, 55) % 4
        chosen = sorted({(first + step) % self._size.teams for step in range(count)})
        return [{"id": self.team_id(at), "name": _TEAMS[at]} for at in chosen]

    def service(self, at: int) -> Record:
        """Make a service.

        Args:
            at: The service's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, at, 56)
        number = self._size.id("service", at)
        return {
            "teamId": rng.choice((None, self.team_id(rng.randrange(10**6)))),
            "name": f"{_SERVICES[at % len(_SERVICES)]}-{at + 1}",
            "description": rng.choice((None, "", rng.choice(SENTENCES))),
            "id": number,
            "tags": rng.sample(TAGS, rng.randrange(3)),
            "isExternal": not rng.randrange(4),
            "links": {
                "web": f"https://oncall.example/services/{number}",
                "api": f"https://api.oncall.example/v1/services/{number}",
            },
            "visibility": rng.choice(("TEAM_MEMBERS", "ALL_USERS")),
        }

    def integration(self, at: int) -> Record:
        """Make an integration.

        Args:
            at: The integration's position.

        Returns:
            The record; not every one belongs to a team.
        """
        kind = _INTEGRATIONS[at % len(_INTEGRATIONS)]
        record = {
            "id": self._size.id("integration", at),
            "name": f"{kind} {at + 1} (Öffentlich)",
            "enabled": bool(at % 3),
            "type": kind,
            "version": ("v1", "v2", None)[at % 3],
            "advanced": not at % 2,
        }
        return {**record, "teamId": self.team_id(at)} if at % 2 else record

    def responders(self, rng: Random) -> list[Record]:
        """Pick who is to respond to something.

        Args:
            rng: Picks them.

        Returns:
            From none to three, each of another kind.
        """
        kinds = rng.sample(_RESPONDERS, rng.randrange(4))
        return [
            {
                "id": self.user_id(rng.randrange(10**6)) if kind == "user" else self.team_id(at),
                "type": kind,
            }
            for at, kind in enumerate(kinds)
        ]

    def _contact(self, at: int, rng: Random) -> dict[str, Any]:
        method = rng.choice(_METHODS)
        to = self.username(at) if method == "email" else f"49-30{rng.randrange(10**6, 10**7)}"
        return {
            "contactMethod": method,
            "to": to,
            "id": f"{rng.getrandbits(64):016x}",
            "enabled": bool(rng.randrange(3)),
            "disabledReason": rng.choice(("", "NotVerified")),
        }


def _without(record: Record, optional: tuple[str, ...], rng: Random) -> Record:
    missing = {name for name in optional if not rng.randrange(4)}
    return {name: value for name, value in record.items() if name not in missing}
