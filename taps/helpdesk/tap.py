"""The help desk tap: its settings and its streams."""

from __future__ import annotations

from singer_sdk import typing as th

from taps.engine.settings import common_settings, lookback_setting
from taps.engine.tap import ApiTap
from taps.helpdesk.providers import PROVIDERS
from taps.helpdesk.streams import STREAMS

__all__ = ["TapHelpdesk"]


class TapHelpdesk(ApiTap):
    """Reads a help desk: tickets and their conversations, people, companies, forums, solutions, configuration."""

    name = "tap-helpdesk"
    stream_types = STREAMS
    providers = PROVIDERS

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="API key",
            description="Key of an agent; what the agent may see is what is read.",
        ),
        *common_settings(
            PROVIDERS,
            base_url_example="https://acme.example.com",
            retry_statuses=[401, 429, 500, 502, 503, 504],
        ),
        lookback_setting(),
    ).to_dict()


if __name__ == "__main__":
    TapHelpdesk.cli()
