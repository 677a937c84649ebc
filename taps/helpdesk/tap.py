"""The help desk tap: its settings and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import typing as th

from taps.engine.auth import basic_auth
from taps.engine.settings import common_settings, lookback_setting
from taps.engine.tap import ApiTap
from taps.helpdesk.streams import STREAMS

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["TapHelpdesk"]


class TapHelpdesk(ApiTap):
    """Reads a help desk: tickets and their conversations, people, companies, forums, solutions, configuration."""

    name = "tap-helpdesk"
    stream_types = STREAMS

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
            base_url_example="https://acme.example.com",
            retry_statuses=[401, 429, 500, 502, 503, 504],
        ),
        lookback_setting(),
    ).to_dict()

    def authenticator(self) -> AuthBase:
        """HTTP Basic with the key as user; the password is a constant that the API asks for."""
        return basic_auth(self.config["api_key"], "X")


if __name__ == "__main__":
    TapHelpdesk.cli()
