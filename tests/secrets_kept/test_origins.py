"""Credentials go to the origin of `base_url` and to `token_url`, wherever a redirect or a link may lead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hunting import Hunt, observed, secret
from logins import LOGINS, Login, Opened, Opening

from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from echoing import Answering, Echo, Seen

TARGETS = {
    "another port": "http://127.0.0.1:{evil}/v1/x",
    "another name of the host": "http://localhost:{port}/v1/x",
    "another scheme": "https://127.0.0.1:{port}/v1/x",
    "the host with a dot": "http://127.0.0.1.:{port}/v1/x",
    "no scheme": "//127.0.0.1:{evil}/v1/x",
    "our host as user": "http://127.0.0.1:{port}@127.0.0.1:{evil}/v1/x",
    "our host as user name": "http://127.0.0.1%3A{port}@127.0.0.1:{evil}/v1/x",
    "a user at our host": "http://somebody@127.0.0.1:{port}/v1/x",
    "a backslash": "http://127.0.0.1:{evil}\\@127.0.0.1:{port}/v1/x",
    "backslashes for slashes": "\\\\127.0.0.1:{evil}/v1/x",
    "our host in the fragment": "http://127.0.0.1:{evil}#@127.0.0.1:{port}/v1/x",
    "our host in the query": "http://127.0.0.1:{evil}?@127.0.0.1:{port}/v1/x",
    "a tab in the host": "http://127.0.0.1:{port}\t@127.0.0.1:{evil}/v1/x",
    "a number for the host": "http://2130706433:{evil}/v1/x",
    "IPv6 for the host": "http://[::ffff:127.0.0.1]:{evil}/v1/x",
    "upper case": "HTTP://LOCALHOST:{evil}/v1/x",
    "a port of many digits": "http://127.0.0.1:0{evil}/v1/x",
    "no port": "http://127.0.0.1/v1/x",
    "no http": "ftp://127.0.0.1:{evil}/v1/x",
    "a file": "file:///etc/passwd",
}
LINKS = [login for login in LOGINS if login.tap_class.name != "tap-contact-center"]

pytest_plugins = ["secret_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_known_yet")
by_login = pytest.mark.parametrize("login", LOGINS, ids=str)


def _sent(login: Login, opened: Opened, echo: Echo, elsewhere: Echo) -> str:
    """Sync against the server; make sure that no other one was asked; give the log."""
    texts = observed(login.tap_class, opened.config_at(echo.url), login.streams[:1])
    assert elsewhere.seen == []
    assert opened.hunt.finds({name: text for name, text in texts.items() if name != "standard output"}) == []
    return texts["log"] + texts.get("exception 0", "")


def _refused(log: str) -> bool:
    return "not the origin of base_url" in log or "is no address" in log


@by_login
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_to_another_port_is_followed(
    opened_for: Opening, login: Login, code: int, echo: Echo, elsewhere: Echo
) -> None:
    opened = opened_for(login)
    echo.aim(opened.sandbox, lambda handler, seen: handler.give(code, "", Location=elsewhere.url + seen.path))
    assert _refused(_sent(login, opened, echo, elsewhere))


def _moved(to: str) -> Callable[[Answering, Seen], None]:
    return lambda handler, _: handler.give(302, "", Location=to)


def _sent_to_each(
    login: Login, opened: Opened, echo: Echo, elsewhere: Echo, lead: Callable[[str], Callable[[Answering, Seen], None]]
) -> Iterator[tuple[str, str]]:
    """Have the tap led to each address; give the log, and the name of the address."""
    for name, target in TARGETS.items():
        echo.aim(opened.sandbox, lead(target.format(port=echo.port, evil=elsewhere.port)))
        yield _sent(login, opened, echo, elsewhere), name


@by_login
def test_no_redirect_to_any_other_origin_is_followed(
    opened_for: Opening, login: Login, echo: Echo, elsewhere: Echo
) -> None:
    for log, name in _sent_to_each(login, opened_for(login), echo, elsewhere, _moved):
        assert _refused(log), name


def _linked(to: str) -> Callable[[Answering, Seen], None]:
    def answer(handler: Answering, seen: Seen) -> None:
        body = {"data": [{"id": 1}], seen.folder: [{"id": 1}], "next_page": to, "links": {"next": to}}
        handler.give(200, json.dumps({**body, "paging": {"next": to}}), Link=f'<{to}>; rel="next"')

    return answer


@pytest.mark.parametrize("login", LINKS, ids=str)
def test_no_next_link_to_any_other_origin_is_followed(
    opened_for: Opening, login: Login, echo: Echo, elsewhere: Echo
) -> None:
    for log, name in _sent_to_each(login, opened_for(login), echo, elsewhere, _linked):
        # What is no address at all is opaque text to the on-call API, and goes into a parameter of the next request.
        assert _refused(log) or (login.tap_class.name == "tap-oncall" and len(echo.seen) > 1), name


@by_login
def test_a_redirect_within_the_origin_is_followed_with_credentials(
    opened_for: Opening, login: Login, echo: Echo
) -> None:
    def move(handler: Answering, seen: Seen) -> None:
        echo.fault = None
        handler.give(307, "", Location=f"HTTP://127.0.0.1:{echo.port}{seen.line.partition(' ')[2]}")

    opened = opened_for(login)
    echo.aim(opened.sandbox, move)
    texts = observed(login.tap_class, opened.config_at(echo.url), login.streams[:1])
    assert '"RECORD"' in texts["standard output"]
    assert "exception 0" not in texts


def test_neither_server_gets_what_is_meant_for_the_other(echo: Echo, elsewhere: Echo) -> None:
    (login,) = [login for login in LOGINS if "refresh_token" in login.names]
    with login.opened(rotate=True) as opened:
        elsewhere.aim(opened.sandbox)
        echo.aim(opened.sandbox)
        config = opened.config_at(echo.url) | {"token_url": f"{elsewhere.url}/oauth/token"}
        texts = observed(login.tap_class, config, login.streams)
        assert '"RECORD"' in texts["standard output"]
        told_to_api = "\n".join(seen.line + seen.headers + seen.body for seen in echo.seen)
        assert "Bearer" in told_to_api
        assert Hunt(opened.secrets.values()).finds({"the API": told_to_api}) == []
        assert [seen.line for seen in elsewhere.seen] == ["POST /oauth/token"]
        assert "Authorization" not in elsewhere.seen[0].headers


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_of_the_token_endpoint_is_followed(
    opened_for: Opening, code: int, echo: Echo, elsewhere: Echo
) -> None:
    (login,) = [login for login in LOGINS if "refresh_token" in login.names]
    opened = opened_for(login)
    to = f"{elsewhere.url}/oauth/token"
    echo.aim(opened.sandbox, lambda handler, _: handler.give(code, "", Location=to), at="/oauth/", but="")
    assert f"POST /oauth/token: {code}" in _sent(login, opened, echo, elsewhere)


@by_login
def test_a_proxy_is_asked_for_the_api_alone_and_its_password_told_nowhere(
    opened_for: Opening, login: Login, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = secret("proxy", odd="")
    monkeypatch.setenv("http_proxy", f"http://somebody:{password}@127.0.0.1:{echo.port}")
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    opened = opened_for(login)
    opened.hunt.add(password)
    echo.aim(opened.sandbox, key=password)
    config = opened.config_at("http://api.example.test")
    good = observed(login.tap_class, config, login.streams)
    assert '"RECORD"' in good["standard output"], "nothing came through the proxy"
    assert all("Proxy-Authorization: Basic" in seen.headers for seen in echo.seen)
    echo.fault = lambda handler, seen: handler.give(302, "", Location=f"http://elsewhere.example.test/{seen.key}")
    bad = observed(login.tap_class, config, login.streams)
    assert _refused(bad["log"] + bad.get("exception 0", ""))
    echo.fault = lambda handler, seen: handler.give(407, json.dumps({"message": f"{seen.all}"}))
    refused = observed(login.tap_class, config, login.streams)
    assert "407" in refused["log"] + refused.get("exception 0", "")
    hosts = {seen.line.split("/")[2] for seen in echo.seen}
    assert hosts == {"api.example.test"}
    for texts in (good, bad, refused):
        assert opened.hunt.finds(texts) == []


def test_a_proxy_that_is_not_there_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    hunt = Hunt([])
    for address in ("http://somebody:{}@127.0.0.1:9", "socks5://somebody:{}@127.0.0.1:9", "http://somebody:{}@[bad"):
        password = secret("proxy", odd="%2F")
        hunt.add(password)
        monkeypatch.setenv("http_proxy", address.format(password))
        monkeypatch.setenv("no_proxy", "")
        config: dict[str, Any] = {"base_url": "http://api.example.test", "api_key": secret("key")}
        texts = observed(TapHelpdesk, {**config, "backoff_factor": 0, "max_retries": 0}, ["agents"])
        assert "exception 0" in texts
        assert hunt.finds(texts) == []
