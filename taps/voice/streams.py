"""The voice streams, each a declaration.

To add one: a class here, a schema in `schemas/voice/<name>.json`, a place in `STREAMS`.
"""

from __future__ import annotations

from typing import ClassVar

from taps.engine.links import BodyLink, Export
from taps.engine.pagination import Pagination, SinglePage
from taps.engine.query import StartParam
from taps.engine.schemas import schemas_of
from taps.engine.stream import ApiStream

__all__ = ["STREAMS"]


class VoiceStream(ApiStream):
    """A list of the phone system."""

    schema = schemas_of("voice")
    pagination: ClassVar[Pagination] = BodyLink("next_page")


class Snapshot(VoiceStream):
    """Figures of now: one object, so that each sync adds a row."""

    primary_keys = ("current_timestamp",)
    snapshot_field = "current_timestamp"
    pagination = SinglePage()


class IncrementalExport(VoiceStream):
    """Records by their last change, whose pages overlap by a second."""

    replication_key = "updated_at"
    start_param = StartParam("start_time", "{seconds}")
    is_sorted = True
    pagination = Export()


class IvrStream(VoiceStream):
    """What is nested in the menus of the phone, read from the same pages."""

    path = "/v1/ivr"
    shares_pages = True


class Addresses(VoiceStream):
    """Addresses that numbers are registered at."""

    name = "addresses"
    path = "/v1/addresses"
    records_jsonpath = "$.addresses[*]"


class GreetingCategories(VoiceStream):
    """Occasions for greetings."""

    name = "greeting_categories"
    path = "/v1/greeting_categories"
    records_jsonpath = "$.greeting_categories[*]"


class Greetings(VoiceStream):
    """What callers hear: the system's own, with a text as id, and recordings."""

    name = "greetings"
    path = "/v1/greetings"
    records_jsonpath = "$.greetings[*]"


class PhoneNumbers(VoiceStream):
    """Numbers and digital lines."""

    name = "phone_numbers"
    path = "/v1/phone_numbers"
    records_jsonpath = "$.phone_numbers[*]"


class AgentsActivity(VoiceStream):
    """What each agent has done today."""

    name = "agents_activity"
    path = "/v1/stats/agents_activity"
    records_jsonpath = "$.agents_activity[*]"
    primary_keys = ("agent_id",)


class AgentsOverview(Snapshot):
    """Figures of all agents together, today."""

    name = "agents_overview"
    path = "/v1/stats/agents_overview"
    records_jsonpath = "$.agents_overview"


class AccountOverview(Snapshot):
    """Figures of all calls together, today."""

    name = "account_overview"
    path = "/v1/stats/account_overview"
    records_jsonpath = "$.account_overview"


class CurrentQueueActivity(Snapshot):
    """Who is waiting now."""

    name = "current_queue_activity"
    path = "/v1/stats/current_queue_activity"
    records_jsonpath = "$.current_queue_activity"


class Calls(IncrementalExport):
    """Calls; they change long after they were made."""

    name = "calls"
    path = "/v1/stats/incremental/calls"
    records_jsonpath = "$.calls[*]"


class CallLegs(IncrementalExport):
    """The parts of calls, one for each who took part."""

    name = "call_legs"
    path = "/v1/stats/incremental/legs"
    records_jsonpath = "$.legs[*]"


class Ivrs(IvrStream):
    """Phone menus as a whole."""

    name = "ivrs"
    records_jsonpath = "$.ivrs[*]"


class IvrMenus(IvrStream):
    """Menus of a phone menu."""

    name = "ivr_menus"
    records_jsonpath = "$.ivrs[*].menus[*]"
    enclosing_ids: ClassVar = {"ivrs": "ivr_id"}


class IvrRoutes(IvrStream):
    """What each key of a menu leads to."""

    name = "ivr_routes"
    records_jsonpath = "$.ivrs[*].menus[*].routes[*]"
    enclosing_ids: ClassVar = {"ivrs": "ivr_id", "menus": "ivr_menu_id"}


STREAMS = (
    Addresses,
    GreetingCategories,
    Greetings,
    PhoneNumbers,
    AgentsActivity,
    AgentsOverview,
    AccountOverview,
    CurrentQueueActivity,
    Calls,
    CallLegs,
    Ivrs,
    IvrMenus,
    IvrRoutes,
)
