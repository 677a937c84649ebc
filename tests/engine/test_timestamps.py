import contextlib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taps.engine.timestamps import format_timestamp, parse_timestamp

INSTANTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis wants its bounds naive
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
        lambda delta: timezone(timedelta(minutes=delta // timedelta(minutes=1)))
    ),
)


@given(INSTANTS)
def test_every_instant_survives_writing_and_reading(instant: datetime) -> None:
    assert parse_timestamp(format_timestamp(instant)) == instant
    assert parse_timestamp(instant.isoformat()) == instant


@given(INSTANTS, st.integers(1, 9))
def test_one_to_nine_digits_of_a_second_are_read(instant: datetime, digits: int) -> None:
    text = f"{instant.astimezone(timezone.utc).isoformat()[:19]}.{'7' * digits}Z"
    assert parse_timestamp(text).microsecond == int("777777"[:digits].ljust(6, "0"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", "2024-01-31T00:00:00Z"),
        ("2024-01-31T08:00:00", "2024-01-31T08:00:00Z"),
        ("2024-01-31 08:00:00+0200", "2024-01-31T06:00:00Z"),
        ("2024-01-31T08:00:00.120+05:30", "2024-01-31T02:30:00.120Z"),
        ("2024-01-31T08:00:00.123456789Z", "2024-01-31T08:00:00.123456Z"),
        ("0001-01-02T00:00:00Z", "0001-01-02T00:00:00Z"),
    ],
)
def test_the_forms_of_the_apis_are_normalised_to_utc(text: str, expected: str) -> None:
    assert format_timestamp(parse_timestamp(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30T00:00:00Z",
        "2024-01-31T25:00:00Z",
        "20240131",
        "0001-01-01T00:00:00+14:00",
        "\u0662\u0660\u0662\u0664-01-31",
    ],
)
def test_what_is_no_timestamp_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is no timestamp"):
        parse_timestamp(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_timestamp(text).tzinfo is timezone.utc
