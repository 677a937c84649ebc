"""Whole pages go through a seam as their records would one by one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from taps.engine.page import Content, Page
from taps.engine.seam import Seam

_START = datetime(2024, 1, 1, tzinfo=timezone.utc)
versions = st.tuples(
    st.integers(1, 12), st.none() | st.integers(0, 3).map(lambda second: _START + timedelta(0, second))
)


def page_of(found: list[tuple[int, datetime | None]]) -> Page:
    return Page("", {}, Content(found, [(key,) for key, _ in found], [instant for _, instant in found]))


@given(st.lists(st.lists(versions, max_size=8), max_size=6))
def test_each_version_is_let_through_once_and_in_order(pages: list[list[tuple[int, datetime | None]]]) -> None:
    seam = Seam()
    given_before: set[tuple[int, datetime | None]] = set()
    for found in pages:
        expected = []
        for version in found:
            if version not in given_before:
                given_before.add(version)
                expected.append(version)
        assert list(seam.fresh(page_of(found)).records) == expected


def test_what_cannot_come_again_is_forgotten_but_not_what_can() -> None:
    first, later = (1, _START), (2, _START + timedelta(seconds=5))
    seam = Seam()
    assert list(seam.fresh(page_of([first, later])).records) == [first, later]
    page = page_of([later, (3, later[1])])
    again = Page(page.url, page.headers, page.content, later[1])
    assert list(seam.fresh(again).records) == [(3, later[1])]
    assert list(seam.fresh(page_of([first])).records) == [first]
