"""What `docs/meltano.md` says to do makes a project from nothing, in one shell, and the project does what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml
from meltano_project import NO_HUB, clean_environment
from page_blocks import Block, blocks_of, check_printed

from support import ROOT
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)  # the fixture follows the whole page, some thirty runs of Meltano

PAGE = ROOT / "docs" / "meltano.md"
SERVED_AT = "http://127.0.0.1:8080"  # as the page has it
STATE_ID = "dev:tap-helpdesk-to-target-duckdb"


class Shell:
    """A reader's shell, which stays in its folder and keeps its variables from block to block."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.kept = folder / "kept.sh"
        self.kept.write_text(f"cd {shlex.quote(str(folder))}\n", encoding="utf-8")
        self.env = env

    def run(self, text: str) -> str:
        keep = f'{{ export -p; echo "cd $(printf %q "$PWD")"; }} > {shlex.quote(str(self.kept))}'
        script = f"set -eo pipefail\nsource {shlex.quote(str(self.kept))}\n{text}\n{keep}\n"
        done = subprocess.run(
            ["bash", "-c", script], env=self.env, capture_output=True, text=True, check=False, timeout=280
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, f"{text}\n{printed[-4000:]}"
        return printed


class Reader:
    """Who follows the page."""

    def __init__(self, shell: Shell, project: Path, sandbox: Sandbox) -> None:
        self.shell, self.project, self.sandbox = shell, project, sandbox
        #: What each block printed, by its first line.
        self.printed: dict[str, str] = {}

    def follow(self, block: Block) -> None:
        if block.language == "yaml":
            self.adds(yaml.safe_load(block.text))
            return
        first = block.text.partition("\n")[0]
        self.printed[first] = self.shell.run(block.text.replace(SERVED_AT, self.sandbox.base_url))
        check_printed(block, self.printed[first])

    def adds(self, given: dict[str, Any]) -> None:
        """Add to the plugins of `meltano.yml` what the page adds to them, by their names."""
        file = self.project / "meltano.yml"
        held = yaml.safe_load(file.read_text(encoding="utf-8"))
        for kind, plugins in given["plugins"].items():
            for plugin in plugins:
                next(one for one in held["plugins"][kind] if one["name"] == plugin["name"]).update(plugin)
        file.write_text(yaml.safe_dump(held, sort_keys=False), encoding="utf-8")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.project / "output" / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Follow the whole page, and see what has come of it."""
    folder = tmp_path_factory.mktemp("reader")
    env = clean_environment()
    paths = [str(ROOT / ".venv" / "bin"), str(ROOT / ".venv-meltano" / "bin"), env["PATH"]]
    env |= {
        "PATH": os.pathsep.join(paths),
        "FRONTLINE_TAPS": str(ROOT),
        "MELTANO_HUB_API_ROOT": NO_HUB,
        "NO_COLOR": "1",
    }
    with Sandbox("helpdesk", size=60, seed=5) as sandbox:
        following = Reader(Shell(folder, env), folder / "support", sandbox)
        for block in blocks_of(PAGE):
            following.follow(block)
        yield following


def test_secrets_are_in_dotenv_alone_and_shown_nowhere(reader: Reader) -> None:
    assert "TAP_HELPDESK_API_KEY='sandbox-key'" in (reader.project / ".env").read_text(encoding="utf-8")
    assert "sandbox-key" not in (reader.project / "meltano.yml").read_text(encoding="utf-8")
    assert not [first for first, printed in reader.printed.items() if "sandbox-key" in printed]


def test_what_is_selected_is_loaded_and_no_more(reader: Reader) -> None:
    tables = {
        name
        for (name,) in reader.rows("select table_name from information_schema.tables where table_schema = 'helpdesk'")
    }
    assert tables == {"tickets", "agents"}
    [(tickets,)] = reader.rows("select count(*) from helpdesk.tickets")
    since = [one for one in reader.sandbox.helpdesk.records("tickets") if one["updated_at"] >= "2024-01-01"]
    assert tickets == len(since) > 0
    columns = {name for (name, *_) in reader.rows("describe helpdesk.tickets")}
    assert "subject" in columns
    assert not {"description", "description_text"} & columns


def test_the_mapper_leaves_no_address_of_a_customer(reader: Reader) -> None:
    addresses = [email for (email,) in reader.rows("select email from helpdesk.tickets where email is not null")]
    assert addresses
    assert not [email for email in addresses if not re.fullmatch("[0-9a-f]{64}", email)]


def test_each_account_has_tables_and_a_state_of_its_own(reader: Reader) -> None:
    [(tickets,)] = reader.rows("select count(*) from helpdesk_emea.tickets")
    assert tickets == reader.rows("select count(*) from helpdesk.tickets")[0][0]
    states = {path.name for path in (reader.project / "state").iterdir()}
    assert len(states) == 3  # the pair, the account, the backfill


def test_a_cleared_state_is_gone_and_a_folder_keeps_the_others(reader: Reader) -> None:
    listed = reader.printed['meltano config set meltano state_backend.uri "file://$PWD/state"']
    assert STATE_ID in listed
    assert "trial" not in listed.partition("warning")[0]
