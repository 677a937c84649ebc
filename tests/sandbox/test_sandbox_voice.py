from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from taps.sandbox.instants import SECOND, instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = {"api_key": "sandbox-key"}
LISTS = {
    "addresses": "/v1/addresses",
    "agents_activity": "/v1/stats/agents_activity",
    "greeting_categories": "/v1/greeting_categories",
    "greetings": "/v1/greetings",
    "ivrs": "/v1/ivr",
    "phone_numbers": "/v1/phone_numbers",
}
EXPORTS = {"calls": "calls", "legs": "call_legs"}
OVERVIEWS = ("account_overview", "agents_overview", "current_queue_activity")


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox("voice", size=400, seed=6) as sandbox:
        yield sandbox


@pytest.fixture
def voice(running: Sandbox) -> Iterator[Sandbox]:
    running.clear_requests()
    yield running
    running.set_faults([])


def ask(sandbox: Sandbox, target: str, **params: Any) -> requests.Response:
    url = target if target.startswith("http") else sandbox.base_url + target
    return requests.get(url, params={**KEY, **params}, timeout=10, allow_redirects=False)


def body(sandbox: Sandbox, target: str, **params: Any) -> dict[str, Any]:
    response = ask(sandbox, target, **params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def linked(sandbox: Sandbox, target: str, **params: Any) -> list[dict[str, Any]]:
    pages = [body(sandbox, target, **params)]
    while pages[-1]["next_page"]:
        pages.append(body(sandbox, pages[-1]["next_page"]))
    return pages


def exported(sandbox: Sandbox, key: str, start: int = 0, *, most: int = 2_000) -> list[dict[str, Any]]:
    """All pages of an export, as a client reads it that stops where it gets no further."""
    pages: list[dict[str, Any]] = []
    target: str | None = f"/v1/stats/incremental/{key}?start_time={start}"
    while target is not None and len(pages) < most:
        asked = int(dict(parse_qsl(urlsplit(target).query))["start_time"])
        if pages and asked <= start:
            break
        start = asked
        pages.append(body(sandbox, target))
        if not pages[-1][key]:
            break
        target = pages[-1]["next_page"]
    return pages


def by_id(pages: list[dict[str, Any]], key: str) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for page in pages for row in page[key]}


def test_there_are_13_streams(voice: Sandbox) -> None:
    counts = voice.voice.counts()
    assert set(counts) == {*LISTS, *EXPORTS.values(), *OVERVIEWS, "ivr_menus", "ivr_routes"}
    assert (counts["calls"], counts["call_legs"]) == (400, 640)
    assert all(counts.values())


@pytest.mark.parametrize("target", ["/v1/addresses", "/v1/stats/incremental/calls?start_time=0", "/v1/nothing"])
def test_a_key_or_a_token_is_asked_for(voice: Sandbox, target: str) -> None:
    url = voice.base_url + target
    known = 404 if target == "/v1/nothing" else 200
    assert requests.get(url, params=KEY, timeout=10).status_code == known
    assert requests.get(url, headers={"Authorization": "Bearer sandbox-token"}, timeout=10).status_code == known
    for params, headers in (
        ({}, {}),
        ({"api_key": "not-the-key"}, {}),
        ({"api_key": ["sandbox-key", "sandbox-key"]}, {}),
        ({}, {"Authorization": "Bearer not-the-token"}),
        ({}, {"Authorization": "Basic sandbox-token"}),
    ):
        refused = requests.get(url, params=params, headers=headers, timeout=10)
        assert refused.status_code == 401
        assert refused.json()["error"] == "Unauthorized"
        assert not any(secret in refused.text for secret in ("sandbox-", "not-the"))


