"""Check before a release that its tag, the version in pyproject.toml and CHANGELOG.md say the same.

`.venv/bin/python scripts/check_release.py v0.2.0`
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def problems(tag: str, project: str, changelog: str) -> list[str]:
    """List what does not go together.

    Args:
        tag: As it was pushed, for example `v0.2.0`.
        project: The text of `pyproject.toml`.
        changelog: The text of `CHANGELOG.md`.
    """
    found = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    version = found[1] if found else ""
    wrong = []
    if tag != f"v{version}":
        wrong.append(f"The tag is {tag}, but pyproject.toml has the version {version}; it must be v{version}")
    if not re.search(rf"^## \[?{re.escape(version)}\]?(?:\s|$)", changelog, re.MULTILINE):
        wrong.append(f"CHANGELOG.md has no heading '## {version}'; give what is unreleased that name, and the day")
    return wrong


def main() -> None:
    """Check, and end with 1 where something is wrong."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and the tag
        sys.exit("usage: check_release.py TAG, for example v0.2.0")
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "CHANGELOG.md")]
    if wrong := problems(sys.argv[1], *texts):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
