"""The contact centre tap: its settings and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import typing as th

from taps.contact_center.streams import STREAMS
from taps.engine.auth import QueryKey
from taps.engine.settings import common_settings
from taps.engine.tap import ApiTap

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["TapContactCenter"]


class TapContactCenter(ApiTap):
    """Reads the overviews of a contact centre: account, agents, queues."""

    name = "tap-contact-center"
    stream_types = STREAMS

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="API key",
            description="Key that goes into the query of each request.",
        ),
        *common_settings(base_url_example="https://center.example.com", retry_statuses=[429, 500, 502, 503, 504]),
    ).to_dict()

    def authenticator(self) -> AuthBase:
        """The key in the query."""
        return QueryKey("api_key", self.config["api_key"])


if __name__ == "__main__":
    TapContactCenter.cli()
