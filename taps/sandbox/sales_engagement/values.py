"""What the fields of sales engagement records hold: by name where the name says it, else by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from taps.sandbox.instants import DAY, SECOND, stamp
from taps.sandbox.pools import PROBLEMS, REPLIES, SENTENCES, TAGS, Person, pools
from taps.sandbox.sales_engagement.vocabulary import NAMES, TITLES, WORDS

if TYPE_CHECKING:
    from random import Random

    from taps.sandbox.sales_engagement.streams import Attribute

_SPAN = 90 * DAY // SECOND
_NULLS = 0.35
#: An integer that a double does not hold.
_LARGE = 9_007_199_254_740_993


@dataclass
class Draw:
    """What a record's fields are made from.

    Attributes:
        rng: Picks what is free.
        stream: The record's collection.
        position: Its position there.
        created: When it was made.
        updated: When it was last changed.
        person: Whom it is about, if anybody.
        company: Whom that one works for.
    """

    rng: Random
    stream: str
    position: int
    created: int
    updated: int
    person: Person
    company: str

    @property
    def site(self) -> str:
        """The company's host name."""
        return f"firm{sum(self.company.encode()) % 997}.example"

    @property
    def address(self) -> str:
        """An e-mail address of the person."""
        return f"{self.person.mailbox}{self.position + 1}@{self.site}"

    @property
    def phone(self) -> str:
        """A telephone number."""
        return f"+49 30 {self.rng.randrange(10**6, 10**7)}"


Make = Callable[[Draw], Any]


def written(moment: int, *, bare: bool = False, offset_hours: int = 0) -> str:
    """Spell an instant as this API does: with milliseconds, now and then without.

    Args:
        moment: The instant.
        bare: Whether to leave out milliseconds of zero.
        offset_hours: The offset to spell it in.

    Returns:
        Such as `2025-03-01T08:30:00.000Z`.
    """
    return stamp(moment, digits=0 if bare and not moment % SECOND else 3, offset_hours=offset_hours)


def maker(stream: str, attribute: Attribute) -> Make:
    """Find out how a field's values are made.

    Args:
        stream: The collection.
        attribute: The field.

    Returns:
        The function that makes a value.
    """
    name = attribute.name
    for known in (f"{stream}.{name}", name):
        if known in _KNOWN:
            return _KNOWN[known]
        if known in WORDS and attribute.kind == "text":
            words = WORDS[known]
            return lambda draw: draw.rng.choice(words)
    make = _text(name) if attribute.kind == "text" else _KINDS[attribute.kind]
    if not attribute.nullable:
        return make
    return lambda draw: None if draw.rng.random() < _NULLS else make(draw)


def custom(draw: Draw) -> str:
    """Make the value of a custom field that is filled in.

    Args:
        draw: What the record is made from.

    Returns:
        Text, now and then of a number or a flag.
    """
    return draw.rng.choice((draw.rng.choice(SENTENCES), str(draw.rng.randrange(10**6)), "true", "", "0.10", "Ja"))


def _text(name: str) -> Make:
    for ending, make in _ENDINGS:
        if name.lower().endswith(ending):
            return make
    return _word


def _word(draw: Draw) -> str:
    return draw.rng.choice(_SHORT)


def _remark(draw: Draw) -> str:
    return draw.rng.choice(("", draw.rng.choice(SENTENCES), draw.rng.choice(REPLIES)))


def _name(draw: Draw) -> str:
    names = NAMES.get(draw.stream)
    if names is not None:
        turn, at = divmod(draw.position, len(names))
        return f"{names[at]} {turn + 1}" if turn else names[at]
    titles = TITLES.get(draw.stream)
    return draw.rng.choice(PROBLEMS) if titles is None else f"{draw.rng.choice(titles)} {draw.position + 1}"


def _time(draw: Draw) -> str:
    return written(draw.created + draw.rng.randrange(_SPAN) * SECOND)


def _day(draw: Draw) -> str:
    return stamp(draw.created + draw.rng.randrange(_SPAN) * SECOND)[:10]


def _url(draw: Draw) -> str:
    return f"https://{draw.site}/{draw.stream}/{draw.position + 1}?q=caf%C3%A9&n={draw.rng.randrange(100)}"


def _html(draw: Draw) -> str:
    lines = draw.rng.sample(SENTENCES, 2)
    return f"<p>{lines[0]}</p>\r\n<p>{lines[1]} &amp; more … {{{{sender.first_name}}}}</p>"


def _hex(draw: Draw) -> str:
    return f"{draw.rng.getrandbits(128):032x}"


def _uuid(draw: Draw) -> str:
    return str(UUID(int=draw.rng.getrandbits(128)))


def _small(draw: Draw) -> int:
    return draw.rng.choice((0, 0, 1, 2, draw.rng.randrange(500)))


def _wholes(draw: Draw) -> list[int]:
    return [draw.rng.randrange(1, 500) for _ in range(draw.rng.choice((0, 0, 1, 3)))]


def _number(draw: Draw) -> float:
    return draw.rng.choice((0.1, 0.0, 12.5, draw.rng.randrange(10**7) / 100))


def _texts(draw: Draw) -> list[str]:
    return draw.rng.sample(TAGS, draw.rng.choice((0, 0, 1, 3)))


def _phones(draw: Draw) -> list[str]:
    return [draw.phone for _ in range(draw.rng.choice((0, 0, 1, 2)))]


def _object(draw: Draw) -> dict[str, Any]:
    return {"name": draw.person.name, "count": _small(draw), "parts": {"tag": draw.rng.choice(TAGS), "none": None}}


