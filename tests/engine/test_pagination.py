"""Paginators against lists of any shape: each record once, and always an end."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from taps.engine.client import Request
from taps.engine.counting import Offset, PageNumber
from taps.engine.errors import PaginationError
from taps.engine.links import BodyLink, Export, HeaderLink
from taps.engine.page import Content, Page
from taps.engine.pagination import Pagination, RepeatedPage, SinglePage
from taps.engine.query import Query, StartParam
from taps.engine.seam import Seam
from taps.engine.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://api.example.com/v1/things"
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def page_of(
    url: str,
    headers: dict[str, str],
    records: list[dict[str, Any]],
    document: Any = None,
    *,
    start: datetime | None = None,
) -> Page:
    """Make a page of records with `id` and, some of them, the cursor `at`."""
    instants = [parse_timestamp(str(record["at"])) if record.get("at") else None for record in records]
    content = Content(records, [(record["id"],) for record in records], instants, document)
    return Page(url, headers, content, start)


def received(serve: Callable[[Request], Page], request: Request) -> Page:
    return replace(serve(request), start=request.start)


def read(pagination: Pagination, query: Query, serve: Callable[[Request], Page]) -> tuple[list[Page], list[Request]]:
    requests = pagination.requests(query)
    sent = [next(requests)]
    pages = [received(serve, sent[0])]
    while True:
        try:
            sent.append(requests.send(pages[-1]))
        except StopIteration:
            return pages, sent
        pages.append(received(serve, sent[-1]))
        assert len(pages) < 10_000, "the pages have no end"


def query(page_size: int = 100, **overrides: Any) -> Query:
    return Query(Request(URL), page_size, start_param=StartParam("since"), start=START, **overrides)


def test_a_single_page_is_one_request() -> None:
    pages, sent = read(SinglePage(), query(), lambda request: page_of(request.url, {}, [{"id": 1}]))
    assert len(pages) == len(sent) == 1
    assert sent[0] == query().first()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_links_are_followed_through_short_and_empty_pages(sizes: list[int]) -> None:
    def serve(request: Request) -> Page:
        number = int(request.url.partition("cursor=")[2] or 0)
        link = {"Link": f'<{URL}?cursor={number + 1}>; rel="next"'} if number + 1 < len(sizes) else {}
        return page_of(request.url, link, [{"id": (number, n)} for n in range(sizes[number])])

    pages, sent = read(HeaderLink(), query(), serve)
    assert [record["id"] for page in pages for record in page.records] == [
        (number, n) for number, size in enumerate(sizes) for n in range(size)
    ]
    assert sent[0].params == {"since": "2024-01-01T00:00:00Z", "limit": 100}
    assert all(request.params == {} for request in sent[1:]), "a next link is used as it is"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'<{URL}?page=2>; rel="next"', f"{URL}?page=2"),
        (f'<{URL}?page=1>; rel="prev", <{URL}?page=3>; rel="next"', f"{URL}?page=3"),
        (f"<{URL}?page=2>; rel=next", f"{URL}?page=2"),
        (f'<{URL}?page=2>; rel="last next"', f"{URL}?page=2"),
        ('</v1/things?page=2>; rel="next"', f"{URL}?page=2"),
        ('<?page=2>; rel="next"', f"{URL}?page=2"),
    ],
)
def test_link_headers_are_understood_in_all_their_forms(header: str, expected: str) -> None:
    _, sent = read(
        HeaderLink(),
        query(),
        lambda request: page_of(request.url, {} if "page" in request.url else {"Link": header}, []),
    )
    assert sent[1].url == expected


@pytest.mark.parametrize("header", ["", f'<{URL}?page=1>; rel="prev"', "nonsense", "<x>; title=next"])
def test_without_a_next_link_the_list_ends(header: str) -> None:
    pages, _ = read(HeaderLink(), query(), lambda request: page_of(request.url, {"Link": header}, [{"id": 1}]))
    assert len(pages) == 1


@given(st.integers(1, 5), st.integers(0, 4))
def test_links_that_form_a_cycle_are_an_error_not_an_endless_sync(length: int, entry: int) -> None:
    def serve(request: Request) -> Page:
        number = int(request.url.partition("cursor=")[2] or 0)
        following = number + 1 if number < length + entry else entry
        return page_of(request.url, {"Link": f'<{URL}?cursor={following}>; rel="next"'}, [])

    with pytest.raises(PaginationError, match=r"GET /v1/things: .*loop"):
        read(HeaderLink(), query(), serve)


@given(st.lists(st.integers(1, 5), max_size=20))
def test_page_numbers_count_up_to_the_first_empty_page(sizes: list[int]) -> None:
    def serve(request: Request) -> Page:
        number = int(request.params["page"])
        return page_of(
            request.url, {}, [{"id": (number, n)} for n in range(sizes[number - 1])] if number <= len(sizes) else []
        )

    pages, sent = read(PageNumber(), query(), serve)
    assert sum(len(page.records) for page in pages) == sum(sizes)
    assert [request.params["page"] for request in sent] == list(range(1, len(sizes) + 2))
    assert all(request.params["limit"] == 100 for request in sent)


class WindowedList:
    """A list sorted by its cursor that is refused beyond so many pages, as a help desk's tickets are."""

    def __init__(self, offsets: list[int], page_size: int, window: int) -> None:
        self.records = [
            {"id": number, "at": format_timestamp(START + timedelta(seconds=offset))}
            for number, offset in enumerate(sorted(offsets))
        ]
        self.page_size = page_size
        self.window = window

    def serve(self, request: Request) -> Page:
        since, number = str(request.params["since"]), int(request.params["page"])
        assert number <= self.window, "the API answers 400 beyond the last page of a window"
        found = [record for record in self.records if parse_timestamp(str(record["at"])) >= parse_timestamp(since)]
        return page_of(request.url, {}, found[(number - 1) * self.page_size : number * self.page_size])


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 4), st.integers(2, 4))
def test_windows_give_each_record_once_or_say_that_an_instant_is_too_full(
    offsets: list[int], page_size: int, window: int
) -> None:
    api = WindowedList(offsets, page_size, window)
    seam = Seam()
    got: list[int] = []
    requests = PageNumber(window=window).requests(query(cursor="at"))
    request = next(requests)
    fullest = max((offsets.count(offset) for offset in offsets), default=0)
    try:
        while True:
            page = received(api.serve, request)
            got += [record["id"] for record in seam.fresh(page).records]
            request = requests.send(page)
    except StopIteration:
        assert got == [record["id"] for record in api.records]
    except PaginationError as error:
        # Both ends are right, each for its lists.
        assert fullest > page_size * (window - 1), "an instant that fills the last page of a window too is too full"
        assert "cannot get past this second" in str(error)  # noqa: PT017
        assert got == [record["id"] for record in api.records][: len(got)], "what was given until then is right"


