"""The help desk's streams, each a declaration.

To add one: a class here, a schema in `schemas/helpdesk/<name>.json`, a place in `STREAMS`.
"""

from __future__ import annotations

from typing import ClassVar

from taps.engine.counting import PageNumber
from taps.engine.links import HeaderLink
from taps.engine.pagination import Pagination, SinglePage
from taps.engine.query import StartParam
from taps.engine.schemas import schemas_of
from taps.engine.stream import ApiStream

__all__ = ["STREAMS"]


class HelpdeskStream(ApiStream):
    """A list of the help desk."""

    schema = schemas_of("helpdesk")
    pagination: ClassVar[Pagination] = HeaderLink()


class Agents(HelpdeskStream):
    """People who answer tickets."""

    name = "agents"
    path = "/v1/agents"


class BusinessHours(HelpdeskStream):
    """Working hours and holidays by which due times are counted."""

    name = "business_hours"
    path = "/v1/business_hours"


class CannedResponseFolders(HelpdeskStream):
    """Folders of prepared replies."""

    name = "canned_response_folders"
    path = "/v1/canned_response_folders"


class CannedResponses(HelpdeskStream):
    """Prepared replies of a folder."""

    name = "canned_responses"
    path = "/v1/canned_response_folders/{folder_id}/responses"
    parent_stream_type = CannedResponseFolders


class Companies(HelpdeskStream):
    """Customer organisations."""

    name = "companies"
    path = "/v1/companies"


class Contacts(HelpdeskStream):
    """Customers."""

    name = "contacts"
    path = "/v1/contacts"
    replication_key = "updated_at"
    start_param = StartParam("_updated_since")


class Tickets(HelpdeskStream):
    """Requests of customers."""

    name = "tickets"
    path = "/v1/tickets"
    replication_key = "updated_at"
    start_param = StartParam("updated_since")
    is_sorted = True
    params: ClassVar = {"order_by": "updated_at", "order_type": "asc", "include": "description,requester,stats"}
    pagination = PageNumber(window=300)


class Conversations(HelpdeskStream):
    """Replies and notes on a ticket."""

    name = "conversations"
    path = "/v1/tickets/{ticket_id}/conversations"
    parent_stream_type = Tickets


class DiscussionCategories(HelpdeskStream):
    """Categories of forums."""

    name = "discussion_categories"
    path = "/v1/discussions/categories"


class DiscussionForums(HelpdeskStream):
    """Forums of a category."""

    name = "discussion_forums"
    path = "/v1/discussions/categories/{category_id}/forums"
    parent_stream_type = DiscussionCategories


class DiscussionTopics(HelpdeskStream):
    """Topics of a forum."""

    name = "discussion_topics"
    path = "/v1/discussions/forums/{forum_id}/topics"
    parent_stream_type = DiscussionForums


class DiscussionComments(HelpdeskStream):
    """Comments on a topic."""

    name = "discussion_comments"
    path = "/v1/discussions/topics/{topic_id}/comments"
    parent_stream_type = DiscussionTopics


class EmailConfigs(HelpdeskStream):
    """Support addresses, in their older form."""

    name = "email_configs"
    path = "/v1/email_configs"


class EmailMailboxes(HelpdeskStream):
    """Support mailboxes."""

    name = "email_mailboxes"
    path = "/v1/email/mailboxes"


class Groups(HelpdeskStream):
    """Groups of agents."""

    name = "groups"
    path = "/v1/groups"


class Products(HelpdeskStream):
    """Products that customers write about."""

    name = "products"
    path = "/v1/products"


class Roles(HelpdeskStream):
    """Sets of rights for agents."""

    name = "roles"
    path = "/v1/roles"


class SatisfactionRatings(HelpdeskStream):
    """Customers' answers to surveys. The API filters on creation, so later changes need the look-back."""

    name = "satisfaction_ratings"
    path = "/v1/surveys/satisfaction_ratings"
    replication_key = "updated_at"
    start_param = StartParam("created_since")
    lookback = True


class ScenarioAutomations(HelpdeskStream):
    """Sets of actions that an agent applies at once."""

    name = "scenario_automations"
    path = "/v1/scenario_automations"


class Settings(HelpdeskStream):
    """The help desk's languages: one record."""

    name = "settings"
    path = "/v1/settings/helpdesk"
    primary_keys = ("primary_language",)
    records_jsonpath = "$.data"
    pagination = SinglePage()


class Skills(HelpdeskStream):
    """Skills by which tickets are routed."""

    name = "skills"
    path = "/v1/skills"


class SlaPolicies(HelpdeskStream):
    """Targets for the times of response and resolution."""

    name = "sla_policies"
    path = "/v1/sla_policies"


class SolutionCategories(HelpdeskStream):
    """Categories of the knowledge base."""

    name = "solution_categories"
    path = "/v1/solutions/categories"


class SolutionFolders(HelpdeskStream):
    """Folders of a category of the knowledge base."""

    name = "solution_folders"
    path = "/v1/solutions/categories/{category_id}/folders"
    parent_stream_type = SolutionCategories


class SolutionArticles(HelpdeskStream):
    """Articles of a folder."""

    name = "solution_articles"
    path = "/v1/solutions/folders/{folder_id}/articles"
    parent_stream_type = SolutionFolders


class Surveys(HelpdeskStream):
    """Surveys of customer satisfaction."""

    name = "surveys"
    path = "/v1/surveys"


class TicketFields(HelpdeskStream):
    """Fields of the ticket form."""

    name = "ticket_fields"
    path = "/v1/ticket_fields"


class TimeEntries(HelpdeskStream):
    """Time that agents spent on tickets."""

    name = "time_entries"
    path = "/v1/time_entries"


STREAMS = (
    Agents,
    BusinessHours,
    CannedResponseFolders,
    CannedResponses,
    Companies,
    Contacts,
    Tickets,
    Conversations,
    DiscussionCategories,
    DiscussionForums,
    DiscussionTopics,
    DiscussionComments,
    EmailConfigs,
    EmailMailboxes,
    Groups,
    Products,
    Roles,
    SatisfactionRatings,
    ScenarioAutomations,
    Settings,
    Skills,
    SlaPolicies,
    SolutionCategories,
    SolutionFolders,
    SolutionArticles,
    Surveys,
    TicketFields,
    TimeEntries,
)
