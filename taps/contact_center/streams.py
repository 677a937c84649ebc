"""The contact centre's streams, each a declaration.

To add one: a class here, a schema in `schemas/contact_center/<name>.json`, a place in `STREAMS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from taps.engine.counting import Offset
from taps.engine.schemas import schemas_of
from taps.engine.stream import ApiStream

if TYPE_CHECKING:
    from taps.engine.pagination import Pagination

__all__ = ["STREAMS"]


class Overview(ApiStream):
    """Figures of now. The API may give one object where a list is due, and may ignore the offset."""

    schema = schemas_of("contact_center")
    lone_object = True
    snapshot_field = "current_timestamp"
    pagination: ClassVar[Pagination] = Offset()


class AccountOverview(Overview):
    """Figures of calls, by account."""

    name = "account_overview"
    path = "/v1/account_overview"


class AgentsOverview(Overview):
    """Figures of agents."""

    name = "agents_overview"
    path = "/v1/agents_overview"


class CurrentQueueActivity(Overview):
    """Who is waiting, by queue."""

    name = "current_queue_activity"
    path = "/v1/current_queue_activity"


STREAMS = (
    AccountOverview,
    AgentsOverview,
    CurrentQueueActivity,
)
