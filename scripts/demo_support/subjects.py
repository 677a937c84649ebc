"""What the demo shows: the taps, each with the API of the sandbox that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taps.contact_center.tap import TapContactCenter
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.apis import APIS
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["SUBJECTS", "Subject"]


@dataclass(frozen=True)
class Subject:
    """A tap to show.

    Attributes:
        api: What it reads, as the sandbox names it; also the schema of its tables.
        tap: Its class.
        changes: What happens between the two runs: how many records of which kind, as the sandbox takes it.
        options: What the sandbox is told besides, to make it harder for the tap.
    """

    api: str
    tap: type[ApiTap]
    changes: Mapping[str, int]
    options: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The tap's command, which is also the Meltano plugin."""
        return self.tap.name

    @property
    def title(self) -> str:
        """What the API is called in a sentence after "the"."""
        return APIS[self.api].title

    def variable(self, setting: str) -> str:
        """Name the environment variable of a setting."""
        return f"{self.name}_{setting}".upper().replace("-", "_")

    @property
    def streams(self) -> Sequence[type[ApiStream]]:
        """The tap's streams by name."""
        return sorted(self.tap.stream_types, key=lambda stream: stream.name)


#: All of them by the name of the API.
SUBJECTS = {
    subject.api: subject
    for subject in (
        Subject("helpdesk", TapHelpdesk, {"tickets": 25, "new": 5}),
        Subject("voice", TapVoice, {"calls": 25, "new": 5}),
        Subject(
            "sales_engagement",
            TapSalesEngagement,
            {"prospects": 25, "accounts": 10, "tasks": 10, "new": 5, "mailings": 5, "events": 5},
            # Each refresh token is good for one run: the second needs what the first has kept.
            options=("rotate=true",),
        ),
        Subject("oncall", TapOncall, {"alerts": 25, "incidents": 5, "new": 5}),
        Subject("contact_center", TapContactCenter, {"rows": 5}),
    )
}
