"""Tokens that are good for one use: renewed in time, kept before they are used, shared between processes."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug import Request as WsgiRequest
from werkzeug import Response

from taps.engine.errors import AuthorizationError, InvalidInputError
from taps.engine.oauth import RefreshingToken, TokenCache, Tokens
from taps.engine.pacing import RetryPolicy
from taps.engine.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer


class Endpoint:
    """A token endpoint that voids each refresh token when it gives the next."""

    def __init__(self, server: HTTPServer, *, expires_in: float | None = 7200, rotate: bool = True) -> None:
        self.url = server.url_for("/oauth/token")
        self.valid = "refresh-0"
        self.forms: list[dict[str, str]] = []
        self.faults: list[Response] = []
        self.expires_in = expires_in
        self.rotate = rotate
        self._lock = threading.Lock()
        server.expect_request("/oauth/token", method="POST").respond_with_handler(self._answer)

    def _answer(self, request: WsgiRequest) -> Response:
        with self._lock:
            self.forms.append(request.form.to_dict())
            if self.faults:
                return self.faults.pop(0)
            if request.form["refresh_token"] != self.valid:
                body = {"error": "invalid_grant", "error_description": f"{request.form['refresh_token']} is void"}
                return Response(json.dumps(body), 400, content_type="application/json")
            number = len(self.forms)
            if self.rotate:
                self.valid = f"refresh-{number}"
            answer: dict[str, Any] = {"access_token": f"access-{number}", "token_type": "bearer"}
            answer |= {"refresh_token": self.valid} if self.rotate else {}
            answer |= {"expires_in": self.expires_in} if self.expires_in is not None else {}
            return Response(json.dumps(answer), content_type="application/json")


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> Endpoint:
    return Endpoint(httpserver)


def token(
    url: str, cache: Path | None = None, refresh_token: str = "refresh-0", redact: Redactor | None = None
) -> RefreshingToken:
    logger = logging.getLogger("tap-test")
    return RefreshingToken(
        token_url=url,
        client_id="the-client",
        client_secret="the-secret",
        refresh_token=refresh_token,
        cache=TokenCache(cache, logger) if cache else None,
        retry=RetryPolicy(2, 0, frozenset({429, 500, 502, 503, 504})),
        timeout=5,
        redact=redact or Redactor(),
        logger=logger,
    )


def signature(auth: RefreshingToken) -> str:
    return str(auth(requests.Request("GET", "http://127.0.0.1/").prepare()).headers["Authorization"])


def test_a_token_is_asked_for_once_and_used_until_it_ends(endpoint: Endpoint) -> None:
    auth = token(endpoint.url)
    assert [signature(auth) for _ in range(3)] == ["Bearer access-1"] * 3
    assert endpoint.forms == [
        {
            "grant_type": "refresh_token",
            "client_id": "the-client",
            "client_secret": "the-secret",
            "refresh_token": "refresh-0",
        }
    ]


def test_a_token_that_ends_is_renewed_with_the_new_refresh_token(httpserver: HTTPServer) -> None:
    endpoint = Endpoint(httpserver, expires_in=0.2)
    auth = token(endpoint.url)
    assert signature(auth) == "Bearer access-1"
    time.sleep(0.25)
    assert signature(auth) == "Bearer access-2"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0", "refresh-1"]


def test_a_refused_token_is_renewed_once_for_all_who_had_it(endpoint: Endpoint) -> None:
    auth = token(endpoint.url)
    signed = [auth(requests.Request("GET", "http://127.0.0.1/").prepare()) for _ in range(3)]
    assert all(auth.renew(request) for request in signed)
    assert signature(auth) == "Bearer access-2"
    assert len(endpoint.forms) == 2


def test_an_endpoint_that_keeps_its_refresh_token_is_understood(httpserver: HTTPServer, tmp_path: Path) -> None:
    endpoint = Endpoint(httpserver, expires_in=None, rotate=False)
    for _ in range(2):
        auth = token(endpoint.url, tmp_path / "tokens.json")
        auth.renew(auth(requests.Request("GET", "http://127.0.0.1/").prepare()))
    assert {form["refresh_token"] for form in endpoint.forms} == {"refresh-0"}


def test_the_cache_is_written_whole_for_its_owner_alone(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tokens.json"
    assert signature(token(endpoint.url, path)) == "Bearer access-1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text())["refresh_token"] == "refresh-1"
    assert {entry.name for entry in path.parent.iterdir()} <= {"tokens.json", "tokens.json.lock"}
    assert all(stat.S_IMODE(entry.stat().st_mode) == 0o600 for entry in path.parent.iterdir())


def test_what_is_kept_comes_before_what_is_configured(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    signature(token(endpoint.url, path))
    assert signature(token(endpoint.url, path)) == "Bearer access-1", "a token that is still good is used again"
    path.write_text(json.dumps({**json.loads(path.read_text()), "expires_at": 0}))
    assert signature(token(endpoint.url, path)) == "Bearer access-2"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0", "refresh-1"]


def test_a_newly_configured_token_helps_when_the_kept_one_is_void(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"refresh_token": "of-last-year", "access_token": "old", "expires_at": 0}))
    assert signature(token(endpoint.url, path)) == "Bearer access-2"


def test_ten_runs_in_a_row_each_with_a_new_token(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    for _ in range(10):
        auth = token(endpoint.url, path)
        auth.renew(auth(requests.Request("GET", "http://127.0.0.1/").prepare()))
    assert endpoint.valid == json.loads(path.read_text())["refresh_token"]


def _sign_and_die(url: str, path: Path, marker: Path) -> None:
    auth = token(url, path)
    marker.write_text(signature(auth))
    os.kill(os.getpid(), signal.SIGKILL)


def _sign(url: str, path: Path, marker: Path) -> None:
    marker.write_text(signature(token(url, path)))


@pytest.fixture
def processes() -> Iterator[Any]:
    return iter([multiprocessing.get_context("spawn")])


def test_a_kill_right_after_the_answer_locks_nobody_out(endpoint: Endpoint, tmp_path: Path, processes: Any) -> None:
    path, marker = tmp_path / "tokens.json", tmp_path / "marker"
    killed = next(processes).Process(target=_sign_and_die, args=(endpoint.url, path, marker))
    killed.start()
    killed.join(30)
    assert killed.exitcode == -signal.SIGKILL
    path.write_text(json.dumps({**json.loads(path.read_text()), "expires_at": 0}))
    assert signature(token(endpoint.url, path)) == "Bearer access-2"


def test_processes_started_at_once_share_one_token(endpoint: Endpoint, tmp_path: Path, processes: Any) -> None:
    context = next(processes)
    markers = [tmp_path / f"marker-{number}" for number in range(4)]
    started = [
        context.Process(target=_sign, args=(endpoint.url, tmp_path / "tokens.json", marker)) for marker in markers
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(30)
    assert {marker.read_text() for marker in markers} == {"Bearer access-1"}
    assert len(endpoint.forms) == 1


def test_what_may_pass_is_tried_again(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = [Response("", 503), Response("<html>")]
    assert signature(token(endpoint.url, tmp_path / "tokens.json")) == "Bearer access-3"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Response("", 503), "POST /oauth/token: 503 SERVICE UNAVAILABLE (3 tries)"),
        (Response("<html>"), "POST /oauth/token: the answer has no access_token (3 tries)"),
        (
            Response('{"error": "invalid_client", "error_description": "no such client as the-secret"}', 401),
            "POST /oauth/token: 401 UNAUTHORIZED: no such client as ***",
        ),
    ],
)
def test_what_does_not_pass_is_one_line_without_secrets(
    endpoint: Endpoint, tmp_path: Path, fault: Response, words: str
) -> None:
    endpoint.faults = [fault] * 9
    with pytest.raises(AuthorizationError) as refused:
        signature(token(endpoint.url, tmp_path / "tokens.json", redact=Redactor(["the-secret"])))
    assert str(refused.value) == words
    assert not refused.value.retriable


def test_a_void_token_is_told_without_itself(endpoint: Endpoint) -> None:
    redact = Redactor(["of-last-year"])
    with pytest.raises(AuthorizationError, match=r"POST /oauth/token: 400 .*: \*\*\* is void"):
        signature(token(endpoint.url, refresh_token="of-last-year", redact=redact))


def test_no_token_is_spent_that_could_not_be_kept(endpoint: Endpoint, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match=r"token_cache_path .* cannot be written"):
        signature(token(endpoint.url, tmp_path / "file" / "tokens.json"))
    assert endpoint.forms == []


def test_a_cache_that_cannot_be_read_is_left_aside(
    endpoint: Endpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tokens.json").write_text("{half")
    assert signature(token(endpoint.url, tmp_path / "tokens.json")) == "Bearer access-1"
    assert "holds no tokens that can be read" in caplog.text


def test_without_a_cache_the_loss_is_foretold(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    signature(token(endpoint.url))
    assert "without token_cache_path the new one is lost" in caplog.text


def test_tokens_are_redacted_from_the_moment_they_are_known(endpoint: Endpoint, tmp_path: Path) -> None:
    redact = Redactor()
    signature(token(endpoint.url, tmp_path / "tokens.json", redact=redact))
    assert redact("access-1 and refresh-1") == "*** and ***"


def test_tokens_without_an_end_are_fresh() -> None:
    assert Tokens("r", "a").is_fresh
    assert not Tokens("r").is_fresh
    assert not Tokens("r", "a", time.time() - 1).is_fresh


def test_what_a_killed_process_had_been_given_is_taken_over(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"refresh_token": "of-last-year", "access_token": "old", "expires_at": 0}))
    (tmp_path / ".tokens.json.abc").write_text(
        json.dumps({"refresh_token": "refresh-0", "access_token": "x", "expires_at": 0})
    )
    (tmp_path / ".tokens.json.def").write_text("")
    assert signature(token(endpoint.url, path, refresh_token="of-the-year-before")) == "Bearer access-1"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0"]
    assert {entry.name for entry in tmp_path.iterdir()} <= {"tokens.json", "tokens.json.lock"}
