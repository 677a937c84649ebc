"""dlt's own REST source, with the configuration that we make for it, against the sandbox."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from requests.auth import HTTPDigestAuth
from rest_loading import TAPS, Loading, by_name, counted, held, keys_of, quiet, served  # noqa: F401

from taps.bridge.errors import TapConfigError, TapNotFoundError
from taps.bridge.rest_auth import auth_of
from taps.bridge.rest_config import planned, rest_api_config, tap_names
from taps.bridge.rest_resources import resources_of
from taps.engine.counting import PageNumber
from taps.engine.pagination import Pagination
from taps.engine.stream import ApiStream
from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from singer_sdk.helpers.types import Context

    from taps.bridge.rest_config import RestApiConfig
    from taps.engine.client import Request
    from taps.engine.page import Page
    from taps.engine.query import Query
    from taps.sandbox.server import Sandbox


@dataclass
class Loaded:
    """All that a configuration covers, loaded."""

    sandbox: Sandbox
    rest: RestApiConfig
    loading: Loading
    came: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def loaded(api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A load of an API whose pages are of uneven length, and those that are linked now and then empty."""
    with served(api, ragged=True) as sandbox:
        rest = rest_api_config(TAPS[api], sandbox.config)
        loading = Loading(tmp_path_factory.mktemp(api))
        yield Loaded(sandbox, rest, loading, loading.run(rest))


@pytest.mark.parametrize("api", TAPS, scope="module")
class TestRows:
    def test_every_row_is_loaded_once(self, loaded: Loaded, api: str) -> None:
        keys = {name: keys_of(stream) for name, stream in by_name(loaded.rest).items()}
        for name, rows in loaded.loading.tables(keys).items():
            expected = [tuple(record[key] for key in keys[name]) or (1,) for record in held(loaded.sandbox, name)]
            assert counted(rows) == counted(expected), name
            assert len(loaded.came[name]) == len(expected) > 0, name

    def test_every_value_is_there_by_the_name_of_our_field(self, loaded: Loaded, api: str) -> None:
        for name, stream in by_name(loaded.rest).items():
            keys = keys_of(stream)
            by_key = {tuple(str(row[key]) for key in keys): row for row in loaded.came[name]}
            for record in held(loaded.sandbox, name):
                row = by_key[tuple(str(record[key]) for key in keys)]
                wrong = {
                    field: (row.get(field), value)
                    for field, value in record.items()
                    if field != stream.snapshot_field and not same(row.get(field), value)
                }
                assert not wrong, f"{name}: {wrong}"
                assert stream.snapshot_field is None or isinstance(row[stream.snapshot_field], datetime | str)

    def test_lists_came_in_several_pages(self, loaded: Loaded, api: str) -> None:
        requests = Counter(request.path for request in loaded.sandbox.requests)
        several = sum(requests[stream.path] > 1 for stream in by_name(loaded.rest).values())
        assert several >= len(loaded.came) // 4 + 1

    def test_each_stream_is_covered_or_named_with_a_reason(self, loaded: Loaded, api: str) -> None:
        names = sorted(stream.name for stream in TAPS[api].stream_types)
        assert sorted([*loaded.came, *loaded.rest.uncovered]) == names
        assert all(reason and "\n" not in reason for reason in loaded.rest.uncovered.values())


def same(got: Any, held: Any) -> bool:
    """Whether a value is what the server holds, be it a time that was read."""
    return parse_timestamp(held) == got if isinstance(got, datetime) else bool(got == held)


def test_what_dlt_cannot_page_through_is_named() -> None:
    uncovered = {name: dict(planned(name).uncovered) for name in tap_names()}
    window = "the API gives at most {}, and dlt has no paginator that then asks again from the last {}"
    assert uncovered == {
        "contact-center": {},
        "helpdesk": {
            "tickets": window.format("300 pages a query", "updated_at"),
            "conversations": "its parent, tickets, is not covered",
        },
        "oncall": {
            "incidents": window.format("20000 records a query", "updatedAt"),
            "alerts": window.format("20000 records a query", "updatedAt"),
            "alert_logs": "the next page is told by an address or by an opaque text, and dlt's paginators take one of the two",
            "alert_recipients": "its parent, alerts, is not covered",
        },
        "sales-engagement": {},
        "voice": dict.fromkeys(
            ("calls", "call_legs"),
            "the last page links to itself, and dlt has no paginator that does not follow such a link for ever",
        ),
    }


