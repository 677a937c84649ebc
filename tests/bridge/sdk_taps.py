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


class Issues(Stream):
    """Issues of which those after the bookmark are read."""

    name = "issues"
    primary_keys = ("id",)
    replication_key = "changed"
    is_sorted = True
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "changed": {"type": "integer"}},
    }

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        since = self.get_starting_replication_key_value(context) or 0
        issues = ({"id": number, "changed": number} for number in range(1, self.config["issues"] + 1))
        return [issue for issue in issues if issue["changed"] >= since]

    def get_child_context(self, record: dict[str, Any], context: Context | None) -> dict[str, Any]:
        return {"issue_id": record["id"]}


class Comments(Stream):
    """Two comments for each issue; without a replication key, and so read in full, but only of the issues read."""

    name = "comments"
    primary_keys = ("id",)
    parent_stream_type = Issues
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "issue_id": {"type": "integer"}},
    }

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        issue = (context or {})["issue_id"]
        return [{"id": 10 * issue + number, "issue_id": issue} for number in range(2)]


class TapIssues(Tap):
    """A tap with a child stream."""

    name = "tap-issues"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"issues": {"type": "integer"}},
        "required": ["issues"],
    }

    def discover_streams(self) -> list[Stream]:
        return [Issues(self), Comments(self)]


if __name__ == "__main__":
    {"issues": TapIssues, "tickets": TapTickets}[sys.argv.pop(1) if sys.argv[1:2] == ["issues"] else "tickets"].cli()
