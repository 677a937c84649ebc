"""What keeps the project in order runs what there is: workflows, hooks, links, and the check before a release."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from support import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / ".github").glob("*.md"), ROOT / "benchmarks" / "README.md"])
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def commands_of(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_there_is(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}, "a job that needs more says so itself"
    named = [name for run in commands_of(workflow) for name in re.findall(r"(?:\./)?(scripts/[a-z_.]+)", run)]
    assert named
    assert all((ROOT / name).exists() for name in named)
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values() if "run" in str(job["steps"]))


def test_the_tests_run_on_each_python_that_is_supported() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    versions = workflow["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert versions == re.findall(r"Programming Language :: Python :: (3\.[0-9]+)", PROJECT)
    assert "./scripts/test" in commands_of(workflow)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_something(path: Any) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem != "config":
        assert form["name"]
        assert form["description"]
        assert any(part.get("validations", {}).get("required") for part in form["body"])


def test_hooks_run_the_tools_of_the_environment() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "mypy", "metadata"]
    for hook in hooks:
        command, *arguments = hook["entry"].split()
        assert command.startswith(".venv/bin/")
        told = subprocess.run([ROOT / command, "--version"], capture_output=True, check=False)
        assert told.returncode == 0
        assert all((ROOT / argument).exists() for argument in arguments if argument.endswith(".py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Any) -> None:
    """Those of `docs` are checked when the site is built."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)", text):
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            assert anchor[1:] in slugs, f"{target}{anchor}"


@pytest.mark.parametrize(
    ("tag", "changelog", "says"),
    [
        ("v1.2.0", "## 1.2.0 - 2026-01-31", ""),
        ("v1.2.0", "## [1.2.0] - 2026-01-31", ""),
        ("v1.3.0", "## 1.2.0", "The tag is v1.3.0, but pyproject.toml has the version 1.2.0; it must be v1.2.0"),
        ("v1.2.0", "## 1.2.0rc1", "CHANGELOG.md has no heading '## 1.2.0'"),
        ("v1.2.0", "## Unreleased", "CHANGELOG.md has no heading '## 1.2.0'"),
    ],
)
def test_a_release_is_what_its_tag_says(tag: str, changelog: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    check_release = __import__("check_release")
    wrong = check_release.problems(tag, '[project]\nversion = "1.2.0"\n', f"# Changelog\n\n{changelog}\n")
    assert says in json.dumps(wrong) if says else not wrong


def test_no_file_names_a_registry() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    registries = re.compile(r"(files\.pythonhosted|//pypi|registry\.npmjs)\.(org|com)?")
    texts = [ROOT / name for name in tracked if name.endswith((".txt", ".toml", ".yml", ".yaml", ".json", ".cfg"))]
    assert not [str(path) for path in texts if registries.search(path.read_text(encoding="utf-8"))]
