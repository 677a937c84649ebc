"""Pages that were served once and will be asked for again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taps.sandbox.answers import Content, origin, send_content
from taps.sandbox.rows import BoundedCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope, Send

_MEGABYTE = 1024 * 1024
#: A page's objects, and its compressed form once somebody asked for that.
_OVERHEAD = 1_000


@dataclass(frozen=True)
class Page:
    """A page ready to send.

    Attributes:
        content: The body.
        next_target: Path and query of the next page; None where there is none to link to.
    """

    content: Content
    next_target: str | None = None

    async def send(self, scope: Scope, send: Send) -> None:
        """Answer with this page, its next link under the origin that the client uses.

        Args:
            scope: The request.
            send: Where the answer goes.
        """
        headers = []
        if self.next_target is not None:
            headers.append((b"link", f'<{origin(scope)}{self.next_target}>; rel="next"'.encode("latin-1")))
        await send_content(scope, send, self.content, headers)


class PageCache:
    """Pages by path and query, for as long as the data stays as it is.

    Args:
        megabytes: What all kept pages together may weigh; the oldest go first.
    """

    def __init__(self, megabytes: int) -> None:
        self._version = -1
        self._pages: BoundedCache[tuple[str, str, bytes], Page] = BoundedCache(megabytes * _MEGABYTE)

    def page(self, scope: Scope, version: int, make: Callable[[], Page]) -> Page:
        """Give the page that a request asks for.

        Args:
            scope: The request.
            version: The version of the data; another one than the last makes all pages stale.
            make: Makes the page where it is not kept.

        Returns:
            The page.
        """
        if version != self._version:
            self._pages.clear()
            self._version = version
        # With the origin, which some pages name in their bodies.
        key = (origin(scope), scope["path"], scope["query_string"])
        found = self._pages.get(key)
        if found is None:
            found = make()
            self._pages.put(key, found, len(found.content.plain) * 5 // 4 + _OVERHEAD)
        return found
