"""Runs an application on a local port, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from taps.sandbox.breakage import TRANSPORT

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import ASGIApp
    from typing_extensions import Self


class _Protocol(HttpToolsProtocol):
    """Leaves the connection in each request's scope, so that a fault can break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport


class _Server(uvicorn.Server):
    """Tells when it serves, and stops at once when asked."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.serving.set()

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            try:
                await asyncio.wait_for(self._wake.wait(), 0.1)
            except asyncio.TimeoutError:
                continue

    def stop(self) -> None:
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)


class Serving:
    """A context manager that serves an application for as long as it is entered.

    Attributes:
        port: The port that it serves on; before it is entered, the one asked for.

    Args:
        app: The application.
        host: The address to listen at.
        port: The port; 0 takes a free one.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self.port = port

    def __enter__(self) -> Self:
        listener = self._listen()
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=0,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name=f"sandbox-{self.port}", daemon=True
        )
        self._thread.start()
        while not self._server.serving.wait(0.05):
            if not self._thread.is_alive():
                listener.close()
                raise RuntimeError("the sandbox did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()

    def _listen(self) -> socket.socket:
        # Bound here rather than by the server: a busy port is then an exception where the caller can see it.
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self.port))
            listener.listen(2_048)
        except BaseException:
            listener.close()
            raise
        return listener
