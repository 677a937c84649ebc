"""A tap for the help desk's tickets and conversations, written with the Singer SDK in the SDK's usual style.

It has the schemas of our own tap, so that the records are alike, and nothing that the SDK's documentation does not
show.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from singer_sdk import RESTStream, SchemaDirectory, StreamSchema, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.pagination import PageNumberPaginator

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

SCHEMAS = SchemaDirectory(Path(__file__).resolve().parents[3] / "schemas" / "helpdesk")


class HelpdeskStream(RESTStream[int]):
    """A list of the help desk whose pages are counted."""

    records_jsonpath = "$.data[*]"
    primary_keys = ("id",)
    schema = StreamSchema(SCHEMAS)

    @property
    def url_base(self) -> str:
        """The API's address."""
        return str(self.config["base_url"])

    @property
    def authenticator(self) -> BasicAuthenticator:
        """HTTP Basic with the key as user."""
        return BasicAuthenticator(username=self.config["api_key"], password="X")  # noqa: S106 - the API's constant

    def get_http_request(self, *, page: PageContext[int]) -> HTTPRequest:
        """Ask for a page of 100."""
        request = super().get_http_request(page=page)
        request.params["limit"] = 100
        return request


class Tickets(HelpdeskStream):
    """Requests of customers."""

    name = "tickets"
    path = "/v1/tickets"
    replication_key = "updated_at"

    def get_new_paginator(self) -> PageNumberPaginator:
        """Count pages from 1."""
        return PageNumberPaginator(start_value=1)

    def get_http_request(self, *, page: PageContext[int]) -> HTTPRequest:
        """Ask for the tickets since the bookmark, in its order."""
        start = self.get_starting_timestamp(page.stream_context)
        request = super().get_http_request(page=page)
        request.params = {
            "updated_since": start.strftime("%Y-%m-%dT%H:%M:%SZ") if start else "1970-01-01T00:00:00Z",
            "order_by": "updated_at",
            "order_type": "asc",
            "include": "description,requester,stats",
            **request.params,
            "page": page.next_page_token,
        }
        return request

    def get_child_context(self, record: Record, context: Context | None) -> Context:  # noqa: ARG002
        """Give a ticket's id to its conversations."""
        return {"ticket_id": record["id"]}


class Conversations(HelpdeskStream):
    """Replies and notes on a ticket."""

    name = "conversations"
    path = "/v1/tickets/{ticket_id}/conversations"
    parent_stream_type = Tickets


class TapPlain(Tap):
    """The tap."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(
        th.Property("base_url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
        th.Property("start_date", th.DateTimeType),
    ).to_dict()

    def discover_streams(self) -> list[HelpdeskStream]:
        """List the streams."""
        return [Tickets(self), Conversations(self)]


if __name__ == "__main__":
    TapPlain.cli()
