"""Files with secrets can be read by their owner alone, from the moment that they are there, whatever the umask is."""

from __future__ import annotations

import builtins
import io
import json
import logging
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from dlt.common.configuration import resolve_configuration
from hunting import Hunt, observed, secret
from logins import LOGINS

from support import command
from taps.bridge.process import AsProcess
from taps.bridge.rest_steps import RefreshToken
from taps.engine.oauth import TokenCache, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["secret_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_known_yet")

SALES = next(login for login in LOGINS if "refresh_token" in login.names)


class Modes:
    """Notes the mode of each file that comes to be, at the moment that it does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.seen: dict[str, int] = {}
        self._folder = str(folder)
        for module, name in ((os, "open"), (io, "open"), (builtins, "open")):
            monkeypatch.setattr(module, name, self._noting(getattr(module, name)))

    def _noting(self, opens: Any) -> Any:
        def noted(path: Any, *args: Any, **kwargs: Any) -> Any:
            new = isinstance(path, str | os.PathLike) and not os.path.exists(path)  # noqa: PTH110 - as it was given
            opened = opens(path, *args, **kwargs)
            if new and str(path).startswith(self._folder) and os.path.isfile(path):  # noqa: PTH113 - as above
                self.seen[os.fspath(path)] = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 - as above
            return opened

        return noted

    @property
    def open_to_others(self) -> dict[str, int]:
        return {path: mode for path, mode in self.seen.items() if mode & 0o077}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_a_token_file_is_the_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "state" / "tokens.json"
    with SALES.opened(rotate=True) as opened:
        modes = Modes(monkeypatch, tmp_path)
        config = {**opened.config, "token_cache_path": str(cache)}
        assert '"RECORD"' in observed(SALES.tap_class, config, SALES.streams)["standard output"]
    assert opened.hunt.finds_in_files(tmp_path), "the token was not kept"
    assert opened.hunt.finds_in_files(tmp_path, apart_from=[cache]) == []
    assert _mode(cache) == 0o600
    assert _mode(cache.parent) == 0o700
    assert len(modes.seen) > 1, "nothing was noted"
    assert modes.open_to_others == {}


def test_a_token_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    cache = tmp_path / "tokens.json"
    cache.write_text(json.dumps({"refresh_token": secret("refresh_token")}))
    cache.chmod(0o644)
    tokens = TokenCache(cache, logging.getLogger("any")).read()
    assert isinstance(tokens, Tokens)
    assert _mode(cache) == 0o600


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("left", [False, True])
def test_a_token_file_of_the_rest_source_is_the_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, left: bool
) -> None:
    cache = tmp_path / "state" / "tokens.json"
    if left:
        cache.parent.mkdir(0o700)
        cache.with_name(".tokens.json.new").touch(0o666)
    modes = Modes(monkeypatch, tmp_path)
    auth = resolve_configuration(
        RefreshToken(
            access_token_url="http://127.0.0.1:9/oauth/token",
            client_id="c",
            client_secret=secret("client_secret"),
            refresh_token=secret("refresh_token"),
            token_cache_path=str(cache),
        )
    )
    new = secret("new")
    auth.parse_access_token({"access_token": secret("access_token"), "refresh_token": new})
    assert json.loads(cache.read_text(encoding="utf-8")) == {"refresh_token": new}
    assert (_mode(cache), _mode(cache.parent)) == (0o600, 0o700)
    assert modes.seen
    assert modes.open_to_others == {}


@pytest.mark.usefixtures("umask")
def test_the_settings_of_a_tap_that_the_bridge_runs_are_the_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes = Modes(monkeypatch, tmp_path)
    key = secret("api_key")
    found: list[str] = []

    runner = AsProcess("tap-helpdesk", [command("tap-helpdesk")], {"base_url": "http://127.0.0.1:9", "api_key": key})
    with runner._started({"--state": {}}, "--discover") as process:
        found = Hunt([key]).finds_in_files(tmp_path)
        modes_now = {path: _mode(path) for path in tmp_path.rglob("*")}
        for _ in process.pieces():
            pass
    assert found, "the settings were looked for in the wrong place"
    assert len(modes_now) == 3
    assert {path: mode for path, mode in modes_now.items() if mode & 0o077} == {}
    assert len(modes.seen) == 2
    assert modes.open_to_others == {}
    assert list(tmp_path.iterdir()) == [], "the settings are left"
