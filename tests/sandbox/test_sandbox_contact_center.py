from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("account_overview", "agents_overview", "current_queue_activity")
KEY = {"api_key": "sandbox-key"}


@pytest.fixture(scope="module")
def center() -> Iterator[Sandbox]:
    with Sandbox("contact_center", seed=3) as running:
        yield running


def ask(sandbox: Sandbox, path: str, **params: Any) -> requests.Response:
    return requests.get(sandbox.base_url + path, params={**KEY, **params}, timeout=10)


def data(sandbox: Sandbox, stream: str, **params: Any) -> Any:
    response = ask(sandbox, f"/v1/{stream}", **params)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def pages(sandbox: Sandbox, stream: str, **params: Any) -> list[list[dict[str, Any]]]:
    read: list[list[dict[str, Any]]] = []
    while not read or read[-1]:
        read.append(data(sandbox, stream, offset=sum(map(len, read)), **params))
    return read[:-1]


@pytest.mark.parametrize("stream", STREAMS)
def test_rows_are_read_by_offset_until_a_page_is_empty(center: Sandbox, stream: str) -> None:
    held = center.contact_center.records(stream)
    assert 20 <= len(held) <= 60
    read = pages(center, stream, limit=7)
    assert {len(page) for page in read[:-1]} == {7}
    assert [row for page in read for row in page] == held
    assert data(center, stream) == held
    assert all(isinstance(row["id"], str) for row in held)
    assert len({row["id"] for row in held}) == len(held)
    assert {"current_timestamp" in row for row in held} == {True, False}
    assert len(held[0]) > 6


def test_the_servers_own_cap_may_be_lower_than_the_limit() -> None:
    with Sandbox("contact_center", page_cap=9) as capped:
        assert {len(page) for page in pages(capped, "agents_overview", limit=100)} == {9, 60 % 9}
    with Sandbox("contact_center", ragged=True) as ragged:
        read = pages(ragged, "agents_overview", limit=6)
        assert len({len(page) for page in read}) > 1
        assert [row for page in read for row in page] == ragged.contact_center.records("agents_overview")


def test_data_may_be_one_object() -> None:
    with Sandbox("contact_center", single_object=True) as single:
        first = single.contact_center.records("account_overview")[0]
        assert data(single, "account_overview") == data(single, "account_overview", offset=1) == first
        single.contact_center.put("account_overview", [])
        assert data(single, "account_overview") == {}


def test_the_offset_may_be_ignored() -> None:
    with Sandbox("contact_center", ignore_offset=True, page_cap=10) as deaf:
        first = data(deaf, "agents_overview")
        assert len(first) == 10
        assert data(deaf, "agents_overview", offset=10) == first == data(deaf, "agents_overview", offset=999)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 200),
        ({"api_key": "not-the-key"}, 401),
        ({"api_key": None}, 401),
        ({"offset": -1}, 400),
        ({"limit": 0}, 400),
        ({"page": 2}, 400),
    ],
)
def test_what_cannot_be_answered_is_refused(center: Sandbox, params: dict[str, Any], status: int) -> None:
    response = ask(center, "/v1/agents_overview", **params)
    assert response.status_code == status
    if status != 200:
        assert response.json()["error"]["message"]
        assert "key" not in response.text.replace("API key", "")
    assert requests.get(center.base_url + "/v1/agents_overview", headers=BEARER, timeout=10).status_code == 401
    assert ask(center, "/v1/nothing").status_code == 404
    assert requests.post(center.base_url + "/v1/agents_overview", params=KEY, timeout=10).status_code == 405


BEARER = {"Authorization": "Bearer sandbox-key"}


def test_a_change_shows_in_the_rows() -> None:
    with Sandbox("contact_center", size=30) as sandbox:
        before = {stream: {row["id"]: row for row in data(sandbox, stream)} for stream in STREAMS}
        changed = sandbox.contact_center.change(rows=4)["rows"]
        for stream in STREAMS:
            after = {row["id"]: row for row in data(sandbox, stream)}
            assert [number for number in after if after[number] != before[stream][number]] == changed[stream]
            assert len(changed[stream]) == 4


def test_an_empty_center_is_an_empty_page() -> None:
    with Sandbox("contact_center", size=0, faults=["503:at=2"]) as sandbox:
        assert data(sandbox, "agents_overview") == []
        assert ask(sandbox, "/v1/agents_overview").status_code == 503
