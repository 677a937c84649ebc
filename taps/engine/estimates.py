"""How many requests and records a list is, as far as its first page tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from taps.engine.links import link_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.engine.page import Page

__all__ = ["NOTHING", "Estimate", "Extent", "of_children", "of_list"]

_SURE = ("", "about", "at least")  # the less so, the further back
_TOTALS = ("totalCount", "total_count", "total", "count")
_HEADERS = ("X-Total-Count", "X-Total")
_ENCLOSED_IN = ("meta", "paging", "pagination", "links")


class Estimate(Struct, frozen=True):
    """A number, and how sure it is.

    Attributes:
        number: The number.
        how: Nothing where it is exact, `about` where the API tells of it, `at least` where it may be any more.
    """

    number: int
    how: str = ""

    def __str__(self) -> str:
        """Write it as `about 1,200`."""
        return f"{self.how} {self.number:,}".strip()

    def __add__(self, other: Estimate) -> Estimate:
        """Add another one; the sum is as sure as the less sure of the two."""
        return Estimate(self.number + other.number, max(self.how, other.how, key=_SURE.index))

    def times(self, cost: int) -> Estimate:
        """Give what so many requests count for."""
        return Estimate(self.number * cost, self.how)

    def lasting(self, minutes: float) -> str:
        """Write how long so many take, where it is so many minutes for the number."""
        return f"{self.how} {math.ceil(minutes * 10) / 10:,.1f} minutes".strip()


NOTHING = Estimate(0)


class Extent(NamedTuple):
    """How much a stream is.

    Attributes:
        records: How many there are.
        requests: How many it takes to read them.
        basis: What these numbers rest on, in a few words.
    """

    records: Estimate
    requests: Estimate
    basis: str


def of_list(page: Page, *, goes_on: bool) -> Extent:
    """Estimate the records of a list and the requests that it takes.

    Args:
        page: Its first page, with the whole document.
        goes_on: Whether there is to be another request.
    """
    records = len(page.records)
    if not goes_on:
        return Extent(Estimate(records), Estimate(1), "its only page")
    # What is no more than the page has is not of the list, or else there would be no other page.
    totals = [found for found in _totals(page) if found[0] > records > 0]
    if not totals:
        return Extent(Estimate(records, "at least"), Estimate(2, "at least"), "a page of several")
    total, basis = totals[0]
    return Extent(Estimate(total, "about"), Estimate(-(-total // records), "about"), basis)


def of_children(parents: Estimate, parent: str, first: Extent, *, paged: bool) -> Extent:
    """Estimate the same of a child stream, which is a list for each of its parents.

    Args:
        parents: How many there are.
        parent: Name of their stream.
        first: Of the first parent's list.
        paged: Whether a list may take more than one request.
    """
    if parents == Estimate(1):
        return first
    how = "at least" if paged and not parents.how else parents.how
    requests = Estimate(parents.number + first.requests.number - 1, how)
    return Extent(Estimate(first.records.number, "at least"), requests, f"{parents} {parent}")


def _totals(page: Page) -> Iterator[tuple[int, str]]:
    """Give the numbers of records that a page tells of, and by what, the most reliable one first."""
    document: Any = page.content.document
    places = [document, *(document.get(name) for name in _ENCLOSED_IN)] if isinstance(document, dict) else []
    objects = [place for place in places if isinstance(place, dict)]
    for place in objects:
        yield from ((place[name], "a total") for name in _TOTALS if type(place.get(name)) is int)
    yield from ((int(text), "a total") for name in _HEADERS if (text := page.headers.get(name, "")).isdecimal())
    for link in (*(place.get("last") for place in objects), link_to("last", page.headers.get("Link", ""))):
        yield from ((number, "the last page") for number in _up_to(link, len(page.records)))


def _up_to(link: Any, length: int) -> Iterator[int]:
    """Tell how many records there are up to the end of the page that a link to the last one leads to."""
    try:
        query: Mapping[str, list[str]] = parse_qs(urlsplit(link).query) if isinstance(link, str) else {}
    except ValueError:
        return
    for name, unit, more in (("offset", 1, length), ("page", length, 0)):
        text = query.get(name, [""])[0]
        if text.isdecimal():
            yield int(text) * unit + more
