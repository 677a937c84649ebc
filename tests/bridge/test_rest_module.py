"""The module that `taps dlt-config` prints, and the command."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from dlt.sources.rest_api import rest_api_source
from rest_loading import TAPS, by_name, counted, held, keys_of, quiet, recorded, served  # noqa: F401

from support import command
from taps.bridge.rest_config import planned, rest_api_config
from taps.bridge.rest_module import module_of

if TYPE_CHECKING:
    from pathlib import Path


class TestModule:
    @pytest.mark.parametrize("api", TAPS)
    def test_it_is_the_same_configuration_and_needs_nothing_of_ours(
        self, api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = module_of(planned(TAPS[api]))
        assert not re.search(r"^(import|from) (taps|singer)", text, re.MULTILINE)
        (tmp_path / "module.py").write_text(text, encoding="utf-8")
        module = runpy.run_path(str(tmp_path / "module.py"))
        with served(api) as sandbox:
            for name, value in sandbox.config.items():
                monkeypatch.setenv(f"SOURCES__{api}__{name}".upper(), value)
            source = module[api]()
            rest = rest_api_config(TAPS[api], sandbox.config)
            assert list(source.resources) == list(rest_api_source(rest.config).resources)
            came = recorded(source)
            assert list(source)
            for name, stream in by_name(rest).items():
                keys = keys_of(stream)
                rows = [tuple(record[key] for key in keys) for record in came[name]]
                expected = [tuple(record[key] for key in keys) for record in held(sandbox, name)]
                assert counted(rows) == counted(expected), name

    def test_it_runs_as_a_script(self, tmp_path: Path) -> None:
        subprocess.run([command("taps"), "dlt-config", "oncall", "--output", "oncall.py"], cwd=tmp_path, check=True)
        with served("oncall") as sandbox:
            (tmp_path / ".dlt").mkdir()
            settings = "\n".join(f'{name} = "{value}"' for name, value in sandbox.config.items())
            (tmp_path / ".dlt" / "secrets.toml").write_text(f"[sources.oncall]\n{settings}\n")
            environment = {"DLT_DATA_DIR": str(tmp_path), "RUNTIME__DLTHUB_TELEMETRY": "false", "PATH": ""}
            subprocess.run(
                [sys.executable, "oncall.py"], cwd=tmp_path, check=True, env=environment, capture_output=True
            )
            with duckdb.connect(str(tmp_path / "oncall.duckdb"), read_only=True) as database:
                users = database.execute("SELECT count(*) FROM oncall_data.users").fetchall()
            assert users == [(len(held(sandbox, "users")),)]

    def test_the_uncovered_streams_are_named_in_it(self) -> None:
        documentation = module_of(planned("helpdesk")).split('"""')[1]
        assert "\n    conversations: its parent, tickets, is not covered\n" in documentation
        assert "[sources.helpdesk]\n    base_url" in documentation


def taps(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command("taps"), *arguments], capture_output=True, text=True, check=False, **options)


class TestCommand:
    def test_it_prints_the_module(self) -> None:
        printed = taps("dlt-config", "helpdesk")
        assert (printed.returncode, printed.stderr) == (0, "")
        assert printed.stdout == module_of(planned("helpdesk"))

    def test_an_unknown_tap_is_an_error_that_lists_those_that_there_are(self) -> None:
        failed = taps("dlt-config", "helpdsk")
        names = "contact-center, helpdesk, oncall, sales-engagement, voice"
        assert failed.returncode == 2
        assert failed.stderr == f"Error: There is no tap 'helpdsk'; there are {names}\n"

    def test_settings_are_taken_over_but_for_secrets(self, tmp_path: Path) -> None:
        config = {"base_url": "https://acme.example.com", "access_token": "hidden-token", "page_size": 7}
        (tmp_path / "config.json").write_text(json.dumps(config))
        printed = taps("dlt-config", "voice", "--config", "config.json", cwd=tmp_path)
        assert '"base_url": "https://acme.example.com"' in printed.stdout
        assert '"auth": {"type": "bearer", "token": dlt.secrets["sources.voice.access_token"]}' in printed.stdout
        assert '"limit": 7' in printed.stdout
        assert "hidden-token" not in printed.stdout + printed.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["--output", "missing/module.py"],
                "The file missing/module.py cannot be written: No such file or directory",
            ),
            (["--config", "missing.json"], "The config file missing.json cannot be read: No such file or directory"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_an_error_in_a_line(
        self, arguments: list[str], message: str, tmp_path: Path
    ) -> None:
        failed = taps("dlt-config", "helpdesk", *arguments, cwd=tmp_path)
        assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", f"Error: {message}\n")

    def test_bad_settings_are_an_error_in_a_line(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text('{"page_size": 1000}')
        failed = taps("dlt-config", "helpdesk", "--config", "config.json", cwd=tmp_path)
        assert failed.returncode == 1
        assert (
            failed.stderr
            == "Error: tap-helpdesk: Setting 'page_size' is 1000; it must be a whole number from 1 to 100\n"
        )

    def test_that_dlt_is_missing_is_an_error_in_a_line(self) -> None:
        program = "import sys; sys.modules['dlt'] = None; from taps.cli import main; main()"
        failed = subprocess.run(
            [sys.executable, "-c", program, "dlt-config", "helpdesk"], capture_output=True, text=True, check=False
        )
        assert failed.returncode == 1
        assert failed.stderr == "Error: taps needs dlt; install it with: pip install 'frontline-taps[dlt]'\n"
