"""The setting `provider`, and those that go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support import run_tap
from taps.engine.errors import InvalidSettingsError
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.voice.tap import TapVoice
from taps_under_test import PROVIDED, TAPS, TapUnderTest

if TYPE_CHECKING:
    from pathlib import Path

    from taps.engine.tap import ApiTap

OAUTH = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
FRESHDESK = {"provider": "freshdesk", "domain": "acme.freshdesk.com", "api_key": "k"}


@pytest.mark.parametrize(
    ("tap", "settings", "base_url"),
    [
        (TapHelpdesk, FRESHDESK, "https://acme.freshdesk.com/api/v2"),
        (TapHelpdesk, {**FRESHDESK, "base_url": "https://proxy.acme.com/desk/"}, "https://proxy.acme.com/desk"),
        (
            TapVoice,
            {"provider": "zendesk_talk", "subdomain": "acme", "email": "jane@acme.com", "api_key": "k"},
            "https://acme.zendesk.com/api/v2/channels/voice",
        ),
        (
            TapVoice,
            {"provider": "zendesk_talk", "subdomain": "acme", "access_token": "t"},
            "https://acme.zendesk.com/api/v2/channels/voice",
        ),
        (TapSalesEngagement, {"provider": "outreach", **OAUTH}, "https://api.outreach.io/api/v2"),
        (TapOncall, {"provider": "opsgenie", "api_key": "k"}, "https://api.opsgenie.com"),
        (TapOncall, {"provider": "opsgenie", "api_key": "k", "region": "eu"}, "https://api.eu.opsgenie.com"),
        (
            TapOncall,
            {"provider": "jsm_ops", "api_key": "k", "email": "jane@acme.com", "cloud_id": "1-a"},
            "https://api.atlassian.com/jsm/ops/api/1-a/v1",
        ),
    ],
)
def test_the_address_is_made_of_a_few_settings(tap: type[ApiTap], settings: dict[str, Any], base_url: str) -> None:
    assert tap(config=settings).config["base_url"] == base_url


@pytest.mark.parametrize(
    ("tap", "settings", "message"),
    [
        (
            TapHelpdesk,
            {"provider": "freshdesk", "api_key": "k"},
            "freshdesk needs `domain`, for example acme.freshdesk.com",
        ),
        (
            TapHelpdesk,
            {**FRESHDESK, "domain": "https://acme.freshdesk.com/"},
            (
                "Setting 'domain' is \"https://acme.freshdesk.com/\"; it must be text that matches .*, "
                "for example acme.freshdesk.com"
            ),
        ),
        (
            TapHelpdesk,
            {**FRESHDESK, "domain": "acme"},
            "Setting 'domain' is \"acme\"; it must be text that matches .*, for example acme.freshdesk.com",
        ),
        (
            TapHelpdesk,
            {"provider": "freshdeks", "api_key": "k", "base_url": "https://acme.example.com"},
            'Setting \'provider\' is "freshdeks"; it must be one of "generic", "freshdesk"',
        ),
        (
            TapHelpdesk,
            {"api_key": "k", "domain": "acme.freshdesk.com"},
            (
                "Setting 'base_url' is missing; it must be an http or https address .*; "
                "or set 'provider' to freshdesk, which has 'domain'"
            ),
        ),
        (TapHelpdesk, {**FRESHDESK, "plan": "garden"}, "Setting 'plan' is \"garden\"; it must be one of .*"),
        (
            TapVoice,
            {"provider": "zendesk_talk", "api_key": "k"},
            "zendesk_talk needs `subdomain`, for example acme; zendesk_talk needs `email`, for example jane@acme.com",
        ),
        (
            TapVoice,
            {"provider": "zendesk_talk", "access_token": "t"},
            "zendesk_talk needs `subdomain`, for example acme",
        ),
        (
            TapVoice,
            {"provider": "zendesk_talk", "subdomain": "acme.zendesk.com", "access_token": "t"},
            "Setting 'subdomain' is \"acme.zendesk.com\"; it must be text that matches .*, for example acme",
        ),
        (TapSalesEngagement, {"provider": "outreach"}, "Setting 'client_id' is missing; .*"),
        (
            TapSalesEngagement,
            {"base_url": "https://a.example", **OAUTH},
            "Setting 'token_url' is missing; it must be an http or https address .*",
        ),
        (TapOncall, {"provider": "opsgenie"}, "Setting 'api_key' is missing; .*"),
        (
            TapOncall,
            {"provider": "opsgenie", "api_key": "k", "region": "au"},
            'Setting \'region\' is "au"; it must be one of "us", "eu"',
        ),
        (
            TapOncall,
            {"provider": "jsm_ops", "api_key": "k"},
            "jsm_ops needs `cloud_id`, for example .*; jsm_ops needs `email`, for example jane@acme.com",
        ),
    ],
)
def test_what_is_wrong_or_missing_is_told_of_the_provider(
    tap: type[ApiTap], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidSettingsError, match=f"^{message}$"):
        tap(config=settings)


def test_the_command_says_it_in_a_line(tmp_path: Path) -> None:
    output = run_tap("tap-helpdesk", config={"provider": "freshdesk", "api_key": "secret-key"}, files=tmp_path)
    assert output.exit_code == 1
    [error] = output.errors
    assert error.endswith("freshdesk needs `domain`, for example acme.freshdesk.com")
    assert "secret-key" not in output.log + output.text


def test_a_default_that_meltano_spells_out_gives_way_to_the_providers_own() -> None:
    schema = TapHelpdesk.config_jsonschema["properties"]
    spelled_out = {name: declared["default"] for name, declared in schema.items() if "default" in declared}
    tap = TapHelpdesk(config={**spelled_out, **FRESHDESK})
    assert 401 not in tap.config["retry_statuses"], "a wrong key that is tried again locks the account"
    assert 401 in TapHelpdesk(config={"base_url": "https://a.example", "api_key": "k"}).config["retry_statuses"]
    assert TapHelpdesk(config={**FRESHDESK, "retry_statuses": [418]}).config["retry_statuses"] == [418]
    assert TapOncall(config={"provider": "opsgenie", "api_key": "k", "auth_prefix": ""}).config["auth_prefix"]


def test_the_neutral_api_is_what_it_was() -> None:
    for tap in TAPS:
        assert tap.streams == tuple(tap.tap_class.stream_types)


@pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name)
def test_names_keys_and_schemas_are_the_same_for_every_provider(tap: TapUnderTest) -> None:
    neutral = {stream.name: stream for stream in tap.tap_class.stream_types}
    [provider] = [provider for provider in tap.tap_class.providers if provider.name == tap.provider]
    added = {vars(stream)["name"] for stream in provider.adds}
    assert {stream.name for stream in tap.streams} == (neutral.keys() | added) - set(provider.lacks)
    assert set(provider.lacks) <= neutral.keys()
    for stream in tap.streams:
        if stream.name in neutral:
            assert stream.primary_keys == neutral[stream.name].primary_keys
            assert stream is neutral[stream.name] or "schema" not in vars(stream)


@pytest.mark.parametrize("tap", PROVIDED, ids=lambda tap: tap.name)
def test_what_a_provider_declares_is_of_streams_that_it_has(tap: TapUnderTest) -> None:
    [provider] = [provider for provider in tap.tap_class.providers if provider.name == tap.provider]
    names = {stream.name for stream in tap.streams}
    bought = {name for plan in provider.plans.values() for name in plan.limits}
    assert {*provider.streams, *provider.costs, *provider.limits, *bought} <= names
    settings = {part.setting for stream in tap.streams for part in stream.parts}
    settings |= {fallback.setting for stream in tap.streams for fallback in stream.fallbacks if fallback.setting}
    assert settings <= {made.name for made in provider.settings}
