"""What the properties and the fuzz test have found, each with the least that shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import strategies as st
from made_pages import all_streams
from repeated import holds_for
from test_codec_properties import lines_of
from wire import TAPS, Reply, stream_of, wired

from taps.engine.codec import RecordCodec
from taps.engine.errors import RecordError
from taps.engine.reader import PageReader

if TYPE_CHECKING:
    from wire import Asked

    from taps.engine.stream import ApiStream


def _stream(api: str, name: str) -> ApiStream:
    return next(
        stream for stream in all_streams() if stream.name == name and stream.tap.name == f"tap-{api.replace('_', '-')}"
    )


def _records(reader: PageReader, stream: ApiStream, *records: str) -> list[dict[str, Any]]:
    return lines_of(stream, reader.rows(f'{{"data":[{",".join(records)}]}}'.encode(), {}))


def test_ids_in_another_type_than_declared_are_converted_in_relationships_too() -> None:
    """As JSON:API has them, where all ids are texts: the second page was a crash."""
    stream = _stream("sales_engagement", "accounts")
    reader = PageReader(stream)
    text = '{"id":"7","attributes":{"name":"A"},"relationships":{"owner":{"data":{"id":"5"}}}}'
    for _ in range(3):
        assert _records(reader, stream, text) == [{"id": 7, "name": "A", "ownerId": 5}]


def test_a_record_without_attributes_does_not_take_those_of_others_away() -> None:
    """From then on whatever did not fit lost all of its attributes, without a word."""
    stream = _stream("sales_engagement", "accounts")
    reader = PageReader(stream)
    bare, other = '{"id":1,"attributes":null}', '{"id":2,"attributes":{"name":"A"}}'
    for _ in range(3):
        assert _records(reader, stream, bare, other) == [{"id": 1}, {"id": 2, "name": "A"}]


@pytest.mark.parametrize("text", ['"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"'])
def test_an_instant_that_no_calendar_has_is_refused(text: str) -> None:
    stream = _stream("helpdesk", "contacts")
    with pytest.raises(RecordError, match=r"record id=1: field 'updated_at': '.*' is no timestamp"):
        _records(PageReader(stream), stream, f'{{"id":1,"updated_at":{text}}}')


@pytest.mark.parametrize("text", ['"1e9999999999999999999"', '"1E-9999999999999999999"', f'"{"9" * 5000}"'])
def test_a_number_in_a_text_that_no_decimal_can_be_is_refused(text: str) -> None:
    codec = RecordCodec("x", {"properties": {"id": {"type": "integer"}, "n": {"type": ["number", "null"]}}}, ["id"])
    with pytest.raises(RecordError, match="field 'n' is declared number or null, but is a string"):
        codec.convert({"id": 1, "n": json.loads(text)})


@pytest.mark.parametrize("text", ["1e9999999999999999999", "9" * 4301, "[" * 2000 + "]" * 2000])
def test_what_no_target_can_read_is_refused(text: str) -> None:
    stream = _stream("helpdesk", "tickets")
    for _ in range(2):
        with pytest.raises(ValueError, match="it is no JSON"):
            _records(PageReader(stream), stream, f'{{"id":1,"custom_fields":{{"a":{text}}}}}')


@holds_for(
    st.text(st.characters(), min_size=1) | st.sampled_from([".", "..", "...", "a/../b", "?", "#", "%2F", "\ud800"])
)
def test_a_parents_key_stays_one_segment_of_the_path(key: str) -> None:
    url = _stream("oncall", "user_teams").query({"user_id": key}).request.url
    path = urlsplit(urljoin("http://127.0.0.1:9/", url)).path
    start, end = "/v2/users/", "/teams"
    assert path.startswith(start)
    assert path.endswith(end)
    assert "/" not in path[len(start) : -len(end)]
    assert unquote(path[len(start) : -len(end)], errors="surrogatepass") == key


def test_a_link_that_is_no_text_that_can_be_sent_is_sent_all_the_same() -> None:
    asked: list[str] = []

    def answer(request: Asked) -> Reply:
        asked.append(request.url)
        return Reply(b'{"data":[],"paging":{"next":"\\ud800"}}' if len(asked) == 1 else b'{"data":[]}')

    tap = wired(TAPS["oncall"], answer)
    stream = stream_of(tap, next(stream for stream in tap.stream_types if stream.name == "alert_logs"))
    assert [list(page.records) for page in stream.pages({"alert_id": "a"})] == [[], []]
    assert asked[1].endswith("offset=%ED%A0%80")
