"""The collections of the help desk API and where each is served."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """One collection.

    Attributes:
        name: The collection's name.
        path: Its path below the API's root; `{id}` stands for the parent's id.
        parent: The collection whose records this one hangs on.
        parent_key: The name under which a record carries its parent's id.
        filters: The query parameters that filter by a timestamp, each with the timestamp's field.
    """

    name: str
    path: str
    parent: str | None = None
    parent_key: str = ""
    filters: tuple[tuple[str, str], ...] = ()


_ALL = (
    Stream("agents", "/v1/agents"),
    Stream("business_hours", "/v1/business_hours"),
    Stream("canned_response_folders", "/v1/canned_response_folders"),
    Stream(
        "canned_responses",
        "/v1/canned_response_folders/{id}/responses",
        "canned_response_folders",
        "folder_id",
    ),
    Stream("companies", "/v1/companies"),
    Stream("contacts", "/v1/contacts", filters=(("_updated_since", "updated_at"),)),
    Stream("conversations", "/v1/tickets/{id}/conversations", "tickets", "ticket_id"),
    Stream("discussion_categories", "/v1/discussions/categories"),
    Stream("discussion_comments", "/v1/discussions/topics/{id}/comments", "discussion_topics", "topic_id"),
    Stream("discussion_forums", "/v1/discussions/categories/{id}/forums", "discussion_categories", "category_id"),
    Stream("discussion_topics", "/v1/discussions/forums/{id}/topics", "discussion_forums", "forum_id"),
    Stream("email_configs", "/v1/email_configs"),
    Stream("email_mailboxes", "/v1/email/mailboxes"),
    Stream("groups", "/v1/groups"),
    Stream("products", "/v1/products"),
    Stream("roles", "/v1/roles"),
    Stream("satisfaction_ratings", "/v1/surveys/satisfaction_ratings", filters=(("created_since", "created_at"),)),
    Stream("scenario_automations", "/v1/scenario_automations"),
    Stream("settings", "/v1/settings/helpdesk"),
    Stream("skills", "/v1/skills"),
    Stream("sla_policies", "/v1/sla_policies"),
    Stream("solution_articles", "/v1/solutions/folders/{id}/articles", "solution_folders", "folder_id"),
    Stream("solution_categories", "/v1/solutions/categories"),
    Stream("solution_folders", "/v1/solutions/categories/{id}/folders", "solution_categories", "category_id"),
    Stream("surveys", "/v1/surveys"),
    Stream("ticket_fields", "/v1/ticket_fields"),
    Stream("tickets", "/v1/tickets", filters=(("updated_since", "updated_at"),)),
    Stream("time_entries", "/v1/time_entries"),
)

#: All collections by name.
STREAMS = {stream.name: stream for stream in _ALL}
