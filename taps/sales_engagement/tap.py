"""The sales engagement tap: its settings and its streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from singer_sdk import typing as th

from taps.engine.oauth import RefreshingToken, TokenCache
from taps.engine.settings import common_settings
from taps.engine.tap import ApiTap
from taps.sales_engagement.providers import PROVIDERS
from taps.sales_engagement.streams import STREAMS

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["TapSalesEngagement"]


class TapSalesEngagement(ApiTap):
    """Reads a sales engagement platform: accounts, prospects, sequences, mailings, calls, tasks, templates."""

    name = "tap-sales-engagement"
    stream_types = STREAMS
    providers = PROVIDERS
    shared_by = "token_cache_path"

    config_jsonschema = th.PropertiesList(
        th.Property(
            "client_id",
            th.StringType(min_length=1),
            required=True,
            title="Client ID",
            description="Of the OAuth2 application.",
        ),
        th.Property(
            "client_secret",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="Client secret",
            description="Of the OAuth2 application.",
        ),
        th.Property(
            "refresh_token",
            th.StringType(min_length=1),
            required=True,
            secret=True,
            title="Refresh token",
            description="From the authorization. The tokens in `token_cache_path` come before it.",
        ),
        th.Property(
            "token_url",
            th.URIType,
            title="Token URL",
            description="Address of the token endpoint; that of another `provider` than `generic` is known.",
            examples=["https://sales.example.com/oauth/token"],
        ),
        th.Property(
            "token_cache_path",
            th.StringType(min_length=1),
            title="Token cache",
            description="File that keeps the tokens from one run to the next. The API voids a refresh token when it "
            "gives a new one, so without this file the next run may be refused.",
            examples=["~/.local/state/tap-sales-engagement/tokens.json"],
        ),
        *common_settings(
            PROVIDERS,
            base_url_example="https://sales.example.com",
            page_size=1000,
            max_page_size=1000,
            retry_statuses=[429, 500, 502, 503, 504],
        ),
    ).to_dict()

    def authenticator(self) -> AuthBase:
        """A bearer token that is renewed with the refresh token."""
        path = self.config.get("token_cache_path")
        return RefreshingToken(
            token_url=self.config["token_url"],
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
            refresh_token=self.config["refresh_token"],
            redirect_uri=self.config.get("redirect_uri"),
            cache=TokenCache(Path(path).expanduser(), self.logger) if path else None,
            retry=self.retry_policy,
            timeout=self.config["request_timeout"],
            redact=self.redactor,
            logger=self.logger,
        )


if __name__ == "__main__":
    TapSalesEngagement.cli()
