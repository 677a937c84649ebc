"""The APIs that the sandbox serves, and the vendors of each.

One more API is a package, a line in `APIS` and one in `Stores`; one more vendor is a module and a place in `_VENDORS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.contact_center.api import CONTACT_CENTER
from taps.sandbox.defaults import GENERIC
from taps.sandbox.helpdesk.api import HELPDESK
from taps.sandbox.helpdesk.freshdesk import FRESHDESK
from taps.sandbox.oncall.api import ONCALL
from taps.sandbox.oncall.jsm_ops import JSM_OPS
from taps.sandbox.oncall.opsgenie import OPSGENIE
from taps.sandbox.sales_engagement.api import SALES_ENGAGEMENT
from taps.sandbox.sales_engagement.outreach import OUTREACH
from taps.sandbox.voice.api import VOICE
from taps.sandbox.voice.zendesk_talk import ZENDESK_TALK

if TYPE_CHECKING:
    from taps.sandbox.contact_center.store import ContactCenterStore
    from taps.sandbox.descriptor import Api
    from taps.sandbox.helpdesk.store import HelpdeskStore
    from taps.sandbox.oncall.store import OncallStore
    from taps.sandbox.sales_engagement.store import SalesStore
    from taps.sandbox.voice.store import VoiceStore

#: All APIs by name, in the order in which the command serves them.
APIS: dict[str, Api] = {
    "helpdesk": HELPDESK,
    "voice": VOICE,
    "contact_center": CONTACT_CENTER,
    "sales_engagement": SALES_ENGAGEMENT,
    "oncall": ONCALL,
}


_VENDORS: tuple[Api, ...] = (FRESHDESK, ZENDESK_TALK, OUTREACH, OPSGENIE, JSM_OPS)

#: The APIs' vendors, in whose dialects they can be served as well.
PROVIDERS: dict[str, dict[str, Api]] = {
    name: {vendor.provider: vendor for vendor in _VENDORS if vendor.name == name} for name in APIS
}


def served_as(name: str, provider: str) -> Api:
    """Find an API in a dialect.

    Args:
        name: The API's name.
        provider: `generic`, or one of the API's vendors.

    Returns:
        The API.

    Raises:
        ValueError: There is no such API, or no such vendor of it.
    """
    if name not in APIS:
        raise ValueError(f"there is no API {name!r}; there are {', '.join(APIS)}")
    known = {GENERIC: APIS[name], **PROVIDERS[name]}
    if provider not in known:
        raise ValueError(f"the {APIS[name].title} has no provider {provider!r}; it has {', '.join(known)}")
    return known[provider]


class Stores:
    """The records of the API that is served, under the API's name; the other names are not there.

    Attributes:
        helpdesk: The help desk's records, to look at and to change.
        voice: The call centre's.
        contact_center: The contact centre's.
        sales_engagement: The sales team's, and its tokens.
        oncall: The on-call team's.
    """

    helpdesk: HelpdeskStore
    voice: VoiceStore
    contact_center: ContactCenterStore
    sales_engagement: SalesStore
    oncall: OncallStore