class TestNextRuns:
    def test_an_incremental_stream_goes_on_and_ends_up_with_the_same_rows(self, tmp_path: Path) -> None:
        with served("helpdesk") as sandbox:
            rest = rest_api_config("helpdesk", sandbox.config)
            loading = Loading(tmp_path)
            loading.run(rest, "contacts", "satisfaction_ratings")
            newest = max(parse_timestamp(record["updated_at"]) for record in held(sandbox, "contacts"))
            sandbox.helpdesk.change(contacts=3)
            sandbox.clear_requests()
            loading.run(rest, "contacts", "satisfaction_ratings")
            asked = {request.path: request.query for request in reversed(sandbox.requests)}
            assert parse_timestamp(asked["/v1/contacts"]["_updated_since"]) == newest - timedelta(days=1)
            created_since = parse_timestamp(asked["/v1/surveys/satisfaction_ratings"]["created_since"])
            latest = max(parse_timestamp(record["updated_at"]) for record in held(sandbox, "satisfaction_ratings"))
            assert created_since == latest - timedelta(days=14)
            rows = dict(loading.rows("contacts", "id", "updated_at"))
            assert rows == {record["id"]: parse_timestamp(record["updated_at"]) for record in held(sandbox, "contacts")}

    def test_the_time_is_asked_for_as_the_api_wants_it(self, tmp_path: Path) -> None:
        with served("sales_engagement") as sandbox:
            rest = rest_api_config("sales_engagement", {**sandbox.config, "start_date": "2020-02-03T04:05:06.7+01:00"})
            Loading(tmp_path).run(rest, "accounts")
            assert sandbox.requests[-1].status == 200
            asked = [request.query.get("filter[updatedAt]") for request in sandbox.requests]
            assert "2020-02-03T03:05:06.700Z..inf" in asked

    def test_a_full_stream_loses_what_the_api_no_longer_has(self, tmp_path: Path) -> None:
        with served("helpdesk") as sandbox:
            rest = rest_api_config("helpdesk", sandbox.config)
            loading = Loading(tmp_path)
            loading.run(rest, "companies")
            gone = held(sandbox, "companies")[0]["id"]
            sandbox.helpdesk.delete("companies", gone)
            loading.run(rest, "companies")
            assert (gone,) not in loading.rows("companies", "id")
            assert len(loading.rows("companies", "id")) == len(held(sandbox, "companies"))

    def test_each_run_adds_a_row_to_the_figures_of_now(self, tmp_path: Path) -> None:
        with served("voice") as sandbox:
            rest = rest_api_config("voice", sandbox.config)
            loading = Loading(tmp_path)
            loading.run(rest, "agents_overview")
            loading.run(rest, "agents_overview")
            assert len(set(loading.rows("agents_overview", "current_timestamp"))) == 2


@pytest.mark.parametrize("option", ["ignore_offset", "single_object"])
def test_a_list_whose_offset_is_ignored_comes_to_an_end(option: str, tmp_path: Path) -> None:
    with served("contact_center", **{option: True}) as sandbox:
        loading = Loading(tmp_path)
        loading.run(rest_api_config("contact-center", sandbox.config), "agents_overview")
        rows = loading.rows("agents_overview", "id")
        assert len(rows) == len(set(rows)) == (5 if option == "ignore_offset" else 1)
        assert len(sandbox.requests) == 2


class TestRefusals:
    def test_a_parent_that_is_gone_has_no_children(self, tmp_path: Path) -> None:
        with served("helpdesk", faults=["404:path=/v1/canned_response_folders/*/responses,at=1"]) as sandbox:
            loading = Loading(tmp_path)
            loading.run(rest_api_config("helpdesk", sandbox.config), "canned_responses")
            assert 0 < len(loading.rows("canned_responses")) < len(held(sandbox, "canned_responses"))

    def test_a_stream_that_is_refused_is_empty_where_the_settings_say_so(self, tmp_path: Path) -> None:
        with served("helpdesk", faults=["403:path=/v1/skills"]) as sandbox:
            skipping = rest_api_config("helpdesk", {**sandbox.config, "skip_inaccessible_streams": True})
            Loading(tmp_path).run(skipping, "skills", "roles")
            with pytest.raises(PipelineStepFailed, match="403"):
                Loading(tmp_path / "strict").run(rest_api_config("helpdesk", sandbox.config), "skills")


