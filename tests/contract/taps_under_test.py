"""The taps that the contract tests go through; one entry a tap."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from taps.contact_center.tap import TapContactCenter
from taps.engine.provider import GENERIC
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap


@dataclass(frozen=True)
class TapUnderTest:
    """A tap, and where its schemas and the sandbox's copy of its data are."""

    tap_class: type[ApiTap]
    api: str
    options: dict[str, Any] = field(default_factory=dict)
    """What the sandbox is told besides the size of its pages, so that lists come in several."""
    provider: str = GENERIC

    @property
    def name(self) -> str:
        return self.tap_class.name if self.provider == GENERIC else f"{self.tap_class.name} of {self.provider}"

    @property
    def streams(self) -> tuple[type[ApiStream], ...]:
        return self.tap_class.streams_for({"provider": self.provider})

    @contextmanager
    def sandbox(self, **settings: Any) -> Iterator[Sandbox]:
        """Serve what the tap reads, by the provider's rules."""
        with Sandbox(api=self.api, provider=self.provider, **settings, **self.options) as sandbox:
            yield sandbox

    def served(self, sandbox: Sandbox) -> list[type[ApiStream]]:
        """The streams that the sandbox serves; a test of its own sees to it that these are all."""
        counts = getattr(sandbox, self.api).counts()
        return [stream for stream in self.streams if stream.name in counts]

    def held(self, sandbox: Sandbox) -> dict[str, list[dict[str, Any]]]:
        """All records that the sandbox holds, by stream, with exact numbers."""
        world = getattr(sandbox, self.api)
        records = {stream.name: world.records(stream.name) for stream in self.served(sandbox)}
        exact: dict[str, list[dict[str, Any]]] = json.loads(json.dumps(records), parse_float=Decimal)
        return exact


TAPS = [
    TapUnderTest(TapHelpdesk, "helpdesk"),
    TapUnderTest(TapVoice, "voice", {"export_page": 7}),
    TapUnderTest(TapSalesEngagement, "sales_engagement"),
    TapUnderTest(TapOncall, "oncall"),
    TapUnderTest(TapContactCenter, "contact_center"),
]

PROVIDED = [replace(tap, provider=provider.name) for tap in TAPS for provider in tap.tap_class.providers]
"""The taps once for each product that they can read, the neutral API among them."""
