from __future__ import annotations

import base64
import gzip
import json
import socket
import time
import zlib
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from sandbox_client import Client

from taps.sandbox.faults import BadFaultError, Fault, Faults, Kind
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(tickets=100) as sandbox:
        yield sandbox


@pytest.fixture
def desk(running: Sandbox) -> Iterator[Sandbox]:
    running.clear_requests()
    yield running
    running.set_faults([])


@pytest.fixture
def client(desk: Sandbox) -> Iterator[Client]:
    with Client(desk) as made:
        yield made


def statuses(client: Client, count: int, path: str = "/v1/groups") -> list[int]:
    return [client.get(path).status_code for _ in range(count)]


def raw_answer(sandbox: Sandbox, path: str) -> bytes:
    """All bytes of an answer until the connection ends."""
    key = base64.b64encode(f"{sandbox.api_key}:X".encode()).decode()
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(1 << 20):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("503:times=2", [503, 503, 200, 200, 200, 200]),
        ("429:every=3", [200, 200, 429, 200, 200, 429]),
        ("401:at=3", [200, 200, 401, 200, 200, 200]),
        ("500:after=4", [200, 200, 200, 200, 500, 500]),
        ("500:after=0", [500] * 6),
        ("502", [502] * 6),
        ("504:after=2,times=4", [200, 200, 504, 504, 200, 200]),
        ("403:path=/v1/groups", [403] * 6),
        ("404:path=/v1/roles", [200] * 6),
        ("404:path=/v1/g*s", [404] * 6),
    ],
)
def test_a_status_comes_when_the_spec_says(desk: Sandbox, client: Client, spec: str, expected: list[int]) -> None:
    desk.set_faults([spec])
    assert statuses(client, 6) == expected


def test_a_path_is_a_prefix_a_pattern_or_the_whole(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["500:path=/v1/tickets$", "503:path=/v1/tickets/*/conversations"])
    assert statuses(client, 1, "/v1/tickets?limit=1") == [500]
    assert statuses(client, 1, "/v1/tickets/1/conversations") == [503]
    assert statuses(client, 1, "/v1/ticket_fields") == [200]


def test_the_first_fault_settles_it_and_the_next_does_not_count_it(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["503:times=1", "429:times=1"])
    assert statuses(client, 3) == [503, 429, 200]


def test_an_error_status_has_a_json_body_and_retry_after_when_asked(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["429:at=1,retry_after=7", "503:at=1,retry_after=date", "500"])
    seconds, date, none = (client.get("/v1/groups") for _ in range(3))
    assert seconds.json()["message"]
    assert seconds.headers["retry-after"] == "7"
    ahead = parsedate_to_datetime(date.headers["retry-after"]).timestamp() - time.time()
    assert 0 < ahead <= 2
    assert "retry-after" not in none.headers


def test_faults_come_before_credentials(desk: Sandbox) -> None:
    desk.set_faults(["500"])
    assert requests.get(f"{desk.base_url}/v1/groups", timeout=10).status_code == 500
    assert requests.get(f"{desk.base_url}/_sandbox/health", timeout=10).status_code == 200


def test_reset_is_a_real_one_before_the_headers(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["reset:times=2"])
    with pytest.raises(ConnectionResetError):
        raw_answer(desk, "/v1/agents")
    with pytest.raises(requests.ConnectionError, match="reset"):
        client.get("/v1/agents")
    assert statuses(client, 1) == [200]
    assert [(seen.status, seen.fault) for seen in desk.requests] == [(None, "reset"), (None, "reset"), (200, None)]


def test_reset_body_comes_in_the_middle_of_the_body(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["reset-body:times=1"])
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError), match=r"reset|broken"):
        client.get("/v1/contacts")
    desk.set_faults(["reset-body:times=1"])
    response = client.session.get(f"{desk.base_url}/v1/contacts", stream=True, timeout=10)
    with response:
        assert response.status_code == 200
        assert response.raw.read(10)
    assert statuses(client, 1) == [200]


