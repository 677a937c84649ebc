"""What can be read, what the schemas lack, and what a sync would cost, told from a page of each stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from singer_sdk.exceptions import SyncError

from taps.engine.costs import Cost
from taps.engine.errors import StatusError, UnreachableError
from taps.engine.estimates import NOTHING, Extent, of_children, of_list
from taps.engine.pagination import SinglePage
from taps.engine.sampling import sampled_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from taps.engine.costs import Rate
    from taps.engine.estimates import Estimate
    from taps.engine.sampling import Sampled
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["Expense", "Trial", "Tried"]

_MOST_PARENTS = 3  # that are asked for their children, where those before are gone


class Tried(Struct, frozen=True, kw_only=True):
    """What was found out of a stream.

    Attributes:
        stream: Its name.
        read: `yes`; `no`; `skip` where it counts as empty because the API refuses it; `?` where it was not tried.
        rows: On its first page, if that could be read.
        extent: How much it is, likewise.
        undeclared: Fields that its schema lacks, in alphabetical order.
        problem: Why it was not read, in a line.
        sample: The first record on the page.
    """

    stream: str
    read: str
    rows: int | None = None
    extent: Extent | None = None
    undeclared: Sequence[str] = ()
    problem: str = ""
    sample: Record | None = None


class Expense(NamedTuple):
    """What a sync of all that can be read takes.

    Attributes:
        requests: How many are made.
        counted: What they count for in a limit.
        cost: The same by stream.
    """

    requests: Estimate
    counted: Estimate
    cost: Cost

    def lasting(self, rate: Rate) -> str:
        """Write the least time that it takes."""
        return self.requests.lasting(self.cost.minutes(rate))


class _Parents(NamedTuple):
    stream: ApiStream
    keys: Sequence[tuple[Any, ...]]
    number: Estimate


class Trial:
    """Reads one page of each stream that is selected.

    A child stream is read for the first record on its parent's page.

    Args:
        tap: The tap.
    """

    def __init__(self, tap: ApiTap) -> None:
        self._tap = tap
        self._roots: list[ApiStream] = [
            stream
            for stream in tap.api_streams
            if not stream.parent_stream_type and (stream.selected or stream.has_selected_descendents)
        ]
        self.streams = [stream.name for root in self._roots for stream in _family(root)]
        """Names of those that are tried, in their order."""
        self.reached = True
        """Whether the host can be reached."""
        self._extents: dict[str, Extent] = {}
        self._asked: set[str] = set()

    def results(self) -> Iterator[Tried]:
        """Try all streams.

        Raises:
            SyncFailedError: The API has not given a single page, so that it is of no use to go on.
        """
        for root in self._roots:
            yield from self._try(root, None)
        self._tap.outcome.require_an_answer()

    @property
    def expense(self) -> Expense:
        """What a sync takes of the streams that have been read."""
        requests = counted = NOTHING
        costs = {}
        for name, extent in self._extents.items():
            cost = extent.requests.times(self._tap.toll(name).cost)
            requests, counted = requests + extent.requests, counted + cost
            costs[name] = cost.number
        made = {name: extent.requests.number for name, extent in self._extents.items()}
        return Expense(requests, counted, Cost(made, costs))

    def _try(self, stream: ApiStream, parents: _Parents | None) -> Iterator[Tried]:
        try:
            first = self._first_page(stream, parents)
        except SyncError as error:
            yield from self._refused(stream, error)
            return
        records, content = first.page.records, first.page.content
        extent = self._extents[stream.name] = self._extent(stream, first, parents)
        yield Tried(
            stream=stream.name,
            read="yes",
            rows=len(records),
            extent=extent,
            undeclared=sorted(stream.reader.codec.undeclared),
            sample=records[0] if records else None,
        )
        for child in stream.wanted_children:
            if records:
                yield from self._try(child, _Parents(stream, content.keys, extent.records))
            else:
                problem = f"not tried: there is no record of '{stream.name}' to read it for"
                yield from (Tried(stream=other.name, read="?", problem=problem) for other in _family(child))

    def _first_page(self, stream: ApiStream, parents: _Parents | None) -> Sampled:
        """Get a list's first page; a child's for the first of its parents that is still there."""
        if parents is None:
            stream.begin_sync()
            return _first(stream, {})
        *others, last = parents.keys[:_MOST_PARENTS]
        for key in others:
            try:
                return _first(stream, parents.stream.child_context(key))
            except StatusError as error:  # noqa: PERF203 - three at most, a request each
                if error.status not in stream.gone_on:
                    raise
        return _first(stream, parents.stream.child_context(last))

    def _extent(self, stream: ApiStream, first: Sampled, parents: _Parents | None) -> Extent:
        extent = of_list(first.page, goes_on=first.goes_on)
        if parents is not None:
            paged = not isinstance(stream.pagination, SinglePage)
            extent = of_children(parents.number, parents.stream.name, extent, paged=paged)
        if stream.shares_pages and first.request.url in self._asked:
            extent = Extent(extent.records, NOTHING, "another's pages")
        self._asked.add(first.request.url)
        return extent

    def _refused(self, stream: ApiStream, error: SyncError) -> Iterator[Tried]:
        problem = " ".join(str(error).split())
        self.reached = not isinstance(error, UnreachableError)
        why = stream.may_skip(error) if isinstance(error, StatusError) else None
        if isinstance(error, StatusError) and why:
            self._tap.outcome.skipped(error)
            read, problem, state = "skip", f"{problem.rstrip('.')}; skipped, {why}", "is skipped"
        else:
            self._tap.outcome.failed(stream, error, announce=False)
            read, state = "no", "cannot be read"
        yield Tried(stream=stream.name, read=read, problem=problem)
        for child in list(_family(stream))[1:]:
            yield Tried(stream=child.name, read=read, problem=f"not tried: '{stream.name}' {state}")


def _first(stream: ApiStream, parent: dict[str, Any]) -> Sampled:
    return next(sampled_pages(stream, parent, counting=True))


def _family(stream: ApiStream) -> Iterator[ApiStream]:
    """Give a stream and those of its descendants that are wanted, each before its own."""
    yield stream
    for child in stream.wanted_children:
        yield from _family(child)
