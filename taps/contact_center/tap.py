"""The contact centre tap: its settings and its streams."""

from __future__ import annotations

from singer_sdk import typing as th

from taps.contact_center.providers import PROVIDERS
from taps.contact_center.streams import STREAMS
from taps.engine.settings import common_settings
from taps.engine.tap import ApiTap

__all__ = ["TapContactCenter"]


class TapContactCenter(ApiTap):
    """Reads the overviews of a contact centre: account, agents, queues."""

    name = "tap-contact-center"
    stream_types = STREAMS
    providers = PROVIDERS

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="API key",
            description="Key that goes into the query of each request.",
        ),
        *common_settings(
            PROVIDERS, base_url_example="https://center.example.com", retry_statuses=[429, 500, 502, 503, 504]
        ),
    ).to_dict()


if __name__ == "__main__":
    TapContactCenter.cli()
