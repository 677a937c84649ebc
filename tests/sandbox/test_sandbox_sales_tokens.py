from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sales_client import Client, ask_token, detail, sales

from taps.sandbox.answers import Refusal
from taps.sandbox.sales_engagement.made import flat
from taps.sandbox.sales_engagement.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sales() as running:
        yield running


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer another", "Basic c2FuZGJveA==", "sandbox-secret"])
@pytest.mark.parametrize("path", ["/v1/prospects", "/v1/nothing"])
def test_other_credentials_get_a_401_that_does_not_repeat_them(
    sandbox: Sandbox, authorization: str | None, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = requests.get(sandbox.base_url + path, headers=headers, timeout=10)
    detail(response, 401, "unauthorized")
    assert "another" not in response.text


def test_a_token_is_minted(sandbox: Sandbox) -> None:
    before = sandbox.sales_engagement.tokens_minted
    answer = ask_token(sandbox).json()
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at"}
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 7_200
    assert answer["refresh_token"] == sandbox.config["refresh_token"] == sandbox.sales_engagement.current_refresh_token
    assert sandbox.sales_engagement.tokens_minted == before + 1
    assert sandbox.requests[-1].path == "/oauth/token"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_secret": "guessed-one"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": "old"}, 400, "invalid_grant"),
    ],
)
def test_a_token_is_refused(sandbox: Sandbox, fields: dict[str, str], status: int, error: str) -> None:
    before = sandbox.sales_engagement.tokens_minted, sandbox.sales_engagement.refused_refreshes
    response = ask_token(sandbox, **fields)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert "guessed-one" not in response.text
    refused = before[1] + (error == "invalid_grant")
    assert (sandbox.sales_engagement.tokens_minted, sandbox.sales_engagement.refused_refreshes) == (before[0], refused)


def test_a_token_is_asked_for_with_a_form(sandbox: Sandbox) -> None:
    response = requests.post(sandbox.config["token_url"], json={"grant_type": "refresh_token"}, timeout=10)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_rotating_refresh_token_works_once() -> None:
    with sales(rotate=True, refresh_token="first") as sandbox:
        store = sandbox.sales_engagement
        second = ask_token(sandbox).json()["refresh_token"]
        assert second == store.current_refresh_token != "first"
        assert ask_token(sandbox).json()["error"] == "invalid_grant"
        assert (store.tokens_minted, store.refused_refreshes) == (1, 1)
        third = ask_token(sandbox, refresh_token=second).json()["refresh_token"]
        assert len({"first", second, third}) == 3


def test_of_many_that_use_one_refresh_token_at_once_one_succeeds() -> None:
    with sales(rotate=True) as sandbox:
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(ask_token(sandbox).status_code)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 400, 400, 400, 400, 400]
        assert sandbox.sales_engagement.refused_refreshes == 5


def test_a_lost_answer_has_rotated_the_token_all_the_same() -> None:
    with sales(rotate=True, faults=["truncated:times=1,path=/oauth/token"]) as sandbox:
        with pytest.raises(requests.RequestException):
            ask_token(sandbox).json()
        assert sandbox.sales_engagement.tokens_minted == 1
        assert ask_token(sandbox).status_code == 400


def test_a_hook_may_fail_a_mint_before_or_after_the_token_has_changed() -> None:
    with sales(rotate=True) as sandbox:
        store, failing, seen = sandbox.sales_engagement, "before", []

        def fault(when: str) -> None:
            seen.append(when)
            if when == failing:
                raise Refusal(503, {"error": "temporarily_unavailable"})

        store.mint_fault = fault
        assert ask_token(sandbox).status_code == 503
        assert (store.tokens_minted, store.current_refresh_token) == (0, "sandbox-refresh-token")
        failing = "after"
        assert ask_token(sandbox).status_code == 503
        assert store.tokens_minted == 1
        assert store.current_refresh_token != "sandbox-refresh-token"
        store.mint_fault = None
        assert ask_token(sandbox, refresh_token=store.current_refresh_token).status_code == 200
        assert seen == ["before", "before", "after"]


