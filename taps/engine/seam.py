"""Records that come twice where one query ends and the next begins."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from taps.engine.timestamps import whole_second

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        seen, keys, instants = self._seen, page.content.keys, page.content.instants
        versions = dict(zip(keys, zip(instants), strict=True))
        if len(versions) == len(keys):
            again = versions.keys() & seen.keys()
            repeated = {key for key in again if versions[key][0] in seen[key]}
            seen.update(versions | {key: seen[key] if key in repeated else seen[key] + versions[key] for key in again})
            fresh: Sequence[int] = (
                [index for index, key in enumerate(keys) if key not in repeated] if repeated else range(len(keys))
            )
        else:  # one comes twice on the page itself
            fresh = self._fresh_one_by_one(keys, instants)
        if len(seen) > 2 * self._remembered:
            self._seen = dict(islice(seen.items(), len(seen) - self._remembered, None))
        return page.only(fresh)

    def _fresh_one_by_one(self, keys: Sequence[tuple[Any, ...]], instants: Sequence[datetime | None]) -> list[int]:
        fresh = []
        for index, (key, instant) in enumerate(zip(keys, instants, strict=True)):
            given = self._seen.get(key, ())
            if instant not in given:
                self._seen[key] = (*given, instant)
                fresh.append(index)
        return fresh

    def _forget(self, before: datetime) -> None:
        """Forget what cannot come again."""
        self._seen = {key: given for key, given in self._seen.items() if given[-1] is None or given[-1] >= before}
