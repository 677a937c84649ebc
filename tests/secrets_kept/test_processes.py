"""A tap's process, from its command line to the files that it leaves: no secret anywhere, at any level of its log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from echoing import Echo, status
from hunting import ProcessList
from logins import LOGINS, Login, Opened, Opening

from support import ROOT, Output, run_tap
from taps.bridge.cli import dlt_config

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["secret_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_known_yet")
by_login = pytest.mark.parametrize("login", LOGINS, ids=str)

LOG_CONFIG = """
version: 1
disable_existing_loggers: false
formatters:
  structured: {"()": singer_sdk.logging.StructuredFormatter}
  plain: {format: "%(levelname)s %(name)s %(message)s"}
handlers:
  all: {class: logging.StreamHandler, formatter: structured, stream: ext://sys.stderr}
  wire: {class: logging.FileHandler, formatter: plain, filename: wire.log}
loggers:
  urllib3: {level: DEBUG, handlers: [wire], propagate: false}
root: {level: DEBUG, handlers: [all]}
"""

# A tap of somebody who has made one of ours his own, with a bug that says too much.
BROKEN = """
from taps.{room} import {name} as Tap

class Broken(Tap):
    def discover_streams(self):
        streams = super().discover_streams()
        for stream in streams:
            stream.query = self.fail
        return streams

    def fail(self, *_):
        raise RuntimeError("Cannot go on with", dict(self.config)) from KeyError(str(dict(self.config)))

Broken.cli()
"""


class Home:
    """A folder for all that a process may write to, so that it can be looked through."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        self.env = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder / "tmp"), **variables}
        self.env |= {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    def texts(self, output: Output) -> dict[str, str]:
        return {"standard output": output.text, "log": output.log}

    def findings(self, opened: Opened, output: Output) -> list[str]:
        spared = [self.config, self.folder / "tokens.json"]
        return opened.hunt.finds(self.texts(output)) + opened.hunt.finds_in_files(self.folder, apart_from=spared)


@by_login
def test_a_run_of_the_lowest_log_level(login: Login, tmp_path: Path) -> None:
    name = login.tap_class.name
    home = Home(tmp_path, **{f"{name.upper().replace('-', '_')}_LOGLEVEL": "DEBUG"})
    options = {"rotate": True} if "refresh_token" in login.names else {}
    with login.opened(latency=0.02, **options) as opened:
        cache = {"token_cache_path": str(tmp_path / "tokens.json")} if options else {}
        with ProcessList() as processes:
            output = run_tap(name, config={**opened.config, **cache}, files=tmp_path, env=home.env)
        assert (output.exit_code, output.errors) == (0, [])
        assert output.state is not None
        assert "urllib3.connectionpool" in output.log, "the log is not that of the lowest level"
        assert str(home.config) in processes.text, "the process was not seen"
        assert opened.hunt.finds({"process list": processes.text}) == []
        assert home.findings(opened, output) == []
        assert bool(options) == bool(opened.hunt.finds_in_files(tmp_path, apart_from=[home.config]))


@by_login
def test_a_run_with_settings_in_the_environment_a_log_of_its_own_and_an_api_that_tells_all(
    login: Login, opened_for: Opening, echo: Echo, tmp_path: Path
) -> None:
    opened = opened_for(login)
    echo.aim(opened.sandbox, status(500), key=opened.key, spare=1)
    prefix = login.tap_class.name.upper().replace("-", "_")
    settings = {f"{prefix}_{name.upper()}": str(value) for name, value in opened.config_at(echo.url).items()}
    (tmp_path / "log.yaml").write_text(LOG_CONFIG)
    home = Home(tmp_path, SINGER_SDK_LOG_CONFIG=str(tmp_path / "log.yaml"), **settings)
    with ProcessList() as processes:
        output = run_tap(login.tap_class.name, "--config=ENV", env=home.env, files=tmp_path, timeout=60)
    assert output.exit_code == 1
    assert "I do not take" in output.log
    assert "HTTP/1.1" in (tmp_path / "wire.log").read_text(), "the log of the wire is not there"
    assert opened.hunt.finds({"process list": processes.text}) == []
    assert home.findings(opened, output) == []


@by_login
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_run_with_a_bug_that_tells_all(login: Login, level: str, opened_for: Opening, tmp_path: Path) -> None:
    opened = opened_for(login)
    home = Home(tmp_path, LOGLEVEL=level)
    home.config.write_text(json.dumps(opened.config))
    script = tmp_path / "broken.py"
    room = login.tap_class.__module__.split(".")[1]
    script.write_text(BROKEN.format(room=room, name=login.tap_class.__name__))
    process = subprocess.run(
        [sys.executable, str(script), "--config", str(home.config)],
        capture_output=True,
        text=True,
        check=False,
        env=home.env,
        timeout=60,
        cwd=tmp_path,
    )
    output = Output(process.stdout, process.stderr, process.returncode)
    assert output.exit_code == 1
    assert "Unexpected error, RuntimeError: ('Cannot go on with'" in output.log
    assert ("Traceback" in output.log) == (level == "DEBUG")
    assert home.findings(opened, output) == []


@by_login
def test_what_else_a_command_can_be_asked_for(login: Login, opened_for: Opening, tmp_path: Path) -> None:
    opened = opened_for(login)
    home = Home(tmp_path, LOGLEVEL="DEBUG")
    for arguments in (["--discover"], ["--about", "--format=json"]):
        output = run_tap(login.tap_class.name, *arguments, config=opened.config, files=tmp_path, env=home.env)
        assert output.exit_code == 0
        assert home.findings(opened, output) == []


@by_login
def test_a_trial_of_an_api_that_tells_all(login: Login, opened_for: Opening, echo: Echo, tmp_path: Path) -> None:
    opened = opened_for(login)
    echo.aim(opened.sandbox, status(403), key=opened.key, spare=1)
    home = Home(tmp_path)
    config = {**opened.config_at(echo.url), "max_retries": 0}
    output = run_tap(login.tap_class.name, "--test", config=config, files=tmp_path, env=home.env)
    assert output.exit_code == 1
    assert "I do not take" in output.log
    assert home.findings(opened, output) == []


@by_login
def test_a_check_and_a_preview_of_an_api_that_tells_all(
    login: Login, opened_for: Opening, echo: Echo, tmp_path: Path
) -> None:
    opened = opened_for(login)
    echo.aim(opened.sandbox, status(403), key=opened.key, spare=1)
    home = Home(tmp_path, LOGLEVEL="DEBUG")
    home.config.write_text(json.dumps({**opened.config_at(echo.url), "max_retries": 0}))
    tap = login.tap_class
    first, *_ = tap.streams_for(opened.config)
    for arguments in (["check", tap.name], ["check", tap.name, "--json"], ["preview", tap.name, vars(first)["name"]]):
        output = run_tap("taps", *arguments, "--config", str(home.config), env=home.env, timeout=60)
        assert output.exit_code in {0, 1}
        assert "DEBUG" in output.log
        assert arguments[0] != "check" or "I do not take" in " ".join((output.text + output.log).split())
        assert home.findings(opened, output) == []


@by_login
def test_a_module_for_dlts_rest_source(login: Login, opened_for: Opening, tmp_path: Path) -> None:
    opened = opened_for(login)
    (tmp_path / "config.json").write_text(json.dumps(opened.config))
    result = CliRunner().invoke(dlt_config, [login.tap_class.name, "--config", str(tmp_path / "config.json")])
    assert result.exit_code == 0
    assert opened.hunt.finds({"module": result.output}) == []