def test_a_full_window_of_unsorted_records_is_an_error() -> None:
    def serve(request: Request) -> Page:
        hour = 10 - int(request.params["page"])
        return page_of(request.url, {}, [{"id": hour, "at": f"2024-01-01T{hour:02d}:00:00Z"}])

    with pytest.raises(PaginationError, match="not sorted by at"):
        read(PageNumber(window=3), query(cursor="at"), serve)


def test_a_full_window_without_cursors_is_an_error() -> None:
    with pytest.raises(PaginationError, match="no cursor to go on from"):
        read(
            PageNumber(window=2),
            query(cursor="at"),
            lambda request: page_of(request.url, {}, [{"id": 1}]),
        )


def test_a_record_that_changed_at_the_seam_is_given_again() -> None:
    seam = Seam()
    old = {"id": 1, "at": "2024-01-01T00:00:00.100Z"}
    new = {"id": 1, "at": "2024-01-01T00:00:00.900Z"}
    assert seam.fresh(page_of(URL, {}, [old, old, new])).records == [old, new]
    assert seam.fresh(page_of(URL, {}, [old, new, {"id": 2, "at": None}])).records == [{"id": 2, "at": None}]


def test_what_lies_before_the_time_that_is_asked_for_is_forgotten() -> None:
    seam = Seam()
    for second in range(1_000):
        at = START + timedelta(seconds=second)
        seam.fresh(page_of(URL, {}, [{"id": second, "at": format_timestamp(at)}], start=at))
    assert len(seam._seen) == 1


