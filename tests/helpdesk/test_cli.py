"""The command as a user runs it: options, and one clear line for each mistake."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from support import command, config_for, run_tap, selected_catalog
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from pathlib import Path

    from support import Output
    from taps.sandbox.server import Sandbox

TAP = "tap-helpdesk"


def assert_one_clear_line(output: Output, *words: str) -> None:
    assert output.exit_code == 1
    assert len(output.errors) == 1, output.log
    for word in words:
        assert word in output.errors[0]
    assert "Traceback" not in output.log
    assert output.messages == [] or all(message["type"] != "RECORD" for message in output.messages)


def test_discover_lists_the_28_streams_without_any_settings() -> None:
    process = subprocess.run([command(TAP), "--discover"], capture_output=True, text=True, check=True)
    catalog = json.loads(process.stdout)
    assert len(catalog["streams"]) == 28
    tickets = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "tickets")
    assert tickets["key_properties"] == ["id"]
    assert tickets["replication_key"] == "updated_at"
    assert tickets["replication_method"] == "INCREMENTAL"
    assert tickets["schema"]["properties"]["subject"]["description"]


def test_about_describes_settings_and_capabilities() -> None:
    process = subprocess.run([command(TAP), "--about", "--format=json"], capture_output=True, text=True, check=True)
    about = json.loads(process.stdout)
    assert about["name"] == TAP
    assert about["settings"]["required"] == ["api_key"]
    assert about["settings"]["properties"]["api_key"]["secret"] is True
    assert {"catalog", "state", "discover", "about", "stream-maps", "batch"} <= set(about["capabilities"])
    assert about["version"] != "[could not be detected]"


def test_version_and_help_are_there() -> None:
    assert subprocess.run([command(TAP), "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        f"{TAP} v"
    )
    assert "--discover" in subprocess.run([command(TAP), "--help"], capture_output=True, text=True, check=True).stdout


def test_a_full_sync_ends_with_exit_code_0_and_a_state(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    output = run_tap(TAP, config=config_for(shared_sandbox), files=tmp_path)
    assert output.exit_code == 0, output.log
    assert dict(output.counts) == {name: count for name, count in shared_sandbox.helpdesk.counts().items() if count}
    assert output.messages[-1]["type"] == "STATE"
    assert shared_sandbox.api_key not in output.log


def test_test_reads_a_record_of_each_stream(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    output = run_tap(TAP, "--test", config=config_for(shared_sandbox), files=tmp_path)
    assert output.exit_code == 0, output.log
    assert set(output.counts) == {name for name, count in shared_sandbox.helpdesk.counts().items() if count}
    assert output.counts["tickets"] == 1


def test_test_fails_where_a_stream_cannot_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["403:path=/v1/companies"])
    output = run_tap(TAP, "--test", config=config_for(sandbox), files=tmp_path)
    assert output.exit_code == 1
    assert "GET /v1/companies: 403 Forbidden" in output.log
    assert "Traceback" not in output.log


def test_catalog_and_state_files_are_obeyed(sandbox: Sandbox, tmp_path: Path) -> None:
    config = config_for(sandbox)
    catalog = selected_catalog(TapHelpdesk, config, ["tickets"])
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] == ["properties", "description"]:
                metadata["metadata"]["selected"] = False
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    first = run_tap(TAP, "--catalog", "catalog.json", config=config, files=tmp_path)
    assert set(first.counts) == {"tickets"}
    assert all("description" not in record and "subject" in record for record in first.records("tickets"))

    changed = sandbox.helpdesk.change(tickets=3)
    (tmp_path / "state.json").write_text(json.dumps(first.state))
    second = run_tap(TAP, "--catalog", "catalog.json", "--state", "state.json", config=config, files=tmp_path)
    assert set(changed["tickets"]) <= {record["id"] for record in second.records("tickets")}
    assert second.counts["tickets"] < first.counts["tickets"]


def test_settings_come_from_the_environment(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "TAP_HELPDESK_BASE_URL": shared_sandbox.base_url,
        "TAP_HELPDESK_API_KEY": shared_sandbox.api_key,
        "TAP_HELPDESK_PAGE_SIZE": "7",
        "TAP_HELPDESK_BACKOFF_FACTOR": "0.1",
    }
    output = run_tap(TAP, "--config", "ENV", files=tmp_path, env=env)
    assert output.exit_code == 0, output.log


# Mistakes


def test_a_wrong_key(sandbox: Sandbox, tmp_path: Path) -> None:
    config = {**config_for(sandbox), "api_key": "not-the-right-key"}
    output = run_tap(TAP, config=config, files=tmp_path)
    assert_one_clear_line(output, "No stream could be read. GET /v1/agents: 401 Unauthorized", "Check 'api_key'")
    assert "not-the-right-key" not in output.log
    assert len(sandbox.requests) <= 8, "a key that does not work is not tried on every stream"


def test_a_host_that_cannot_be_reached(tmp_path: Path) -> None:
    config = {"base_url": "http://127.0.0.1:9", "api_key": "some-secret-key", "backoff_factor": 0}
    output = run_tap(TAP, config=config, files=tmp_path)
    assert_one_clear_line(
        output,
        "No stream could be read. GET /v1/agents: no connection to http://127.0.0.1:9: Connection refused",
        "Check 'base_url' (http://127.0.0.1:9)",
    )
    assert "some-secret-key" not in output.log


def test_a_base_url_with_a_wrong_path(sandbox: Sandbox, tmp_path: Path) -> None:
    output = run_tap(TAP, config={**config_for(sandbox), "base_url": f"{sandbox.base_url}/nowhere"}, files=tmp_path)
    assert_one_clear_line(output, "No stream could be read. GET /nowhere/v1/agents: 404 Not Found", "Check 'base_url'")


def test_a_base_url_of_a_web_site(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.set_faults(["html"])
    output = run_tap(TAP, config=config_for(sandbox), files=tmp_path)
    assert_one_clear_line(
        output,
        "No stream could be read. GET /v1/agents: the answer cannot be used: it is no JSON",
        "text/html",
        "Check 'base_url'",
    )


def test_a_wrong_base_url_is_no_empty_sync_when_inaccessible_streams_are_skipped(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = {**config_for(sandbox), "base_url": f"{sandbox.base_url}/nowhere", "skip_inaccessible_streams": True}
    assert_one_clear_line(
        run_tap(TAP, config=config, files=tmp_path), "No stream could be read. GET /nowhere/v1/agents: 404"
    )


@pytest.mark.parametrize("option", ["sync", "--test"])
def test_a_missing_setting(tmp_path: Path, option: str) -> None:
    arguments = [] if option == "sync" else [option]
    output = run_tap(TAP, *arguments, config={"api_key": "abcdef"}, files=tmp_path)
    assert_one_clear_line(output, "Setting 'base_url' is missing; it must be an http or https address")


def test_a_bad_setting_makes_no_request(sandbox: Sandbox, tmp_path: Path) -> None:
    output = run_tap(TAP, config={**config_for(sandbox), "page_size": 5000}, files=tmp_path)
    assert_one_clear_line(output, "Setting 'page_size' is 5000; it must be a whole number from 1 to 100")
    assert sandbox.requests == []


@pytest.mark.parametrize("what", ["state", "catalog"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{not json", "is no JSON: "),
        ("", "is no JSON: it is empty"),
        ("[]", "holds no JSON object, but list"),
        (b"\xff\xfe{", "cannot be read"),
    ],
)
def test_a_state_or_catalog_file_that_cannot_be_used(
    sandbox: Sandbox, tmp_path: Path, what: str, text: str | bytes, words: str
) -> None:
    (tmp_path / "given.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    output = run_tap(TAP, f"--{what}", "given.json", config=config_for(sandbox), files=tmp_path)
    assert_one_clear_line(output, f"The {what} file given.json", words)
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("what", "document", "words"),
    [
        ("catalog", {"tables": []}, "'streams' must be a list of objects"),
        ("state", {"bookmarks": []}, "'bookmarks' must be an object"),
        (
            "state",
            {"bookmarks": {"tickets": {"replication_key": "updated_at", "replication_key_value": "soon"}}},
            "the bookmark of stream 'tickets': 'soon' is no timestamp",
        ),
    ],
)
def test_a_state_or_catalog_of_another_shape(
    sandbox: Sandbox, tmp_path: Path, what: str, document: Any, words: str
) -> None:
    (tmp_path / "given.json").write_text(json.dumps(document))
    assert_one_clear_line(run_tap(TAP, f"--{what}", "given.json", config=config_for(sandbox), files=tmp_path), words)


@pytest.mark.parametrize(("name", "text"), [("missing.json", None), ("broken.json", "{"), ("list.json", "[1]")])
def test_a_config_file_that_cannot_be_used(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert_one_clear_line(run_tap(TAP, "--config", name, files=tmp_path), f"The config file {name}")


def test_an_option_that_does_not_exist(tmp_path: Path) -> None:
    output = run_tap(TAP, "--nonsense", files=tmp_path)
    assert output.exit_code == 2
    assert "No such option" in output.log


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_the_key_is_in_no_output_at_any_log_level(sandbox: Sandbox, tmp_path: Path, level: str) -> None:
    sandbox.set_faults(["401:every=2", "500:path=/v1/groups"])
    config = config_for(sandbox, max_retries=1)
    output = run_tap(TAP, config=config, files=tmp_path, env={**os.environ, "LOGLEVEL": level})
    assert output.exit_code == 1
    everything = output.log + json.dumps(output.messages, default=str)
    assert sandbox.api_key not in everything
    assert base64.b64encode(f"{sandbox.api_key}:X".encode()).decode() not in everything


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_tap_says_so(tmp_path: Path, sandbox: Sandbox, sent: signal.Signals, code: int) -> None:
    sandbox.set_faults(["slow:path=/v1/companies,seconds=20"])
    (tmp_path / "config.json").write_text(json.dumps(config_for(sandbox)))
    process = subprocess.Popen(
        [command(TAP), "--config", str(tmp_path / "config.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(200):
        if any(request.path == "/v1/companies" for request in sandbox.requests):
            break
        time.sleep(0.05)
    begun = time.monotonic()
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=10)
    assert time.monotonic() - begun < 1.5
    assert process.returncode == code
    assert f"Stopped by {sent.name} before the sync was complete" in stderr
    assert "Traceback" not in stderr
    last = json.loads(stdout.splitlines()[-1])
    assert last["type"] != "STATE" or "companies" not in last["value"].get("bookmarks", {})


def test_a_target_that_goes_away_ends_the_tap_with_one_line(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_for(sandbox)))
    pipe = f"{command(TAP)} --config config.json | head -n 3 > /dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "The reader of standard output has gone away" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_settings_may_come_out_of_a_pipe(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_for(shared_sandbox)))
    line = f"{command(TAP)} --config <(cat config.json) --test"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
