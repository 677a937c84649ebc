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


def until_the_end(sandbox: Sandbox, path: str) -> bytes:
    """All bytes of an answer until the connection is reset."""
    key = base64.b64encode(f"{sandbox.api_key}:X".encode()).decode()
    address = urlsplit(sandbox.base_url)
    answer = b""
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\n\r\n".encode())
        try:
            while part := connection.recv(1 << 20):
                answer += part
        except ConnectionResetError:
            return answer
    pytest.fail("the connection ended, but was not reset")


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
    desk.set_faults(["429:retry_after=date+60"])
    later = client.get("/v1/groups").headers["retry-after"]
    assert 58 < parsedate_to_datetime(later).timestamp() - time.time() <= 60
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


@pytest.mark.parametrize("kind", ["reset-headers", "reset-start"])
def test_reset_comes_in_the_headers_or_after_them(desk: Sandbox, client: Client, kind: str) -> None:
    desk.set_faults([f"{kind}:times=2"])
    answer = until_the_end(desk, "/v1/agents")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (b"\r\n\r\n" in answer) is (kind == "reset-start")
    assert not answer.partition(b"\r\n\r\n")[2]
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError), match=r"reset|broken"):
        client.get("/v1/agents")
    assert statuses(client, 1) == [200]


def test_refused_closes_the_door_to_all_for_a_while(desk: Sandbox, client: Client) -> None:
    assert statuses(client, 1) == [200]
    desk.set_faults(["refused:times=1,seconds=0.3,path=/v1/agents"])
    with Client(desk) as other:
        with pytest.raises(requests.ConnectionError):
            other.get("/v1/agents")
        began = time.monotonic()
        with pytest.raises(requests.ConnectionError, match="refused"):
            client.get("/v1/groups")
        while True:
            try:
                assert other.get("/v1/agents").status_code == 200
                break
            except requests.ConnectionError:
                time.sleep(0.02)
    assert 0.2 < time.monotonic() - began < 5


def test_a_door_that_is_closed_opens_when_the_faults_end(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["refused:seconds=100"])
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            client.get("/v1/agents")
    desk.set_faults([])
    assert statuses(client, 2) == [200, 200]


def test_silent_never_answers(desk: Sandbox) -> None:
    desk.set_faults(["silent:times=1"])
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{desk.base_url}/v1/groups", timeout=0.2)
    assert requests.get(f"{desk.base_url}/v1/groups", timeout=10).status_code == 401


def test_slow_body_keeps_its_promise_late(desk: Sandbox, client: Client) -> None:
    whole = client.get("/v1/contacts").content
    desk.set_faults(["slow-body:seconds=0.3"])
    began = time.monotonic()
    with client.session.get(f"{desk.base_url}/v1/contacts", stream=True, timeout=10) as response:
        assert time.monotonic() - began < 0.3
        assert response.raw.read(decode_content=False) == whole
    assert time.monotonic() - began >= 0.3


def test_bulky_is_right_but_long(desk: Sandbox, client: Client) -> None:
    right = client.get("/v1/groups").json()
    desk.set_faults(["bulky:megabytes=2"])
    answer = client.get("/v1/groups")
    assert 2 << 20 < len(answer.content) < 3 << 20
    assert answer.json() == right


def test_nulls_stand_for_the_records(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["nulls"])
    assert client.get("/v1/groups?limit=3").json() == {"data": [None] * 3}
    assert client.get("/v1/settings/helpdesk").json() == {"data": None}


def test_a_cycle_leads_back_to_the_page_before(desk: Sandbox, client: Client) -> None:
    desk.set_faults(["cycle-link"])
    addresses = [f"{desk.base_url}/v1/groups?limit={limit}" for limit in (2, 3, 4)]
    leads_to = [client.session.get(address, timeout=10).links["next"]["url"] for address in addresses]
    assert leads_to == [addresses[0], addresses[0], addresses[1]]
    other = f"{desk.base_url}/v1/agents?limit=2"
    assert client.session.get(other, timeout=10).links["next"]["url"] == other


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
    late = {Kind.SLOW, Kind.SLOW_BODY, Kind.REFUSED}
    for kind in Kind:
        desk.set_faults([f"{kind.value}:{'seconds=0.01' if kind in late else 'times=1'}"])
        try:
            client.session.get(f"{desk.base_url}/v1/contacts", timeout=0.5)
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
        "503:retry_after=date+",
        "503:retry_after=date+soon",
        "bulky:megabytes=0",
        "slow:megabytes=1",
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
    for key in ("every", "at", "times", "after", "path", "retry_after", "seconds", "megabytes", "to"):
        assert key in message


def test_bad_specs_leave_the_old_ones_in_force() -> None:
    faults = Faults(["500"])
    with pytest.raises(BadFaultError):
        faults.replace(["503", "nonsense"])
    assert faults.strike("/")[1] is not None