# Links in the body


def body_page(request: Request, link: object, records: list[dict[str, Any]]) -> Page:
    return page_of(request.url, {}, records, {"data": records, "paging": {"next": link}})


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_links_in_the_body_are_followed_through_short_and_empty_pages(sizes: list[int]) -> None:
    def serve(request: Request) -> Page:
        number = int(request.url.partition("cursor=")[2] or 0)
        link = f"{URL}?cursor={number + 1}" if number + 1 < len(sizes) else None
        return body_page(request, link, [{"id": (number, n)} for n in range(sizes[number])])

    pages, sent = read(BodyLink("paging.next"), query(), serve)
    assert sum(len(page.records) for page in pages) == sum(sizes)
    assert sent[0].params == {"since": "2024-01-01T00:00:00Z", "limit": 100}
    assert all(request.params == {} for request in sent[1:]), "a next link is used as it is"


@pytest.mark.parametrize(
    "document",
    [{}, {"paging": None}, {"paging": {}}, {"paging": {"next": None}}, {"paging": {"next": ""}}, {"paging": []}],
)
def test_a_body_without_a_next_link_ends_the_list(document: dict[str, Any]) -> None:
    pages, _ = read(BodyLink("paging.next"), query(), lambda request: page_of(request.url, {}, [{"id": 1}], document))
    assert len(pages) == 1


@pytest.mark.parametrize("link", [5, True, {"url": "x"}, ["x"]])
def test_a_next_link_that_is_no_text_is_an_error(link: object) -> None:
    with pytest.raises(PaginationError, match=r"the next link at 'paging\.next' is no text"):
        read(BodyLink("paging.next"), query(), lambda request: body_page(request, link, []))


def test_links_in_the_body_that_form_a_cycle_are_an_error() -> None:
    with pytest.raises(PaginationError, match="loop"):
        read(BodyLink("paging.next"), query(), lambda request: body_page(request, f"{URL}?cursor=1", []))


def test_an_opaque_string_goes_into_its_parameter() -> None:
    tokens = {None: "a_1==", "a_1==": "b 2", "b 2": None}
    pages, sent = read(
        BodyLink("paging.next", opaque_param="offset"),
        query(),
        lambda request: body_page(request, tokens[request.params.get("offset")], [{"id": 1}]),  # type: ignore[index]
    )
    assert len(pages) == 3
    assert [request.params.get("offset") for request in sent] == [None, "a_1==", "b 2"]
    with pytest.raises(PaginationError, match="loop"):
        read(BodyLink("paging.next", opaque_param="offset"), query(), lambda request: body_page(request, "same", []))


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 4), st.integers(2, 5), st.booleans())
def test_windows_of_records_give_each_once_or_say_that_an_instant_is_too_full(
    offsets: list[int],
    page_size: int,
    pages: int,
    last_link: bool,  # noqa: FBT001
) -> None:
    """Whether or not the API still gives a next link at the limit, at which it would refuse it."""
    records = [
        {"id": number, "at": format_timestamp(START + timedelta(seconds=offset))}
        for number, offset in enumerate(sorted(offsets))
    ]
    window = page_size * pages

    def serve(request: Request) -> Page:
        parts = dict(part.split("=") for part in request.url.partition("?")[2].split("&") if part)
        since = str(parts.get("since") or request.params["since"])
        offset = int(parts.get("offset", 0))
        assert offset + page_size <= window, "the API answers 422 beyond the window"
        found = [record for record in records if parse_timestamp(str(record["at"])) >= parse_timestamp(since)]
        following = offset + page_size
        more = following < len(found) and (following + page_size <= window or last_link)
        link = f"{URL}?since={since}&offset={following}" if more else None
        return body_page(Request(request.url or URL), link, found[offset:following])

    seam, got = Seam(), []
    requests = BodyLink("paging.next", window=window).requests(query(cursor="at", page_size=page_size))
    request = next(requests)
    fullest = max((offsets.count(offset) for offset in offsets), default=0)
    try:
        while True:
            page = serve(request)
            got += [record["id"] for record in seam.fresh(page).records]
            request = requests.send(page)
    except StopIteration:
        assert got == [record["id"] for record in records]
    except PaginationError:
        assert fullest > window - page_size