def test_tokens_expire_with_time_and_on_demand() -> None:
    with sales(token_ttl=0) as sandbox, Client(sandbox) as client:
        assert client.get("/v1/prospects").status_code == 401
        assert ask_token(sandbox).json()["expires_in"] == 0
    with sales() as sandbox, Client(sandbox) as client:
        assert client.get("/v1/prospects").status_code == 200
        assert sandbox.sales_engagement.expire() == 1
        assert client.get("/v1/prospects").status_code == 401
        client.renew()
        assert client.get("/v1/prospects").status_code == 200
        answer = requests.post(f"{sandbox.base_url}/_sandbox/sales_engagement/change?expire=1", timeout=10).json()
        assert answer == {"expire": 1}
        assert client.get("/v1/prospects").status_code == 401


def test_a_change_shows_where_it_says() -> None:
    with sales() as sandbox, Client(sandbox) as client:
        store = sandbox.sales_engagement
        before = {name: store.records(name) for name in ("prospects", "accounts", "opportunities", "tasks")}
        since = max(row["updatedAt"] for rows in before.values() for row in rows if row["updatedAt"].endswith("Z"))
        url = f"{sandbox.base_url}/_sandbox/sales_engagement/change"
        kinds = "prospects=3&accounts=2&opportunities=1&tasks=2&new=2&events=2&mailings=1"
        answer = requests.post(f"{url}?{kinds}", timeout=10).json()
        assert {kind: len(ids) for kind, ids in answer.items()} == {
            "prospects": 3,
            "accounts": 2,
            "opportunities": 1,
            "tasks": 2,
            "new": 2,
            "events": 2,
            "mailings": 1,
        }
        assert answer["new"] == [61, 62]
        for name, rows in before.items():
            changed = answer[name] + (answer["new"] if name == "prospects" else [])
            bound = f"{since[:10]}T23:59:59Z..inf"
            fresh = [flat(row) for row in client.rows(STREAMS[name].path, sort="updatedAt", updated=bound)]
            assert sorted(row["id"] for row in fresh) == sorted(changed)
            old = {row["id"]: row for row in rows}
            assert all(row["createdAt"] == old[row["id"]]["createdAt"] for row in fresh if row["id"] in old)
            assert all(row != old.get(row["id"]) for row in fresh)
        events = client.rows("/v1/events", sort="createdAt", created="2026-01-01T00:00:00Z..inf")
        assert [row["id"] for row in events] == answer["events"]
        assert "updatedAt" not in events[0]["attributes"]
        with pytest.raises(TypeError, match="cats"):
            store.change(cats=1)


def test_records_are_put_and_deleted() -> None:
    with sales() as sandbox, Client(sandbox) as client:
        store = sandbox.sales_engagement
        odd: list[dict[str, Any]] = [
            {"id": 7, "attributes": {"updatedAt": "2025-01-01T00:00:00.000Z"}},
            {"id": None},
            {"id": 9, "updatedAt": "?"},
        ]
        store.put("stages", odd)
        assert client.rows("/v1/stages") == odd
        assert [row["id"] for row in client.rows("/v1/stages", sort="updatedAt", page_size=1)] == [7, None, 9]
        assert store.records("stages")[0] == {"id": 7, "updatedAt": "2025-01-01T00:00:00.000Z"}
        store.delete("stages", 7)
        assert client.rows("/v1/stages") == odd[1:]
        with pytest.raises(ValueError, match="8"):
            store.delete("stages", 8)


def test_faults_strike_links_tokens_and_pages() -> None:
    with (
        sales(
            faults=["foreign-link:at=1,path=/v1/calls", "401:at=2,path=/v1/tasks", "503:at=2,path=/oauth/token"]
        ) as sandbox,
        Client(sandbox) as client,
    ):
        assert client.get("/v1/calls").json()["links"]["next"].startswith("http://elsewhere.invalid/v1/calls")
        assert client.get("/v1/tasks").status_code == 200
        assert client.get("/v1/tasks").status_code == 401
        assert ask_token(sandbox).status_code == 503
        sandbox.set_faults(["self-link:path=/v1/duties", "malformed:path=/v1/roles"])
        assert client.get("/v1/duties").json()["links"]["next"] == f"{sandbox.base_url}/v1/duties"
        with pytest.raises(ValueError, match="line"):
            client.get("/v1/roles").json()
