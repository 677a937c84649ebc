"""Records that come twice where one query ends and the next begins."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from taps.engine.timestamps import whole_second

if TYPE_CHECKING:
    from datetime import datetime

    from taps.engine.page import Page

__all__ = ["Seam"]

_REMEMBERED = 50_000


class Seam:
    """Lets each version of a record through once, where a list is asked for again from its last cursor on.

    A record that comes again with another cursor has changed, and is let through. What lies before the time from which
    the list is asked for is forgotten, and where that is not known, as many versions are remembered as any API gives
    for one query, so that the memory does not grow with the list.

    Args:
        remembered: How many versions to remember at least; twice as many at most.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: dict[tuple[Any, ...], tuple[datetime | None, ...]] = {}
        self._start: datetime | None = None

    def fresh(self, page: Page) -> Page:
        """Give the page with the records that have not been given before."""
        if page.start is not None and page.start != self._start:
            self._start = page.start
            self._forget(whole_second(page.start))
        seen, fresh = self._seen, []
        for index, (key, instant) in enumerate(zip(page.content.keys, page.content.instants, strict=True)):
            given = seen.get(key, ())
            if instant not in given:
                seen[key] = (*given, instant)
                fresh.append(index)
        if len(seen) > 2 * self._remembered:
            self._seen = dict(islice(seen.items(), len(seen) - self._remembered, None))
        return page.only(fresh)

    def _forget(self, before: datetime) -> None:
        """Forget what cannot come again."""
        self._seen = {key: given for key, given in self._seen.items() if given[-1] is None or given[-1] >= before}
