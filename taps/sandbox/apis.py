"""The APIs that the sandbox serves; to add one is a package, a line in `APIS` and one in `Stores`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.sandbox.contact_center.api import CONTACT_CENTER
from taps.sandbox.helpdesk.api import HELPDESK
from taps.sandbox.oncall.api import ONCALL
from taps.sandbox.sales_engagement.api import SALES_ENGAGEMENT
from taps.sandbox.voice.api import VOICE

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
