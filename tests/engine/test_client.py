"""The client against real sockets: what it sends, what it tries again, what it never does."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from werkzeug import Request as WsgiRequest
from werkzeug import Response

from taps.engine.auth import basic_auth
from taps.engine.budget import RateBudget
from taps.engine.client import HttpClient, Request
from taps.engine.codec import decode_json
from taps.engine.errors import ApiError, BodyError, ForeignOriginError, StatusError, TransferError, UnreachableError
from taps.engine.pacing import RetryPolicy, http_date, retry_after_seconds
from taps.engine.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_httpserver import HTTPServer

KEY = "s3cr3t-key-0123"
STATUSES = frozenset({429, 500, 502, 503, 504})


def client(
    base_url: str,
    *,
    factor: float = 0,
    retries: int = 3,
    timeout: float = 5,
    rate: int | None = None,
    key: str = KEY,
    rate_headers: dict[str, str] | None = None,
) -> HttpClient:
    return HttpClient(
        base_url=base_url.rstrip("/"),
        auth=basic_auth(key, "X"),
        retry=RetryPolicy(retries, factor, STATUSES),
        timeout=timeout,
        user_agent="test-agent",
        budget=RateBudget(rate, headers=rate_headers or {}),
        redact=Redactor([KEY]),
        logger=logging.getLogger("tap-test"),
    )


def answers(server: HTTPServer, *responses: Response | Callable[[WsgiRequest], Response]) -> list[WsgiRequest]:
    """Let the server give these answers in turn, the last one for ever; collect the requests."""
    seen: list[WsgiRequest] = []

    def handle(request: WsgiRequest) -> Response:
        seen.append(request)
        answer = responses[min(len(seen), len(responses)) - 1]
        return answer if isinstance(answer, Response) else answer(request)

    server.expect_request("/v1/things").respond_with_handler(handle)
    return seen


def ok(body: str = '{"data": [1]}') -> Response:
    return Response(body, content_type="application/json")


def get(http: HttpClient, path: str = "/v1/things", params: dict[str, Any] | None = None) -> Any:
    return http.get(Request(http.base_url + path, params or {}), decode_json).content


def test_a_request_carries_credentials_agent_and_parameters(httpserver: HTTPServer) -> None:
    seen = answers(httpserver, ok())
    assert get(client(httpserver.url_for("")), params={"since": "2024-01-01T00:00:00+02:00", "limit": 100}) == {
        "data": [1]
    }
    assert seen[0].headers["Authorization"] == "Basic " + base64.b64encode(f"{KEY}:X".encode()).decode()
    assert seen[0].headers["User-Agent"] == "test-agent"
    assert "gzip" in seen[0].headers["Accept-Encoding"]
    assert seen[0].args.to_dict() == {"since": "2024-01-01T00:00:00+02:00", "limit": "100"}


def test_credentials_that_are_not_latin_1_are_sent_as_utf_8(httpserver: HTTPServer) -> None:
    seen = answers(httpserver, ok())
    get(client(httpserver.url_for(""), key="ключ"))
    assert base64.b64decode(seen[0].headers["Authorization"].split()[1]).decode() == "ключ:X"


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_status_that_may_pass_is_tried_again(httpserver: HTTPServer, status: int) -> None:
    seen = answers(httpserver, Response("busy", status), Response("busy", status), Response("busy", status), ok())
    assert get(client(httpserver.url_for(""))) == {"data": [1]}
    assert len(seen) == 4


def test_after_the_last_retry_the_error_tells_path_status_words_and_tries(httpserver: HTTPServer) -> None:
    seen = answers(httpserver, Response('{"message": "try later\\nplease"}', 503))
    with pytest.raises(StatusError) as failed:
        get(client(httpserver.url_for("")), params={"token": "t"})
    assert str(failed.value) == "GET /v1/things: 503 Service Unavailable: try later please (4 tries)"
    assert len(seen) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422, 204, 304])
def test_any_other_status_fails_at_once(httpserver: HTTPServer, status: int) -> None:
    seen = answers(httpserver, Response("", status))
    with pytest.raises(StatusError, match=rf"GET /v1/things: {status} \w+"):
        get(client(httpserver.url_for("")))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"description": "Validation failed", "errors": [{"field": "x"}]}', "Validation failed"),
        ('{"error": {"code": 7, "message": "No such thing"}}', "No such thing"),
        ('{"errors": [{"title": "Odd", "detail": "odd"}]}', "odd"),
        ('{"errors": [{"odd": true}]}', '{"errors": [{"odd": true}]}'),
        (
            '{"description": "Validation failed", "errors": [{"field": "page", "message": "too large"}]}',
            "Validation failed: page: too large",
        ),
        ("<html>\n<body>  Bad\tGateway", "<html> <body> Bad Gateway"),
        ("x" * 500, "x" * 200),
        (f"the key {KEY} is unknown", "the key *** is unknown"),
        ("", ""),
    ],
)
def test_the_apis_own_words_are_told_in_one_line_without_the_key(httpserver: HTTPServer, body: str, words: str) -> None:
    answers(httpserver, Response(body, 400))
    with pytest.raises(StatusError) as failed:
        get(client(httpserver.url_for("")))
    assert str(failed.value) == "GET /v1/things: 400 Bad Request" + (f": {words}" if words else "")


@pytest.mark.parametrize("body", ["<html>maintenance</html>", "", '{"data": [', "[NaN]"])
def test_a_success_whose_body_is_no_json_is_tried_again_and_then_fails(httpserver: HTTPServer, body: str) -> None:
    seen = answers(httpserver, ok(body))
    with pytest.raises(
        BodyError, match=r"GET /v1/things: the answer cannot be used: it is (no JSON|empty).* \(4 tries\)"
    ):
        get(client(httpserver.url_for("")))
    assert len(seen) == 4


@contextlib.contextmanager
def raw_server(*behaviours: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """Serve bytes by hand, for what no well-behaved server does; the last behaviour holds for ever."""
    served: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stopping = threading.Event()

        def run() -> None:
            while not stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(2)
                    connection.recv(65536)
                    behaviour = behaviours[min(len(served), len(behaviours) - 1)]
                    served.append(len(served))
                    behaviour(connection)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", served
        finally:
            stopping.set()
            thread.join()


def send(head: str, body: bytes = b"") -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


WHOLE = send("HTTP/1.1 200 OK\nContent-Length: 13\nConnection: close", b'{"data": [1]}')


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(reset, id="reset"),
        pytest.param(lambda _: None, id="closed without an answer"),
        pytest.param(send("HTTP/1.1 200 OK\nContent-Length: 99", b'{"data": [1]}'), id="cut short"),
        pytest.param(
            send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b'd\r\n{"data": [1]}\r\n'), id="chunks cut short"
        ),
        pytest.param(send("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 4", b"junk"), id="broken gzip"),
        pytest.param(send("HTTP/1.1 200 OK\nContent-Length: 0"), id="empty"),
    ],
)
def test_a_broken_transfer_is_tried_again(fault: Callable[[socket.socket], None]) -> None:
    with raw_server(fault, WHOLE) as (url, served):
        assert get(client(url)) == {"data": [1]}
        assert len(served) == 2
    with raw_server(fault) as (url, served), pytest.raises(ApiError, match=r"GET /v1/things: .* \(4 tries\)"):
        get(client(url))


@pytest.mark.parametrize("body", [b"junk", b"junk\0\0\0\0"])
def test_a_broken_packed_body_is_an_answer_cut_short_not_an_empty_one(body: bytes) -> None:
    # It closes the connection and says so: on one that is kept, the last try may be lost before there is an answer.
    head = f"HTTP/1.1 200 OK\nConnection: close\nContent-Encoding: gzip\nContent-Length: {len(body)}"
    with (
        raw_server(send(head, body)) as (url, _),
        pytest.raises(TransferError, match="GET /v1/things: answer cut short: "),
    ):
        get(client(url))


def test_a_server_that_says_nothing_is_given_up_after_the_time_out() -> None:
    expected = pytest.raises(TransferError, match=r"GET /v1/things: no answer within 0.1 s \(2 tries\)")
    with raw_server(lambda _: time.sleep(0.4)) as (url, served), expected:
        get(client(url, timeout=0.1, retries=1))
    assert len(served) <= 2


def test_an_address_where_nothing_listens_is_named_without_the_query() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError) as failed:
        get(client(f"http://127.0.0.1:{port}"), params={"api_key": KEY})
    assert str(failed.value) == (
        f"GET /v1/things: no connection to http://127.0.0.1:{port}: Connection refused (4 tries)"
    )


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnreachableError, match=r"no connection to http://nowhere\.invalid:80: "):
        get(client("http://nowhere.invalid", retries=0))


def test_a_redirect_to_the_same_origin_is_followed(httpserver: HTTPServer) -> None:
    answers(httpserver, Response("", 302, {"Location": "/v2/things?moved=yes"}))
    httpserver.expect_request("/v2/things", query_string="moved=yes").respond_with_json({"data": [2]})
    assert get(client(httpserver.url_for("")), params={"limit": 1}) == {"data": [2]}


@pytest.mark.parametrize(
    "target",
    [
        "http://other.example.com/v1/things",
        "https://127.0.0.1/v1/things",
        "//evil.example.com/x",
        "http://127.0.0.1:1/",
    ],
)
def test_a_redirect_or_link_to_another_origin_is_an_error_and_gets_nothing(httpserver: HTTPServer, target: str) -> None:
    seen = answers(httpserver, Response("", 307, {"Location": target}))
    http = client(httpserver.url_for(""))
    with pytest.raises(ForeignOriginError, match="which is not the origin of base_url"):
        get(http)
    assert len(seen) == 1
    with pytest.raises(ForeignOriginError, match="which is not the origin of base_url"):
        http.get(Request(target), decode_json)


def test_redirects_in_a_circle_end(httpserver: HTTPServer) -> None:
    answers(httpserver, Response("", 302, {"Location": "/v1/things"}))
    with pytest.raises(StatusError, match="more than 5 redirects"):
        get(client(httpserver.url_for("")))


def test_retry_after_is_obeyed_instead_of_the_back_off(httpserver: HTTPServer) -> None:
    answers(httpserver, Response("", 429, {"Retry-After": "1"}), ok())
    begun = time.monotonic()
    get(client(httpserver.url_for(""), factor=30))
    assert 1 <= time.monotonic() - begun < 3


@pytest.mark.parametrize(("period", "most"), [(1, 1.3), (0, 0.5)])
def test_the_last_try_comes_when_the_period_is_over_that_an_api_names(
    httpserver: HTTPServer, period: int, most: float
) -> None:
    """Where it names no time to try again: a bucket that is full again only then would refuse all tries before."""
    seen = answers(httpserver, *[Response("", 429, {"Its-Period": str(period)})] * 3, ok())
    begun = time.monotonic()
    assert get(client(httpserver.url_for(""), factor=0.01, rate_headers={"period": "Its-Period"})) == {"data": [1]}
    assert len(seen) == 4
    assert period <= time.monotonic() - begun < most


def test_a_wait_of_more_than_an_hour_is_told_and_not_slept(httpserver: HTTPServer) -> None:
    answers(httpserver, Response("", 429, {"Retry-After": "86400"}))
    with pytest.raises(StatusError, match=r"429 Too Many Requests: the API asks to wait 24\.0 h, run again then"):
        get(client(httpserver.url_for("")))


def test_the_back_off_doubles(httpserver: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    answers(httpserver, Response("", 500))
    with pytest.raises(StatusError):
        get(client(httpserver.url_for(""), factor=0.02))
    waits = [record.args[3] for record in caplog.records if isinstance(record.args, tuple) and len(record.args) == 4]
    assert [0.02 <= waits[0] <= 0.025, 0.04 <= waits[1] <= 0.05, 0.08 <= waits[2] <= 0.1] == [True] * 3  # type: ignore[operator]


def test_the_rate_budget_is_spent_evenly(httpserver: HTTPServer) -> None:
    answers(httpserver, ok())
    http = client(httpserver.url_for(""), rate=1200)
    begun = time.monotonic()
    for _ in range(11):
        get(http)
    assert 0.5 <= time.monotonic() - begun < 1.5


def test_a_pause_holds_all_threads_back() -> None:
    budget = RateBudget(None)
    budget.pause(0.3)
    begun = time.monotonic()
    threads = [threading.Thread(target=budget.acquire) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun >= 0.3


NOW = datetime(2024, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


@given(st.integers(0, 10**9 - 1))
def test_retry_after_in_seconds(seconds: int) -> None:
    assert retry_after_seconds({"Retry-After": str(seconds)}) == seconds


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_a_date_counts_from_the_servers_clock(seconds: int) -> None:
    headers = {
        "Retry-After": format_datetime(NOW + timedelta(seconds=seconds), usegmt=True),
        "Date": format_datetime(NOW, usegmt=True),
    }
    assert retry_after_seconds(CaseInsensitiveDict(headers)) == max(0, seconds)


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_another_point_in_time_counts_from_the_servers_clock_too(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    epoch = int(moment.timestamp())
    for text in (str(epoch), str(epoch * 1000), moment.isoformat(), moment.strftime("%Y-%m-%dT%H:%M:%SZ")):
        headers = {"Retry-After": text, "Date": format_datetime(NOW, usegmt=True)}
        assert retry_after_seconds(headers) == max(0, seconds), text


@given(st.text())
def test_any_other_retry_after_is_no_wait_or_a_wait_that_is_not_negative(text: str) -> None:
    wait = retry_after_seconds({"Retry-After": text}, NOW)
    assert wait is None or wait >= 0
    http_date(text)