# Offsets


@given(st.integers(0, 40), st.integers(1, 7))
def test_offsets_move_by_what_was_received(total: int, cap: int) -> None:
    records = [{"id": number} for number in range(total)]

    def serve(request: Request) -> Page:
        offset = int(request.params["offset"])
        return page_of(request.url, {}, records[offset : offset + cap])

    pages, sent = read(Offset(), query(), serve)
    assert [record for page in pages for record in page.records] == records
    assert all(request.params["limit"] == 100 for request in sent)


def test_an_api_that_ignores_the_offset_ends_the_list() -> None:
    with pytest.raises(RepeatedPage):
        read(Offset(), query(), lambda request: page_of(request.url, {}, [{"id": 1, "now": request.params["offset"]}]))


# Exports


class ExportedList:
    """An export as phone systems give it: next page at the last record's second, and never an end."""

    def __init__(self, offsets: list[int], page_size: int, end: str) -> None:
        self.records = [
            {"id": number, "at": format_timestamp(START + timedelta(seconds=offset))}
            for number, offset in enumerate(sorted(offsets))
        ]
        self.page_size = page_size
        self.end = end

    def serve(self, request: Request) -> Page:
        start = int(request.params.get("start_time") or request.url.partition("start_time=")[2])
        found = [record for record in self.records if int(parse_timestamp(str(record["at"])).timestamp()) >= start]
        page = found[: self.page_size]
        following = int(parse_timestamp(str(page[-1]["at"])).timestamp()) if page else start
        link = None if self.end == "null" and len(page) == len(found) else f"{URL}?start_time={following}"
        if self.end == "later" and len(page) == len(found):
            link = f"{URL}?start_time={following + 1}"
        return page_of(f"{URL}?start_time={start}", {}, page, {"things": page, "count": len(page), "next_page": link})


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(2, 6), st.sampled_from(["same", "null", "later"]))
def test_exports_end_and_give_each_record_once_or_say_that_a_second_is_too_full(
    offsets: list[int], page_size: int, end: str
) -> None:
    api = ExportedList(offsets, page_size, end)
    seam, got = Seam(), []
    seconds = StartParam("start_time", "{seconds}")
    requests = Export(full_page=page_size).requests(
        Query(Request(URL), page_size=100, cursor="at", start_param=seconds, start=START)
    )
    request, asked = next(requests), 0
    fullest = max((offsets.count(offset) for offset in offsets), default=0)
    try:
        while True:
            asked += 1
            assert asked < 200, "the export has no end"
            page = received(api.serve, request)
            got += [record["id"] for record in seam.fresh(page).records]
            request = requests.send(page)
    except StopIteration:
        assert got == [record["id"] for record in api.records]
    except PaginationError as error:
        # Both ends are right, each for its lists.
        assert fullest >= page_size
        assert "share the second" in str(error)  # noqa: PT017


