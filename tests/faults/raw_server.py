"""A server that writes its answers byte by byte, for what no HTTP library would send."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

PAGES = 3
RECORDS = 2


class Asked:
    """A request for a page of a list, and the right answer to it.

    Attributes:
        base: The server's address.
        page: Which page is asked for, from 1.
        times: How often it has been asked for, with this.
        authorization: The header with the credentials.
    """

    def __init__(self, base: str, page: int, times: int, authorization: str) -> None:
        self.base = base
        self.page = page
        self.times = times
        self.authorization = authorization

    @property
    def body(self) -> bytes:
        first = (self.page - 1) * RECORDS
        records: list[dict[str, Any]] = [{"id": first + n, "name": f"ü{first + n}"} for n in range(RECORDS)]
        return json.dumps({"data": records}, ensure_ascii=False).encode()

    @property
    def next(self) -> str:
        return f"{self.base}/v1/groups?page={self.page + 1}" if self.page < PAGES else ""

    @property
    def link(self) -> list[bytes]:
        return [f'Link: <{self.next}>; rel="next"'.encode()] if self.next else []

    def plain(self) -> bytes:
        return answer(b"HTTP/1.1 200 OK", [*self.link, *sized(self.body)], self.body)


def sized(body: bytes) -> list[bytes]:
    return [b"Content-Type: application/json", f"Content-Length: {len(body)}".encode()]


def answer(status: bytes, headers: Iterable[bytes], body: bytes = b"") -> bytes:
    return b"\r\n".join([status, *headers, b"", body])


class RawServer:
    """Serves a list of three pages, each answer as `write` says.

    Args:
        write: Makes the bytes of an answer; with `None` behind them the connection is then closed.
    """

    def __init__(self, write: Callable[[Asked], bytes | tuple[bytes, None]]) -> None:
        self._write = write
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.base_url = "http://{}:{}".format(*self._listener.getsockname())
        self.asked: list[int] = []
        self.authorizations: set[str] = set()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                while line := lines.readline():
                    headers = {}
                    while header := lines.readline().strip():
                        name, _, value = header.decode("latin-1").partition(":")
                        headers[name.lower()] = value.strip()
                    written = self._write(self._take(line.split()[1].decode(), headers.get("authorization", "")))
                    connection.sendall(written if isinstance(written, bytes) else written[0])
                    if not isinstance(written, bytes):
                        return
        except OSError:  # the client is gone, or the test has ended
            return

    def _take(self, target: str, authorization: str) -> Asked:
        page = int(parse_qs(urlsplit(target).query).get("page", ["1"])[0])
        with self._lock:
            self.asked.append(page)
            self.authorizations.add(authorization)
            return Asked(self.base_url, page, self.asked.count(page), authorization)
