"""What a stream can declare of the list that it is, each with what holds where it says nothing."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from taps.engine.pagination import SinglePage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taps.engine.pagination import Pagination
    from taps.engine.query import Fallback, Part, StartParam, Sublists

__all__ = ["DeclaredStream"]


class DeclaredStream(Stream):
    """A list that an API gives at one path.

    A subclass declares; it hardly ever needs a method::

        class Conversations(HelpdeskStream):
            name = "conversations"
            path = "/v1/tickets/{ticket_id}/conversations"
            parent_stream_type = Tickets

    A `{field}` in the path of a child stream stands for its parent's key, and each of the child's records gets it as a
    field of that name.
    """

    name: str
    """Name of the stream, of its schema file and of the table that a target makes."""

    path: ClassVar[str]
    """Path below `base_url`."""

    primary_keys: Sequence[str] = ("id",)
    """Fields that identify a record."""

    fallbacks: ClassVar[Sequence[Fallback]] = ()
    """How else to ask for the list where the API refuses its first page, in this order."""

    records_jsonpath: ClassVar[str] = "$.data[*]"
    """Where a page holds the records; without a final `[*]` it is one object."""

    lone_object: ClassVar[bool] = False
    """Whether the API may give one object where an array is due."""

    resource_objects: ClassVar[bool] = False
    """Whether the records may be resource objects of JSON:API, which are made flat."""

    enclosing_ids: ClassVar[Mapping[str, str]] = {}
    """Of records nested in others: the fields that take the ids of those, by the name of the array that holds them."""

    aliases: ClassVar[Mapping[str, str]] = {}
    """Fields that the API has under another name: `{"user_id": "customer_id"}` is ours by its own."""

    copied_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that are taken out of nested ones: `{"user_id": "user.id"}`."""

    snapshot_field: ClassVar[str | None] = None
    """Field that takes the time of reading: always where it is a key, or else where the record has none."""

    pagination: ClassVar[Pagination] = SinglePage()
    """How the list comes in pages."""

    sublists: ClassVar[Sublists | None] = None
    """Lists below single records that hold further records of this stream."""

    parts: ClassVar[Sequence[Part]] = ()
    """Parts of the stream that the API leaves out of the list and gives in others, read where a setting says so."""

    shares_pages: ClassVar[bool] = False
    """Whether other streams are read from the same pages, so that they are asked for only once."""

    halves_pages_on: ClassVar[frozenset[int]] = frozenset()
    """Statuses that an API gives where a page is too heavy for it; it is asked again for half as many records."""

    params: ClassVar[Mapping[str, str]] = {}
    """Query parameters of each request."""

    counting_params: ClassVar[Mapping[str, str]] = {}
    """Those with which the API also tells how many records there are. It costs time there, so only a trial asks it."""

    replication_key: str | None = None
    """Field that tells when a record was last changed, where the API can be asked for records from a time on."""

    start_param: ClassVar[StartParam | None] = None
    """Of a stream with a replication key: how the API is asked for records from a time on."""

    too_recent_on: ClassVar[frozenset[int]] = frozenset()
    """Statuses with which the API refuses a list's next page because it begins too close to now."""

    gone_on: ClassVar[frozenset[int]] = frozenset({HTTPStatus.NOT_FOUND})
    """Statuses of a child's list whose parent was deleted."""

    inaccessible_on: ClassVar[frozenset[int]] = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
    """Statuses with which the API refuses a stream that the plan or the key does not include."""

    optional: ClassVar[bool] = False
    """Whether such a refusal says for certain that the plan lacks the stream, which then counts as empty."""

    lookback: ClassVar[bool] = False
    """Whether the setting `lookback_days` is taken off the bookmark."""

    is_sorted = False
    """Whether the API gives the records in ascending order of the replication key, so that a sync can be resumed."""

    # The codec has made a record what its schema declares; the SDK's own pass would do it again, and more slowly.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    # A child's rows are covered by its parent's bookmark (see CoveredByParent): no stream has partitions of state.
    state_partitioning_keys: Sequence[str] | None = ()
