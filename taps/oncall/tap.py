"""The on-call tap: its settings and its streams."""

from __future__ import annotations

from singer_sdk import typing as th

from taps.engine.settings import common_settings, lookback_setting
from taps.engine.tap import ApiTap
from taps.oncall.providers import PROVIDERS
from taps.oncall.streams import STREAMS

__all__ = ["TapOncall"]


class TapOncall(ApiTap):
    """Reads an on-call service: alerts with their logs and recipients, incidents, users, teams, services."""

    name = "tap-oncall"
    stream_types = STREAMS
    providers = PROVIDERS

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_key",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="API key",
            description="Key of the account, which goes into the `Authorization` header of each request.",
        ),
        th.Property(
            "auth_prefix",
            th.StringType,
            default="",
            title="Prefix of the key",
            description="What stands before the key in the header; a space between the two is put there.",
            examples=["Token"],
        ),
        *common_settings(
            PROVIDERS, base_url_example="https://oncall.example.com", retry_statuses=[429, 500, 502, 503, 504]
        ),
        lookback_setting(30),
    ).to_dict()


if __name__ == "__main__":
    TapOncall.cli()
