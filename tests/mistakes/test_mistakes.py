"""docs/troubleshooting.md has what a tap says of each mistake, word for word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from mistakes import KEY, MISTAKES, Lab

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support import Output
    from taps.sandbox.server import Sandbox

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
TOLD = {
    found["heading"]: found["block"].splitlines()
    for found in re.finditer(
        r"^### (?P<heading>[^\n]+)\n\n```text\n(?P<block>.+?)\n```$", PAGE, re.DOTALL | re.MULTILINE
    )
}
"""By the heading: the lines of the log, and last the exit code; `…` is for what differs from case to case."""

_LOGGED = re.compile(r"^[-\d]+ [:,\d]+ \| (?P<level>WARNING|ERROR|CRITICAL) +\| \S+ +\| (?P<text>.*)$")
_RETRY = re.compile(r"; try \d+ of \d+ in [\d.]+ s$")
_TRIES = re.compile(r"\.? \(\d+ tries\)")
_LOCAL = re.compile(r"(https?)://127\.0\.0\.1:\d+")


@pytest.fixture
def lab(shared_sandbox: Sandbox, tmp_path: Path) -> Lab:
    return Lab(shared_sandbox, tmp_path)


def said(output: Output, stands_for: dict[str, str]) -> list[str]:
    """What a user reads, but for what is said of a try that is not the last."""
    lines = []
    for line in output.log.splitlines():
        if found := _LOGGED.match(line):
            if not _RETRY.search(found["text"]):
                lines.append(f"{found['level']} {_TRIES.sub('', found['text'])}")
        elif line.startswith("Error: "):
            lines.append(line)
    text = "\n".join([*lines, f"exit code {output.exit_code}"])
    for address, name in stands_for.items():
        text = text.replace(address, name)
    return _LOCAL.sub(r"\1://acme.example.com", text).splitlines()


def test_the_page_tells_of_the_mistakes_that_are_tried_and_of_no_others() -> None:
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert headings == list(TOLD)
    assert sorted(headings) == sorted(MISTAKES)
    assert len(headings) >= 20


def test_by_the_page_the_exit_code_is_0_only_where_nothing_failed() -> None:
    for heading, (*lines, code) in TOLD.items():
        failed = any(line.startswith(("ERROR", "Error")) for line in lines)
        assert (code == "exit code 0") is not failed, heading


@pytest.mark.parametrize("heading", MISTAKES)
def test_a_mistake_is_told_as_the_page_has_it(lab: Lab, heading: str) -> None:
    try:
        output = MISTAKES[heading](lab)
    finally:
        lab.sandbox.set_faults([])
    lines = said(output, lab.stands_for)
    expected = TOLD[heading]
    assert len(lines) == len(expected), output.log
    for line, words in zip(lines, expected, strict=True):
        assert re.fullmatch(re.escape(words).replace("…", ".+"), line), f"{line}\nis not\n{words}"
    assert "Traceback" not in output.log
    for secret in (KEY, "the-proxy-password", lab.sandbox.api_key):
        assert secret not in output.log
