"""No secret is in what a tap writes, logs or raises, whatever the API makes of it."""

from __future__ import annotations

import base64
import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from echoing import FAULTS, Echo, status
from hunting import Hunt, Log, observed, secret, secret_settings, texts_of
from logins import LOGINS, TAPS, Login, Opening
from singer_sdk.exceptions import SyncError

from taps.engine.reader import PageReader
from taps.engine.stream import ApiStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from echoing import Answering, Seen

    from taps.engine.tap import ApiTap

pytest_plugins = ["secret_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_known_yet")
by_login = pytest.mark.parametrize("login", LOGINS, ids=str)


@pytest.mark.parametrize("tap_class", TAPS, ids=lambda tap_class: tap_class.name)
def test_each_secret_setting_is_in_one_of_the_logins(tap_class: type[ApiTap]) -> None:
    used = {name for login in LOGINS if login.tap_class is tap_class for name in login.names}
    assert used == set(secret_settings(tap_class)) != set()


def test_the_hunt_finds_secrets_in_whatever_form() -> None:
    value = secret("any")
    hunt = Hunt([value])
    for text in (value, value[:9], value[-9:], json.dumps(value), value.encode().hex()):
        assert hunt.finds({"a text": f"… {text} …"})
    for before in ("", "u:", "us:", "use:"):
        assert hunt.finds({"a header": _basic(before + value)})
    assert not hunt.finds({"a text": value[8:-8] + secret("another")})


def _basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@by_login
def test_a_sync_that_succeeds_tells_no_secret(login: Login) -> None:
    options = {"rotate": True} if "refresh_token" in login.names else {}
    with login.opened(**options) as opened:
        texts = observed(login.tap_class, opened.config)
        assert opened.hunt.finds(texts) == []
    assert '"RECORD"' in texts["standard output"]
    assert "METRIC" in texts["log"]
    assert "urllib3.connectionpool" in texts["log"], "the log is not that of the lowest level"


@by_login
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_the_api_gives_back_is_told_nowhere(
    opened_for: Opening, login: Login, fault: Callable[..., None], echo: Echo
) -> None:
    opened = opened_for(login)
    for spare in (0, 1):
        echo.aim(opened.sandbox, fault, key=opened.key, spare=spare)
        texts = observed(login.tap_class, opened.config_at(echo.url), login.streams)
        assert len(echo.seen) > spare, "the fault was not met"
        assert opened.hunt.finds(_without_records(texts)) == []


def _without_records(texts: dict[str, str]) -> dict[str, str]:
    """Leave out the records: what an API gives for one is data, whatever it is."""
    lines = texts["standard output"].splitlines()
    return {**texts, "standard output": "\n".join(line for line in lines if '"RECORD"' not in line)}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("cached", [False, True])
def test_what_the_token_endpoint_gives_back_is_told_nowhere(
    opened_for: Opening, fault: Callable[..., None], echo: Echo, tmp_path: Any, *, cached: bool
) -> None:
    (login,) = [login for login in LOGINS if "refresh_token" in login.names]
    opened = opened_for(login)
    echo.aim(opened.sandbox, fault, key=opened.key, at="/oauth/", but="")
    config = opened.config_at(echo.url) | ({"token_cache_path": str(tmp_path / "tokens.json")} if cached else {})
    texts = observed(login.tap_class, config, login.streams)
    assert echo.seen, "the fault was not met"
    assert "exception 0" in texts
    assert opened.hunt.finds(texts) == []


@pytest.mark.parametrize("code", [200, 400, 500])
@pytest.mark.parametrize("cached", [False, True])
def test_tokens_that_an_api_has_given_are_told_nowhere(code: int, echo: Echo, tmp_path: Any, *, cached: bool) -> None:
    (login,) = [login for login in LOGINS if "refresh_token" in login.names]

    def refuse(handler: Answering, seen: Seen) -> None:
        status(code if seen.path.startswith("/oauth/") else 401)(handler, seen)

    with login.opened(rotate=True) as opened:
        echo.aim(opened.sandbox, refuse, spare=1, but="")
        config = opened.config_at(echo.url) | ({"token_cache_path": str(tmp_path / "tokens.json")} if cached else {})
        texts = observed(login.tap_class, config, login.streams)
        tokens = opened.sandbox.sales_engagement.tokens
        assert tokens.minted == 1
        assert any(quote_plus(tokens.refresh_token) in seen.body for seen in echo.seen), "it was not sent"
        assert "I do not take" in texts["log"] or code == HTTPStatus.OK
        assert opened.hunt.finds(texts) == []


@by_login
@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://127.0.0.1:{port}", "http://no-such-host.invalid"])
def test_an_api_that_cannot_be_reached_is_told_without_secrets(
    opened_for: Opening, login: Login, address: str, echo: Echo
) -> None:
    opened = opened_for(login)
    config = {**opened.config, "base_url": address.format(port=echo.port)}
    texts = observed(login.tap_class, config, login.streams)
    assert "no connection" in texts["exception 0"] or "connection lost" in texts["exception 0"]
    assert opened.hunt.finds(texts) == []


