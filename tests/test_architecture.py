"""Which package may know which: the engine no API, the sandbox nothing, an API room the engine alone, no code a vendor."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import taps

PACKAGE = Path(taps.__file__).parent
VENDORS = re.compile(r"freshdesk|freshworks|zendesk|\btalk\b|outreach|opsgenie|genie|atlassian|jira|jsm", re.IGNORECASE)
MODULES = sorted(PACKAGE.rglob("*.py"))


def rooms_imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "taps"
                else {node.module or ""}
            )
    return {name.split(".")[1] for name in names if name.startswith("taps.")}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_imports_go_only_where_they_may(module: Path) -> None:
    parts = module.relative_to(PACKAGE).parts
    room = parts[0] if len(parts) > 1 else ""
    own = {
        "bridge": {"engine"},
        "sandbox": set(),
        "engine": set(),
        "": {"engine", "suite"},
        "suite": {"engine", "bridge", "sandbox"},
        "spark": {"engine", "bridge"},
    }
    allowed = own.get(room, {"engine"})
    assert rooms_imported(module) - {room} <= allowed


def test_the_rooms_are_found() -> None:
    assert {module.relative_to(PACKAGE).parts[0] for module in MODULES} >= {"engine", "helpdesk", "sandbox"}


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES if module.name != "providers.py" and "sandbox" not in module.parts],
    ids=lambda module: str(module.relative_to(PACKAGE)),
)
def test_a_vendor_is_named_only_where_its_product_is_declared(module: Path) -> None:
    found = VENDORS.findall(module.read_text(encoding="utf-8"))
    assert not found, "what a product differs in belongs to providers.py"
