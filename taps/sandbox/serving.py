"""Runs an application on a local port, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from taps.sandbox.breakage import REFUSE, TRANSPORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from starlette.types import ASGIApp
    from typing_extensions import Self


class _Protocol(HttpToolsProtocol):
    """Leaves the connection and the door in each request's scope, for a fault to break the one or close the other."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport
        cast("dict[str, Any]", self.scope)[REFUSE] = cast("_Config", self.config).refuse


class _Config(uvicorn.Config):
    refuse: Callable[[float], None]


class _Server(uvicorn.Server):
    """Tells when it serves, refuses connections for a while, and stops at once when asked.

    Args:
        config: The configuration.
        listen: Opens the port once more.
    """

    def __init__(self, config: _Config, listen: Callable[[], socket.socket]) -> None:
        super().__init__(config)
        config.refuse = self._refuse
        self.serving = threading.Event()
        self._listen = listen
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._opens: asyncio.TimerHandle | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.serving.set()

    def accept(self) -> None:
        """Accept connections again, from now on. To be called from another thread."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    def _refuse(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        for server in self.servers:
            server.close()
        self.servers.clear()
        for connection in list(self.server_state.connections):
            cast("_Protocol", connection).transport.abort()
        if self._opens is not None:
            self._opens.cancel()
        self._opens = loop.call_later(seconds, self._open_soon)

    def _open_soon(self) -> None:
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        if self.servers or self.should_exit:
            return
        loop, config, state = asyncio.get_running_loop(), self.config, self.lifespan.state
        server = await loop.create_server(
            lambda: _Protocol(config=config, server_state=self.server_state, app_state=state), sock=self._listen()
        )
        self.servers.append(server)

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
        app: The application, to be set before it is entered.
        port: The port that it serves on; before it is entered, the one asked for.

    Args:
        host: The address to listen at.
        port: The port; 0 takes a free one.
    """

    app: ASGIApp

    def __init__(self, *, host: str, port: int) -> None:
        self._host = host
        self.port = port

    @property
    def url(self) -> str:
        """Its address, without a trailing slash."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        listener = self._listen()
        self.port = listener.getsockname()[1]
        config = _Config(
            self.app,
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
        self._server = _Server(config, self._listen)
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

    def accept(self) -> None:
        """Accept connections again, where a fault has ended that."""
        if hasattr(self, "_server"):
            self._server.accept()

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