def test_truncated_sends_less_than_it_promised(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["truncated:times=2,path=/v1/agents"])
    head, _, body = raw_answer(desk, "/v1/agents").partition(b"\r\n\r\n")
    promised = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    assert 0 < len(body) < promised
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get("/v1/agents")
    assert statuses(client, 2, "/v1/agents") == [200, 200]


def test_malformed_is_json_that_breaks_off(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["malformed"])
    response = client.get("/v1/groups")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.text.startswith('{"data":[')
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_bodies_of_another_kind(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["html:at=1", "empty:at=1", "null:at=1"])
    html, empty, null = (client.get("/v1/groups") for _ in range(3))
    assert [html.status_code, empty.status_code, null.status_code] == [200, 200, 200]
    assert html.headers["content-type"].startswith("text/html")
    assert html.text.startswith("<!DOCTYPE html>")
    assert empty.content == b""
    assert null.text == "null"


def test_shape_swaps_arrays_and_objects(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["shape"])
    assert client.get("/v1/groups").json() == {"data": {}}
    assert client.get("/v1/settings/helpdesk").json() == {"data": []}


def test_slow_is_late_but_right(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["slow:at=1,seconds=0.3", "slow:at=1,seconds=0.2", "503:at=2"])
    began = time.monotonic()
    assert client.data("/v1/groups")
    assert 0.5 <= time.monotonic() - began < 2
    assert statuses(client, 2) == [503, 200]


def test_redirect_keeps_path_and_query(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["redirect:to=http://other.invalid:81/"])
    response = client.get("/v1/groups?limit=3")
    assert response.status_code == 302
    assert response.headers["location"] == "http://other.invalid:81/v1/groups?limit=3"


def test_links_that_lead_astray(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["foreign-link:at=1,to=http://other.invalid", "foreign-link:at=1", "self-link"])
    answers = [client.get("/v1/groups?limit=3") for _ in range(3)]
    assert [len(answer.json()["data"]) for answer in answers] == [3, 3, 3]
    assert [answer.links["next"]["url"] for answer in answers] == [
        "http://other.invalid/v1/groups?limit=3",
        "http://elsewhere.invalid/v1/groups?limit=3",
        f"{desk.base_url}/v1/groups?limit=3",
    ]


def test_gzip_cut_promises_just_what_it_sends(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["gzip-cut"])
    response = client.session.get(f"{desk.base_url}/v1/contacts", stream=True, timeout=10)
    with response:
        body = response.raw.read(decode_content=False)
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) == len(body)
    with pytest.raises(EOFError):
        gzip.decompress(body)
    # What can be read of it is no JSON yet.
    text = zlib.decompressobj(wbits=31).decompress(body)
    assert text.startswith(b'{"data":[')
    with pytest.raises(ValueError, match=r"."):
        json.loads(text)


def test_the_server_stays_silent_about_its_faults(
    desk: Sandbox, client: Client, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for kind in Kind:
        desk.set_faults([f"{kind.value}:{'seconds=0.01' if kind is Kind.SLOW else 'times=1'}"])
        try:
            client.get("/v1/contacts")
        except requests.RequestException:
            continue
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "nonsense",
        "200",
        "600",
        "503:",
        "503:every=0",
        "503:times=x",
        "503:every",
        "503:every=",
        "503:never=1",
        "slow:seconds=long",
        "reset:seconds=1",
        "reset:retry_after=1",
        "503:to=http://x",
        "503:retry_after=soon",
        "503:at=-1",
    ],
)
def test_a_bad_spec_is_one_line_that_lists_the_valid_ones(spec: str) -> None:
    if spec == "503:":
        assert Fault.parse(spec).status == 503
        return
    with pytest.raises(BadFaultError) as caught:
        Fault.parse(spec)
    message = str(caught.value)
    assert "\n" not in message
    for kind in Kind:
        assert kind.value in message
    for key in ("every", "at", "times", "after", "path", "retry_after", "seconds", "to"):
        assert key in message


def test_bad_specs_leave_the_old_ones_in_force() -> None:
    faults = Faults(["500"])
    with pytest.raises(BadFaultError):
        faults.replace(["503", "nonsense"])
    assert faults.strike("/")[1] is not None
