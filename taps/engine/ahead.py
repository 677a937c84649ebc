"""Pages that are fetched before they are asked for."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from concurrent.futures import Future
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.pagination import Pagination
    from taps.engine.workers import Workers

__all__ = ["PagesAhead"]

_FORGIVEN = 50  # pages of use that make up for one that was wasted
_RECENT = 16  # pages, by which to tell how long one is waited for


class PagesAhead:
    """The pages of one list that are under way, or there and not yet asked for.

    The next page is begun as soon as it is known: when the headers of the page before are in, where these tell, or else
    when that page has been read. Where a list counts its pages, as many as `most` are begun ahead on the chance that it
    goes on. Those that it then has not are wasted; so many in all that `most` were, none is begun on a chance any more,
    until enough were of use.

    Where an API answers in less than half the time that its pages take to be read, none is begun ahead: the interpreter
    runs one thread at a time, and several would only be in each other's way.

    Args:
        workers: Fetch the pages.
        fetch: Gets a page, and calls back when its headers are in.
        pagination: How the list comes in pages.
        most: Pages ahead at most.
    """

    def __init__(
        self,
        workers: Workers,
        fetch: Callable[[Request, Callable[[str, Mapping[str, str]], None]], Page],
        pagination: Pagination,
        most: int,
    ) -> None:
        self._workers = workers
        self._fetch = fetch
        self._pagination = pagination
        self._most = most
        self._wasted = self._used = 0
        self._times: deque[tuple[float, float]] = deque(maxlen=_RECENT)
        self._lock = threading.Lock()
        self._under_way: list[tuple[Request, Future[Page]]] = []

    def get(self, request: Request) -> Page:
        """Give a page, and begin those that are likely after it. To be called from one of the workers.

        Raises:
            SyncError: As of `fetch`.
        """
        with self._lock:
            future = self._taken(request)
        # One that no worker has begun yet is got here: to wait for it could be to wait for oneself.
        if future is None or future.cancel():
            page = self._timed(request)
        else:
            if not future.done():
                self._get_another()
            page = future.result()
        with self._lock:
            room = max(0, self._most - self._wasted) if self._waits() else 0
            for likely in itertools.islice(self._pagination.likely_after(request, page), room):
                self._begin(likely)
        return page

    def close(self) -> None:
        """Leave what is under way to itself."""
        with self._lock:
            for _, future in self._under_way:
                future.cancel()
            self._under_way.clear()
            self._most = 0

    def _timed(self, request: Request) -> Page:
        begun, worked = perf_counter(), -thread_time()
        page = self._fetch(request, self._headers_in)
        worked += thread_time()
        with self._lock:
            self._times.append((perf_counter() - begun - worked, worked))
        return page

    def _waits(self) -> bool:
        """Tell whether the API is waited for; so it is held before anything is known of it.

        The least of late counts, for a thread may also have waited for another one.
        """
        if not self._times:
            return True
        return min(waited for waited, _ in self._times) > min(worked for _, worked in self._times) / 2

    def _get_another(self) -> None:
        """Get a page that no worker has begun, instead of waiting idly for one that is under way."""
        with self._lock:
            for place, (request, future) in enumerate(self._under_way):
                if future.cancel():
                    here: Future[Page] = Future()
                    here.set_running_or_notify_cancel()
                    self._under_way[place] = (request, here)
                    break
            else:
                return
        try:
            here.set_result(self._timed(request))
        except BaseException as error:  # noqa: BLE001 - it is raised where the page is asked for
            here.set_exception(error)

    def _begin(self, request: Request) -> None:
        if all(known != request for known, _ in self._under_way):
            self._under_way.append((request, self._workers.submit(self._timed, request)))

    def _headers_in(self, url: str, headers: Mapping[str, str]) -> None:
        """Begin the page that an answer's headers tell of, while its body is still coming."""
        following = self._pagination.told_by(url, headers)
        if following is not None:
            with self._lock:
                if len(self._under_way) + 1 < self._most and self._waits():
                    self._begin(following)

    def _taken(self, request: Request) -> Future[Page] | None:
        for index, (known, future) in enumerate(self._under_way):
            if known == request:
                del self._under_way[index]
                self._used += 1
                if self._used % _FORGIVEN == 0:
                    self._wasted = max(0, self._wasted - 1)
                return future
        # The list does not go on as was likely: what was begun for it is of no use.
        for _, future in self._under_way:
            self._wasted += not future.cancel()
        self._under_way.clear()
        return None