@pytest.mark.parametrize("fault", ["the key where a number is due", "a next link with the key in the path", "500"])
def test_who_reads_a_stream_himself_is_told_no_secret(fault: str, opened_for: Opening, echo: Echo) -> None:
    login = LOGINS[0]
    opened = opened_for(login)
    echo.aim(opened.sandbox, FAULTS[fault], key=opened.key)
    with Log() as log:
        tap = login.tap_class(config=opened.config_at(echo.url))
        with pytest.raises(SyncError) as caught:
            list(tap.streams[login.streams[0]].get_records(None))
        tap.close()
    assert opened.hunt.finds({**texts_of(caught.value), **log.texts}) == []


class UnforeseenError(Exception):
    """Says more than it should."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__("The settings are", config)
        self.detail = f"with {config}"

    def __str__(self) -> str:
        return f"A bug {self.detail}"


@by_login
@pytest.mark.parametrize("place", ["in a worker", "in the main thread"])
def test_an_unexpected_exception_tells_no_secret(
    place: str, opened_for: Opening, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opened_for(login)

    def fail(*_: Any) -> None:
        try:
            opened.config.pop(f"no {opened.key}")
        except KeyError:
            error = UnforeseenError(opened.config)
            vars(error)["__notes__"] = [f"Called with {opened.key}"]
            raise error from OSError(5, opened.key, f"{opened.key}/file")

    if place == "in a worker":
        monkeypatch.setattr(PageReader, "rows", fail)
        monkeypatch.setattr(PageReader, "dictionaries", fail)
    else:
        monkeypatch.setattr(ApiStream, "query", fail)
    texts = observed(login.tap_class, opened.config, login.streams)
    assert "UnforeseenError" in texts["traceback"]
    assert "exception 2" in texts, "the chain was not looked at"
    assert opened.hunt.finds(texts) == []


@pytest.mark.parametrize("tap_class", TAPS, ids=lambda tap_class: tap_class.name)
@pytest.mark.parametrize("value", [["{}"], {"key": "{}"}, 918273645546372])
def test_a_secret_of_another_type_is_refused_without_its_value(tap_class: type[ApiTap], value: Any) -> None:
    for name in secret_settings(tap_class):
        key = secret(name, odd="")
        config = {"base_url": "http://127.0.0.1:9", name: json.loads(json.dumps(value).replace("{}", key))}
        texts = observed(tap_class, config)
        assert f"'{name}' is not usable" in texts["exception 0"]
        assert Hunt([key, "918273645546372"]).finds(texts) == []


@pytest.mark.parametrize("tap_class", TAPS, ids=lambda tap_class: tap_class.name)
def test_a_key_with_a_line_end_is_told_nowhere(tap_class: type[ApiTap], echo: Echo) -> None:
    echo.aim(None, status(401), but="")
    for name in secret_settings(tap_class):
        others = {other: secret(other) for other in secret_settings(tap_class) if other not in tap_class.one_of}
        key = secret(name, odd="\r\n")
        config = {"base_url": echo.url, "client_id": "c", "token_url": f"{echo.url}/oauth/token", **others, name: key}
        known = {setting: config[setting] for setting in tap_class.config_jsonschema["properties"] if setting in config}
        texts = observed(tap_class, {**known, "backoff_factor": 0}, TAPS[tap_class])
        assert "exception 0" in texts
        assert Hunt([key, *others.values()]).finds(texts) == []


def test_a_host_that_has_its_own_log_records_keeps_them() -> None:
    make = logging.getLogRecordFactory()
    made: list[str] = []

    def own(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made.append(args[0])
        return make(*args, **kwargs)

    logging.setLogRecordFactory(own)
    try:
        with LOGINS[0].opened() as opened, Log() as log:
            LOGINS[0].tap_class(config=opened.config)
            factory = logging.getLogRecordFactory()
            LOGINS[0].tap_class(config=opened.config)
            assert logging.getLogRecordFactory() is factory, "each tap adds to what a record costs"
            logging.getLogger("host").info("My %s and %d%%", opened.key, 5)
            assert opened.hunt.finds(log.texts) == []
        assert "My *** and 5%" in log.texts["log"]
        assert "host" in made
    finally:
        logging.setLogRecordFactory(make)


def test_an_exception_is_cleansed_where_it_keeps_its_text() -> None:
    value = secret("any")
    redactor = LOGINS[0].tap_class.redactor
    redactor.add(value)
    errors: list[BaseException] = [
        OSError(2, "No such file", value),
        ImportError(value, name="x"),
        json.JSONDecodeError("Bad", f'{{"key": "{value}', 3),
        UnicodeEncodeError("ascii", value, 0, 1, "no"),
        ValueError(value.encode(), [value], {value: 1}),
        Exception(Exception(value)),
    ]
    for error in errors:
        redactor.cleanse(error)
    assert Hunt([value]).finds({repr(type(error)): str(texts_of(error)) for error in errors}) == []
