"""Phone numbers, addresses and greetings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.instants import DAY, SECOND, stamp
from taps.sandbox.pools import pools
from taps.sandbox.seeded import generator, mix
from taps.sandbox.voice import shape

if TYPE_CHECKING:
    from taps.sandbox.rows import Record

CATEGORIES = (
    "voicemail",
    "available",
    "wait",
    "hold",
    "ivr",
    "callback",
    "callback_confirmation",
    "call_recording_opt_out",
    "call_recording_opt_in",
)
_LANGUAGES = ("en", "de", "jp", "none")
_COUNTRIES = (("US", "+1", "AL"), ("DE", "+49", "Köln"), ("JP", "+81", "東京都"), ("FR", "+33", "Île-de-France"))
_VOICEMAIL = 1
_IVR = 5
_OWN_GREETINGS = 8


class Lines:
    """Makes what an administrator sets up for a call centre's lines.

    Args:
        size: The call centre's size.
    """

    def __init__(self, size: shape.Size) -> None:
        self._size = size
        self._seed = size.seed

    def addresses(self) -> list[Record]:
        """Make the addresses.

        Returns:
            The records.
        """
        texts = pools()
        records = []
        for at in range(self._size.addresses):
            rng = generator(self._seed, at, 51)
            country, _, place = rng.choice(_COUNTRIES)
            records.append(
                {
                    "id": shape.made_id("address", at),
                    "name": rng.choice(texts.companies),
                    "street": rng.choice(texts.addresses),
                    "zip": f"{rng.randrange(10**5):05d}",
                    "city": rng.choice(("Springfield", "Łódź", "大阪", "São Paulo")),
                    "state": place if country == "US" else None,
                    "province": None if country == "US" else place,
                    "country_code": country,
                    "provider_reference": f"AD{rng.getrandbits(128):032x}",
                }
            )
        return records

    def greeting_categories(self) -> list[Record]:
        """Make the categories of greetings.

        Returns:
            The records.
        """
        return [{"id": at, "name": name} for at, name in enumerate(CATEGORIES, 1)]

    def greetings(self) -> list[Record]:
        """Make the greetings.

        Returns:
            The system's own, whose ids are strings, and then those that somebody spoke, whose ids are numbers.
        """
        own = [
            self._system_greeting(category, language) for category in range(1, 10) for language in _greeted_in(category)
        ]
        return own + [self._spoken_greeting(at) for at in range(_OWN_GREETINGS)]

    def number(self, at: int) -> Record:
        """Make a phone number.

        Args:
            at: Its position; each ninth is a digital line, which has an id of another kind and no number.

        Returns:
            The record.
        """
        rng = generator(self._seed, at, 52)
        country, code, place = _COUNTRIES[0] if not at % 2 else rng.choice(_COUNTRIES)
        digital = not at % 9
        dialled = shape.digits(generator(self._seed, at, 41), "+1" if country == "US" else code)
        groups = [shape.made_id("group", group) for group in range(len(shape.GROUPS))]
        record: Record = {
            "id": shape.made_id("number", at),
            "country_code": None if digital else country,
            "created_at": stamp(shape.CALLS_FROM - mix(self._seed, at, 53) % (300 * DAY // SECOND) * SECOND),
            "external": not rng.randrange(8),
            "number": None if digital else dialled,
            "name": f"Line {at}" if digital else f"{dialled[:3]} ({dialled[3:6]}) {dialled[6:]}",
            "nickname": rng.choice((None, "", "Hotline ☎️", "サポート")),
            "display_number": None if digital else dialled,
            "location": None if digital else place,
            "toll_free": not rng.randrange(5),
            "transcription": bool(rng.randrange(2)),
            "recorded": bool(rng.randrange(2)),
            "call_recording_consent": rng.choice(("always", "opt_in", "opt_out", "never")),
            "group_ids": shape.some(rng, groups, 3),
            "default_group_id": rng.choice((None, groups[0])),
            "greeting_ids": [shape.made_id("greeting", rng.randrange(_OWN_GREETINGS))] if not rng.randrange(3) else [],
            "default_greeting_ids": [f"{name}_en" for name in CATEGORIES if name != "ivr"],
            "categorised_greetings": _categorised(),
            "categorised_greetings_with_sub_settings": {**_categorised(), "1": _SUB_SETTINGS},
            "sms_group_id": rng.choice((None, groups[1])),
            "capabilities": {"sms": True, "mms": not at % 3, "voice": True, "emergency_address": country == "US"},
            "sms_enabled": bool(rng.randrange(2)),
            "voice_enabled": True,
            "priority": rng.randrange(3),
            "outbound_enabled": bool(rng.randrange(4)),
            "line_type": "digital" if digital else "phone",
            "ivr_id": rng.choice((None, shape.made_id("ivr", rng.randrange(self._size.ivrs)))),
            "schedule_id": rng.choice((None, 5_001)),
            "failover_number": rng.choice((None, None, shape.digits(rng, code))),
            "brand_id": 9_001 + rng.randrange(2),
            "outbound_number": None,
            "token": rng.choice((None, f"{rng.getrandbits(64):016x}")),
        }
        return {**record, "line_id": f"line-{at:04d}"} if digital else record

    def _system_greeting(self, category: int, language: str) -> Record:
        name = f"{CATEGORIES[category - 1].replace('_', '-')}_{language}"
        speaks = language != "none"
        return {
            "id": name,
            "name": {"en": "Default", "de": "Vorgabe (Deutsch)", "jp": "既定", "none": "None"}[language],
            "category_id": category,
            "default": True,
            "default_lang": language == "en",
            "active": language == "en",
            "pending": False,
            "audio_url": f"https://static.example/voice/{name}.mp3" if speaks else None,
            "audio_name": f"{name}.mp3" if speaks else None,
            "upload_id": None,
            "phone_number_ids": [shape.made_id("number", 0)] if language == "en" else [],
            "ivr_ids": [shape.made_id("ivr", 0)] if category == _IVR else [],
            "has_sub_settings": category == _VOICEMAIL,
        }

    def _spoken_greeting(self, at: int) -> Record:
        rng = generator(self._seed, at, 54)
        number = shape.made_id("greeting", at)
        return {
            "id": number,
            "name": f"Grüße aus Köln, take {at}",
            "category_id": rng.randrange(1, 10),
            "default": False,
            "default_lang": False,
            "active": bool(rng.randrange(2)),
            "pending": not rng.randrange(4),
            "audio_url": f"https://files.example/greetings/{number}?expires=1767225600&signature=a%2Fb%3D",
            "audio_name": rng.choice(("greeting.mp3", "挨拶 (1).wav")),
            "upload_id": rng.choice((None, rng.randrange(10**9))),
            "phone_number_ids": [shape.made_id("number", number) for number in shape.some(rng, range(4), 3)],
            # Now and then as text: an id list of the older kind.
            "ivr_ids": [] if at % 3 else [str(shape.made_id("ivr", at % self._size.ivrs))],
            "has_sub_settings": False,
        }


_SUB_SETTINGS = {
    "voicemail_on_inside_business_hours": "voicemail_en",
    "voicemail_off_outside_business_hours": "voicemail_en_voicemail_config",
}


def _greeted_in(category: int) -> tuple[str, ...]:
    return _LANGUAGES if category <= _IVR else _LANGUAGES[:1]


def _categorised() -> dict[str, Any]:
    return {str(at): f"{name.replace('_', '-')}_en" for at, name in enumerate(CATEGORIES, 1) if at != _IVR}
