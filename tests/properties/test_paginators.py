"""Any sequence of pages, for each stream that is declared: every record once and always an end, or an error that says why.

The whole way is gone that a sync goes: requests ahead of time, bodies, links, seams; only the sockets are not there.
"""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hypothesis import strategies as st
from made_pages import all_streams, body_of, is_list, made_record, number_of
from msgspec.structs import replace
from repeated import holds_for
from singer_sdk.exceptions import SyncError
from wire import BASE_URL, JSON, TAPS, Reply, stream_of, wired

from taps.engine.counting import Offset, PageNumber
from taps.engine.links import BodyLink, Export, HeaderLink
from taps.engine.pagination import SinglePage
from taps.engine.reading import Reading
from taps.engine.timestamps import parse_timestamp

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject
    from wire import Asked

    from taps.engine.pagination import Pagination
    from taps.engine.stream import ApiStream

_START = datetime(2024, 1, 1, tzinfo=timezone.utc)
_MOST_REQUESTS = 2_000
_PAGED = [
    type(stream)
    for stream in all_streams()
    if is_list(type(stream)) and not isinstance(type(stream).pagination, SinglePage)
]
_BY_STYLE: dict[Any, list[type[ApiStream]]] = {}
for _declared in _PAGED:
    _BY_STYLE.setdefault((_declared.pagination, _declared.is_sorted, _declared.records_jsonpath), []).append(_declared)
_LISTS = st.sampled_from(list(_BY_STYLE.values())).flatmap(st.sampled_from)


class _Api(ABC):
    """Answers for one stream, and sees to it that the questions have an end."""

    def __init__(self, declared: type[ApiStream], pagination: Pagination, page_size: int, concurrency: int) -> None:
        self.asked = 0
        self.lock = threading.Lock()
        tap_class = next(tap_class for tap_class in TAPS.values() if declared in tap_class.stream_types)
        tap = wired(tap_class, self._answer, page_size=page_size, max_concurrency=concurrency, start_date="2024-01-01")
        self.tap = tap
        self.stream = stream_of(tap, declared)
        made: Any = self.stream
        made.pagination = pagination

    def _answer(self, asked: Asked) -> Reply:
        with self.lock:
            self.asked += 1
            assert self.asked < _MOST_REQUESTS, "the list has no end"
            return self.serve(asked)

    @abstractmethod
    def serve(self, asked: Asked) -> Reply:
        """Answer a request."""

    def reply(self, records: list[dict[str, Any]], link: Any = None, beside: dict[str, Any] | None = None) -> Reply:
        """Make a page with a next link, which is in the place where the API has it."""
        pagination, headers, members = self.stream.pagination, dict(JSON), dict(beside or {})
        if isinstance(pagination, HeaderLink):
            if link:
                headers["Link"] = f'<{BASE_URL}/first>; rel="first", <{link}>; rel="next"'
        elif isinstance(pagination, BodyLink | Export):
            outer, _, inner = pagination.path.partition(".")
            members[outer] = {inner: link} if inner else link
        return Reply(body_of(self.stream, records, members), headers)

    def read(self) -> tuple[list[int], str | None]:
        """Read the list; give the numbers of its records in their order, and the error, if one ended it."""
        numbers: list[int] = []
        context = dict.fromkeys(self.stream.parent_key_fields, "77")
        if context and "integer" in self.stream.schema["properties"][next(iter(context))]["type"]:
            context = dict.fromkeys(context, 77)  # type: ignore[arg-type]
        try:
            for page in self.stream.fresh_pages(self._reading(context)):
                numbers += [number_of(self.stream, key) for key in page.content.keys]
        except SyncError as error:
            return numbers, str(error)
        finally:
            self.tap.close()
        return numbers, None

    def _reading(self, context: dict[str, Any]) -> Reading:
        return Reading(self.stream, context or None)


# An API that keeps to its contract

_BESIDE = st.fixed_dictionaries(
    {},
    optional={
        "total": st.integers(-1, 50) | st.none() | st.text(max_size=2),
        "count": st.integers(0, 50),
        "total_pages": st.integers(0, 3),
        "has_more": st.booleans(),
        "took": st.floats(0, 1),
    },
)


