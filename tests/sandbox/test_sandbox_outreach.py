"""The sales team in Outreach's dialect, over a socket: JSON:API by name as well, and strict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from vendor_client import VendorClient, counted

from taps.sandbox.instants import instant
from taps.sandbox.sales_engagement.made import flat
from taps.sandbox.sales_engagement.store import SalesStore
from taps.sandbox.sales_engagement.streams import STREAMS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA_TYPE = "application/vnd.api+json"
UPDATED, SIZE = "filter[updatedAt]", "page[size]"


def outreach(**settings: Any) -> Sandbox:
    return Sandbox("sales_engagement", **{"provider": "outreach", "size": 60, "seed": 3, **settings})


def ask_token(sandbox: Sandbox, **fields: str) -> requests.Response:
    config = sandbox.config
    form = {name: config[name] for name in ("client_id", "client_secret", "refresh_token")}
    return requests.post(config["token_url"], data={"grant_type": "refresh_token", **form, **fields}, timeout=10)


class Client(VendorClient):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        token = ask_token(sandbox).json()["access_token"]
        self.session.headers.update({"Authorization": f"Bearer {token}", "Accept": MEDIA_TYPE})

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        pages = self.pages(path, params, lambda response: response.json().get("links", {}).get("next"))
        return [row for page in pages for row in page["data"]]


@pytest.fixture(scope="module")
def team() -> Iterator[Sandbox]:
    with outreach() as running:
        yield running


@pytest.fixture
def client(team: Sandbox) -> Iterator[Client]:
    with Client(team) as asking:
        yield asking


def refused(response: requests.Response, status: int, error: str) -> str:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == MEDIA_TYPE
    (found,) = response.json()["errors"]
    assert sorted(found) == ["detail", "id", "title"]
    assert found["id"] == error
    text: str = found["detail"]
    return text


def test_the_config_names_the_provider_and_its_root(team: Sandbox) -> None:
    assert team.config == {
        "provider": "outreach",
        "base_url": f"{team.root_url}/api/v2",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh-token",
        "token_url": f"{team.root_url}/oauth/token",
    }


@pytest.mark.parametrize("name", STREAMS)
def test_collections_have_the_same_records(team: Sandbox, client: Client, name: str) -> None:
    rows = client.rows(STREAMS[name].tail, **{SIZE: 40})
    assert [flat(row) for row in rows] == team.sales_engagement.records(name)
    for row in rows:
        assert isinstance(row["id"], int)
        assert row["type"] == STREAMS[name].type
        assert row["links"]["self"] == f"/api/v2{STREAMS[name].tail}/{row['id']}"


def test_the_records_are_those_of_the_neutral_form(team: Sandbox) -> None:
    neutral = SalesStore(prospects=60, seed=3)
    assert all(team.sales_engagement.records(name) == neutral.records(name) for name in STREAMS)


def test_answers_are_json_api_by_name(client: Client) -> None:
    response = client.get("/accounts")
    assert response.headers["Content-Type"] == MEDIA_TYPE
    for accepted in ("*/*", "application/json", ""):
        client.session.headers["Accept"] = accepted
        refused(client.get("/accounts"), 415, "unsupportedMediaType")
    client.session.headers["Accept"] = f"application/json, {MEDIA_TYPE};q=0.9"
    assert client.get("/accounts").status_code == 200


def test_pages_hold_50_and_no_more_than_1000(client: Client) -> None:
    body = client.get("/prospects", {"count": "false"}).json()
    assert len(body["data"]) == 50
    assert "meta" not in body
    assert body["links"]["next"].startswith(f"{client.config['base_url']}/prospects?")
    assert client.get("/prospects").json()["meta"]["count"] == 60
    assert "1000" in refused(client.get("/prospects", {SIZE: 1_001}), 422, "validationError")
    last = client.get("/prospects", {SIZE: 1_000}).json()
    assert len(last["data"]) == 60
    assert "next" not in last["links"]


def test_an_empty_answer_has_no_links(client: Client) -> None:
    body = client.get("/prospects", {UPDATED: "2999-01-01T00:00:00.000Z..inf"}).json()
    assert body["data"] == []
    assert "links" not in body


def test_a_range_filters_and_sorts(team: Sandbox, client: Client) -> None:
    held = team.sales_engagement.records("prospects")
    moments = sorted(instant(row["updatedAt"]) or 0 for row in held)
    first, last = "2023-01-01T00:00:00.000Z", "2025-06-30T12:00:00Z"
    for end in (last, "inf"):
        rows = client.rows("/prospects", **{UPDATED: f"{first}..{end}", "sort": "updatedAt", SIZE: 7})
        most = instant(end) or 1 << 80
        found = [instant(row["attributes"]["updatedAt"]) for row in rows]
        assert found == [moment for moment in moments if (instant(first) or 0) <= moment <= most]
        assert found


@pytest.mark.parametrize(
    "bound", ["2025-01-01T00:00:00.000000Z..inf", "2025-01-01T00:00:00.0001Z..inf", "2025-01-01T00:00:00Z", "now..inf"]
)
def test_a_range_has_milliseconds_at_most(client: Client, bound: str) -> None:
    refused(client.get("/prospects", {UPDATED: bound}), 422, "validationError")


@pytest.mark.parametrize("parameter", ["limit", "page[offset]", "page[limit]", "filter[name]"])
def test_an_unknown_parameter_is_refused(client: Client, parameter: str) -> None:
    assert parameter in refused(client.get("/prospects", {parameter: "1"}), 400, "validationError")


def test_a_parameter_is_given_once(client: Client) -> None:
    refused(client.get("/prospects?count=false&count=false"), 400, "validationError")


def test_records_may_come_in_no_order() -> None:
    with outreach(unsorted=True) as sandbox, Client(sandbox) as client:
        rows = client.rows("/prospects", sort="updatedAt", **{SIZE: 9, UPDATED: "2023-01-01T00:00:00.000Z..inf"})
        moments = [instant(row["attributes"]["updatedAt"]) or 0 for row in rows]
        assert moments != sorted(moments)
        held = [instant(row["updatedAt"]) or 0 for row in sandbox.sales_engagement.records("prospects")]
        assert sorted(moments) == sorted(one for one in held if one >= (instant("2023-01-01T00:00:00Z") or 0))


def test_a_token_may_lack_scopes() -> None:
    with outreach(size=5, lacks="audit_logs") as sandbox, Client(sandbox) as client:
        detail = refused(client.get("/auditLogs"), 403, "unauthorizedOauthScope")
        assert "auditLogs.read" in detail
        assert client.get("/users").status_code == 200


def test_a_token_expires(client: Client) -> None:
    with outreach(size=5) as sandbox, Client(sandbox) as other:
        assert other.get("/users").status_code == 200
        sandbox.sales_engagement.expire()
        refused(other.get("/users"), 401, "unauthorized")
    refused(client.get("/nonsense"), 404, "routeNotFound")
    refused(client.session.post(f"{client.config['base_url']}/users", timeout=10), 405, "methodNotAllowed")


def test_tokens_are_asked_for_with_a_form_and_may_rotate() -> None:
    with outreach(size=5, rotate=True) as sandbox:
        first = ask_token(sandbox, redirect_uri="https://app.example/callback")
        assert first.status_code == 200
        assert first.headers["Content-Type"] == "application/json"
        assert first.json()["refresh_token"] == sandbox.sales_engagement.current_refresh_token
        assert ask_token(sandbox).json()["error"] == "invalid_grant"
        assert ask_token(sandbox, refresh_token=first.json()["refresh_token"]).status_code == 200
        assert ask_token(sandbox, audience="all").json()["error"] == "invalid_request"


def test_the_limit_is_told() -> None:
    with outreach(size=5, rate_limit=2) as sandbox, Client(sandbox) as client:
        second = client.get("/users")
        assert sorted(counted(second)) == ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
        assert second.headers["X-RateLimit-Remaining"] == "0"
        third = client.get("/users")
        refused(third, 429, "rateLimitExceeded")
        assert int(third.headers["Retry-After"]) >= 1


def test_a_heavy_page_fails_and_a_bad_option_is_an_error() -> None:
    with outreach(size=30, heavy="prospects=10") as sandbox, Client(sandbox) as client:
        refused(client.get("/prospects"), 502, "badGateway")
        assert client.get("/prospects", {SIZE: 10}).status_code == 200
    with pytest.raises(ValueError, match="nonsense"):
        outreach(lacks="nonsense")


def test_faults_and_churn_go_on_working() -> None:
    faults = ["self-link:path=/api/v2,at=1", "403:path=/api/v2,at=1"]
    with outreach(size=30, churn="new=1", faults=faults) as sandbox, Client(sandbox) as client:
        response = client.get("/users")
        assert response.json()["links"]["next"] == response.url
        refused(client.get("/users"), 403, "sandbox_403")
        client.get("/users")
        assert sandbox.sales_engagement.counts()["prospects"] > 30