@pytest.mark.parametrize("leads_to", [1, 4], ids=["to itself", "to the page before"])
def test_an_export_whose_link_leads_back_from_later_records_is_no_end_but_a_loop(leads_to: int) -> None:
    """Neither page is as long as the one before, so that their lengths alone do not tell."""
    ats = [START + timedelta(seconds=second) for second in range(10)]
    first = int(START.timestamp())

    def serve(request: Request) -> Page:
        start = request.url.partition("start_time=")[2]
        begin, end, following = (4, 7, leads_to) if start == str(first + 4) else (0, 5, 4)
        records = [{"id": number, "at": format_timestamp(ats[number])} for number in range(begin, end)]
        link = f"{URL}?start_time={first + following}"
        return page_of(request.url if start else f"{URL}?start_time={first}", {}, records, {"next_page": link})

    with pytest.raises(PaginationError, match=rf"leads back to the second {first + leads_to}, but .*form a loop"):
        read(Export(), query(cursor="at"), serve)


def test_an_export_whose_last_link_leads_to_another_host_is_asked_there_and_so_refused() -> None:
    at = int(START.timestamp())
    elsewhere = f"https://elsewhere.example.com/things?start_time={at}"
    requests = Export().requests(query(cursor="at"))
    next(requests)
    records = [{"id": 1, "at": format_timestamp(START)}]
    page = page_of(f"{URL}?start_time={at}", {}, records, {"next_page": elsewhere})
    assert requests.send(page).url == elsewhere


# Page sizes


@pytest.mark.parametrize(
    ("request_", "halved"),
    [
        (Request(URL, {"page[size]": 1000}), Request(URL, {"page[size]": 500})),
        (
            Request(f"{URL}?page%5Bsize%5D=1000&page%5Bafter%5D=x%3D%3D&empty="),
            Request(f"{URL}?page%5Bsize%5D=500&page%5Bafter%5D=x%3D%3D&empty="),
        ),
        (Request(f"{URL}?page[after]=x"), None),
    ],
)
def test_a_page_size_can_be_halved_in_parameters_and_in_links(request_: Request, halved: Request | None) -> None:
    pagination = BodyLink("links.next", size_param="page[size]")
    size = pagination.size_of(request_)
    assert size == (1000 if halved else None)
    if halved:
        assert pagination.with_size(request_, 500) == halved


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{timestamp}", "2024-01-31T08:00:00.123456Z"),
        ("{milliseconds_timestamp}..inf", "2024-01-31T08:00:00.123Z..inf"),
        ("{seconds}", "1706688000"),
        ("updatedAt >= {milliseconds}", "updatedAt >= 1706688000123"),
    ],
)
def test_starts_are_written_as_each_api_wants_them(template: str, value: str) -> None:
    assert StartParam("x", template).value(parse_timestamp("2024-01-31T08:00:00.123456Z")) == value
    assert StartParam("x", "{seconds}").value(parse_timestamp("1969-12-31T23:59:59.5Z")) == "-1"


# Lists that move while they are read


@pytest.mark.parametrize("kind", ["pages", "links"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_list_that_moves_while_it_is_read_loses_nothing(kind: str, data: st.DataObject) -> None:
    """Records change (and go to the end), are deleted and added between any two pages; many share a second."""
    offsets = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=40), label="seconds")
    size = data.draw(st.integers(2, 5), label="page size")
    rows = dict(enumerate(offsets))
    untouched, now, served = set(rows), 100, 0

    def move() -> None:
        nonlocal now
        for _ in range(data.draw(st.integers(0, 2), label="changes")):
            if rows:
                key = data.draw(st.sampled_from(sorted(rows)), label="which")
                untouched.discard(key)
                if data.draw(st.booleans(), label="deleted"):
                    del rows[key]
                else:
                    now += 1
                    rows[key] = now

    def serve(request: Request) -> Page:
        nonlocal served
        parts = dict(part.split("=") for part in request.url.partition("?")[2].split("&") if part)
        since = str(parts.get("since") or request.params["since"])
        found = [
            {"id": key, "at": format_timestamp(START + timedelta(seconds=offset))}
            for key, offset in sorted(rows.items(), key=lambda row: (row[1], row[0]))
            if START + timedelta(seconds=offset) >= parse_timestamp(since)
        ]
        begin = int(parts.get("offset", 0)) if kind == "links" else (int(request.params["page"]) - 1) * size
        link = f"{URL}?since={since}&offset={begin + size}" if begin + size < len(found) else None
        page = body_page(request, link, found[begin : begin + size])
        served += 1
        if served < 30:
            move()
        return page

    pagination: Pagination = PageNumber(window=300) if kind == "pages" else BodyLink("paging.next", window=20_000)
    pages, _ = read(pagination, query(cursor="at", page_size=size), serve)
    got = {record["id"] for page in pages for record in page.records}
    assert untouched <= got


