"""What a user reads when a setting is not right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taps.engine.errors import InvalidSettingsError
from taps.engine.setting_errors import setting_errors
from taps.engine.setting_values import environment_settings
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"base_url": "https://acme.example.com", "api_key": "k3y-k3y-k3y"}
SCHEMA = TapHelpdesk.config_jsonschema


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("page_size", 101, "Setting 'page_size' is 101; it must be a whole number from 1 to 100"),
        ("page_size", "many", "Setting 'page_size' is \"many\"; it must be a whole number from 1 to 100"),
        ("max_retries", -1, "Setting 'max_retries' is -1; it must be a whole number from 0 to 20"),
        ("backoff_factor", "fast", "Setting 'backoff_factor' is \"fast\"; it must be a number from 0 to 60"),
        ("request_timeout", 0, "Setting 'request_timeout' is 0; it must be a number above 0, at most 3600"),
        (
            "retry_statuses",
            [200],
            "Setting 'retry_statuses' is [200]; it must be a list, of which each is a whole number from 400 to 599",
        ),
        (
            "retry_statuses",
            429,
            "Setting 'retry_statuses' is 429; it must be a list, of which each is a whole number from 400 to 599",
        ),
        ("requests_per_minute", 0, "Setting 'requests_per_minute' is 0; it must be a whole number from 1 to 1000000"),
        ("lookback_days", -3, "Setting 'lookback_days' is -3; it must be a number from 0 to 3650"),
        (
            "skip_inaccessible_streams",
            "maybe",
            "Setting 'skip_inaccessible_streams' is \"maybe\"; it must be true or false",
        ),
        (
            "start_date",
            "last week",
            "Setting 'start_date' is \"last week\"; it must be a date or timestamp such as 2024-01-31 or 2024-01-31T08:00:00Z",
        ),
        (
            "start_date",
            "2024-02-30",
            "Setting 'start_date' is \"2024-02-30\"; it must be a date or timestamp such as 2024-01-31 or 2024-01-31T08:00:00Z",
        ),
        (
            "base_url",
            "acme.example.com",
            "Setting 'base_url' is \"acme.example.com\"; it must be an http or https address without user, query or fragment, for example https://acme.example.com",
        ),
        (
            "base_url",
            "https://a.example.com/?x=1",
            "Setting 'base_url' is \"https://a.example.com/?x=1\"; it must be an http or https address without user, query or fragment, for example https://acme.example.com",
        ),
        (
            "user_agent",
            "",
            "Setting 'user_agent' is \"\"; it must be text that is not empty that matches ^[\\x20-\\x7e]+$",
        ),
        ("api_key", "", "Setting 'api_key' is empty; it must be text that is not empty"),
        (
            "api_key",
            98765432,
            "Setting 'api_key' is not usable (its value is not shown); it must be text that is not empty",
        ),
    ],
)
def test_a_bad_setting_is_one_line_with_name_value_and_what_is_allowed(setting: str, value: Any, line: str) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        TapHelpdesk(config={**GOOD, setting: value})
    assert refused.value.errors == [line]


@pytest.mark.parametrize("missing", ["base_url", "api_key"])
def test_a_missing_setting_is_named(missing: str) -> None:
    config = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(InvalidSettingsError, match=f"Setting '{missing}' is missing; it must be"):
        TapHelpdesk(config=config)


def test_several_bad_settings_are_a_line_each() -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        TapHelpdesk(config={"page_size": 0, "max_retries": "x"})
    assert [line.split("'")[1] for line in refused.value.errors] == [
        "base_url",
        "api_key",
        "max_retries",
        "page_size",
    ] or {line.split("'")[1] for line in refused.value.errors} == {"base_url", "api_key", "max_retries", "page_size"}


def test_defaults_hold_where_a_setting_is_absent_or_null() -> None:
    tap = TapHelpdesk(config={**GOOD, "page_size": None, "base_url": "https://acme.example.com/"})
    assert tap.config["page_size"] == 100
    assert tap.config["max_retries"] == 3
    assert tap.config["backoff_factor"] == 2
    assert tap.config["retry_statuses"] == [401, 429, 500, 502, 503, 504]
    assert tap.config["lookback_days"] == 14
    assert tap.config["skip_inaccessible_streams"] is False
    assert tap.config["base_url"] == "https://acme.example.com"
    assert "requests_per_minute" not in tap.config


def test_a_setting_that_nobody_knows_is_named_with_the_one_that_was_meant(caplog: pytest.LogCaptureFixture) -> None:
    TapHelpdesk(config={**GOOD, "page_sise": 5})
    assert "Setting 'page_sise' is unknown and has no effect; did you mean 'page_size'?" in caplog.text


def test_every_setting_is_documented() -> None:
    for name, declared in SCHEMA["properties"].items():
        assert declared.get("title"), name
        assert declared.get("description"), name
    assert [name for name, declared in SCHEMA["properties"].items() if declared.get("secret")] == ["api_key"]


def test_settings_are_read_from_the_environment_in_their_types(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TAP_HELPDESK_USER_AGENT=from-file\nTAP_HELPDESK_PAGE_SIZE=7\n")
    for name, text in {
        "PAGE_SIZE": "50",
        "BACKOFF_FACTOR": "0.5",
        "SKIP_INACCESSIBLE_STREAMS": "Yes",
        "RETRY_STATUSES": "429,500",
        "API_KEY": "123456",
        "MAX_RETRIES": "few",
    }.items():
        monkeypatch.setenv(f"TAP_HELPDESK_{name}", text)
    assert environment_settings(SCHEMA, "TAP_HELPDESK_") == {
        "page_size": 50,
        "backoff_factor": 0.5,
        "skip_inaccessible_streams": True,
        "retry_statuses": [429, 500],
        "api_key": "123456",
        "max_retries": "few",
        "user_agent": "from-file",
    }


@given(
    st.dictionaries(
        st.sampled_from(sorted(SCHEMA["properties"])),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    )
)
def test_any_configuration_is_accepted_or_refused_line_by_line(config: dict[str, Any]) -> None:
    for line in setting_errors(config, SCHEMA):
        assert line.startswith("Setting '")
        assert "; it must be " in line
        assert isinstance(
            config.get("api_key"), str | None
        ) or "api_key' is not usable (its value is not shown)" in " ".join(setting_errors(config, SCHEMA))
