"""The call centre in Zendesk Talk's dialect, over a socket: the same records, asked for with an address and a key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from vendor_client import VendorClient, counted

from taps.sandbox.instants import instant
from taps.sandbox.server import Sandbox
from taps.sandbox.voice.store import VoiceStore

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS = {
    "/addresses": "addresses",
    "/greeting_categories": "greeting_categories",
    "/greetings": "greetings",
    "/ivr": "ivrs",
    "/phone_numbers": "phone_numbers",
    "/stats/agents_activity": "agents_activity",
}
EXPORTS = {"calls": "calls", "legs": "call_legs"}
OVERVIEWS = ("account_overview", "agents_overview", "current_queue_activity")


def zendesk(**settings: Any) -> Sandbox:
    return Sandbox("voice", **{"provider": "zendesk_talk", "size": 120, "seed": 5, **settings})


class Client(VendorClient):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.session.auth = (f"{self.config['email']}/token", self.config["api_key"])


@pytest.fixture(scope="module")
def centre() -> Iterator[Sandbox]:
    with zendesk() as running:
        yield running


@pytest.fixture
def client(centre: Sandbox) -> Iterator[Client]:
    with Client(centre) as asking:
        yield asking


def refused(response: requests.Response, status: int, error: str) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert sorted(body) == ["description", "error"]
    assert body["error"] == error
    text: str = body["description"]
    return text


def test_the_config_names_the_provider_and_its_root(centre: Sandbox) -> None:
    assert centre.config == {
        "provider": "zendesk_talk",
        "base_url": f"{centre.root_url}/api/v2/channels/voice",
        "email": "agent@sandbox.example",
        "api_key": "sandbox-key",
    }
    assert centre.alternatives == {"access_token": "sandbox-token"}
    response = requests.get(f"{centre.root_url}/v1/addresses", timeout=10)
    assert refused(response, 404, "not_found")


def test_the_records_are_those_of_the_neutral_form(centre: Sandbox) -> None:
    neutral = VoiceStore(size=120, seed=5)
    assert neutral.counts() == centre.voice.counts()
    assert all(centre.voice.records(stream) == neutral.records(stream) for stream in neutral.counts())


@pytest.mark.parametrize(("path", "stream"), LISTS.items())
def test_lists_are_linked_to_their_end(centre: Sandbox, client: Client, path: str, stream: str) -> None:
    pages = client.pages(path, {"per_page": 3}, lambda response: response.json()["next_page"])
    assert all(sorted(page) == sorted([stream, "next_page", "previous_page", "count"]) for page in pages)
    assert [row for page in pages for row in page[stream]] == centre.voice.records(stream)
    assert {page["count"] for page in pages} == {centre.voice.counts()[stream]}


@pytest.mark.parametrize("stream", OVERVIEWS)
def test_overviews_are_one_object(centre: Sandbox, client: Client, stream: str) -> None:
    assert [client.get(f"/stats/{stream}").json()[stream]] == centre.voice.records(stream)


@pytest.mark.parametrize(("key", "stream"), EXPORTS.items())
def test_exports_begin_with_the_second_asked_for_and_never_lack_a_next_page(key: str, stream: str) -> None:
    with zendesk(export_page=20) as sandbox, Client(sandbox) as client:
        rows: dict[Any, dict[str, Any]] = {}
        start = 0
        while True:
            body = client.get(f"/stats/incremental/{key}", {"start_time": start}).json()
            assert sorted(body) == sorted([key, "count", "end_time", "next_page"])
            assert body["next_page"].endswith(f"/stats/incremental/{key}?start_time={body['end_time']}")
            assert body["count"] == len(body[key]) <= 20
            rows |= {row["id"]: row for row in body[key]}
            if body["end_time"] <= start:
                break
            start = body["end_time"]
        assert list(rows.values()) == sorted(
            sandbox.voice.records(stream), key=lambda row: (instant(row["updated_at"]) or 0, row["id"])
        )


def test_an_export_needs_its_start(client: Client) -> None:
    assert "required" in refused(client.get("/stats/incremental/calls"), 422, "UnprocessableEntity")
    refused(client.get("/stats/incremental/calls", {"start_time": "soon"}), 422, "UnprocessableEntity")


def test_an_export_may_not_begin_too_late() -> None:
    with zendesk(recent_seconds=60) as sandbox, Client(sandbox) as client:
        for seconds, status in ((-10, 422), (30, 422), (90, 200)):
            start = int(time.time()) - seconds
            assert client.get("/stats/incremental/legs", {"start_time": start}).status_code == status
    with zendesk() as sandbox, Client(sandbox) as client:
        now = int(time.time())
        assert client.get("/stats/incremental/legs", {"start_time": now}).status_code == 200
        refused(client.get("/stats/incremental/legs", {"start_time": now + 60}), 422, "UnprocessableEntity")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/addresses", "limit"),
        ("/addresses", "api_key"),
        ("/stats/account_overview", "offset"),
        ("/stats/incremental/calls", "page"),
        ("/stats/incremental/calls", "api_key"),
    ],
)
def test_an_unknown_parameter_is_refused(client: Client, path: str, parameter: str) -> None:
    text = refused(client.get(path, {parameter: "sandbox-key", "start_time": "0"}), 400, "InvalidParameter")
    assert text.startswith((parameter, "start_time"))


def test_a_parameter_is_given_once(client: Client) -> None:
    refused(client.get("/addresses?page=1&page=2"), 400, "InvalidParameter")


def test_the_key_goes_with_its_address_and_the_token_alone(centre: Sandbox, client: Client) -> None:
    email, key = client.config["email"], client.config["api_key"]
    for wrong in ((email, key), (f"{email}/token", "another"), ("other@sandbox.example/token", key), (key, "X")):
        client.session.auth = wrong
        refused(client.get("/addresses"), 401, "Unauthorized")
    client.session.auth = None
    refused(client.get("/addresses", {"api_key": key}), 401, "Unauthorized")
    for token, status in (("sandbox-token", 200), ("another", 401), (key, 401)):
        client.session.headers["Authorization"] = f"Bearer {token}"
        assert client.get("/addresses").status_code == status


def test_the_exports_share_a_limit_of_their_own() -> None:
    with zendesk(size=5, export_limit=2, rate_window=1) as sandbox, Client(sandbox) as client:
        paths = ("/stats/incremental/calls", "/stats/incremental/legs", "/stats/incremental/calls")
        answers = [client.get(path, {"start_time": 0}) for path in paths]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        refused(answers[2], 429, "rate_limit_reached")
        assert answers[2].headers["Retry-After"] == "1"
        assert client.get("/addresses").status_code == 200
        time.sleep(1)
        assert client.get(paths[0], {"start_time": 0}).status_code == 200


def test_the_limit_of_all_is_told() -> None:
    with zendesk(size=5, rate_limit=1) as sandbox, Client(sandbox) as client:
        first, second = client.get("/addresses"), client.get("/addresses")
        assert (first.headers["X-Rate-Limit"], first.headers["X-Rate-Limit-Remaining"]) == ("1", "0")
        assert counted(first) == {}
        refused(second, 429, "rate_limit_reached")


def test_an_account_may_lack_collections() -> None:
    with zendesk(size=5, lacks="ivrs,calls=404") as sandbox, Client(sandbox) as client:
        refused(client.get("/ivr"), 403, "Forbidden")
        refused(client.get("/stats/incremental/calls", {"start_time": 0}), 404, "Forbidden")
        assert client.get("/stats/incremental/legs", {"start_time": 0}).status_code == 200


@pytest.mark.parametrize("settings", [{"lacks": "nonsense"}, {"recent_seconds": -1}, {"export_page": 0}])
def test_a_bad_option_is_an_error(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        zendesk(**settings)


def test_faults_and_churn_go_on_working() -> None:
    with zendesk(size=60, churn="new=1", faults=["self-link:at=1", "403:at=1"]) as sandbox, Client(sandbox) as client:
        response = client.get("/addresses")
        assert response.json()["next_page"] == response.url
        refused(client.get("/addresses"), 403, "sandbox_403")
        client.get("/addresses")
        assert sandbox.voice.counts()["calls"] > 60