def test_an_opaque_string_may_look_like_a_path() -> None:
    tokens = {None: "/Zm9v+b=", "/Zm9v+b=": "?x", "?x": None}
    _, sent = read(
        BodyLink("paging.next", opaque_param="offset"),
        query(),
        lambda request: body_page(request, tokens[request.params.get("offset")], [{"id": 1}]),  # type: ignore[index]
    )
    assert [request.params.get("offset") for request in sent] == [None, "/Zm9v+b=", "?x"]
    assert {request.url for request in sent} == {URL}


def test_an_export_of_shorter_pages_says_that_a_second_is_too_full_for_them() -> None:
    api = ExportedList([0, 1, *[2] * 12, 3], page_size=5, end="same")
    seconds = StartParam("start_time", "{seconds}")
    with pytest.raises(PaginationError, match="5 records or more share the second"):
        read(Export(), Query(Request(URL), 100, cursor="at", start_param=seconds, start=START), api.serve)


def test_a_window_moves_by_fractions_where_a_second_is_too_full() -> None:
    records = [{"id": n, "at": format_timestamp(START + timedelta(milliseconds=n // 4))} for n in range(40)]

    def serve(request: Request) -> Page:
        parts = dict(part.split("=") for part in request.url.partition("?")[2].split("&") if part)
        since, offset = str(parts.get("since") or request.params["since"]), int(parts.get("offset", 0))
        assert offset + 5 <= 10
        found = [record for record in records if parse_timestamp(str(record["at"])) >= parse_timestamp(since)]
        link = f"{URL}?since={since}&offset={offset + 5}" if offset + 5 < len(found) else None
        return body_page(request, link, found[offset : offset + 5])

    seam = Seam()
    pages, _ = read(BodyLink("paging.next", window=10), query(cursor="at", page_size=5), serve)
    assert [record["id"] for page in pages for record in seam.fresh(page).records] == list(range(40))


# Pages that begin with the last records of the one before


class CountedList:
    """A list sorted by its cursor that gives as many records a page as asked for, up to a cap, and notes what is asked.

    Args:
        counts: How many records each second has.
        cap: Most records on a page.
        exclusive: Whether it leaves out the second that it is asked from, unless that is the first of all.
    """

    def __init__(self, counts: list[int], cap: int = 1_000, *, exclusive: bool = False) -> None:
        seconds = [second for second, count in enumerate(counts) for _ in range(count)]
        self.rows = dict(enumerate(seconds))
        self.cap = cap
        self.exclusive = exclusive
        self.asked: list[tuple[str, int, int]] = []

    def serve(self, request: Request) -> Page:
        since, size = str(request.params["since"]), int(request.params["limit"])
        number, size = int(request.params["page"]), min(size, self.cap)
        self.asked.append((since[17:19], number, int(request.params["limit"])))
        first = (parse_timestamp(since) - START).total_seconds()
        first += self.exclusive and first > 0
        found = sorted((second, key) for key, second in self.rows.items() if second >= first)
        page = found[(number - 1) * size : number * size]
        records = [{"id": key, "at": format_timestamp(START + timedelta(seconds=second))} for second, key in page]
        return page_of(request.url, {}, records)


PAGES = PageNumber(window=300)

# Seconds with their numbers of records: now many in one, now one in each of many.
COUNTS = st.lists(
    st.one_of(
        st.builds(lambda count: [count], st.integers(0, 150)), st.builds(lambda most: [1] * most, st.integers(0, 150))
    ),
    max_size=4,
).map(lambda parts: [count for part in parts for count in part])


def used(
    pagination: Pagination,
    query: Query,
    serve: Callable[[Request], Page],
    take: Callable[[Page], None] = lambda page: None,
) -> list[Any]:
    """Read a list as the engine does; give the ids of the records that come out, in their order."""
    seam, requests = Seam(), pagination.requests(query)
    got: list[Any] = []
    request: Request | None = next(requests)
    while request is not None:
        page = received(serve, request)
        try:
            request = requests.send(page)
            page = page.cut(request.keep)
        except StopIteration:
            request = None
        fresh = seam.fresh(page)
        got += [record["id"] for record in fresh.records]
        take(fresh)
    return got


def test_a_few_pages_share_records_and_then_a_new_query_begins_at_the_last_cursor() -> None:
    api = CountedList([1] * 1_000)
    assert used(PAGES, query(cursor="at"), api.serve) == list(range(1_000))
    assert api.asked[:6] == [("00", 1, 100), ("00", 2, 98), ("00", 3, 97), ("00", 4, 96), ("00", 5, 95), ("54", 1, 100)]


@settings(deadline=None)
@given(COUNTS, st.integers(30, 100), st.sampled_from([20, 1_000]), st.sampled_from(["asked", "early", "exclusive"]))
def test_shared_pages_give_each_record_once_in_order(counts: list[int], size: int, cap: int, kind: str) -> None:
    """Whether or not the API gives what is of the second that it is asked from, if that is not sure."""
    api = CountedList(counts, cap, exclusive=kind == "exclusive")
    start_param = StartParam("since", early=0 if kind == "asked" else 1)
    wanted = replace(query(size, cursor="at"), start_param=start_param)
    assert used(PAGES, wanted, api.serve) == list(range(sum(counts)))


def test_a_second_of_many_records_is_read_once() -> None:
    api = CountedList([1, 2_000, 1])
    assert used(PAGES, query(cursor="at"), api.serve) == list(range(2_002))
    assert len(api.asked) < 40, "each page would be read twice otherwise"
    assert len(set(api.asked)) == len(api.asked)


@pytest.mark.parametrize(("records", "every", "requests"), [(3_000, 20, 60), (3_000, 2, 120), (20_000, 10, 500)])
def test_a_second_of_many_records_is_got_past_while_it_is_worked_on(records: int, every: int, requests: int) -> None:
    """As after a bulk update: now one that was read is touched, and now one that was not."""
    api = CountedList([1, records, 1])
    untouched = set(api.rows)

    def serve(request: Request) -> Page:
        if len(api.asked) % every == 0:
            touched = (len(api.asked) * 7_919) % records
            api.rows[touched] = 10_000 + len(api.asked)
            untouched.discard(touched)
        return api.serve(request)

    got = used(PAGES, query(cursor="at"), serve)
    assert untouched <= set(got)
    assert len(untouched) < records + 2, "nothing was worked on"
    assert len(api.asked) < requests


def test_a_second_of_which_much_goes_at_once_is_begun_again() -> None:
    api = CountedList([1, 2_000, 1])

    def serve(request: Request) -> Page:
        if len(api.asked) == 10:
            for key in range(100, 400):
                del api.rows[key]
        return api.serve(request)

    got = used(PAGES, query(cursor="at"), serve)
    assert {*range(100), *range(400, 2_002)} <= set(got)
    assert [number for _, number, size in api.asked].count(1) > 2


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_second_that_is_worked_on_loses_nothing(data: st.DataObject) -> None:
    """Of several records at once, in runs: some are deleted, some go to the end."""
    api = CountedList([2, data.draw(st.integers(100, 700), label="of the second"), 2])
    size = data.draw(st.integers(20, 100), label="page size")
    untouched, moves = set(api.rows), 0

    def serve(request: Request) -> Page:
        nonlocal moves
        page = api.serve(request)
        if moves < 15 and data.draw(st.booleans(), label="worked on"):
            moves += 1
            begin = data.draw(st.integers(0, len(api.rows)), label="from")
            for key in sorted(api.rows)[begin : begin + data.draw(st.sampled_from([1, 2, 7, 15, 50]), label="so many")]:
                untouched.discard(key)
                if data.draw(st.booleans(), label="deleted"):
                    del api.rows[key]
                else:
                    api.rows[key] = 1_000 + moves
        return page

    got = used(PAGES, query(size, cursor="at"), serve)
    assert untouched <= set(got)


def test_an_api_that_does_not_give_as_many_as_asked_for_is_read_to_its_end() -> None:
    class Fixed(CountedList):
        def serve(self, request: Request) -> Page:
            return super().serve(request.with_params({"limit": 50}))

    api = Fixed([3] * 40 + [120] + [3] * 40)
    assert used(PAGES, query(50, cursor="at"), api.serve) == list(range(360))


@pytest.mark.parametrize(
    "ignored", [{"since": format_timestamp(START)}, {"since": format_timestamp(START), "limit": 100}]
)
def test_an_api_that_ignores_the_time_is_read_to_its_end(ignored: dict[str, str | int]) -> None:
    class Whole(CountedList):
        def serve(self, request: Request) -> Page:
            return super().serve(request.with_params(ignored))

    api = Whole([1] * 2_000)
    got = used(PAGES, query(cursor="at"), api.serve)
    assert set(got) == set(range(2_000))
    assert len(api.asked) < 40


def test_records_of_a_page_that_does_not_follow_are_not_used() -> None:
    api = CountedList([1] * 300)

    def serve(request: Request) -> Page:
        if len(api.asked) == 2:  # its third page would begin one record late
            del api.rows[10]
        return api.serve(request)

    requests = PAGES.requests(query(cursor="at"))
    request = next(requests)
    given = []
    while request.keep is None:
        page = received(serve, request)
        given.append(page)
        request = requests.send(page)
    assert [record["id"] for record in given[-1].records][:2] == [195, 196], "the page that is not used"
    assert request.params["since"] == given[-2].records[-1]["at"]
    assert request.params["page"] == 1


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_pages_that_were_asked_for_ahead_of_a_list_that_moves_lose_nothing(data: st.DataObject) -> None:
    """Likely pages are had at any time before their turn, while records change, are deleted and added."""
    counts = data.draw(COUNTS, label="seconds")
    size = data.draw(st.integers(40, 100), label="page size")
    api = CountedList(counts, data.draw(st.sampled_from([30, 1_000]), label="cap"))
    untouched, latest = set(api.rows), START
    given: set[Any] = set()
    ahead: dict[tuple[tuple[str, object], ...], Page] = {}
    moves = 0

    def move() -> None:
        nonlocal moves
        for _ in range(data.draw(st.integers(0, 2), label="changes") if moves < 40 else 0):
            moves += 1
            key = data.draw(st.integers(0, sum(counts)), label="which")
            untouched.discard(key)
            if key not in api.rows or data.draw(st.booleans(), label="changed"):
                api.rows[key] = 1_000 + moves
            else:
                del api.rows[key]

    def serve(request: Request) -> Page:
        name = tuple(sorted(request.params.items()))
        page = ahead.pop(name, None) or api.serve(request)
        move()
        for likely in PAGES.likely_after(request, page):
            if data.draw(st.booleans(), label="ahead"):
                ahead.setdefault(tuple(sorted(likely.params.items())), api.serve(likely))
                move()
        return page

    def take(page: Page) -> None:
        nonlocal latest
        given.update(record["id"] for record in page.records)
        latest = max([latest, *(instant for instant in page.content.instants if instant)])
        before = {key for key in untouched if START + timedelta(seconds=api.rows[key]) < latest}
        assert before <= given, "whoever goes on from the bookmark after this page never sees some records"

    used(PAGES, query(size, cursor="at"), serve, take)
    assert untouched <= given
