"""What `docs/start.md` and the pages in `docs/how-to` say to run is run against a sandbox; what they say comes, comes.

A block of bash or Python is run in the folder that the ones before it have left. A block of text after it is what it
prints, with `…` for what differs; the other lines that it prints are not looked at. A block of YAML belongs below the extractors of
`meltano.yml`, that of the repository, with a tap and targets that are installed. Blocks of sh and py, which look the same, are
not run: they install something, or need an account.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from page_blocks import Block, blocks_of, check_printed

from support import ROOT, SCRIPTS
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UV = ROOT / ".venv-meltano" / "bin" / "uv"
DOCS = ROOT / "docs"
PAGES = ["start.md", *sorted(f"how-to/{page.name}" for page in DOCS.glob("how-to/*.md"))]
RUN = {"bash": ["bash", "-e"], "python": [sys.executable]}
SERVED_AT = "http://127.0.0.1:8080"  # as the pages have it
TARGETS = {"target-jsonl": ["target-jsonl==0.1.4"], "target-duckdb": ["target-duckdb==0.8.0", "duckdb==1.1.3"]}


@pytest.fixture(scope="module")
def helpdesk() -> Iterator[Sandbox]:
    with Sandbox("helpdesk", size=60, seed=5) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Install the targets, each apart, as the pages ask for."""
    folders = []
    for name, requirements in TARGETS.items():
        folder = tmp_path_factory.mktemp(name)
        for command in (["venv", folder], ["pip", "install", f"--python={folder}/bin/python", *requirements]):
            subprocess.run([UV, "--quiet", *command], check=True, capture_output=True)
        folders.append(folder / "bin")
    return folders


@pytest.fixture
def environment(helpdesk: Sandbox, targets: list[Path], tmp_path: Path) -> dict[str, str]:
    """What a reader's shell has: tap, targets and Meltano in PATH, and none of this machine's settings."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in TARGETS:
        folder = next(folder for folder in targets if (folder / name).exists())
        (bin_folder / name).symlink_to(folder / name)
    (bin_folder / "meltano").symlink_to(ROOT / ".venv-meltano" / "bin" / "meltano")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}
    return env | {
        "PATH": f"{SCRIPTS}{os.pathsep}{bin_folder}{os.pathsep}{env['PATH']}",
        "MELTANO_HUB_API_ROOT": "http://127.0.0.1:9/no-plugin-hub-is-asked",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
    }


def project(sandbox: Sandbox) -> dict[str, Any]:
    """The repository's Meltano project, whose plugins are those in PATH and whose environment `dev` is the sandbox."""
    made: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    kept = {"extractors": ["tap-helpdesk"], "loaders": list(TARGETS)}
    made["plugins"] = {
        kind: [
            {key: value for key, value in plugin.items() if key != "pip_url"}
            for plugin in made["plugins"][kind]
            if plugin["name"] in names
        ]
        for kind, names in kept.items()
    }
    [dev] = [environment for environment in made["environments"] if environment["name"] == "dev"]
    settings = {"base_url": sandbox.base_url, "api_key": sandbox.api_key}
    dev["config"]["plugins"]["extractors"] = [{"name": "tap-helpdesk", "config": settings}]
    made["environments"] = [dev]
    return {key: value for key, value in made.items() if key not in {"schedules", "jobs"}}


def run(block: Block, sandbox: Sandbox, folder: Path, env: dict[str, str]) -> str:
    text = block.text.replace(SERVED_AT, sandbox.base_url)
    script = folder / f"block.{block.language}"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*RUN[block.language], str(script)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_every_page_has_something_to_run() -> None:
    assert {"how-to/backfill.md", "how-to/many-accounts.md", "how-to/select-fields.md"} <= set(PAGES)
    assert all(blocks_of(DOCS / page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_run_runs(
    page: str, helpdesk: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    (folder / "output" / "sandbox").mkdir(parents=True)
    made = project(helpdesk)
    for block in blocks_of(DOCS / page):
        if block.language == "yaml":
            made["plugins"]["extractors"] += yaml.safe_load(block.text)
            continue
        (folder / "meltano.yml").write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
        printed = run(block, helpdesk, folder, environment)
        check_printed(block, printed)
