"""Records that come twice where one query ends and the next begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        remembered: How many versions to remember at most.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: dict[tuple[datetime | None, tuple[Any, ...]], None] = {}

    def fresh(self, page: Page) -> Page:
        """Give the page with the records that have not been given before."""
        if page.start is not None:
            self._forget(page.start.replace(microsecond=0))
        seen, fresh = self._seen, []
        for index, version in enumerate(zip(page.content.instants, page.content.keys, strict=True)):
            if version not in seen:
                seen[version] = None
                fresh.append(index)
        while len(seen) > self._remembered:
            del seen[next(iter(seen))]
        return page.only(fresh)

    def _forget(self, before: datetime) -> None:
        """Forget the oldest, up to the first that may come again."""
        while self._seen:
            instant, _ = oldest = next(iter(self._seen))
            if instant is None or instant >= before:
                return
            del self._seen[oldest]
