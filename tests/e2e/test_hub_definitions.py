"""The definitions in `docs/hub` have the form of Meltano's plugin hub, and Meltano takes them without a hub."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft201909Validator
from meltano_project import MELTANO, NO_HUB, clean_environment

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HUB = ROOT / "docs" / "hub"
DEFINED = sorted(path.stem for path in HUB.glob("*.yml"))
TAPS = [name for name in DEFINED if name.startswith("tap-")]

#: What the hub's JSON Schema for an extractor allows (meltano/hub, schemas/plugin_definitions); no other key may be there.
KEYS = {
    *("name", "pip_url", "variant", "namespace", "label", "description", "executable", "settings", "docs", "repo"),
    *("logo_url", "hidden", "python", "settings_group_validation", "commands", "capabilities", "metadata", "schema"),
    *("select", "maintenance_status", "quality", "domain_url", "keywords", "requires", "definition", "next_steps"),
    *("settings_preamble", "usage", "prereq", "supported_python_versions", "log_parser"),
}
REQUIRED = {"name", "namespace", "variant", "quality"}
CAPABILITIES = {
    *("properties", "catalog", "discover", "state", "about", "stream-maps", "schema-flattening", "activate-version"),
    *("batch", "test", "log-based", "structured-logging"),
}
SETTING_KEYS = {
    *("name", "aliases", "label", "value", "placeholder", "kind", "description", "tooltip", "documentation", "env"),
    *("value_processor", "value_post_processor", "oauth", "options", "docs", "hidden", "sensitive"),
}
KINDS = {
    *("oauth", "hidden", "password", "date_iso8601", "file", "email", "integer", "options", "object", "array"),
    *("boolean", "string", "decimal"),
}


def definition(name: str) -> dict[str, Any]:
    held: dict[str, Any] = yaml.safe_load((HUB / f"{name}.yml").read_text(encoding="utf-8"))
    return held


def meltano_schema() -> dict[str, Any]:
    """The JSON Schema of `meltano.yml` that the installed Meltano brings."""
    [file] = (ROOT / ".venv-meltano").glob("lib/python3*/site-packages/meltano/schemas/meltano.schema.json")
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def test_each_tap_has_one() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    assert sorted(one["name"] for one in project["plugins"]["extractors"] if "inherit_from" not in one) == TAPS
    assert len(TAPS) == 5


@pytest.mark.parametrize("name", TAPS)
def test_a_tap_is_defined_as_the_hub_has_it(name: str) -> None:
    held = definition(name)
    assert not set(held) - KEYS
    assert not REQUIRED - set(held)
    assert not set(held["capabilities"]) - CAPABILITIES
    settings = {setting["name"]: setting for setting in held["settings"]}
    for setting in settings.values():
        assert not set(setting) - SETTING_KEYS
        assert setting["kind"] in KINDS
        assert all(isinstance(option["value"], str) for option in setting.get("options", ()))
    assert held["settings_group_validation"]
    assert not {one for group in held["settings_group_validation"] for one in group} - set(settings)


@pytest.mark.parametrize("name", TAPS)
def test_a_definition_says_of_settings_what_the_project_says(name: str) -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    [plugin] = [plugin for plugin in project["plugins"]["extractors"] if plugin["name"] == name]
    for key in ("settings", "settings_group_validation", "capabilities", "label", "namespace", "executable"):
        assert definition(name)[key] == plugin[key]


def test_the_project_is_as_meltano_s_own_schema_has_it() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    errors = [
        f"{list(error.path)}: {error.message}" for error in Draft201909Validator(meltano_schema()).iter_errors(project)
    ]
    assert errors == []


def test_meltano_takes_them_into_an_empty_project(tmp_path: Path) -> None:
    def meltano(*arguments: str) -> str:
        done = subprocess.run(
            [MELTANO, *arguments],
            cwd=tmp_path,
            env=clean_environment() | {"MELTANO_HUB_API_ROOT": NO_HUB},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "meltano.yml").write_text("version: 1\nsend_anonymous_usage_stats: false\n", encoding="utf-8")
    for name in DEFINED:
        kind = {"tap": "extractor", "target": "loader"}.get(name.partition("-")[0], "mapper")
        meltano("add", "--no-install", f"--plugin-type={kind}", "--from-ref", str(HUB / f"{name}.yml"), name)
    listed = meltano("config", "list", "--all", "tap-oncall")
    names = [setting["name"] for setting in definition("tap-oncall")["settings"]]
    assert not [name for name in names if f"TAP_ONCALL_{name.upper()}" not in listed]
    held = yaml.safe_load((tmp_path / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    assert sorted(plugin["name"] for kind in held.values() for plugin in kind) == DEFINED
