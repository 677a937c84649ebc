"""The first pages of a list, none of which is asked for before it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from taps.engine.asking import requests_for
from taps.engine.errors import StatusError
from taps.engine.pagination import RepeatedPage
from taps.engine.query import WHOLE
from taps.engine.reading import get_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context

    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.stream import ApiStream

__all__ = ["Sampled", "sampled_pages"]


class Sampled(NamedTuple):
    """A page of a list.

    Attributes:
        page: The page; the records are dictionaries.
        request: What it was asked for with.
        goes_on: Whether there would be another request.
    """

    page: Page
    request: Request
    goes_on: bool


def sampled_pages(stream: ApiStream, parent: Context, *, counting: bool = False) -> Iterator[Sampled]:
    """Get a list page by page, one request for each page that is taken.

    Args:
        stream: The stream; one without a parent has begun its sync.
        parent: The parent's key; empty for a stream without one.
        counting: Whether the first page is asked for with the number of all records, which may take the API longer.

    Raises:
        SyncError: A page could not be had or used.
    """
    key = stream.preprocess_context(parent)
    requests = requests_for(stream, key, WHOLE)
    request = next(requests)
    params = stream.counting_params if counting else {}
    begun, goes_on = False, True
    while goes_on:
        asked = request if begun else request.with_params(params)
        try:
            page = get_page(stream, asked, lambda body: stream.reader.dictionaries(body, key))
        except StatusError as error:
            request = requests.throw(error)
            continue
        begun = True
        stream.note_answer(page)
        try:
            request = requests.send(page)
        except StopIteration:
            goes_on = False
        except RepeatedPage:
            return
        yield Sampled(page.cut(asked.keep), asked, goes_on)
