"""The voice tap: its settings and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import typing as th

from taps.engine.auth import QueryKey, bearer
from taps.engine.settings import common_settings
from taps.engine.tap import ApiTap
from taps.voice.streams import STREAMS

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["TapVoice"]


class TapVoice(ApiTap):
    """Reads a phone system: calls and their legs, agents' activity, numbers, greetings, IVR menus."""

    name = "tap-voice"
    stream_types = STREAMS
    one_of = ("api_key", "access_token")

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            secret=True,
            title="API key",
            description="Key that goes into the query of each request. Either this or `access_token`.",
        ),
        th.Property(
            "access_token",
            th.StringType(min_length=1),
            secret=True,
            title="Access token",
            description="OAuth2 bearer token. Either this or `api_key`.",
        ),
        *common_settings(base_url_example="https://voice.example.com", retry_statuses=[429, 500, 502, 503, 504]),
    ).to_dict()

    def authenticator(self) -> AuthBase:
        """The key in the query, or the bearer token, whichever is configured."""
        if token := self.config.get("access_token"):
            return bearer(token)
        return QueryKey("api_key", self.config["api_key"])


if __name__ == "__main__":
    TapVoice.cli()
