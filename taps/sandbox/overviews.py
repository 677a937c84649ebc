"""The figures of an overview: of an account, of its agents and of its queue."""

from __future__ import annotations

from taps.sandbox.seeded import generator

ACCOUNT = (
    "average_call_duration",
    "average_queue_wait_time",
    "average_wrap_up_time",
    "max_calls_waiting",
    "max_queue_wait_time",
    "total_call_duration",
    "total_calls",
    "total_voicemails",
    "total_wrap_up_time",
    "average_callback_wait_time",
    "average_hold_time",
    "average_time_to_answer",
    "total_callback_calls",
    "total_calls_abandoned_in_queue",
    "total_calls_outside_business_hours",
    "total_calls_with_exceeded_queue_wait_time",
    "total_calls_with_requested_voicemail",
    "total_hold_time",
    "total_inbound_calls",
    "total_outbound_calls",
    "total_textback_requests",
    "total_embeddable_callback_calls",
)
AGENTS = (
    "average_wrap_up_time",
    "total_calls_accepted",
    "total_calls_denied",
    "total_calls_missed",
    "total_talk_time",
    "total_wrap_up_time",
    "average_available_time",
    "average_online_time",
    "average_calls_accepted",
    "average_calls_denied",
    "average_calls_missed",
    "average_calls_put_on_hold",
    "average_hold_time",
    "average_talk_time",
    "average_accepted_transfers",
    "average_started_transfers",
    "total_accepted_transfers",
    "total_started_transfers",
    "total_calls_put_on_hold",
    "total_hold_time",
    "average_away_time",
)
QUEUE = (
    "agents_online",
    "calls_waiting",
    "callbacks_waiting",
    "average_wait_time",
    "longest_wait_time",
    "embeddable_callbacks_waiting",
)


def figures(seed: int, names: tuple[str, ...], variant: int) -> dict[str, int | None]:
    """Make up the figures of an overview.

    Args:
        seed: The seed.
        names: The figures' names.
        variant: A number for this overview, so that the figures of each differ.

    Returns:
        The figures by name; now and then one is not known.
    """
    rng = generator(seed, variant, 71)
    return {name: rng.randrange(5_000) if rng.randrange(12) else None for name in names}
