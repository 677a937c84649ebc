"""Servers on this machine that are not the API that a tap looks for."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

LATE = timedelta(hours=3, minutes=1)


class Server(NamedTuple):
    url: str


class _Handler(BaseHTTPRequestHandler):
    status = 200
    headers_sent: tuple[tuple[str, str], ...] = ()
    body = b""
    late = timedelta(0)

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in self.headers_sent:
            self.send_header(name, value.replace("{path}", self.path))
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_CONNECT = do_GET  # noqa: N815 - as the library names it

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((timestamp or time.time()) - self.late.total_seconds(), usegmt=True)

    def log_message(self, *args: object) -> None:
        pass


def answering(body: bytes, *, late: timedelta = timedelta(0)) -> type[_Handler]:
    """Make a server that says the same whatever it is asked, with a clock that is late."""
    headers = (("Content-Type", "application/json"),)
    return type("Answering", (_Handler,), {"body": body, "headers_sent": headers, "late": late})


def moved(origin: str) -> type[_Handler]:
    """Make a server that sends all to another origin."""
    return type("Moved", (_Handler,), {"status": 301, "headers_sent": (("Location", f"{origin}{{path}}"),)})


refusing_proxy = type("RefusingProxy", (_Handler,), {"status": 407, "headers_sent": (("Proxy-Authenticate", "Basic"),)})
"""A proxy that wants to know who asks."""


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away in the middle of a handshake."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve for as long as the context lasts."""
    with _Quiet(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield Server(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
