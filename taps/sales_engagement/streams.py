"""The sales engagement streams, each a declaration.

To add one: a class here, a schema in `schemas/sales_engagement/<name>.json`, a place in `STREAMS`.
"""

from __future__ import annotations

from typing import ClassVar

from taps.engine.links import BodyLink
from taps.engine.query import StartParam
from taps.engine.schemas import schemas_of
from taps.engine.stream import ApiStream

__all__ = ["STREAMS"]


class SalesStream(ApiStream):
    """A collection of the platform, read in full."""

    schema = schemas_of("sales_engagement")
    params: ClassVar = {"count": "false"}
    counting_params: ClassVar = {"count": "true"}
    pagination = BodyLink("links.next", size_param="page[size]")
    halves_pages_on = frozenset({502})
    resource_objects = True


class UpdatedStream(SalesStream):
    """A collection that can be filtered and sorted by the last change."""

    replication_key = "updatedAt"
    start_param = StartParam("filter[updatedAt]", "{milliseconds_timestamp}..{end}", open_end="inf")
    params: ClassVar = {"sort": "updatedAt", "count": "false"}


class CreatedStream(SalesStream):
    """A collection that can be filtered by creation only; its records are not changed."""

    replication_key = "createdAt"
    start_param = StartParam("filter[createdAt]", "{milliseconds_timestamp}..{end}", open_end="inf")


class AccountNotes(CreatedStream):
    """Notes on accounts."""

    name = "account_notes"
    path = "/v1/accountNotes"


class Accounts(UpdatedStream):
    """Companies that are sold to."""

    name = "accounts"
    path = "/v1/accounts"


class AuditLogs(SalesStream):
    """Who changed what in the account."""

    name = "audit_logs"
    path = "/v1/auditLogs"


class BatchItems(SalesStream):
    """Single steps of batches."""

    name = "batch_items"
    path = "/v1/batchItems"


class Batches(SalesStream):
    """Actions that were applied to many records at once."""

    name = "batches"
    path = "/v1/batches"


class CallDispositions(UpdatedStream):
    """Outcomes that a call can have."""

    name = "call_dispositions"
    path = "/v1/callDispositions"


class CallPurposes(UpdatedStream):
    """Purposes that a call can have."""

    name = "call_purposes"
    path = "/v1/callPurposes"


class Calls(UpdatedStream):
    """Phone calls."""

    name = "calls"
    path = "/v1/calls"


class ComplianceRequests(SalesStream):
    """Requests to delete or hand out personal data."""

    name = "compliance_requests"
    path = "/v1/complianceRequests"


class ContentCategories(UpdatedStream):
    """Categories of templates, snippets and sequences."""

    name = "content_categories"
    path = "/v1/contentCategories"


class ContentCategoryMemberships(UpdatedStream):
    """Which content is in which category."""

    name = "content_category_memberships"
    path = "/v1/contentCategoryMemberships"


class ContentCategoryOwnerships(UpdatedStream):
    """Who owns which content category."""

    name = "content_category_ownerships"
    path = "/v1/contentCategoryOwnerships"


class Duties(SalesStream):
    """Roles in a deal that users can have."""

    name = "duties"
    path = "/v1/duties"


class EmailAddresses(UpdatedStream):
    """E-mail addresses of prospects."""

    name = "email_addresses"
    path = "/v1/emailAddresses"


class Events(CreatedStream):
    """What happened to prospects: mails opened, calls made."""

    name = "events"
    path = "/v1/events"


class Favorites(UpdatedStream):
    """Records that users have marked."""

    name = "favorites"
    path = "/v1/favorites"


class KaiaRecordings(UpdatedStream):
    """Recordings of meetings."""

    name = "kaia_recordings"
    path = "/v1/kaiaRecordings"


class MailAliases(UpdatedStream):
    """Further addresses of mailboxes."""

    name = "mail_aliases"
    path = "/v1/mailAliases"


class Mailboxes(UpdatedStream):
    """Mailboxes that mailings are sent from."""

    name = "mailboxes"
    path = "/v1/mailboxes"


class Mailings(UpdatedStream):
    """E-mails sent or due."""

    name = "mailings"
    path = "/v1/mailings"


class Opportunities(UpdatedStream):
    """Deals."""

    name = "opportunities"
    path = "/v1/opportunities"


class OpportunityProspectRoles(UpdatedStream):
    """Parts that prospects have in deals."""

    name = "opportunity_prospect_roles"
    path = "/v1/opportunityProspectRoles"


