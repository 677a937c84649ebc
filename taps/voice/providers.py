"""The products that the voice tap can read."""

from __future__ import annotations

from taps.engine.auth import InHeader, InQuery, WithPassword
from taps.engine.lanes import Limit
from taps.engine.provider import GENERIC, Place, Provider, email_setting
from taps.engine.query import StartParam

__all__ = ["PROVIDERS"]

_TOKEN = InHeader("Bearer", "{access_token}")

# developer.zendesk.com, "Rate limits": all of Talk 15,000 in 5 minutes, incremental exports 10 a minute, current queue
# activity 2,500 in 5 minutes.
_EXPORTS = Limit(10)
_EXPORT = {
    # Support's exports refuse what is less than a minute old; whether Talk's do is not documented.
    "start_param": StartParam("start_time", "{seconds}", margin=60),
    "too_recent_on": frozenset({422}),
}
_IVR = {"optional": True}  # with Talk Professional and above

PROVIDERS = (
    Provider(
        name=GENERIC,
        title="the voice API itself",
        auth=(InQuery("api_key", "{api_key}"), _TOKEN),
    ),
    Provider(
        name="zendesk_talk",
        title="Zendesk Talk",
        base_url="https://{subdomain}.zendesk.com/api/v2/channels/voice",
        places=(
            Place(
                name="subdomain",
                description="What stands before `.zendesk.com` in the address of the Zendesk account.",
                example="acme",
                pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$",
            ),
        ),
        settings=(email_setting("Address of the Zendesk agent or admin who made the API token `api_key`."),),
        auth=(WithPassword("{email}/token", "{api_key}"), _TOKEN),
        prefix="/v1",
        params={"limit": "per_page"},
        streams={"calls": _EXPORT, "call_legs": _EXPORT, "ivrs": _IVR, "ivr_menus": _IVR, "ivr_routes": _IVR},
        limit=Limit(15_000, 300),
        limits={"calls": _EXPORTS, "call_legs": _EXPORTS, "current_queue_activity": Limit(2500, 300)},
    ),
)
