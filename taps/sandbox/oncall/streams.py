"""The collections of the on-call API and where each is served."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """One collection.

    Attributes:
        name: The collection's name.
        path: Its path; `{id}` stands for the parent's id.
        parent: The collection whose records this one hangs on.
        parent_key: The name under which a client keeps the parent's id.
        paged: Whether it is given in pages.
        searched: Whether it can be filtered and sorted, and has a window that no page reaches beyond.
        counted: Whether its answers tell how many records there are.
    """

    name: str
    path: str
    parent: str | None = None
    parent_key: str = ""
    paged: bool = True
    searched: bool = False
    counted: bool = False


_ALL = (
    Stream("alerts", "/v2/alerts", searched=True),
    Stream("alert_logs", "/v2/alerts/{id}/logs", "alerts", "alert_id"),
    Stream("alert_recipients", "/v2/alerts/{id}/recipients", "alerts", "alert_id", paged=False),
    Stream("incidents", "/v1/incidents", searched=True),
    Stream("integrations", "/v2/integrations", paged=False),
    Stream("services", "/v1/services"),
    Stream("teams", "/v2/teams", paged=False),
    Stream("user_teams", "/v2/users/{id}/teams", "users", "user_id", paged=False),
    Stream("users", "/v2/users", counted=True),
)

#: All collections by name.
STREAMS = {stream.name: stream for stream in _ALL}
#: What some vendors have as well.
NOTES = Stream("alert_notes", "/v2/alerts/{id}/notes", "alerts", "alert_id")
