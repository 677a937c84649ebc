"""How to make each mistake that docs/troubleshooting.md tells of; what is then said is there, and only there."""

from __future__ import annotations

import json
import os
import pty
import ssl
import subprocess
from typing import TYPE_CHECKING, Any

from certificates import self_signed
from local_servers import LATE, answering, moved, refusing_proxy, serving

from support import Output, command, config_for, run_tap
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAP = "tap-helpdesk"
KEY = "a-key-of-another-product"

MISTAKES: dict[str, Callable[[Lab], Output]] = {}
"""By the heading in the page."""


class Lab:
    """A sandbox, a folder, and a tap that is run as its users run it.

    Args:
        sandbox: A help desk, whose faults are ended afterwards.
        folder: Where files go, and where the tap runs.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.stands_for: dict[str, str] = {}
        """What the page has in place of an address."""

    def run(
        self, *arguments: str, config: dict[str, Any] | None = None, env: dict[str, str] | None = None, **settings: Any
    ) -> Output:
        """Run the help desk's tap with the right settings, but for those that are given."""
        config = {**(config_for(self.sandbox) if config is None else config), **settings}
        return run_tap(TAP, *arguments, config=config, files=self.folder, env=env and {**os.environ, **env})

    def with_file(self, what: str, document: Any) -> Output:
        """Run it with a catalog or a state."""
        (self.folder / f"{what}.json").write_text(json.dumps(document))
        return self.run(f"--{what}", f"{what}.json")

    def with_bookmark(self, stream: str, key: str, value: Any) -> Output:
        """Run it with a state of one bookmark."""
        entry = {"replication_key": key, "replication_key_value": value}
        return self.with_file("state", {"bookmarks": {stream: entry}})

    def catalog(self, tap: str = TAP) -> Any:
        """Give what `--discover` writes."""
        return json.loads(run_tap(tap, "--discover", files=self.folder).text)


def mistake(heading: str) -> Callable[[Callable[[Lab], Output]], Callable[[Lab], Output]]:
    """Enter a mistake."""

    def enter(make: Callable[[Lab], Output]) -> Callable[[Lab], Output]:
        MISTAKES[heading] = make
        return make

    return enter


# Where the API is


@mistake("The address has no scheme")
def _(lab: Lab) -> Output:
    return lab.run(base_url="acme.example.com")


@mistake("The address ends with the version")
def _(lab: Lab) -> Output:
    return lab.run(base_url=f"{lab.sandbox.base_url}/v1")


@mistake("The address is another API's")
def _(lab: Lab) -> Output:
    with serving(answering(b'{"status": "ok"}')) as server:
        return lab.run(base_url=server.url)


@mistake("The address is a web site's")
def _(lab: Lab) -> Output:
    lab.sandbox.set_faults(["html"])
    return lab.run()


@mistake("The address leads to another one")
def _(lab: Lab) -> Output:
    with serving(moved("https://acme.example.com")) as server:
        lab.stands_for[server.url] = "http://acme.example.com"
        return lab.run(base_url=server.url)


@mistake("The host does not exist")
def _(lab: Lab) -> Output:
    return lab.run(base_url="https://acme.invalid")


@mistake("Nothing listens there")
def _(lab: Lab) -> Output:
    return lab.run(base_url="http://127.0.0.1:9")


@mistake("https where the server has none")
def _(lab: Lab) -> Output:
    return lab.run(base_url=lab.sandbox.base_url.replace("http:", "https:"))


@mistake("The certificate cannot be verified")
def _(lab: Lab) -> Output:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(lab.folder, "127.0.0.1"))
    with serving(answering(b"{}"), context) as server:
        return lab.run(base_url=server.url)


@mistake("The proxy asks for credentials")
def _(lab: Lab) -> Output:
    with serving(refusing_proxy) as proxy:
        lab.stands_for[proxy.url] = "http://proxy.example.com:3128"
        env = {"HTTPS_PROXY": proxy.url.replace("//", "//user:the-proxy-password@"), "NO_PROXY": ""}
        return lab.run(env=env, base_url="https://acme.example.com")


@mistake("The proxy is not there")
def _(lab: Lab) -> Output:
    lab.stands_for["http://127.0.0.1:9"] = "http://proxy.example.com:3128"
    env = {"HTTPS_PROXY": "http://user:the-proxy-password@127.0.0.1:9", "NO_PROXY": ""}
    return lab.run(env=env, base_url="https://acme.example.com")


@mistake("The clock is wrong")
def _(lab: Lab) -> Output:
    catalog = lab.catalog()
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == "agents"]
    (lab.folder / "catalog.json").write_text(json.dumps(catalog))
    with serving(answering(b'{"data": []}', late=LATE)) as server:
        return lab.run("--catalog", "catalog.json", base_url=server.url)


# What the key may


@mistake("The key is wrong, expired, or of another product or region")
def _(lab: Lab) -> Output:
    return lab.run(api_key=KEY)


@mistake("The refresh token is void")
def _(lab: Lab) -> Output:
    with Sandbox("sales_engagement", size=5) as sandbox:
        config = config_for(sandbox, refresh_token=KEY)
        return run_tap("tap-sales-engagement", config=config, files=lab.folder)


@mistake("The key may read nothing")
def _(lab: Lab) -> Output:
    lab.sandbox.set_faults(["403"])
    return lab.run()


