"""The on-call tap: its settings and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import typing as th

from taps.engine.auth import HeaderKey
from taps.engine.settings import common_settings
from taps.engine.tap import ApiTap
from taps.oncall.streams import STREAMS

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["TapOncall"]


class TapOncall(ApiTap):
    """Reads an on-call service: alerts with their logs and recipients, incidents, users, teams, services."""

    name = "tap-oncall"
    stream_types = STREAMS

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="API key",
            description="Key that goes into the `Authorization` header of each request.",
        ),
        th.Property(
            "auth_prefix",
            th.StringType,
            default="",
            title="Prefix of the key",
            description="What stands before the key in the header; a space between the two is put there.",
            examples=["GenieKey"],
        ),
        *common_settings(base_url_example="https://oncall.example.com", retry_statuses=[429, 500, 502, 503, 504]),
    ).to_dict()

    def authenticator(self) -> AuthBase:
        """The key in the header, after the prefix."""
        return HeaderKey(f"{self.config['auth_prefix'].strip()} {self.config['api_key']}".strip())


if __name__ == "__main__":
    TapOncall.cli()
