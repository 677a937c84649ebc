"""The commands of the taps, each of which imports as little as it can before it runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from taps.engine.start import quick_imports
from taps.engine.stopping import stopping

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["tap_contact_center", "tap_helpdesk", "tap_oncall", "tap_sales_engagement", "tap_voice"]


def _command(room: str, tap: str) -> Callable[[], None]:
    def run() -> None:
        stopping.arm()
        with quick_imports():
            tap_class = getattr(import_module(f"taps.{room}"), tap)
        tap_class.cli()

    return run


tap_helpdesk = _command("helpdesk", "TapHelpdesk")
tap_voice = _command("voice", "TapVoice")
tap_sales_engagement = _command("sales_engagement", "TapSalesEngagement")
tap_oncall = _command("oncall", "TapOncall")
tap_contact_center = _command("contact_center", "TapContactCenter")
