"""What recordings can be of: the taps, under each of their providers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from taps.contact_center.tap import TapContactCenter
from taps.engine.provider import GENERIC
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["SUBJECTS", "Subject", "streams_of"]


@dataclass(frozen=True)
class Subject:
    """A tap and a provider.

    Attributes:
        name: What a folder of its recordings is called: the provider, or the API where that is the neutral one.
        tap: The tap's class.
        provider: Value of its setting `provider`.
    """

    name: str
    tap: type[ApiTap]
    provider: str


def _subjects(tap: type[ApiTap]) -> list[Subject]:
    api = tap.name.removeprefix("tap-").replace("-", "_")
    return [
        Subject(api if provider.name == GENERIC else provider.name, tap, provider.name) for provider in tap.providers
    ]


SUBJECTS = {
    subject.name: subject
    for tap in (TapHelpdesk, TapVoice, TapSalesEngagement, TapOncall, TapContactCenter)
    for subject in _subjects(tap)
}


@cache
def streams_of(subject: Subject) -> dict[str, ApiStream]:
    """Make a tap, and give its streams; nothing is sent, so that it needs no settings."""
    level = logging.root.manager.disable
    logging.disable()  # the SDK says that settings are missing
    try:
        tap = subject.tap(config={"provider": subject.provider}, validate_config=False)
    finally:
        logging.disable(level)
    return dict(tap.streams)  # type: ignore[arg-type]
