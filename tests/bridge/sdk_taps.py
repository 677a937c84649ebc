"""A tap on Meltano's SDK that can be stopped on its way; run by its class, or as an executable of its own."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class Tickets(Stream):
    """Two hundred tickets, of a generation that the settings name."""

    name = "tickets"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "word": {"type": "string"}},
    }

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        for number in range(200):
            if number == 50:
                self._stop()
            yield {"id": number, "word": self.config["word"]}

    def _stop(self) -> None:
        """End in the middle: with the exit code 0, but for those who know better."""
        how = self.config.get("stop")
        if how == "terminate the group":
            os.killpg(0, signal.SIGTERM)
        elif how == "terminate the tap":
            logging.disable()  # a metric would say that the stream was not read to its end
            os.kill(os.getpid(), signal.SIGTERM)
        elif how == "interrupt the tap":
            os.kill(os.getpid(), signal.SIGINT)
        elif how == "leave":
            sys.stdout.flush()
            os._exit(0)


class TapTickets(Tap):
    """The tap."""

    name = "tap-tickets"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"word": {"type": "string"}, "stop": {"type": "string"}, "api_token": {"type": "string"}},
        "required": ["word"],
    }

    def discover_streams(self) -> list[Stream]:
        return [Tickets(self)]


if __name__ == "__main__":
    TapTickets.cli()