class _Linked(_Api):
    """Gives pages of these sizes, the next one by a link or an opaque string; the last one says in some way that it is."""

    def __init__(self, declared: type[ApiStream], data: DataObject) -> None:
        super().__init__(declared, declared.pagination, data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4)))
        sizes = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=12), label="sizes")
        numbers = itertools.count()
        self.pages = [[next(numbers) for _ in range(size)] for size in sizes]
        self.beside = [data.draw(_BESIDE, label="beside") for _ in sizes]
        self.end = data.draw(st.sampled_from([None, "", "missing"]), label="end")
        self.names = data.draw(st.sampled_from(["{}", "a b&c={}#?/", "%2F{}", "\u00e9{}", "{}=="]), label="names")
        opaque = isinstance(declared.pagination, BodyLink) and declared.pagination.opaque_param
        self.param = opaque or "cursor"
        self.opaque = bool(opaque) and data.draw(st.booleans(), label="opaque")
        self.expected = [number for page in self.pages for number in page]

    def serve(self, asked: Asked) -> Reply:
        known = {self.names.format(number): number for number in range(1, len(self.pages))}
        number = known[asked.params[self.param]] if self.param in asked.params else 0
        records = [made_record(self.stream, each, _START) for each in self.pages[number]]
        if number + 1 < len(self.pages):
            name = self.names.format(number + 1)
            link = name if self.opaque else f"{BASE_URL}{asked.path}?{urlencode({self.param: name})}"
            return self.reply(records, link, self.beside[number])
        if self.end == "missing":
            return Reply(body_of(self.stream, records, self.beside[number]))
        return self.reply(records, self.end, self.beside[number])


class _Timed(_Api):
    """Gives the records from a time on, in order: by page number, by links that count, or as an export."""

    def __init__(self, declared: type[ApiStream], data: DataObject) -> None:
        size = data.draw(st.integers(2, 6), label="page size")
        pages = data.draw(st.integers(2, 5), label="pages in a window")
        made: Pagination = Export(full_page=size)
        self.full = size
        if isinstance(declared.pagination, PageNumber):
            made, self.full = replace(declared.pagination, window=pages), size * (pages - 1) + 1
        elif isinstance(declared.pagination, BodyLink):
            made, self.full = replace(declared.pagination, window=size * pages), size * (pages - 1) + 1
        super().__init__(declared, made, size, data.draw(st.integers(1, 4)))
        self.size, self.window = size, size * pages
        self.seconds = sorted(data.draw(st.lists(st.integers(0, 12), max_size=40), label="seconds"))
        self.end = data.draw(st.sampled_from(["same", "null", "later"]), label="end")
        self.expected = list(range(len(self.seconds)))

    @property
    def too_full(self) -> bool:
        """Whether some second may have more records than the API gives for it."""
        return max(Counter(self.seconds).values(), default=0) >= self.full

    def since(self, asked: Asked) -> float:
        """Read from when the records are asked for, in seconds."""
        param: Any = self.stream.start_param
        text = asked.params[param.name].rpartition(" ")[2]
        if "milliseconds" in param.template:
            return int(text) / 1000 - _START.timestamp()
        return (int(text) if text.isdigit() else parse_timestamp(text).timestamp()) - _START.timestamp()

    def serve(self, asked: Asked) -> Reply:
        since = self.since(asked)
        found = [number for number, second in enumerate(self.seconds) if second >= since]
        size, offset = int(asked.params.get("limit", self.size)), int(asked.params.get("offset", 0))
        if "page" in asked.params:
            offset = (int(asked.params["page"]) - 1) * size
        page = found[offset : offset + size]
        assert isinstance(self.stream.pagination, Export) or offset < self.window, "it is asked for more than it gives"
        records = [made_record(self.stream, n, _START + timedelta(seconds=self.seconds[n])) for n in page]
        link = None
        if isinstance(self.stream.pagination, Export):
            following = (self.seconds[page[-1]] if page else since) + _START.timestamp()
            at_end = len(page) == len(found)
            following += at_end and self.end == "later"
            link = None if at_end and self.end == "null" else f"{BASE_URL}{asked.path}?start_time={int(following)}"
        elif isinstance(self.stream.pagination, BodyLink) and offset + size < len(found):
            link = f"{BASE_URL}{asked.path}?{urlencode({**asked.params, 'offset': offset + size})}"
        return self.reply(records, link)


class _Counted(_Api):
    """Gives so many records from an offset on, and never more than its own most."""

    def __init__(self, declared: type[ApiStream], data: DataObject) -> None:
        super().__init__(declared, declared.pagination, data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4)))
        self.most = data.draw(st.integers(1, 5), label="most")
        self.expected = list(range(data.draw(st.integers(0, 20), label="records")))
        self.beside = data.draw(_BESIDE, label="beside")

    def serve(self, asked: Asked) -> Reply:
        offset, size = int(asked.params["offset"]), min(self.most, int(asked.params["limit"]))
        page = self.expected[offset : offset + size]
        return self.reply([made_record(self.stream, number) for number in page], beside=self.beside)


