"""How many requests and records a list is, as far as its first page tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from taps.engine.links import link_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.engine.page import Page

__all__ = ["NOTHING", "Estimate", "of_children", "of_list"]

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

    def minutes(self, per_minute: int) -> str:
        """Write how long so many take."""
        return f"{self.how} {math.ceil(self.number / per_minute * 10) / 10:,.1f} minutes".strip()


NOTHING = Estimate(0)


def of_list(page: Page, *, goes_on: bool) -> tuple[Estimate, Estimate]:
    """Estimate the records of a list and the requests that it takes.

    Args:
        page: Its first page, with the whole document.
        goes_on: Whether there is to be another request.
    """
    records = len(page.records)
    if not goes_on:
        return Estimate(records), Estimate(1)
    # What is no more than the page has is not of the list, or else there would be no other page.
    totals = [total for total in _totals(page) if total > records > 0]
    if not totals:
        return Estimate(records, "at least"), Estimate(2, "at least")
    return Estimate(totals[0], "about"), Estimate(-(-totals[0] // records), "about")


def of_children(parents: Estimate, records: Estimate, requests: Estimate, *, paged: bool) -> tuple[Estimate, Estimate]:
    """Estimate the same of a child stream, which is a list for each of its parents.

    Args:
        parents: How many there are.
        records: Of the first parent's list.
        requests: Likewise.
        paged: Whether a list may take more than one request.
    """
    if parents == Estimate(1):
        return records, requests
    how = "at least" if paged and not parents.how else parents.how
    return Estimate(records.number, "at least"), Estimate(parents.number + requests.number - 1, how)


def _totals(page: Page) -> Iterator[int]:
    """Give the numbers of records that a page tells of, the most reliable one first."""
    document: Any = page.content.document
    places = [document, *(document.get(name) for name in _ENCLOSED_IN)] if isinstance(document, dict) else []
    objects = [place for place in places if isinstance(place, dict)]
    for place in objects:
        yield from (place[name] for name in _TOTALS if type(place.get(name)) is int)
    yield from (int(text) for name in _HEADERS if (text := page.headers.get(name, "")).isdecimal())
    for link in (place.get("last") for place in objects):
        yield from _up_to(link, len(page.records))
    yield from _up_to(link_to("last", page.headers.get("Link", "")), len(page.records))


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
