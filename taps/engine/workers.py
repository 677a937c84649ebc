"""Threads that make requests while the main thread writes."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Workers"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_Task = tuple["Future[Any]", "Callable[[], Any]"]


class Workers:
    """A pool of threads, started as they are needed, that does tasks in the order in which they are given.

    They are daemons, which those of `concurrent.futures.ThreadPoolExecutor` cannot be: a tap that is stopped ends at
    once, and not when the last answer has come in.

    Args:
        most: Threads at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self.threads: list[threading.Thread] = []

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have a function called; the future has its result or its exception."""
        future: Future[_T] = Future()
        self._tasks.put((future, lambda: function(*args, **kwargs)))
        if not self._idle.acquire(blocking=False) and len(self.threads) < self._most:
            name = f"tap-worker-{len(self.threads) + 1}"
            thread = threading.Thread(target=_work, args=(self._tasks, self._idle), name=name, daemon=True)
            self.threads.append(thread)
            thread.start()
        return future

    def close(self) -> None:
        """Let each thread end when it has done what it is at; what has not begun is never done."""
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task[0].cancel()
        for _ in self.threads:
            self._tasks.put(None)


def _work(tasks: SimpleQueue[_Task | None], idle: threading.Semaphore) -> None:
    # A function, not a method: threads that wait must not keep their pool from being collected.
    while (task := tasks.get()) is not None:
        future, function = task
        del task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
                future.set_exception(error)
        del future, function
        idle.release()
