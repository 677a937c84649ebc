"""What `docs/add-a-tap.md` shows, made in a copy of the tree: a tap that is read from, documented and found."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from support import ROOT, read_messages

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer
    from werkzeug import Request

PAGE = (ROOT / "docs" / "add-a-tap.md").read_text(encoding="utf-8")
COPIED = ("taps", "schemas", "tests", "scripts", "docs", "README.md", "meltano.yml", "pyproject.toml")
KEY = "the-status-page-key"
COMPONENTS = [{"id": f"part-{at}", "name": f"Part {at}", "status": "operational"} for at in range(3)]
INCIDENTS = [
    {"id": at, "title": f"Trouble {at}", "component_id": "part-1", "updated_at": f"2025-02-0{at}T10:00:00Z"}
    for at in range(1, 6)
]


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=200)


def changed(tree: Path) -> None:
    """Make the changes that the page shows."""
    for path, text in re.findall(r"^`((?:taps|schemas)/\S+)`\n\n```\w+\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text(text, encoding="utf-8")
    for path, diff in re.findall(r"^```diff\n--- .*?\n\+\+\+ b/(\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        text = (tree / path).read_text(encoding="utf-8")
        for before, added in re.findall(r"^ (.*\n)\+(.*\n)", diff, re.MULTILINE):
            assert text.count(before) == 1, f"docs/add-a-tap.md no longer fits {path}: {before}"
            text = text.replace(before, before + added)
        (tree / path).write_text(text, encoding="utf-8")
    [extractor] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    meltano = tree / "meltano.yml"
    meltano.write_text(meltano.read_text(encoding="utf-8").replace("\n  loaders:\n", f"\n{extractor}\n  loaders:\n", 1))
    [page] = re.findall(r"^```markdown\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tree / "docs" / "tap-status-page.md").write_text(page, encoding="utf-8")


def installed(tree: Path, folder: Path) -> Path:
    """Make the commands that `pyproject.toml` names, for the tree, as an installation makes them."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    [packages] = folder.glob("lib/python*/site-packages")
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, target in project["scripts"].items():
        module, _, function = target.partition(":")
        script = folder / "bin" / name
        script.write_text(f"#!{python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
        script.chmod(0o755)
    found = packages / f"frontline_taps-{project['version']}.dist-info"
    found.mkdir()
    (found / "METADATA").write_text(f"Metadata-Version: 2.1\nName: frontline-taps\nVersion: {project['version']}\n")
    entries = "\n".join(f"{name} = {value}" for name, value in project["entry-points"]["frontline_taps"].items())
    (found / "entry_points.txt").write_text(f"[frontline_taps]\n{entries}\n")
    (packages / "tree.pth").write_text("".join(f"{path}\n" for path in (tree, *filter(os.path.isdir, sys.path))))
    return folder / "bin"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    changed(folder)
    return folder


@pytest.fixture(scope="module")
def commands(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tree, tmp_path_factory.mktemp("env"))


def pages(request: Request, rows: list[dict[str, Any]]) -> str:
    """Answer as the page says that the API does, two records a page."""
    if request.headers["Authorization"] != f"Bearer {KEY}":
        return '{"message": "no"}'
    since = request.args.get("updated_since", "")
    rows = [row for row in rows if row.get("updated_at", "") >= since]
    first = (int(request.args.get("page", 1)) - 1) * 2
    return json.dumps({"data": rows[first : first + 2]})


@pytest.fixture
def server(httpserver: HTTPServer) -> HTTPServer:
    def answer(request: Request) -> Response:
        if request.path == "/v1/components":
            body = pages(request, COMPONENTS)
        elif request.path == "/v1/incidents":
            body = pages(request, INCIDENTS)
        else:
            incident = int(request.path.split("/")[3])
            body = pages(request, [{"id": incident * 10, "body": "We are looking into it."}])
        return Response(body, content_type="application/json")

    httpserver.expect_request(re.compile("/v1/.*")).respond_with_handler(answer)
    return httpserver


def test_the_tap_reads_the_api_and_goes_on_where_it_stopped(
    tree: Path, commands: Path, server: HTTPServer, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"base_url": server.url_for("").rstrip("/"), "api_key": KEY}))
    done = run(str(commands / "tap-status-page"), "--config", str(config), cwd=tree)
    assert done.returncode == 0, done.stderr
    messages = read_messages(done.stdout)
    read = [(message["stream"], message["record"]) for message in messages if message["type"] == "RECORD"]
    assert [row for stream, row in read if stream == "components"] == COMPONENTS
    assert [row for stream, row in read if stream == "incidents"] == INCIDENTS
    updates = [row for stream, row in read if stream == "incident_updates"]
    assert [(row["incident_id"], row["id"]) for row in updates] == [(at, at * 10) for at in range(1, 6)]

    state = tmp_path / "state.json"
    state.write_text(json.dumps([message["value"] for message in messages if message["type"] == "STATE"][-1]))
    again = run(str(commands / "tap-status-page"), "--config", str(config), "--state", str(state), cwd=tree)
    read_again = [message for message in read_messages(again.stdout) if message["type"] == "RECORD"]
    assert [row["record"]["id"] for row in read_again if row["stream"] == "incidents"] == [5]
    assert KEY not in done.stderr + again.stderr


def test_its_pages_are_generated(tree: Path, commands: Path) -> None:
    generate = (str(commands / "python"), "scripts/generate_metadata.py")
    written = run(*generate, cwd=tree)
    assert written.returncode == 0, written.stderr
    assert run(*generate, "--check", cwd=tree).returncode == 0
    page = (tree / "docs" / "tap-status-page.md").read_text(encoding="utf-8")
    assert "| `incident_updates` | `/v1/incidents/{incident_id}/updates` | `incident_id`, `id` |" in page
    assert "| `api_key` | text | **required** |" in page
    assert "name: api_key" in (tree / "meltano.yml").read_text(encoding="utf-8").split("tap-status-page>")[1]
    assert "[`tap-status-page`](docs/tap-status-page.md)" in (tree / "README.md").read_text(encoding="utf-8")
    reference = (tree / "docs" / "reference" / "streams-status-page.md").read_text(encoding="utf-8")
    assert 'components |o..o{ incidents : "component_id"' in reference
    assert 'incidents ||--o{ incident_updates : "incident_id"' in reference


def test_the_bridge_finds_it_by_its_name(tree: Path, commands: Path) -> None:
    made = "singer_source('tap-status-page', {'base_url': 'https://status.example.com', 'api_key': 'a-key'})"
    ask = f"from taps.bridge import singer_source; print(*{made}.resources)"
    asked = run(str(commands / "python"), "-c", ask, cwd=tree)
    assert sorted(asked.stdout.split()) == ["components", "incident_updates", "incidents"], asked.stderr
