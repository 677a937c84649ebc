"""Hooks of `mkdocs build`: the pages of `docs` link as on GitHub, and a built page asks nobody else for anything.

A file outside of `docs` that a page links to becomes a page of the site: Markdown as it is, anything else as a block of
code. So each link holds both where the repository is read and where the site is, and a link to a file that is not
there fails the build with `--strict`. The README is the site's first page.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

#: Pages of the site that are files outside of `docs`, where their address is not the one that `address_of` makes.
ADDRESSES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "LICENSE": "license.md",
    "benchmarks/README.md": "benchmarks/how.md",
    "benchmarks/results/results.md": "benchmarks/results.md",
}

#: Mermaid as npm has it, in a package that pip can install.
MERMAID = ("mermaidx", "assets/mermaid.js")
MERMAID_SHA256 = "74d7c46dabca328c2294733910a8aa1ed0c37451776e8d5295da38a2b758fb9b"  # dist/mermaid.min.js of 11.16.0
MERMAID_ADDRESS = "assets/javascripts/mermaid.min.js"

_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?![a-z]+:|#|/)(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
_ITEM = re.compile(r"(?:\d\.|[-*]) ")
_INDENT = 4
_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_LANGUAGES = {".py": "python", ".yml": "yaml", ".yaml": "yaml", ".toml": "toml", ".json": "json", "": "text"}


def address_of(path: Path) -> str | None:
    """Name the page of the site that a file is, relative to the site's root; of a folder there is none."""
    if path.is_dir():
        return None
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    name = path.relative_to(ROOT).as_posix()
    return ADDRESSES.get(name) or f"source/{name}" + ("" if path.suffix == ".md" else ".md")


def targets(text: str) -> Iterator[str]:
    """List the relative links of a text in Markdown, without those in its code blocks."""
    for part in _FENCE.split(text):
        if not part.lstrip().startswith("```"):
            yield from (found["target"] for found in _LINK.finditer(part))


def relinked(text: str, path: Path, address: str) -> str:
    """Have a text link to pages of the site.

    Args:
        text: In Markdown, with links as they hold in the repository.
        path: The file that has it.
        address: What it is in the site.
    """

    def there(found: re.Match[str]) -> str:
        target = (path.parent / found["target"]).resolve()
        if not target.exists() or not target.is_relative_to(ROOT):
            return found[0]  # the build complains of it
        uri = address_of(target)
        if uri is None:
            return found["text"]
        up = "../" * (len(PurePosixPath(address).parts) - 1)
        return f"[{found['text']}]({up}{uri}{found['anchor'] or ''})"

    parts = _FENCE.split(text)
    return "".join(part if part.lstrip().startswith("```") else _LINK.sub(there, part) for part in parts)


def widened(text: str) -> str:
    """Indent what belongs to an item of a list by four spaces, as Python-Markdown wants it where GitHub takes less."""
    lines = []
    added, fenced = 0, False
    for line in text.splitlines():
        item = _ITEM.match(line)
        if line.startswith("```"):
            added, fenced = 0, not fenced
        elif item and not fenced:
            added = _INDENT - len(item[0])
        elif line and not line.startswith(" "):
            added = 0
        lines.append(" " * added + line if line.startswith(" ") else line)
    return "\n".join(lines)


def as_page(path: Path) -> str:
    """Write a file that is no Markdown as a page."""
    text = path.read_text(encoding="utf-8")
    fence = "`" * 5
    language = _LANGUAGES.get(path.suffix, "text")
    title = path.relative_to(ROOT).as_posix()
    return f"---\nsearch:\n  exclude: true\n---\n\n# {title}\n\n{fence}{language}\n{text}\n{fence}\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside of `docs` that pages link to, and Mermaid."""
    waiting = [ROOT / name for name in ADDRESSES if (ROOT / name).exists()]
    waiting += [Path(str(file.abs_src_path)) for file in files.documentation_pages()]
    seen = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        uri = address_of(path)
        if uri is None:
            continue
        if not path.is_relative_to(DOCS):
            if path.suffix == ".md":
                files.append(File.generated(config, uri, abs_src_path=str(path)))
            else:
                files.append(File.generated(config, uri, content=as_page(path)))
        if path.suffix == ".md":
            linked = ((path.parent / target).resolve() for target in targets(path.read_text(encoding="utf-8")))
            waiting += [target for target in linked if target.exists() and not target.is_relative_to(DOCS)]
    files.append(File.generated(config, MERMAID_ADDRESS, content=mermaid()))
    return files


def mermaid() -> bytes:
    """Get what draws the diagrams.

    Raises:
        PluginError: It is not what Mermaid has released.
    """
    package, name = MERMAID
    content = resources(package).joinpath(name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != MERMAID_SHA256:
        raise PluginError(
            f"{name} of {package} has the SHA-256 {digest}; compare it with dist/mermaid.min.js of the npm package "
            f"mermaid, and if it is one of its releases, put it into {Path(__file__).name}"
        )
    return content


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Turn the links of a page into those of the site."""
    source = page.file.abs_src_path
    return relinked(widened(markdown), Path(source), page.file.src_uri) if source else markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Take the colons away by which docstrings announce a block of code."""
    return html.replace("<p>::</p>", "").replace("::</p>", ":</p>")


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Load Mermaid from the site where a page has diagrams; without it, the theme takes it from elsewhere."""
    if '<pre class="mermaid">' not in output:
        return output
    up = "../" * page.url.count("/")
    return output.replace("</head>", f'<script src="{up}{MERMAID_ADDRESS}"></script></head>', 1)
