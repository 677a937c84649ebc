"""`Retry-After` and timestamps: whatever is written there, no crash, no wait that makes no sense, and instants right."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from repeated import holds_for
from wire import Reply, wired

from taps.engine.client import Request
from taps.engine.errors import StatusError
from taps.engine.pacing import http_date, retry_after_seconds
from taps.engine.timestamps import format_timestamp, parse_timestamp, parse_timestamps
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from collections.abc import Callable

_NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
_UTC = st.just(timezone.utc)

# Retry-After

_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _imf(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _rfc850(moment: datetime) -> str:
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02d}-{month}-{moment.year % 100:02d} {moment:%H:%M:%S} GMT"


def _asctime(moment: datetime) -> str:
    day, month = _DAYS[moment.weekday()][:3], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment.day:2d} {moment:%H:%M:%S} {moment.year:04d}"


_FORMS: list[Callable[[datetime], str]] = [_imf, _rfc850, _asctime]
_SPACES = st.text(" \t", max_size=3)


@holds_for(st.sampled_from(_FORMS), st.integers(-86_400 * 365, 86_400 * 365), _SPACES, _SPACES)
def test_a_date_in_each_of_the_three_forms_is_a_wait_from_the_servers_clock(
    form: Callable[[datetime], str], seconds: int, before: str, behind: str
) -> None:
    """RFC 9110, 5.6.7: the preferred form, that of RFC 850 and that of asctime."""
    text = f"{before}{form(_NOW + timedelta(seconds=seconds))}{behind}"
    assert retry_after_seconds({"Retry-After": text, "Date": _imf(_NOW)}) == max(0, seconds)
    assert retry_after_seconds({"Retry-After": text}, now=_NOW) == max(0, seconds)


@holds_for(st.integers(0, 10**9 - 1), _SPACES, _SPACES, st.sampled_from(["", ".", ".0", ".5"]))
def test_seconds_are_a_wait(seconds: int, before: str, behind: str, fraction: str) -> None:
    assert retry_after_seconds({"Retry-After": f"{before}{seconds}{fraction}{behind}"}) == float(f"{seconds}{fraction}")


_DATE_PIECES = st.sampled_from(
    [
        *_DAYS,
        *(day[:3] for day in _DAYS),
        *_MONTHS,
        *(",", ", ", " ", "-", ":", "GMT", "UTC", "+0000", "-9999", "+2460", "0", "00", "01", "31", "32", "59", "60"),
        *("61", "94", "1994", "9999", "10000", "99999999999999999999", "12:00:00"),
    ]
)
_ANYTHING = (
    st.text()
    | st.integers().map(str)
    | st.floats().map(str)
    | st.text("0123456789.,-+eE", max_size=12)
    | st.sampled_from([17, 18, 19, 309, 4301]).map(lambda count: "9" * count)
    | st.lists(_DATE_PIECES, max_size=12).map("".join)
    | st.datetimes(timezones=_UTC).flatmap(lambda moment: st.sampled_from([form(moment) for form in _FORMS]))
    | st.datetimes(timezones=_UTC).map(datetime.isoformat)
)


@holds_for(_ANYTHING, _ANYTHING, ordinary=600)
def test_whatever_it_holds_it_is_a_wait_that_makes_sense_or_none(text: str, date: str) -> None:
    wait = retry_after_seconds({"Retry-After": text, "Date": date})
    assert wait is None or (wait >= 0 and math.isfinite(wait))
    if re.fullmatch(r"\s*-.*", text) or not re.search(r"\d", text, re.ASCII):
        assert not wait, "nothing that is negative or has no number is a wait"


@holds_for(_ANYTHING, ordinary=600)
def test_http_dates_are_as_the_standard_library_reads_them_or_none(text: str) -> None:
    moment = http_date(text)
    try:
        expected: datetime | None = parsedate_to_datetime(text)
    except Exception:  # noqa: BLE001 - which ones it raises is what this test is there for
        expected = None
    assert (moment is None) is (expected is None)
    if moment is not None and expected is not None:
        assert moment == (expected if expected.tzinfo else expected.replace(tzinfo=timezone.utc))


@holds_for(_ANYTHING.filter(lambda text: text.isprintable() and text.isascii()), ordinary=300)
def test_the_client_never_waits_longer_than_an_hour_for_it(text: str) -> None:
    tap = wired(TapHelpdesk, lambda _: Reply(b"", {"Retry-After": text, "Date": _imf(_NOW)}, status=429))
    pauses: list[float] = []
    budget: Any = tap.http._budget
    budget.pause = pauses.append
    with pytest.raises(StatusError) as refused:
        tap.http.get(Request("/v1/agents"), len)
    error = refused.value
    too_long = error.retry_after is not None and error.retry_after > 3600
    assert error.retriable is not too_long, "it is tried again, unless that would take too long"
    assert pauses == ([] if too_long or error.retry_after is None else [error.retry_after])
    assert len(str(error).splitlines()) == 1
    assert not re.search(r"\b(inf|nan)\b", str(error))


# Timestamps

_FRACTIONS = st.text("0123456789", max_size=9)
_OFFSETS = st.sampled_from(["Z", "z", "", "+00:00", "-00:00", "+0530", "+05:30", "-12:00", "+14:00", " Z", " +02:00"])
_MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001


@holds_for(_MOMENTS, st.sampled_from("Tt "), st.sampled_from(".,"), _FRACTIONS, _OFFSETS, ordinary=500)
def test_every_form_of_a_timestamp_is_the_instant_that_it_says(
    moment: datetime, between: str, point: str, fraction: str, offset: str
) -> None:
    whole = moment.replace(microsecond=0)
    text = f"{whole.isoformat().replace('T', between)}{point if fraction else ''}{fraction}{offset}"
    sign = -1 if "-" in offset else 1
    digits = re.sub(r"\D", "", offset).ljust(4, "0")
    behind_utc = sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    micro = timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
    expected = whole.replace(tzinfo=timezone.utc) - behind_utc + micro
    assert parse_timestamp(text) == expected
    assert parse_timestamps([text, None, text]) == [expected, None, expected]
    assert parse_timestamp(format_timestamp(expected)) == expected
    plain = f"{whole.isoformat()}.{fraction[:6].ljust(6, '0')}{offset.strip().upper().replace('Z', '+00:00')}"
    if not offset or ":" in offset:
        read = datetime.fromisoformat(plain)
        assert parse_timestamp(text) == (read if read.tzinfo else read.replace(tzinfo=timezone.utc))


_NEARLY = st.from_regex(
    r"[0-9]{3,5}-[0-9]{2}-[0-9]{2}([Tt _][0-9]{2}:[0-9]{2}(:[0-9]{2})?([.,][0-9]{0,11})?)?( ?[Zz]|[+-][0-9]{2}:?[0-9]{2})?",
    fullmatch=True,
)
_EDGES = st.sampled_from(
    [
        *("2016-12-31T23:59:60Z", "2016-12-31T24:00:00Z", "0000-01-01T00:00:00Z", "2023-02-29", "2024-02-29"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999999Z"),
        *("2024-01-31T08:00:00+24:00", "2024-01-31T08:00:00+23:59", "2024-01-31T08:00:00-99:99", "2024-W05-3"),
        *("1706688000", "1706688000.5", "Sun, 06 Nov 1994 08:49:37 GMT", "now", "T", "-", "\u0662024-01-31"),
        *("2024-01-31T08:00:00Z\n", "\x002024-01-31", "2024-01-31T08:00:00\u2212", "+2024-01-31T08:00:00Z", "2024-031"),
    ]
)
_TEXTS = st.text() | _NEARLY | _EDGES | st.datetimes(timezones=st.timezones() | _UTC).map(datetime.isoformat)


def _read(text: str) -> datetime | None:
    message = ""
    try:
        return parse_timestamp(text)
    except ValueError as error:
        message = str(error)
    assert len(message.splitlines()) == 1
    assert repr(text) in message
    return None


@holds_for(st.lists(st.none() | _TEXTS, max_size=4), ordinary=1_000)
def test_a_page_of_timestamps_is_read_as_each_by_itself_or_refused(texts: list[str | None]) -> None:
    expected = [None if text is None else _read(text) for text in texts]
    refused = any(text is not None and instant is None for text, instant in zip(texts, expected, strict=True))
    try:
        instants = parse_timestamps(texts)
    except ValueError:
        assert refused
        return
    assert not refused
    assert instants == expected
    assert all(instant is None or instant.tzinfo is timezone.utc for instant in instants)


@holds_for(_TEXTS, ordinary=500)
def test_any_text_is_the_instant_that_another_reader_sees_or_refused(text: str) -> None:
    instant = _read(text)
    if instant is None:
        return
    assert instant.tzinfo is timezone.utc
    form = re.fullmatch(r"(.{10})(?:.(.{8})(?:[.,](\d+))?\s?(.*))?", text.strip())
    assert form is not None
    date, time, fraction, offset = form.groups()
    offset = {"": "+00:00", "Z": "+00:00"}.get((offset or "").upper(), offset)
    offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    assert instant == datetime.fromisoformat(
        f"{date}T{time or '00:00:00'}.{(fraction or '0')[:6].ljust(6, '0')}{offset}"
    )