def _contact(draw: Draw) -> dict[str, Any]:
    return {
        "id": draw.position + 1,
        "prospect_id": draw.position + 1,
        "email": draw.address,
        "email_hash": _hex(draw),
        "domain_hash": _hex(draw),
        "email_type": "work",
        "order": 0,
        "status": None,
        "status_changed_at": None,
        "bounced_at": None,
        "unsubscribed_at": None,
        "created_at": written(draw.created),
        "updated_at": written(draw.updated),
    }


def _amount(draw: Draw) -> float | int | None:
    return draw.rng.choice((None, 0, 1_200, 19.99, 0.1, draw.rng.randrange(10**8) / 100, _LARGE))


_SHORT = ("", "standard", "auto", "none", "Zweitwahl", "défaut", "既定", "A/B", "n/a", "v2")
_KINDS: dict[str, Make] = {
    "time": _time,
    "day": _day,
    "day_or_time": lambda draw: draw.rng.choice((_day, _time))(draw),
    "url": _url,
    "email": lambda draw: draw.address,
    "uuid": _uuid,
    "whole": _small,
    "number": _number,
    "flag": lambda draw: draw.rng.random() < 0.5,  # noqa: PLR2004 - a coin
    "texts": _texts,
    "wholes": _wholes,
    "grid": lambda draw: [[draw.rng.randrange(9), 0], [0, 0], []],
    "object": _object,
    "objects": lambda draw: [_object(draw) for _ in range(draw.rng.randrange(3))],
    "none": lambda _: None,
}
# In order: the first ending that fits settles it.
_ENDINGS: tuple[tuple[str, Make], ...] = (
    ("html", _html),
    ("url", _url),
    ("linkedin", _url),
    ("hash", _hex),
    ("guid", _uuid),
    ("uuid", _uuid),
    ("id", lambda draw: f"{draw.rng.randrange(16**8):08x}"),
    ("phone", lambda draw: draw.phone),
    ("number", lambda draw: draw.phone),
    ("extension", lambda draw: str(draw.rng.randrange(1_000))),
    ("timezone", lambda draw: draw.rng.choice(("Europe/Berlin", "Asia/Kathmandu", "America/New_York"))),
    ("host", lambda draw: f"mail.{draw.site}"),
    ("seconds", lambda draw: str(draw.rng.randrange(4_000))),
    ("reason", lambda draw: draw.rng.choice((None, "bounced", "Zeitüberschreitung", "opted out"))),
    ("at", _time),
    ("city", lambda draw: draw.rng.choice(("Köln", "Łódź", "São Paulo", "大阪", "Riga"))),
    ("locality", lambda draw: draw.rng.choice(("Köln", "Łódź", "São Paulo", "大阪", "Riga"))),
    ("country", lambda draw: draw.rng.choice(("Germany", "Polska", "日本", "Côte d'Ivoire"))),
    ("zip", lambda draw: f"{draw.rng.randrange(100_000):05d}"),
    ("note", _remark),
    ("note1", _remark),
    ("note2", _remark),
    ("message", _remark),
    ("text", _remark),
    ("description", _remark),
    ("signature", _remark),
    ("step", _remark),
    ("steps", _remark),
    ("specialties", _remark),
    ("body", _remark),
    ("password", lambda _: "********"),
    ("secret", lambda _: "********"),
    ("apikey", lambda _: "********"),
)
_KNOWN: dict[str, Make] = {
    "accountName": lambda draw: draw.company,
    "accounts.domain": lambda draw: draw.site,
    "accounts.name": lambda draw: draw.company,
    "accounts.naturalName": lambda draw: draw.company,
    "accounts.websiteUrl": lambda draw: f"https://{draw.site}",
    "addressStreet": lambda draw: draw.rng.choice(pools().addresses).splitlines()[0],
    "amount": _amount,
    "amountPrecise": lambda draw: draw.rng.choice((None, "19.99", "1000000000000.0001", "0.1")),
    "calls.from": lambda draw: draw.phone,
    "calls.to": lambda draw: draw.phone,
    "company": lambda draw: draw.company,
    "companyNatural": lambda draw: draw.company,
    "displayName": lambda draw: f"Step #{draw.position % 7 + 1}",
    "email": lambda draw: draw.address,
    "emailContacts": lambda draw: [_contact(draw)],
    "emails": lambda draw: [draw.address],
    "firstName": lambda draw: draw.person.first,
    "homePhones": _phones,
    "lastName": lambda draw: draw.person.last,
    "mailboxAddress": lambda draw: draw.address,
    "mobilePhones": _phones,
    "name": _name,
    "occupation": lambda draw: draw.rng.choice(pools().jobs),
    "order": lambda draw: draw.position,
    "otherPhones": _phones,
    "probability": lambda draw: draw.rng.choice((0, 10, 50, 90, 100)),
    "prospects.name": lambda draw: draw.person.name,
    "references": lambda draw: [f"<{_hex(draw)}@{draw.site}>" for _ in range(draw.rng.randrange(3))],
    "sequences.automationPercentage": lambda draw: draw.rng.choice((0, 0.5, 1, 0.333)),
    "subject": lambda draw: draw.rng.choice(PROBLEMS),
    "title": lambda draw: draw.rng.choice(pools().jobs),
    "trashedAt": lambda draw: None if draw.rng.randrange(20) else _time(draw),
    "users.duties": lambda draw: [
        {"id": at + 1, "duty_type": "role", "name": "Seller"} for at in range(draw.rng.randrange(3))
    ],
    "users.name": lambda draw: draw.person.name,
    "username": lambda draw: f"{draw.person.mailbox}{draw.position + 1}",
    "voipPhones": _phones,
    "workPhones": _phones,
}
