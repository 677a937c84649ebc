"""The voice tap: its settings and its streams."""

from __future__ import annotations

from singer_sdk import typing as th

from taps.engine.settings import common_settings
from taps.engine.tap import ApiTap
from taps.voice.providers import PROVIDERS
from taps.voice.streams import STREAMS

__all__ = ["TapVoice"]


class TapVoice(ApiTap):
    """Reads a phone system: calls and their legs, agents' activity, numbers, greetings, IVR menus."""

    name = "tap-voice"
    stream_types = STREAMS
    providers = PROVIDERS
    one_of = ("api_key", "access_token")

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            secret=True,
            title="API key",
            description="Key of the account. Either this or `access_token`.",
        ),
        th.Property(
            "access_token",
            th.StringType(min_length=1),
            secret=True,
            title="Access token",
            description="OAuth2 bearer token. Either this or `api_key`.",
        ),
        *common_settings(
            PROVIDERS, base_url_example="https://voice.example.com", retry_statuses=[429, 500, 502, 503, 504]
        ),
    ).to_dict()


if __name__ == "__main__":
    TapVoice.cli()
