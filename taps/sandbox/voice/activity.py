"""What each agent did today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.seeded import generator
from taps.sandbox.voice import shape

if TYPE_CHECKING:
    from taps.sandbox.rows import Record

_AGENT = (
    "average_talk_time",
    "calls_accepted",
    "calls_denied",
    "calls_missed",
    "online_time",
    "available_time",
    "total_call_duration",
    "total_talk_time",
    "total_wrap_up_time",
    "away_time",
    "transfers_only_time",
    "average_wrap_up_time",
    "accepted_transfers",
    "started_transfers",
    "calls_put_on_hold",
    "average_hold_time",
    "total_hold_time",
    "started_third_party_conferences",
    "accepted_third_party_conferences",
)
_STATES = ("online", "offline", "away", "transfers_only")


def agent_activity(size: shape.Size, at: int) -> Record:
    """Make an agent's activity.

    Args:
        size: The call centre's size.
        at: The agent's position.

    Returns:
        The record, which has no id of its own.
    """
    rng = generator(size.seed, at, 72)
    agent = shape.made_id("agent", at)
    state = rng.choice(_STATES)
    return {
        "name": size.agent_name(at),
        "agent_id": agent,
        "via": rng.choice(("client", "phone", None)),
        "avatar_url": rng.choice((None, f"https://static.example/photos/{agent}.png")),
        "forwarding_number": rng.choice((None, shape.digits(rng, "+1"))),
        **{name: rng.randrange(9_000) if rng.randrange(3) else 0 for name in _AGENT},
        "call_status": rng.choice((None, "on_call", "wrap_up")),
        "agent_state": state,
        "status": state.replace("_", " ").capitalize(),
        "status_code": state,
    }