class TestTokens:
    # dlt leaves a connection to whoever clears up, where its token ends while it is kept.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_refresh_token_that_is_void_after_one_use_is_replaced(self, tmp_path: Path) -> None:
        with served("sales_engagement", rotate=True, token_ttl=3) as sandbox:
            cache = tmp_path / "kept" / "tokens.json"
            config = {**sandbox.config, "token_cache_path": str(cache)}
            loading = Loading(tmp_path)
            for seconds in (0, 3):
                time.sleep(seconds)  # the access token's life
                loading.run(rest_api_config("sales-engagement", config), "accounts", "users", "webhooks")
            assert sandbox.sales_engagement.tokens_minted >= 2
            assert json.loads(cache.read_text())["refresh_token"] == sandbox.sales_engagement.current_refresh_token
            assert cache.stat().st_mode & 0o777 == 0o600
            assert len(loading.rows("accounts")) == len(held(sandbox, "accounts"))

    def test_all_streams_have_one_token(self, tmp_path: Path) -> None:
        with served("sales_engagement", rotate=True) as sandbox:
            Loading(tmp_path).run(rest_api_config("sales-engagement", sandbox.config), "accounts", "users")
            assert sandbox.sales_engagement.tokens_minted == 1

    def test_a_bearer_token_is_one(self, tmp_path: Path) -> None:
        with served("voice") as sandbox:
            rest = rest_api_config("voice", {"base_url": sandbox.base_url, **sandbox.alternatives})
            assert rest.config["client"]["auth"] == {"type": "bearer", "token": "sandbox-token"}
            Loading(tmp_path).run(rest, "addresses")

    def test_a_key_may_have_a_prefix(self) -> None:
        config = {"base_url": "https://oncall.example.com", "api_key": "k", "auth_prefix": "GenieKey"}
        auth = {"type": "api_key", "name": "Authorization", "api_key": "GenieKey k", "location": "header"}
        assert rest_api_config("oncall", config).config["client"]["auth"] == auth

    def test_dlt_may_have_nothing_like_it(self) -> None:
        with pytest.raises(TapConfigError, match="nothing that signs requests as HTTPDigestAuth does"):
            auth_of(HTTPDigestAuth("user", "password"), {})


class TestSettings:
    def test_they_are_not_shown(self) -> None:
        config = {"base_url": "https://acme.example.com", "api_key": "hidden-key"}
        assert "hidden-key" not in repr(rest_api_config("helpdesk", config))

    def test_without_any_they_are_in_the_secrets_of_dlt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOURCES__HELPDESK__BASE_URL", "https://acme.example.com")
        monkeypatch.setenv("SOURCES__HELPDESK__API_KEY", "the-key")
        assert rest_api_config("tap-helpdesk").config["client"] == {
            "base_url": "https://acme.example.com",
            "auth": {"type": "http_basic", "username": "the-key", "password": "X"},
        }

    def test_they_are_checked_as_the_tap_does(self) -> None:
        with pytest.raises(TapConfigError, match=r"^tap-helpdesk: Setting 'api_key' is missing; it must be text"):
            rest_api_config("helpdesk", {"base_url": "https://acme.example.com"})

    def test_a_tap_must_be_one_of_ours(self) -> None:
        with pytest.raises(
            TapNotFoundError, match=r"^There is no tap 'tap-nothing'; there are contact-center, helpdesk"
        ):
            rest_api_config("tap-nothing")
        with pytest.raises(TapNotFoundError, match="is no tap of this package"):
            rest_api_config(dict)  # type: ignore[arg-type]


class Counted(ApiStream):
    name = "counted"
    path = "/counted"
    params: ClassVar = {"filter": "{all}"}
    pagination = PageNumber()


class Peculiar(Pagination, frozen=True):
    def requests(self, query: Query) -> Generator[Request, Page, None]:
        yield query.first()


class Other(ApiStream):
    name = "other"
    path = "/other"
    pagination = Peculiar()


class OwnWay(ApiStream):
    name = "own_way"
    path = "/own_way"

    def pages(self, context: Context | None) -> Iterator[Page]:
        return iter(())


def test_streams_that_none_of_our_taps_has() -> None:
    schema: Mapping[str, Any] = {"properties": {"id": {"type": ["integer"]}}}
    settings = {"page_size": 50, "skip_inaccessible_streams": False}
    resources, uncovered = resources_of(
        [Counted, Other, OwnWay], settings, dict.fromkeys(("counted", "other", "own_way"), schema)
    )
    paginator = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": None}
    endpoint = {"params": {"filter": "{{all}}", "limit": 50}, "paginator": paginator}
    assert resources == [
        {
            "name": "counted",
            "write_disposition": "replace",
            "endpoint": {"path": "/counted", "data_selector": "data", **endpoint},
        }
    ]
    assert uncovered == {
        "other": "dlt has no paginator like Peculiar",
        "own_way": "it is read in a way of its own, by its method 'pages'",
    }
