"""The alerts of the on-call team in Jira Service Management's dialect, over a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from vendor_client import VendorClient

from taps.sandbox.instants import instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests


def jsm(**settings: Any) -> Sandbox:
    return Sandbox("oncall", **{"provider": "jsm_ops", "size": 150, "seed": 3, **settings})


class Client(VendorClient):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.session.auth = (self.config["email"], self.config["api_key"])

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        pages = self.pages(path, params, lambda response: response.json()["links"].get("next"))
        return [row for page in pages for row in page["values"]]


@pytest.fixture(scope="module")
def team() -> Iterator[Sandbox]:
    with jsm() as running:
        yield running


@pytest.fixture
def client(team: Sandbox) -> Iterator[Client]:
    with Client(team) as asking:
        yield asking


def refused(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.text
    (error,) = response.json()["errors"]
    assert error["status"] == status
    text: str = error["title"]
    return text


def test_the_site_is_in_the_root(team: Sandbox) -> None:
    assert team.config == {
        "provider": "jsm_ops",
        "base_url": f"{team.root_url}/jsm/ops/api/sandbox-cloud/v1",
        "email": "agent@sandbox.example",
        "api_key": "sandbox-key",
    }
    with jsm(size=3, cloud_id="another") as sandbox, Client(sandbox) as client:
        assert sandbox.base_url.endswith("/jsm/ops/api/another/v1")
        assert len(client.rows("/alerts")) == 3
        assert refused(client.get(sandbox.root_url + "/jsm/ops/api/sandbox-cloud/v1/alerts"), 404)


def test_alerts_are_the_same_records(team: Sandbox, client: Client) -> None:
    rows = client.rows("/alerts", size=40)
    assert {row["id"]: row for row in rows} == {row["id"]: row for row in team.oncall.records("alerts")}
    assert len(rows) == 150
    assert sorted(client.get("/alerts").json()) == ["links", "values"]
    assert len(client.get("/alerts").json()["values"]) == 20


def test_alerts_are_all_there_is(client: Client) -> None:
    for path in ("/incidents", "/users", "/alerts/1/logs"):
        refused(client.get(path), 404)


def test_the_query_language_is_the_same(team: Sandbox, client: Client) -> None:
    moments = sorted(instant(row["createdAt"]) or 0 for row in team.oncall.records("alerts"))
    middle = moments[75] // 1_000
    found = client.rows("/alerts", query=f"createdAt >= {middle}", sort="createdAt", order="asc", size=100)
    assert [instant(row["createdAt"]) for row in found] == [at for at in moments if at >= middle * 1_000]
    refused(client.get("/alerts", {"query": "updatedAt >= 0"}), 422)


def test_pages_are_limited(client: Client) -> None:
    refused(client.get("/alerts", {"size": 101}), 422)
    refused(client.get("/alerts", {"size": 100, "offset": 19_901}), 422)
    refused(client.get("/alerts", {"limit": 10}), 400)


def test_the_token_goes_with_its_address(client: Client) -> None:
    for wrong in (("agent@sandbox.example", "another"), ("other", "sandbox-key"), None):
        client.session.auth = wrong
        refused(client.get("/alerts"), 401)


def test_faults_and_churn_go_on_working() -> None:
    with jsm(size=30, churn="new=1", faults=["cycle-link:at=1", "429:at=1"]) as sandbox, Client(sandbox) as client:
        response = client.get("/alerts")
        assert response.json()["links"]["next"] == response.url
        refused(client.get("/alerts"), 429)
        client.get("/alerts")
        assert sandbox.oncall.counts()["alerts"] > 30