@mistake("The plan or the key lacks a stream")
def _(lab: Lab) -> Output:
    lab.sandbox.set_faults(["403:path=/v1/time_entries"])
    return lab.run()


@mistake("The rate limit is used up")
def _(lab: Lab) -> Output:
    lab.sandbox.set_faults(["429:retry_after=14400"])
    return lab.run()


# The configuration


@mistake("The config file is not there")
def _(lab: Lab) -> Output:
    return run_tap(TAP, "--config", "nowhere.json", files=lab.folder)


@mistake("The config file is no JSON")
def _(lab: Lab) -> Output:
    (lab.folder / "settings.json").write_text("{'api_key': 'x'}")
    return run_tap(TAP, "--config", "settings.json", files=lab.folder)


@mistake("Settings in the environment are not read")
def _(lab: Lab) -> Output:
    env = {"TAP_HELPDESK_BASE_URL": lab.sandbox.base_url, "TAP_HELPDESK_API_KEY": KEY}
    return run_tap(TAP, files=lab.folder, env={**os.environ, **env})


@mistake("A setting is missing")
def _(lab: Lab) -> Output:
    return lab.run(config={"api_key": KEY})


@mistake("A setting is misspelt")
def _(lab: Lab) -> Output:
    return lab.run(page_sise=50)


@mistake("A setting is of another type")
def _(lab: Lab) -> Output:
    return lab.run(max_retries="three")


@mistake("A setting is out of range")
def _(lab: Lab) -> Output:
    return lab.run(page_size=5000)


@mistake("Two settings that exclude each other")
def _(lab: Lab) -> Output:
    config = {"base_url": lab.sandbox.base_url, "api_key": KEY, "access_token": KEY}
    return run_tap("tap-voice", config=config, files=lab.folder)


@mistake("The start date has another format")
def _(lab: Lab) -> Output:
    return lab.run(start_date="31.01.2024")


@mistake("The start date is in the future")
def _(lab: Lab) -> Output:
    return lab.run(start_date="2124-01-31")


# The catalog


@mistake("The catalog has a stream that is gone or misspelt")
def _(lab: Lab) -> Output:
    catalog = lab.catalog()
    next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "tickets")["tap_stream_id"] = "ticket"
    return lab.with_file("catalog", catalog)


@mistake("The catalog selects nothing")
def _(lab: Lab) -> Output:
    catalog = lab.catalog()
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            metadata["metadata"]["selected"] = False
    return lab.with_file("catalog", catalog)


@mistake("The catalog is another tap's")
def _(lab: Lab) -> Output:
    return lab.with_file("catalog", lab.catalog("tap-oncall"))


# The state


@mistake("The state file is not there")
def _(lab: Lab) -> Output:
    return lab.run("--state", "state.json")


@mistake("The state is a whole message")
def _(lab: Lab) -> Output:
    return lab.with_file("state", {"type": "STATE", "value": {"bookmarks": {}}})


@mistake("The state is another tap's")
def _(lab: Lab) -> Output:
    return lab.with_bookmark("alerts", "updatedAt", "2024-01-31T08:00:00Z")


@mistake("The state is from before a stream was renamed")
def _(lab: Lab) -> Output:
    entry = {"replication_key": "updated_at", "replication_key_value": "2024-01-31T08:00:00Z"}
    return lab.with_file("state", {"bookmarks": {"contacts": entry, "ticket": entry}})


@mistake("A bookmark is on another field")
def _(lab: Lab) -> Output:
    return lab.with_bookmark("tickets", "created_at", "2024-01-31T08:00:00Z")


@mistake("A bookmark is in a form of another tap")
def _(lab: Lab) -> Output:
    return lab.with_file("state", {"bookmarks": {"tickets": {"updated_at": "2024-01-31T08:00:00Z"}}})


@mistake("A bookmark is no timestamp")
def _(lab: Lab) -> Output:
    return lab.with_bookmark("tickets", "updated_at", 1706688000)


@mistake("A bookmark is in the future")
def _(lab: Lab) -> Output:
    return lab.with_bookmark("tickets", "updated_at", "2124-01-31T08:00:00Z")


# The output


@mistake("The target ends before the tap")
def _(lab: Lab) -> Output:
    (lab.folder / "config.json").write_text(json.dumps(config_for(lab.sandbox)))
    pipe = f"{command(TAP)} --config config.json | head -n 3 > /dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], cwd=lab.folder, capture_output=True, text=True, check=False)
    return Output("", done.stderr, done.returncode)


@mistake("The output goes to the terminal")
def _(lab: Lab) -> Output:
    (lab.folder / "config.json").write_text(json.dumps(config_for(lab.sandbox)))
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [command(TAP), "--config", "config.json"], cwd=lab.folder, stdout=end, stderr=subprocess.PIPE, text=True
    )
    os.close(end)
    with open(terminal, "rb", buffering=0) as screen:  # noqa: PTH123 - of a descriptor
        while _read(screen):
            pass
    _, log = process.communicate(timeout=60)
    return Output("", log, process.returncode)


def _read(screen: Any) -> bytes:
    try:
        read: bytes = screen.read(65536)
    except OSError:  # so a terminal tells that nobody writes to it any more
        return b""
    return read
