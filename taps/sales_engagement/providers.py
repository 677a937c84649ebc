"""The products that the sales engagement tap can read."""

from __future__ import annotations

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
        defaults={"token_url": "https://api.outreach.io/oauth/token"},
        headers={"Accept": _JSON_API, "Content-Type": _JSON_API},
        prefix="/v1",
        gaps=("unauthorizedOauthScope",),
        # developers.outreach.io, "Rate limits": 10,000 an hour and user, and of Kaia 3 a second.
        limits={"kaia_recordings": Limit(3, 1)},
    ),
)
