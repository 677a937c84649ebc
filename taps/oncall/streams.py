"""The on-call streams, each a declaration.

To add one: a class here, a schema in `schemas/oncall/<name>.json`, a place in `STREAMS`.
"""

from __future__ import annotations

from typing import ClassVar

from taps.engine.links import BodyLink
from taps.engine.pagination import Pagination, SinglePage
from taps.engine.query import StartParam
from taps.engine.schemas import schemas_of
from taps.engine.stream import ApiStream

__all__ = ["STREAMS", "AlertNotes"]


class OncallStream(ApiStream):
    """A list of the on-call service."""

    schema = schemas_of("oncall")
    pagination: ClassVar[Pagination] = BodyLink("paging.next")


class SearchedStream(OncallStream):
    """A list that is searched by its last change, and gives at most 20,000 records a search."""

    replication_key = "updatedAt"
    start_param = StartParam("query", "updatedAt >= {milliseconds}")
    is_sorted = True
    params: ClassVar = {"sort": "updatedAt", "order": "asc"}
    pagination = BodyLink("paging.next", window=20_000)


class Users(OncallStream):
    """People who can be alerted."""

    name = "users"
    path = "/v2/users"


class UserTeams(OncallStream):
    """Teams that a user is in."""

    name = "user_teams"
    path = "/v2/users/{user_id}/teams"
    primary_keys = ("user_id", "id")
    parent_stream_type = Users


class Teams(OncallStream):
    """Teams."""

    name = "teams"
    path = "/v2/teams"
    pagination = SinglePage()


class Services(OncallStream):
    """Services that incidents are about."""

    name = "services"
    path = "/v1/services"


class Integrations(OncallStream):
    """Where alerts come from and go to."""

    name = "integrations"
    path = "/v2/integrations"
    pagination = SinglePage()


class Incidents(SearchedStream):
    """Incidents."""

    name = "incidents"
    path = "/v1/incidents"


class Alerts(SearchedStream):
    """Alerts."""

    name = "alerts"
    path = "/v2/alerts"


class AlertLogs(OncallStream):
    """What happened to an alert."""

    name = "alert_logs"
    path = "/v2/alerts/{alert_id}/logs"
    primary_keys = ("alert_id", "offset")
    parent_stream_type = Alerts
    pagination = BodyLink("paging.next", opaque_param="offset")


class AlertNotes(OncallStream):
    """Notes on an alert."""

    name = "alert_notes"
    path = "/v2/alerts/{alert_id}/notes"
    primary_keys = ("alert_id", "offset")
    parent_stream_type = Alerts
    pagination = BodyLink("paging.next", opaque_param="offset")


class AlertRecipients(OncallStream):
    """Who was told of an alert."""

    name = "alert_recipients"
    path = "/v2/alerts/{alert_id}/recipients"
    primary_keys = ("alert_id", "user_id")
    parent_stream_type = Alerts
    copied_fields: ClassVar = {"user_id": "user.id", "user_username": "user.username"}


STREAMS = (
    Users,
    UserTeams,
    Teams,
    Services,
    Integrations,
    Incidents,
    Alerts,
    AlertLogs,
    AlertRecipients,
)