@pytest.mark.parametrize("stream", LISTS)
def test_lists_are_linked_by_address_without_the_key(voice: Sandbox, stream: str) -> None:
    pages = linked(voice, LISTS[stream], per_page=2)
    assert [row for page in pages for row in page[stream]] == voice.voice.records(stream)
    assert len(pages) == -(-voice.voice.counts()[stream] // 2)
    for number, page in enumerate(pages, 1):
        assert page["count"] == voice.voice.counts()[stream]
        assert (page["previous_page"] is None) == (number == 1)
        if page["next_page"]:
            assert page["next_page"] == f"{voice.base_url}{LISTS[stream]}?per_page=2&page={number + 1}"
    assert body(voice, LISTS[stream], page=len(pages) + 5, limit=2)[stream] == []
    assert body(voice, pages[1]["previous_page"])[stream] == pages[0][stream]


def test_links_lead_to_the_origin_that_was_asked(voice: Sandbox) -> None:
    port = urlsplit(voice.base_url).port
    for host in ("127.0.0.1", "localhost"):
        answer = body(voice, f"http://{host}:{port}/v1/greetings", limit=3)
        assert answer["next_page"].startswith(f"http://{host}:{port}/v1/greetings?limit=3&page=2")


@pytest.mark.parametrize("stream", OVERVIEWS)
def test_overviews_are_one_object_without_a_moment(voice: Sandbox, stream: str) -> None:
    answer = body(voice, f"/v1/stats/{stream}")
    assert list(answer) == [stream]
    assert answer[stream]
    assert "current_timestamp" not in answer[stream]
    assert voice.voice.records(stream) == [answer[stream]]


def test_what_is_inside_the_ivrs_knows_where_it_was(voice: Sandbox) -> None:
    ivrs = body(voice, "/v1/ivr")["ivrs"]
    menus, routes = voice.voice.records("ivr_menus"), voice.voice.records("ivr_routes")
    assert [(row["ivr_id"], row["id"]) for row in menus] == [
        (ivr["id"], menu["id"]) for ivr in ivrs for menu in ivr["menus"] or ()
    ]
    assert {(row["ivr_id"], row["ivr_menu_id"]) for row in routes} <= {(row["ivr_id"], row["id"]) for row in menus}
    assert len(routes) == sum(len(menu["routes"]) for menu in menus)
    assert {len(ivr["menus"]) if ivr["menus"] is not None else None for ivr in ivrs} >= {None, 0, 1, 2}
    for rows in (menus, routes):
        assert len({row["id"] for row in rows}) == len(rows)


def test_ids_of_greetings_are_of_two_kinds(voice: Sandbox) -> None:
    greetings = voice.voice.records("greetings")
    assert "voicemail_en" in {row["id"] for row in greetings}
    assert {type(row["id"]) for row in greetings} == {str, int}
    assert all(row["default"] == isinstance(row["id"], str) for row in greetings)


@pytest.mark.parametrize("key", EXPORTS)
def test_an_export_is_sorted_inclusive_and_whole(key: str) -> None:
    with Sandbox("voice", size=400, seed=6, export_page=25) as sandbox:
        pages = exported(sandbox, key)
        held = {row["id"]: row for row in sandbox.voice.records(EXPORTS[key])}
        assert by_id(pages, key) == held
        for page in pages:
            moments = [instant(row["updated_at"]) or 0 for row in page[key]]
            assert moments == sorted(moments)
            assert page["count"] == len(moments) <= 25
            assert page["end_time"] == moments[-1] // SECOND
            # The address leads on from the second that was read last, and never ends by itself.
            assert page["next_page"] == (f"{sandbox.base_url}/v1/stats/incremental/{key}?start_time={page['end_time']}")
        for before, after in itertools.pairwise(pages):
            assert after[key][0] in before[key]
        # More than one record shares the last second: a rule that waits for one record waits for ever.
        again = body(sandbox, pages[-1]["next_page"])
        assert again["count"] > 1
        assert again["next_page"] == pages[-1]["next_page"]
        assert {row["updated_at"] for row in again[key]} == {pages[-1][key][-1]["updated_at"]}


def test_start_time_is_inclusive_and_in_seconds(voice: Sandbox) -> None:
    moments = sorted(instant(row["updated_at"]) or 0 for row in voice.voice.records("calls"))
    start = moments[200] // SECOND
    found = by_id(exported(voice, "calls", start), "calls")
    assert len(found) == sum(moment >= start * SECOND for moment in moments)


@pytest.mark.parametrize("query", ["", "?start_time=", "?start_time=2024-01-01", "?start_time=-1", "?start_time=1.5"])
def test_an_export_without_a_start_is_422(voice: Sandbox, query: str) -> None:
    response = ask(voice, f"/v1/stats/incremental/calls{query}")
    assert response.status_code == 422
    assert "start_time" in response.json()["description"]


@pytest.mark.parametrize(("end", "pages"), [("same", 1), ("null", 1), ("empty", 2)])
def test_the_end_shows_in_the_way_that_was_asked_for(end: str, pages: int) -> None:
    with Sandbox("voice", size=30, export_end=end) as sandbox:
        read = exported(sandbox, "calls", most=3)
        assert len(read) == (pages if end != "same" else 2)
        assert len(by_id(read, "calls")) == 30
        last = read[-1]
        assert (last["next_page"] is None) == (end == "null")
        assert (last["count"] == 0) == (end == "empty")
        if end == "empty":
            assert body(sandbox, last["next_page"]) == last


@pytest.mark.parametrize("end", ["same", "null", "empty"])
def test_an_empty_export_ends(end: str) -> None:
    with Sandbox("voice", size=0, export_end=end) as sandbox:
        answer = body(sandbox, "/v1/stats/incremental/calls", start_time=7)
        assert (answer["calls"], answer["count"], answer["end_time"]) == ([], 0, 7)
        assert (answer["next_page"] is None) == (end == "null")


def test_an_export_holds_a_thousand_a_page() -> None:
    with Sandbox("voice", size=1_500) as sandbox:
        assert [page["count"] for page in exported(sandbox, "calls")][:1] == [1_000]
        assert body(sandbox, "/v1/stats/incremental/calls", start_time=0, limit=7)["count"] == 7
        assert body(sandbox, "/v1/stats/incremental/legs", start_time=0, per_page=5_000)["count"] == 1_000


def test_an_export_may_be_stuck_in_a_second_of_a_full_page() -> None:
    with Sandbox("voice", size=30, export_page=4) as sandbox:
        rows = [{**row, "updated_at": "2025-05-05T05:05:05Z"} for row in sandbox.voice.records("calls")]
        sandbox.voice.put("calls", rows)
        pages = exported(sandbox, "calls")
        assert [page["count"] for page in pages] == [4, 4]
        assert pages[0]["next_page"] == pages[1]["next_page"]


def test_calls_are_changed_long_after_they_were_made(voice: Sandbox) -> None:
    calls = voice.voice.records("calls")
    late = [(instant(row["updated_at"]) or 0) - (instant(row["created_at"]) or 0) for row in calls]
    assert min(late) >= 40 * 60 * SECOND - SECOND
    assert sum(moment > 86_400 * SECOND for moment in late) > 20
    assert {row["call_id"] for row in voice.voice.records("call_legs")} == {row["id"] for row in calls}
    assert any("+02:00" in row["updated_at"] for row in calls)
    assert any(".123Z" in row["updated_at"] for row in calls)


def test_a_change_shows_in_both_exports() -> None:
    with Sandbox("voice", size=60, seed=2) as sandbox:
        before = {row["id"]: row for row in sandbox.voice.records("calls")}
        began = int(time.time())
        answer = requests.post(f"{sandbox.base_url}/_sandbox/voice/change?calls=5&new=4", timeout=10).json()
        assert [len(answer[kind]) for kind in ("calls", "new")] == [5, 4]
        calls, legs = (by_id(exported(sandbox, key, began), key) for key in EXPORTS)
        assert sorted(calls) == sorted(answer["calls"] + answer["new"])
        assert sorted(legs) == sorted(answer["call_legs"])
        assert {row["call_id"] for row in legs.values()} == set(calls)
        assert not set(answer["new"]) & set(before)
        for number in answer["calls"]:
            assert calls[number] != before[number]
            assert calls[number]["created_at"] == before[number]["created_at"]
        assert sandbox.voice.counts()["calls"] == 64
        assert len(by_id(exported(sandbox, "legs"), "legs")) == sandbox.voice.counts()["call_legs"]
        assert len(sandbox.voice.change(calls=1_000)["calls"]) == 64
        with pytest.raises(TypeError, match="'cats'"):
            sandbox.voice.change(cats=1)


def test_put_and_delete_work_by_hand() -> None:
    with Sandbox("voice", size=10) as sandbox:
        rows: list[dict[str, Any]] = [{"id": 1, "updated_at": "2024-01-01T02:00:00+02:00"}, {"id": 2}, {"id": 3}]
        sandbox.voice.put("calls", rows)
        pages = exported(sandbox, "calls")
        assert pages[0]["calls"] == rows
        sandbox.voice.delete("greetings", "voicemail_en")
        assert "voicemail_en" not in {row["id"] for row in linked(sandbox, "/v1/greetings")[0]["greetings"]}
        sandbox.voice.put("account_overview", [])
        assert body(sandbox, "/v1/stats/account_overview") == {"account_overview": {}}
        sandbox.voice.put("ivrs", [{"id": 1, "menus": [{"id": 2, "routes": [{"id": 3}]}]}])
        assert sandbox.voice.records("ivr_routes") == [{"id": 3, "ivr_id": 1, "ivr_menu_id": 2}]
        for wrong in ("ivr_menus", "nothing"):
            with pytest.raises(ValueError, match="no list of its own"):
                sandbox.voice.put(wrong, [])
        with pytest.raises(ValueError, match="no calls record with the id 77"):
            sandbox.voice.delete("calls", 77)


def test_ragged_pages_hold_everything_once() -> None:
    with Sandbox("voice", size=400, ragged=True, export_page=40) as sandbox:
        pages = linked(sandbox, "/v1/greetings", per_page=6)
        assert {len(page["greetings"]) for page in pages} >= {0, 2, 6}
        assert [row for page in pages for row in page["greetings"]] == sandbox.voice.records("greetings")
        for key, stream in EXPORTS.items():
            read = exported(sandbox, key)
            assert len({page["count"] for page in read}) > 2
            assert all(page["count"] for page in read)
            assert len(by_id(read, key)) == sandbox.voice.counts()[stream]


@pytest.mark.parametrize(
    "target",
    ["/v1/addresses?per_page=0", "/v1/addresses?page=x", "/v1/addresses?page_size=3", "/v1/ivr?page=1&page=1"],
)
def test_what_the_api_does_not_know_is_told_so(voice: Sandbox, target: str) -> None:
    response = ask(voice, target)
    assert response.status_code == 400
    assert response.json()["error"] == "InvalidParameter"
    assert requests.post(f"{voice.base_url}/v1/addresses", params=KEY, timeout=10).status_code == 405


def test_links_in_the_body_lead_astray_and_never_carry_the_key(voice: Sandbox) -> None:
    voice.set_faults(["foreign-link:at=1,to=http://other.invalid", "self-link"])
    foreign = body(voice, "/v1/addresses", page=1, per_page=100)
    assert foreign["next_page"] == "http://other.invalid/v1/addresses?page=1&per_page=100"
    assert foreign["addresses"] == voice.voice.records("addresses")
    assert body(voice, "/v1/addresses")["next_page"] == f"{voice.base_url}/v1/addresses"
    export = body(voice, "/v1/stats/incremental/calls", start_time=9)
    assert export["next_page"] == f"{voice.base_url}/v1/stats/incremental/calls?start_time=9"
    assert "link" not in ask(voice, "/v1/addresses").headers


def test_other_faults_strike_bodies_of_this_kind_too(voice: Sandbox) -> None:
    voice.set_faults(["shape:times=2", "503:at=1", "malformed:at=1", "null:at=1"])
    swapped = body(voice, "/v1/addresses")
    assert (swapped["addresses"], swapped["next_page"]) == ({}, None)
    assert body(voice, "/v1/stats/account_overview") == {"account_overview": []}
    assert ask(voice, "/v1/ivr").status_code == 503
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask(voice, "/v1/ivr").content)
    assert ask(voice, "/v1/ivr").text == "null"


def test_a_rate_limit_holds_for_every_api() -> None:
    with Sandbox("voice", size=1, rate_limit=2) as sandbox:
        answers = [ask(sandbox, "/v1/ivr") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2].headers["retry-after"]) >= 1
