"""Calls and their legs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.instants import DAY, SECOND, stamp
from taps.sandbox.seeded import generator, mix, one_in
from taps.sandbox.voice import shape

if TYPE_CHECKING:
    from taps.sandbox.rows import Record

_MINUTE = 60 * SECOND
_STATUSES = (
    "completed",
    "completed",
    "completed",
    "failed",
    "abandoned_in_queue",
    "abandoned_in_voicemail",
    "busy",
    "no-answer",
)
_QUALITY = ("none", "silence", "information_not_available", "packet_loss", "high_jitter")
_CHARGES = ("0.003", "0.0", "0.1", "12.3450", None)
#: About so many calls were last changed in each second in which many were changed at once.
_CALLS_A_BATCH = 5
_IN_BATCHES = 20


class Calls:
    """Makes calls and their legs, each by its position.

    Args:
        size: The call centre's size.
    """

    def __init__(self, size: shape.Size) -> None:
        self._size = size
        self._seed = size.seed
        span = shape.CALLS_TO - shape.CALLS_FROM
        per_batch = span * _CALLS_A_BATCH * _IN_BATCHES // max(1, size.calls)
        self._batch = max(SECOND, per_batch // SECOND * SECOND)
        # More than one record shares the last second of all: an export that ends there is asked for it again.
        self._last = {size.calls - 1, size.calls // 2, size.calls // 3}

    def created(self, call: int) -> int:
        """Give the instant at which a call was made.

        Args:
            call: The call's position; a later one was made later.

        Returns:
            The instant, in whole seconds.
        """
        span = (shape.CALLS_TO - shape.CALLS_FROM) // SECOND
        step = span / max(1, self._size.calls)
        jitter = mix(self._seed, call, 21) % 1_000 / 1_000
        return shape.CALLS_FROM + min(span, int((call + jitter) * step)) * SECOND

    def updated(self, call: int) -> int:
        """Give the instant of a call's last change, which is long after the call for some.

        Args:
            call: The call's position.

        Returns:
            The instant, a few with milliseconds.
        """
        if call in self._last:
            return shape.END
        created, draw = self.created(call), mix(self._seed, call, 22)
        kind = mix(self._seed, call, 23) % 25
        # Most are settled within three hours, a few when the bill comes, and one in 25 after months.
        most = 200 * DAY if not kind else 3 * DAY if kind < 4 else 140 * _MINUTE  # noqa: PLR2004 - three of 25
        updated = created + 40 * _MINUTE + draw % (most // SECOND) * SECOND
        if one_in(_IN_BATCHES, self._seed, call, 24):
            updated = -(-updated // self._batch) * self._batch
        if updated >= shape.END:
            updated = shape.END - SECOND - draw % (10 * DAY // SECOND) * SECOND
        return updated + (123_000 if one_in(53, self._seed, call, 25) else 0)

    def leg_updated(self, leg: int) -> int:
        """Give the instant of a leg's last change.

        Args:
            leg: The leg's position.

        Returns:
            That of its call, or a second before.
        """
        updated = self.updated(shape.call_of(leg))
        return updated - (0 if updated == shape.END else mix(self._seed, leg, 26) % 2 * SECOND)

    def call(self, call: int) -> Record:
        """Make a call.

        Args:
            call: The call's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, call, 27)
        inbound = bool(rng.randrange(3))
        status = rng.choice(_STATUSES)
        talked = rng.randrange(5, 3_000) if status == "completed" else 0
        waited = rng.randrange(300) if inbound else 0
        number = rng.randrange(self._size.numbers)
        digital = not number % 9
        by_menu = inbound and not rng.randrange(3)
        group = rng.randrange(len(shape.GROUPS))
        return {
            "id": shape.made_id("call", call),
            "created_at": stamp(self.created(call)),
            "updated_at": self._spelled(self.updated(call), call),
            "agent_id": self._size.agent(rng.randrange(10**6)) if talked else None,
            "call_charge": rng.choice(_CHARGES),
            "consultation_time": 0,
            "completion_status": status,
            "customer_id": shape.BEYOND_FLOATS
            if one_in(97, self._seed, call, 28)
            else rng.choice((None, shape.made_id("customer", rng.randrange(10**6)))),
            "customer_requested_voicemail": not rng.randrange(20),
            "direction": "inbound" if inbound else "outbound",
            "duration": waited + talked,
            "exceeded_queue_wait_time": rng.choice((None, waited > 200)),  # noqa: PLR2004 - seconds
            "exceeded_queue_time": rng.choice((None, waited > 200)),  # noqa: PLR2004 - seconds
            "hold_time": rng.choice((0, 0, talked // 9)),
            "minutes_billed": -(-talked // 60),
            "outside_business_hours": rng.choice((None, False, False, True)),
            "phone_number_id": shape.made_id("number", number),
            "phone_number": None if digital else shape.digits(generator(self._seed, number, 41), "+1"),
            "ticket_id": rng.choice((None, shape.made_id("ticket", rng.randrange(10**6)))),
            "time_to_answer": waited if inbound and talked else None,
            "voicemail": status == "abandoned_in_voicemail",
            "wait_time": waited,
            "wrap_up_time": rng.choice((0, rng.randrange(240))),
            "ivr_time_spent": rng.randrange(90) if by_menu else None,
            "ivr_hops": rng.randrange(1, 5) if by_menu else None,
            "ivr_destination_group_name": shape.GROUPS[group] if by_menu else None,
            "talk_time": talked if status == "completed" else rng.choice((None, 0)),
            "ivr_routed_to": shape.digits(rng, "+49") if by_menu and not rng.randrange(9) else None,
            "callback": rng.choice((None, False, False, True)),
            "callback_source": rng.choice((None, None, "queue", "web_widget")),
            "default_group": not rng.randrange(6),
            "ivr_action": rng.choice(("menu", "group", "voicemail", "phone_number")) if by_menu else None,
            "line": "Café Łódź 💬" if digital else None,
            "line_id": f"line-{number:04d}" if digital else None,
            "line_type": "digital" if digital else rng.choice((None, "phone")),
            "overflowed": not rng.randrange(25),
            "overflowed_to": shape.digits(rng, "+1") if not rng.randrange(25) else None,
            "recording_control_interactions": rng.randrange(3),
            "recording_time": talked,
            "not_recording_time": 0,
            "call_recording_consent": rng.choice(("always", "opt_in", "opt_out", "never")),
            "call_recording_consent_action": rng.choice((None, "caller_opted_in", "caller_opted_out")),
            "call_recording_consent_keypress": rng.choice((None, "3", "#")),
            "call_group_id": shape.made_id("group", group) if inbound else None,
            "call_channel": rng.choice((None, None, "phone")),
            "quality_issues": rng.sample(_QUALITY, rng.choice((0, 1, 1, 2))),
        }

    def leg(self, leg: int) -> Record:
        """Make a leg.

        Args:
            leg: The leg's position.

        Returns:
            The record.
        """
        rng = generator(self._seed, leg, 29)
        call = shape.call_of(leg)
        customer = shape.is_first_leg(leg)
        agent = self._size.agent(rng.randrange(10**6))
        conference = not customer and not rng.randrange(15)
        duration = rng.randrange(3_000)
        return {
            "id": shape.made_id("leg", leg),
            "created_at": stamp(self.created(call)),
            "updated_at": self._spelled(self.leg_updated(leg), leg),
            # Each kind of leg says 0 for the party that is not on it.
            "agent_id": 0 if customer else agent,
            "user_id": rng.choice((None, shape.made_id("customer", rng.randrange(10**6)))) if customer else 0,
            "duration": duration,
            "hold_time": rng.choice((0, duration // 10)),
            "wrap_up_time": None if customer else rng.randrange(240),
            "available_via": None if customer else rng.choice(("browser", "phone")),
            "forwarded_to": None if customer or rng.randrange(9) else shape.digits(rng, "+44"),
            "consultation_from": self._size.agent(rng.randrange(10**6)) if conference else None,
            "transferred_from": rng.choice((None, None, None, agent)),
            "transferred_to": rng.choice((None, None, None, agent)),
            "minutes_billed": rng.choice((None, -(-duration // 60))),
            "call_charge": rng.choice(_CHARGES),
            "completion_status": rng.choice(("completed", "completed", "agent_missed", "agent_declined")),
            "consultation_time": rng.randrange(200) if conference else None,
            "talk_time": rng.randrange(duration + 1),
            "consultation_to": self._size.agent(rng.randrange(10**6)) if conference else None,
            "conference_time": rng.randrange(400) if conference else None,
            "conference_from": agent if conference else None,
            "conference_to": agent if conference else None,
            "quality_issues": rng.sample(_QUALITY, rng.choice((0, 1, 1, 2))),
            "call_id": shape.made_id("call", call),
            "type": "customer" if customer else rng.choice(("agent", "agent", "external", "supervisor")),
        }

    def _spelled(self, moment: int, position: int) -> str:
        return stamp(
            moment,
            digits=3 if moment % SECOND else 0,
            offset_hours=2 if one_in(61, self._seed, position, 30) else 0,
        )
