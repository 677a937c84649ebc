"""The products that the sales engagement tap can read."""

from __future__ import annotations

from singer_sdk import typing as th

from taps.engine.lanes import Limit
from taps.engine.provider import GENERIC, Provider

__all__ = ["PROVIDERS"]

_JSON_API = "application/vnd.api+json"

PROVIDERS = (
    Provider(name=GENERIC, title="the sales engagement API itself", needs=("token_url",)),
    Provider(
        name="outreach",
        title="Outreach",
        base_url="https://api.outreach.io/api/v2",
        settings=(
            th.Property(
                "redirect_uri",
                th.StringType(pattern=r"^\S+$"),
                title="Redirect URI",
                description="Of the OAuth2 application, word for word; Outreach asks for it when a token is renewed.",
                examples=["https://acme.com/oauth/outreach"],
            ),
        ),
        defaults={"token_url": "https://api.outreach.io/oauth/token"},
        headers={"Accept": _JSON_API, "Content-Type": _JSON_API},
        prefix="/v1",
        gaps=("unauthorizedOauthScope",),
        # developers.outreach.io, "Rate limits": 10,000 an hour and user, and of Kaia 3 a second.
        limit=Limit(10_000, 3600),
        limits={"kaia_recordings": Limit(3, 1)},
    ),
)