class OpportunityStages(UpdatedStream):
    """Stages that a deal goes through."""

    name = "opportunity_stages"
    path = "/v1/opportunityStages"


class Personas(UpdatedStream):
    """Kinds of buyers."""

    name = "personas"
    path = "/v1/personas"


class PhoneNumbers(UpdatedStream):
    """Phone numbers of prospects."""

    name = "phone_numbers"
    path = "/v1/phoneNumbers"


class Products(UpdatedStream):
    """Products that are sold."""

    name = "products"
    path = "/v1/products"


class Profiles(UpdatedStream):
    """Sets of permissions of users."""

    name = "profiles"
    path = "/v1/profiles"


class ProspectNotes(CreatedStream):
    """Notes on prospects."""

    name = "prospect_notes"
    path = "/v1/prospectNotes"


class Prospects(UpdatedStream):
    """People who are sold to."""

    name = "prospects"
    path = "/v1/prospects"


class Purchases(UpdatedStream):
    """Products that were bought."""

    name = "purchases"
    path = "/v1/purchases"


class Recipients(SalesStream):
    """To whom mailings go."""

    name = "recipients"
    path = "/v1/recipients"


class Roles(UpdatedStream):
    """Places of users in the hierarchy."""

    name = "roles"
    path = "/v1/roles"


class Rulesets(UpdatedStream):
    """Rules that sequences keep to."""

    name = "rulesets"
    path = "/v1/rulesets"


class SequenceStates(UpdatedStream):
    """Where a prospect is in a sequence."""

    name = "sequence_states"
    path = "/v1/sequenceStates"


class SequenceSteps(UpdatedStream):
    """Steps of sequences."""

    name = "sequence_steps"
    path = "/v1/sequenceSteps"


class SequenceTemplates(SalesStream):
    """Templates that steps of sequences use."""

    name = "sequence_templates"
    path = "/v1/sequenceTemplates"


class Sequences(UpdatedStream):
    """Series of steps by which prospects are contacted."""

    name = "sequences"
    path = "/v1/sequences"


class Snippets(UpdatedStream):
    """Pieces of text for mails."""

    name = "snippets"
    path = "/v1/snippets"


class Stages(UpdatedStream):
    """Stages that a prospect goes through."""

    name = "stages"
    path = "/v1/stages"


class TaskDispositions(UpdatedStream):
    """Outcomes that a task can have."""

    name = "task_dispositions"
    path = "/v1/taskDispositions"


class TaskPriorities(UpdatedStream):
    """Priorities that a task can have."""

    name = "task_priorities"
    path = "/v1/taskPriorities"


class TaskPurposes(UpdatedStream):
    """Purposes that a task can have."""

    name = "task_purposes"
    path = "/v1/taskPurposes"


class Tasks(UpdatedStream):
    """What users have to do."""

    name = "tasks"
    path = "/v1/tasks"


class Teams(UpdatedStream):
    """Teams of users."""

    name = "teams"
    path = "/v1/teams"


class Templates(UpdatedStream):
    """Templates of mails."""

    name = "templates"
    path = "/v1/templates"


class Users(UpdatedStream):
    """People who sell."""

    name = "users"
    path = "/v1/users"


class Webhooks(SalesStream):
    """Addresses that are told of changes."""

    name = "webhooks"
    path = "/v1/webhooks"


STREAMS = (
    AccountNotes,
    Accounts,
    AuditLogs,
    BatchItems,
    Batches,
    CallDispositions,
    CallPurposes,
    Calls,
    ComplianceRequests,
    ContentCategories,
    ContentCategoryMemberships,
    ContentCategoryOwnerships,
    Duties,
    EmailAddresses,
    Events,
    Favorites,
    KaiaRecordings,
    MailAliases,
    Mailboxes,
    Mailings,
    Opportunities,
    OpportunityProspectRoles,
    OpportunityStages,
    Personas,
    PhoneNumbers,
    Products,
    Profiles,
    ProspectNotes,
    Prospects,
    Purchases,
    Recipients,
    Roles,
    Rulesets,
    SequenceStates,
    SequenceSteps,
    SequenceTemplates,
    Sequences,
    Snippets,
    Stages,
    TaskDispositions,
    TaskPriorities,
    TaskPurposes,
    Tasks,
    Teams,
    Templates,
    Users,
    Webhooks,
)
