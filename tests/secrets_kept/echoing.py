"""A server in front of the sandbox that now and then gives back, in one way or another, the secrets that it was sent."""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from taps.sandbox.server import Sandbox


@dataclass
class Seen:
    """A request as it came.

    Attributes:
        line: Method and address.
        headers: All of them, a line each.
        body: Of a request for a token.
        key: The secrets that the server knows from elsewhere.
        folder: The path's last part, which some APIs name their list by.
        path: The path.
    """

    line: str
    headers: str
    body: str
    key: str
    folder: str
    path: str

    @property
    def all(self) -> str:
        """All of it, what is secret first, because messages are cut."""
        login = [line for line in self.headers.splitlines() if line.startswith("Authorization")]
        return " ".join([*login, *reversed(self.body.split("&")), self.key, self.line, self.headers])


class Answering(BaseHTTPRequestHandler):
    """Answers a request: with a fault, or with what the sandbox says."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        echo = self.server.echo
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = urlsplit(self.path).path
        lines = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        headers = lines.encode("latin-1").decode("utf-8", "replace")
        seen = Seen(f"{self.command} {self.path}", headers, body, echo.key, path.rpartition("/")[2], path)
        echo.seen.append(seen)
        with contextlib.suppress(ConnectionError):
            if echo.strikes(path) and echo.fault is not None:
                echo.fault(self, seen)
            else:
                self._pass_on(body)

    do_POST = do_GET  # noqa: N815 - the name that the standard library asks for

    def give(self, status: int, body: str, *, kind: str = "application/json", **headers: str) -> None:
        """Send an answer."""
        self.send_response_only(status)
        self._finish(body.encode(), {"Content-Type": kind, **headers})

    def raw(self, text: str) -> None:
        """Send what may be no HTTP at all, and hang up."""
        self.wfile.write(text.encode())
        self.close_connection = True

    def _finish(self, body: bytes, headers: dict[str, str]) -> None:
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value.encode().decode("latin-1"))
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self, body: str) -> None:
        behind = self.server.echo.behind
        assert behind is not None, "there is nothing behind"
        parts = urlsplit(self.path)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection = http.client.HTTPConnection(urlsplit(behind.base_url).netloc, timeout=10)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        connection.request(self.command, target, body=body.encode() or None, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() in {"content-type", "link"}}
        self.send_response_only(answer.status)
        self._finish(content, kept)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


Fault = "Callable[[Answering, Seen], None]"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    echo: Echo


class Echo:
    """The server.

    Attributes:
        behind: Answers what does not go wrong.
        key: Secrets that it gives back, too.
        fault: Answers what goes wrong.
        spare: So many requests go well first.
        at: Only paths that begin like this go wrong.
        but: Paths that begin like this never do.
        seen: The requests.

    Args:
        certificate: A file with a certificate and its key, for TLS.
    """

    def __init__(self, certificate: str | None = None) -> None:
        self._server = _Server(("127.0.0.1", 0), Answering)
        self._server.echo = self
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"
        self.aim(None)

    def aim(
        self,
        behind: Sandbox | None,
        fault: Callable[[Answering, Seen], None] | None = None,
        *,
        key: str = "",
        spare: int = 0,
        at: str = "/",
        but: str = "/oauth/",
    ) -> None:
        """Begin anew."""
        self.behind, self.fault, self.key, self.spare, self.at = behind, fault, key, spare, at
        self.but = "" if at == but else but
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    def strikes(self, path: str) -> bool:
        if not path.startswith(self.at) or (self.but and path.startswith(self.but)):
            return False
        with self._lock:
            self.spare -= 1
            return self.spare < 0

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def status(code: int, **headers: str) -> Callable[[Answering, Seen], None]:
    """An error whose message repeats the request."""

    def answer(handler: Answering, seen: Seen) -> None:
        handler.give(code, json.dumps({"message": f"I do not take {seen.all}"}), **headers)

    return answer


def page(**extra: str) -> Callable[[Answering, Seen], None]:
    """A page with one record, whose fields and links are made of the request."""

    def answer(handler: Answering, seen: Seen) -> None:
        record = {name: value.format(key=seen.key) for name, value in extra.items() if name != "link"}
        records: list[dict[str, Any]] = [record or {"id": 1}]
        link = extra.get("link", "").format(key=seen.key, quoted=quote(seen.key, safe=""))
        body = {"data": records, seen.folder: records, "next_page": link, "links": {"next": link}}
        header = {"Link": f'<{link}>; rel="next"'} if link else {}
        handler.give(200, json.dumps({**body, "paging": {"next": link}}), **header)

    return answer


def _html(code: int) -> Callable[[Answering, Seen], None]:
    def answer(handler: Answering, seen: Seen) -> None:
        page_text = f"<html><body><h1>Stop</h1><pre>{html.escape(seen.all)}</pre></body></html>"
        handler.give(code, page_text, kind="text/html; charset=utf-8")

    return answer


def _redirect(target: str) -> Callable[[Answering, Seen], None]:
    def answer(handler: Answering, seen: Seen) -> None:
        handler.give(302, "", Location=target.format(key=seen.key, quoted=quote(seen.key, safe="")))

    return answer


def _reason(handler: Answering, seen: Seen) -> None:
    handler.raw(f"HTTP/1.1 500 Not with {seen.key}\r\nContent-Length: 0\r\n\r\n")


def _no_http(handler: Answering, seen: Seen) -> None:
    handler.raw(f"{seen.key} is no key of mine\r\n\r\n")


def _bad_chunk(handler: Answering, seen: Seen) -> None:
    handler.raw(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{seen.key}\r\n{seen.key}")


def _cut_short(handler: Answering, seen: Seen) -> None:
    handler.raw(f'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{{"data": ["{seen.key}')


def _no_gzip(handler: Answering, seen: Seen) -> None:
    handler.give(200, seen.all, Content_Encoding="gzip")


def _cut_message(handler: Answering, seen: Seen) -> None:
    """A message of which only the beginning is shown, and with it the beginning of the key."""
    handler.give(500, " " * 9_985 + f"key {seen.key}", kind="text/plain")


FAULTS: dict[str, Callable[[Answering, Seen], None]] = {
    "400 as HTML": _html(400),
    "401": status(401),
    "403": status(403),
    "404": status(404),
    "429": status(429, Retry_After="0"),
    "429 with the key as Retry-After": lambda handler, seen: status(429, Retry_After=seen.key)(handler, seen),
    "500": status(500),
    "500 with the key at the cut": _cut_message,
    "503 as HTML": _html(503),
    "200 as HTML": _html(200),
    "the key in the reason phrase": _reason,
    "the key for a status line": _no_http,
    "the key for a chunk's length": _bad_chunk,
    "a body cut short in the key": _cut_short,
    "the request as gzip": _no_gzip,
    "the key as media type": lambda handler, seen: handler.give(200, "no JSON", kind=f"text/{seen.key}"),
    "JSON that breaks off": lambda handler, seen: handler.give(200, json.dumps({"data": [seen.all]})[:-4]),
    "JSON of another shape": lambda handler, seen: handler.give(200, json.dumps(seen.all)),
    "the key where a list is due": lambda handler, seen: handler.give(
        200, json.dumps({"data": seen.key, seen.folder: seen.key})
    ),
    "the key as a field's name": lambda handler, seen: handler.give(
        200, json.dumps({"data": [{seen.key: 1}], seen.folder: [{seen.key: 1}]})
    ),
    "the key where a number is due": page(id="{key}"),
    "the key where a number is due, cut": page(id="................................................ {key}"),
    "the key where a time is due": page(
        id="1", updated_at="{key}", updatedAt="{key}", created_at="{key}", current_timestamp="{key}"
    ),
    "a redirect elsewhere": _redirect("http://elsewhere.invalid/?api_key={quoted}"),
    "a redirect to no address": _redirect("http://[{quoted}/"),
    "a redirect with the key in the path": _redirect("/v1/{quoted}"),
    "a redirect with the key as user": _redirect("http://{quoted}@127.0.0.1/"),
    "a next link elsewhere": page(link="http://elsewhere.invalid/?api_key={quoted}"),
    "a next link that is no address": page(link="http://[{key}"),
    "a next link with the key in the path": page(link="/v1/{quoted}/x"),
    "a next link with the key as host": page(link="http://{quoted}:80/"),
}
