"""The page about the command, whose output is what the command writes."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from suite_command import taps

from support import ROOT, config_for
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "taps-command.md"
EXAMPLE = re.compile(r"^<!-- run -->\n```console\n\$ (taps .+)\n((?:.*\n)*?)```$", re.MULTILINE)
ADDRESS = "http://127.0.0.1:8080/api/v2"


@pytest.fixture(scope="module")
def freshdesk() -> Iterator[Sandbox]:
    with Sandbox("helpdesk", provider="freshdesk", tickets=340, seed=5) as sandbox:
        held = sandbox.helpdesk.records("companies")
        sandbox.helpdesk.put("companies", [{**company, "csat_score": 4.5, "region": "EU"} for company in held])
        sandbox.set_faults(["403:path=/api/v2/*skills"])
        yield sandbox


def output_of(line: str, sandbox: Sandbox, files: Path) -> str:
    arguments = shlex.split(line)[1:]
    config = None
    if "--config" in arguments:
        at = arguments.index("--config")
        del arguments[at : at + 2]
        config = config_for(sandbox, plan="growth")
    ran = taps(*arguments, config=config, files=files, columns=120)
    return (ran.out + ran.err).replace(sandbox.base_url, ADDRESS)


def examples() -> list[tuple[str, str]]:
    return EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", examples(), ids=lambda example: example[0])
def test_the_output_in_the_docs_is_a_real_one(example: tuple[str, str], freshdesk: Sandbox, tmp_path: Path) -> None:
    line, shown = example
    assert output_of(line, freshdesk, tmp_path) == shown


def test_the_page_has_examples() -> None:
    assert {line.split()[1] for line, _ in examples()} == {"list", "check", "preview"}
