"""Hosts must prove who they are; where nothing has to be proved, because there is no TLS, the log says so once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from certificates import self_signed
from echoing import Echo
from hunting import observed, secret
from logins import LOGINS, Login, Opened, Opening

from support import run_tap
from taps.helpdesk.tap import TapHelpdesk
from taps.sales_engagement.tap import TapSalesEngagement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["secret_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_known_yet")

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
UNPROVEN = "CERTIFICATE_VERIFY_FAILED"
HELPDESK, SALES = (
    next(login for login in LOGINS if login.tap_class is tap_class) for tap_class in (TapHelpdesk, TapSalesEngagement)
)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine."""
    return self_signed(tmp_path_factory.mktemp("ours"), "127.0.0.1")


@pytest.fixture(scope="module")
def of_another_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("other"), "other.example.com")


@pytest.fixture
def https(ours: Path) -> Iterator[Echo]:
    with Echo(str(ours)) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BUNDLES, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def _synced(login: Login, opened: Opened, **settings: str) -> dict[str, str]:
    return observed(login.tap_class, {**opened.config, **settings}, login.streams[:1])


def test_a_host_that_cannot_prove_itself_is_refused_in_a_line(opened_for: Opening, https: Echo) -> None:
    opened = opened_for(HELPDESK)
    https.aim(opened.sandbox)
    texts = _synced(HELPDESK, opened, base_url=https.url)
    message = texts["exception 0"].splitlines()[0]
    assert f"GET /v1/agents: no connection to {https.url}" in message
    assert UNPROVEN in message
    assert https.seen == []


def test_a_token_endpoint_that_cannot_prove_itself_is_refused_in_a_line(opened_for: Opening, https: Echo) -> None:
    opened = opened_for(SALES)
    https.aim(opened.sandbox)
    texts = _synced(SALES, opened, token_url=f"{https.url}/oauth/token")
    message = texts["exception 0"].splitlines()[0]
    assert "POST /oauth/token: no answer" in message
    assert UNPROVEN in message
    assert https.seen == []


@pytest.mark.parametrize("variable", BUNDLES)
def test_a_bundle_that_the_user_names_is_trusted_in(
    variable: str, opened_for: Opening, https: Echo, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(ours.with_name("certificate.pem")))
    opened = opened_for(SALES)
    https.aim(opened.sandbox, but="")
    texts = _synced(SALES, opened, base_url=https.url, token_url=f"{https.url}/oauth/token")
    assert '"RECORD"' in texts["standard output"]
    assert {seen.line.partition(" ")[0] for seen in https.seen} == {"POST", "GET"}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_for_another_host_is_refused(
    variable: str, opened_for: Opening, of_another_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(of_another_host.with_name("certificate.pem")))
    opened = opened_for(HELPDESK)
    with Echo(str(of_another_host)) as server:
        server.aim(opened.sandbox)
        texts = _synced(HELPDESK, opened, base_url=server.url)
        assert "not valid for '127.0.0.1'" in texts["exception 0"]
        assert server.seen == []


def test_a_process_refuses_and_trusts_alike(
    opened_for: Opening, https: Echo, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opened_for(HELPDESK)
    https.aim(opened.sandbox)
    config = {**opened.config, "base_url": https.url}
    refused = run_tap("tap-helpdesk", config=config, files=tmp_path)
    assert refused.exit_code == 1
    assert len(refused.errors) == 1
    assert UNPROVEN in refused.errors[0]
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.with_name("certificate.pem")))
    trusted = run_tap("tap-helpdesk", config=config, files=tmp_path)
    assert (trusted.exit_code, trusted.errors) == (0, [])
    assert trusted.counts["agents"] > 0


@pytest.mark.parametrize("settings", ["base_url", "token_url"])
def test_a_bundle_that_is_not_there_is_named(
    settings: str, opened_for: Opening, https: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    texts = _synced(SALES, opened_for(SALES), **{settings: https.url})
    expected = f"There are no certificates at {tmp_path / 'none.pem'}, where the variable SSL_CERT_FILE has them"
    assert texts["exception 0"].splitlines()[0] == expected
    assert '"RECORD"' in _synced(SALES, opened_for(SALES))["standard output"], "plain http needs none"


ELSEWHERE = ("http://api.example.com", "http://10.0.0.1:8080", "http://[2001:db8::1]", "HTTP://localhost.example.com")
HERE = ("http://127.0.0.1:8000", "http://127.9.9.9", "http://[::1]:80", "http://localhost", "http://LocalHost:1")


def _warnings(tap_class: Any, caplog: pytest.LogCaptureFixture, **settings: str) -> list[str]:
    secrets = {name: secret(name) for name in ("client_secret", "refresh_token")}
    others = {"client_id": "c", **secrets} if tap_class is TapSalesEngagement else {"api_key": secret("key")}
    tap = tap_class(config={**others, **settings})
    caplog.clear()
    assert tap.http is tap.http
    return [record.message for record in caplog.records if "without TLS" in record.message]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_an_address_without_tls_gets_one_warning(address: str, caplog: pytest.LogCaptureFixture) -> None:
    (line,) = _warnings(TapHelpdesk, caplog, base_url=address)
    assert line == (
        f"Setting 'base_url' is {address}, without TLS: whoever is on the way can read the credentials and the data. "
        f"Use https:// where the API has it"
    )
    good = "https://api.example.com"
    (line,) = _warnings(TapSalesEngagement, caplog, base_url=good, token_url=address)
    assert line.startswith(f"Setting 'token_url' is {address}, without TLS")
    assert len(_warnings(TapSalesEngagement, caplog, base_url=address, token_url=address)) == 2


@pytest.mark.parametrize("address", [*HERE, "https://api.example.com"])
def test_this_machine_and_https_get_none(address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert _warnings(TapHelpdesk, caplog, base_url=address) == []
    assert _warnings(TapSalesEngagement, caplog, base_url=address, token_url=address) == []


def test_a_sync_over_plain_http_warns_once_and_goes_on(
    opened_for: Opening, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", echo.url)
    monkeypatch.setenv("no_proxy", "")
    opened = opened_for(SALES)
    echo.aim(opened.sandbox)
    texts = _synced(SALES, opened, base_url="http://api.example.test", token_url="http://id.example.test/oauth/token")
    assert texts["log"].count("without TLS") == 2
    assert '"RECORD"' in texts["standard output"]