def _honest(declared: type[ApiStream], data: DataObject) -> _Linked | _Timed | _Counted:
    if isinstance(declared.pagination, Offset):
        return _Counted(declared, data)
    return (_Timed if declared.is_sorted else _Linked)(declared, data)


@holds_for(_LISTS, st.data(), ordinary=400, nightly=20_000)
def test_every_record_is_given_once_in_order_whatever_the_sizes_of_the_pages(
    declared: type[ApiStream], data: DataObject
) -> None:
    """Short and empty pages in the middle, a last one that is full, and totals beside the records that lie."""
    api = _honest(declared, data)
    got, error = api.read()
    if isinstance(api, _Timed) and api.too_full:
        assert got == api.expected[: len(got)]
        assert got == api.expected or "cannot get past" in str(error), error
    else:
        assert (got, error) == (api.expected, None)


# One that does not


class _Hostile(_Api):
    """Gives any pages in the order in which it is asked, with any links, and then the last one again and again."""

    def __init__(self, declared: type[ApiStream], data: DataObject) -> None:
        made: Pagination = declared.pagination
        if isinstance(made, PageNumber):
            made = replace(made, window=4)
        elif isinstance(made, BodyLink) and made.window:
            made = replace(made, window=12)
        elif isinstance(made, Export):
            made = replace(made, full_page=3)
        super().__init__(declared, made, 3, 1)
        version = st.tuples(st.integers(0, 6), st.none() | st.integers(0, 5))
        pages = st.lists(st.tuples(st.lists(version, max_size=4), st.integers(0, 99)), min_size=1, max_size=8)
        self.pages = data.draw(pages, label="pages")
        if data.draw(st.booleans(), label="sorted"):
            self.pages = [(sorted(page, key=lambda each: (each[1] or 0, each[0])), link) for page, link in self.pages]
        self.ends = data.draw(st.booleans(), label="ends")
        self.served: list[int] = []
        self.first = ""

    def serve(self, asked: Asked) -> Reply:
        self.first = self.first or asked.url
        place = self.asked - 1
        if place >= len(self.pages) and self.ends:
            return self.reply([])
        page, link = self.pages[min(place, len(self.pages) - 1)]
        self.served += [number for number, _ in page]
        instants = [None if second is None else _START + timedelta(seconds=second) for _, second in page]
        records = [made_record(self.stream, n, at) for (n, _), at in zip(page, instants, strict=True)]
        return self.reply(records, self._link(link, place, asked))

    def _link(self, choice: int, place: int, asked: Asked) -> Any:
        path = f"{BASE_URL}{asked.path}"
        links: list[Any] = [
            *(None, "", asked.url, self.first, "https://elsewhere.example.com/", "http://[broken", "?", "/", "..", "#"),
            *(f"{path}?start_time={second}" for second in ("9" * 30, "9" * 5000, "-5", "x", "0", "1704067203", "")),
            *(f"{path}?page=%00", f"{path}?x=\ud800", "//", "http://127.0.0.1:9@elsewhere.example.com/", "\\\\x"),
            *(5, True, {}, [], ["x"]),
        ]
        last = min(place, len(self.pages) - 1)  # or else the list would have no end indeed
        new = f"{path}?cursor={last}&start_time={1704067200 + last}"
        found = links[choice] if choice < len(links) else new
        if isinstance(self.stream.pagination, HeaderLink) and isinstance(found, str):
            return found.encode("utf-8", "replace").decode("latin-1")
        return found


@holds_for(_LISTS, st.data(), ordinary=600, nightly=30_000)
def test_whatever_an_api_does_the_list_ends_and_nothing_is_made_up(declared: type[ApiStream], data: DataObject) -> None:
    """Pages that come again, links to themselves, to earlier pages, to elsewhere or to nowhere."""
    api = _Hostile(declared, data)
    got, error = api.read()
    assert error is None or len(error.splitlines()) == 1
    assert not Counter(got) - Counter(api.served), "a record was given more often than it came"
    assert error is None or error.startswith(("GET /", "record "))
    if isinstance(declared.pagination, HeaderLink | BodyLink) and not declared.is_sorted:
        assert got == api.served, "what came before an end of any kind is used"
    elif isinstance(declared.pagination, Export):
        assert set(got) == set(api.served)
