"""The site of the documentation, built: it asks nobody else for anything, and reads as the pages do on GitHub."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from support import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path


class Loaded(HTMLParser):
    """What a browser fetches by itself to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in {"stylesheet", "icon", "preconnect", "preload"}:
            return
        if tag in {"script", "img", "iframe", "link", "source", "video"}:
            self.addresses += [address for name in ("src", "href") if (address := given.get(name))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [command("mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(build, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def text_of(site: Path, page: str) -> str:
    return (site / page / "index.html").read_text(encoding="utf-8")


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.addresses, page
        assert [a for a in loaded.addresses if re.match(r"(?:https?:)?//", a)] == [], page
        for address in loaded.addresses:
            if page.name == "index.html" and not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0]).resolve().is_file(), f"{page}: {address}"


def test_mermaid_comes_along_where_there_is_a_diagram_and_nowhere_else(site: Path) -> None:
    assert "mermaid.min.js" in text_of(site, "how-it-works")
    assert "mermaid.min.js" in text_of(site, "reference/streams-oncall")
    assert "mermaid.min.js" not in text_of(site, "tap-oncall")


def test_a_link_out_of_docs_leads_to_a_page_of_the_site(site: Path) -> None:
    assert 'href="../source/taps/engine/declaration.py/"' in text_of(site, "add-a-stream")
    assert "class" in text_of(site, "source/taps/engine/declaration.py")
    assert 'href="../#with-any-singer-target"' in text_of(site, "freshdesk"), "the README is the first page"
    assert 'href="tap-helpdesk/"' in (site / "index.html").read_text(encoding="utf-8")


def test_the_steps_of_a_list_are_one_list_though_code_stands_between_them(site: Path) -> None:
    [steps] = re.findall(r"<ol>(.*?)</ol>", text_of(site, "freshdesk"), re.DOTALL)
    assert len(re.findall(r"<li>", steps)) == 6
    assert steps.count('<div class="highlight">') == 6
