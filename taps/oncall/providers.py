"""The products that the on-call tap can read."""

from __future__ import annotations

from msgspec.structs import replace

from taps.engine.auth import InHeader, WithPassword
from taps.engine.errors import REFUSALS
from taps.engine.provider import GENERIC, Place, Provider, email_setting
from taps.engine.query import StartParam
from taps.oncall.streams import STREAMS, AlertNotes, Alerts

__all__ = ["PROVIDERS"]

_KEY = InHeader("{auth_prefix}", "{api_key}")
_RATE_HEADERS = {"state": "X-RateLimit-State", "period": "X-RateLimit-Period-In-Sec"}
# Whether `updatedAt` can be searched is disputed; what was created can be, and a look-back finds what changed since.
_SEARCHED = {
    "replication_key": "createdAt",
    "start_param": StartParam("query", "createdAt >= {milliseconds}"),
    "params": {"sort": "createdAt", "order": "asc"},
    "lookback": True,
}

PROVIDERS = (
    Provider(name=GENERIC, title="the on-call API itself", auth=(_KEY,), rate_headers=_RATE_HEADERS),
    Provider(
        name="opsgenie",
        title="Opsgenie",
        base_url="https://{region}",
        places=(
            Place(
                name="region",
                description="Where the Opsgenie account is: `us` or `eu`.",
                example="eu",
                hosts={"us": "api.opsgenie.com", "eu": "api.eu.opsgenie.com"},
            ),
        ),
        auth=(_KEY,),
        defaults={"auth_prefix": "GenieKey"},
        every={"inaccessible_on": REFUSALS},
        streams={"alerts": _SEARCHED, "incidents": _SEARCHED},
        adds=(AlertNotes,),
        rate_headers=_RATE_HEADERS,
    ),
    Provider(
        name="jsm_ops",
        title="Jira Service Management Operations, alerts alone",
        base_url="https://api.atlassian.com/jsm/ops/api/{cloud_id}/v1",
        places=(
            Place(
                name="cloud_id",
                description="ID of the Atlassian site, as `https://<site>.atlassian.net/_edge/tenant_info` gives it.",
                example="11111111-2222-3333-4444-555555555555",
                pattern=r"^[A-Za-z0-9-]+$",
            ),
        ),
        settings=(email_setting("Address of the Atlassian account whose API token `api_key` is."),),
        auth=(WithPassword("{email}", "{api_key}"),),
        prefix="/v2",
        params={"limit": "size"},
        records={"$.data[*]": "$.values[*]"},
        streams={"alerts": {**_SEARCHED, "pagination": replace(Alerts.pagination, path="links.next")}},
        lacks=[stream.name for stream in STREAMS if stream.name != "alerts"],
        rate_headers=_RATE_HEADERS,
        experimental=True,
    ),
)
