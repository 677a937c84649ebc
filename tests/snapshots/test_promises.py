"""What others rely on does not change unnoticed; see docs/versioning.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import catalogs
import pytest

from support import ROOT

if TYPE_CHECKING:
    from taps.engine.tap import ApiTap

BEFORE = {
    "stream tickets": "keys id; cursor updated_at",
    "field tickets.id": "integer",
    "field tickets.tags": "array or null",
    "field tickets.due_by": "string or null (date-time)",
    "setting page_size": "integer, by default 100",
    "setting api_key": "string, needed",
}


@pytest.mark.parametrize("tap_class", catalogs.TAP_CLASSES, ids=lambda tap_class: tap_class.name)
def test_streams_fields_and_settings_are_those_that_are_promised(tap_class: type[ApiTap]) -> None:
    found = catalogs.changes(catalogs.kept(tap_class), catalogs.promises_of(tap_class))
    lines = [f"{'BREAKING' if change.breaking else 'compatible'}: {change.text}" for change in found]
    assert not lines, "\n".join(
        [
            f"{tap_class.name} is not as tests/snapshots/{tap_class.name}.txt says:",
            *lines,
            f"If that is meant: {catalogs.UPDATE}, and tell of it in CHANGELOG.md"
            + (
                ", as what docs/versioning.md says of a breaking change"
                if any(change.breaking for change in found)
                else ""
            ),
        ]
    )


@pytest.mark.parametrize(
    ("what", "promise", "breaking"),
    [
        ("stream agents", "keys id", False),
        ("field tickets.priority", "integer or null", False),
        ("setting timeout", "number, by default 5", False),
        ("setting region", "string, needed", True),
        ("stream tickets", None, True),
        ("stream tickets", "keys id, account; cursor updated_at", True),
        ("stream tickets", "keys id", True),
        ("field tickets.id", None, True),
        ("field tickets.id", "integer or null", False),
        ("field tickets.tags", "array", False),
        ("field tickets.id", "string", True),
        ("field tickets.id", "integer or string", True),
        ("field tickets.due_by", "string or null", True),
        ("setting page_size", None, True),
        ("setting page_size", "integer, by default 50", True),
        ("setting api_key", "string", True),
    ],
)
def test_a_change_is_told_as_what_it_is(what: str, promise: str | None, breaking: bool) -> None:  # noqa: FBT001
    after = {**BEFORE, what: promise} if promise else {name: value for name, value in BEFORE.items() if name != what}
    [change] = catalogs.changes(BEFORE, after)
    assert what in change.text
    assert change.breaking is breaking


def test_nothing_is_told_of_what_is_the_same() -> None:
    assert catalogs.changes(BEFORE, dict(BEFORE)) == []


def test_the_page_names_how_a_change_is_taken() -> None:
    assert catalogs.UPDATE in (ROOT / "docs" / "versioning.md").read_text(encoding="utf-8")
