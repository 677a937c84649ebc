"""Write what is known from the taps into `meltano.yml`, the README and `docs`, so that none of it is kept by hand.

A tap's settings and capabilities come from its own `--about --format=json`, its streams from the tap class, and what
the sandbox asks for from the sandbox. Only the text between marks is replaced, each on a line of its own:

* in `meltano.yml` between `# <generated:tap-name>` and `# </generated>`, and likewise `# <generated:dev>`
* in `README.md` between `<!-- taps -->` and `<!-- /taps -->`, and likewise `products`
* in `docs/dlt.md` between `<!-- types -->` and `<!-- /types -->`, and likewise `errors`
* in `docs/faults.md` between `<!-- faults -->` and `<!-- /faults -->`, from the matrix that the tests hold the taps to
* in `docs/tap-name.md` between `<!-- streams -->` and `<!-- /streams -->`, and likewise `settings`
* in the page of a product between `<!-- name streams -->` and `<!-- /name streams -->`, for its provider's name, and
  likewise `costs`

The reference of the streams and that of the settings, in `docs/reference`, are written as a whole.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from markdown_tables import code, table
from product_tables import costs_tables, product_streams_table
from request_costs import COSTED
from setting_pages import settings_page, settings_table, types_of
from stream_pages import streams_page
from taps.bridge import columns, errors
from taps.sandbox.apis import APIS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Stream

    from taps.engine.provider import Provider
    from taps.engine.tap import ApiTap

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "./.venv/bin/python scripts/generate_metadata.py"


class MetadataError(Exception):
    """The metadata cannot be written. The message is one line for the user."""


@dataclass(frozen=True)
class Documented:
    """A tap whose metadata is kept.

    Attributes:
        name: Of its command and of the Meltano plugin.
        location: Its class, as `module:class`.
    """

    name: str
    location: str

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the installed command says of itself."""
        command = [str(Path(sys.executable).with_name(self.name)), "--about", "--format=json"]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise MetadataError(f"{self.name} is not installed beside {sys.executable}; run ./scripts/setup") from None
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise MetadataError(f"{self.name} --about failed with exit code {error.returncode}: {last}") from None
        about: dict[str, Any] = json.loads(run.stdout)
        return about

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """All settings, the tap's own before those that the SDK adds to each."""
        settings: dict[str, dict[str, Any]] = self.about["settings"]["properties"]
        return {name: settings[name] for name in sorted(settings, key=lambda name: name not in self.own_settings)}

    @cached_property
    def own_settings(self) -> set[str]:
        """The names of the settings that the tap itself declares."""
        return set(self.tap_class.config_jsonschema["properties"])

    @property
    def description(self) -> str:
        """What it reads, in a sentence."""
        description: str = self.about["description"]
        return description

    @property
    def one_of(self) -> Sequence[str]:
        """The names of the settings of which exactly one has to be made."""
        return self.tap_class.one_of

    @property
    def setting_groups(self) -> list[list[str]]:
        """The names of the settings that have to be made, once for each way to make them."""
        groups = []
        for provider in self.tap_class.providers:
            for form in [form.settings for form in provider.auth] or [[]]:
                names = [*form, *self.required, *provider.address_settings, *provider.needs]
                groups.append([name for name in dict.fromkeys(names) if "default" not in self.settings[name]])
        return groups

    @property
    def required(self) -> list[str]:
        """The names of the settings that have to be made."""
        return list(self.about["settings"].get("required", ()))

    @property
    def required_of_generic(self) -> Sequence[str]:
        """The names of the settings that have to be made beside them, where no other provider is chosen."""
        generic = self.tap_class.providers[0]
        return (*generic.address_settings, *generic.needs)

    @cached_property
    def streams(self) -> list[Stream]:
        """Its streams by name."""
        config = dict.fromkeys((*self.required, *self.required_of_generic), "https://example.com")
        return sorted(self.tap_class(config=config, validate_config=False).streams.values(), key=lambda s: s.name)

    @cached_property
    def tap_class(self) -> type[ApiTap]:
        """The tap's class."""
        module, _, name = self.location.partition(":")
        tap_class: type[ApiTap] = getattr(importlib.import_module(module), name)
        return tap_class


TAPS = [
    Documented("tap-helpdesk", "taps.helpdesk.tap:TapHelpdesk"),
    Documented("tap-voice", "taps.voice.tap:TapVoice"),
    Documented("tap-sales-engagement", "taps.sales_engagement.tap:TapSalesEngagement"),
    Documented("tap-oncall", "taps.oncall.tap:TapOncall"),
    Documented("tap-contact-center", "taps.contact_center.tap:TapContactCenter"),
]

#: The page of each product, by the provider's name.
PAGES = {
    "freshdesk": "freshdesk.md",
    "zendesk_talk": "zendesk-talk.md",
    "outreach": "outreach.md",
    "opsgenie": "opsgenie.md",
    "jsm_ops": "opsgenie.md",
}

#: Where `tap-sandbox` serves the first API for the environment `dev`; the others are at the ports after it.
DEV_PORT = 8080


def meltano_kind(declared: Mapping[str, Any]) -> str:
    """Say how Meltano is to read a setting from text, as in an environment variable."""
    if declared.get("enum"):
        return "options"
    if declared.get("format") in {"date", "date-time"}:
        return "date_iso8601"
    # Meltano 4 has a kind `decimal`, but ends in a traceback as it writes such a value into the tap's config file. The
    # taps take a number as text too.
    kinds = {"integer": "integer", "boolean": "boolean", "array": "array", "object": "object"}
    return next((kinds[name] for name in types_of(declared) if name in kinds), "string")


def meltano_setting(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a setting in Meltano's terms."""
    setting = {"name": name, "label": declared.get("title", name), "kind": meltano_kind(declared)}
    if declared.get("secret"):
        setting["sensitive"] = True
    if "default" in declared:
        setting["value"] = declared["default"]
    if declared.get("enum"):
        setting["options"] = [{"label": str(value), "value": value} for value in declared["enum"]]
    if declared.get("examples"):
        setting["placeholder"] = f"Ex. {declared['examples'][0]}"
    if declared.get("description"):
        setting["description"] = declared["description"]
    return setting


def plugin_block(tap: Documented) -> str:
    """Write the generated part of an extractor in `meltano.yml`."""
    block: dict[str, Any] = {"capabilities": tap.about["capabilities"]}
    block["settings_group_validation"] = tap.setting_groups
    block["settings"] = [meltano_setting(name, declared) for name, declared in tap.settings.items()]
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=110)
    return textwrap.indent(f"# by {COMMAND}\n{text}", " " * 4)


def dev_block() -> str:
    """Write the settings with which the taps read the sandbox, in `meltano.yml`."""
    extractors = []
    for port, api in enumerate(APIS.values(), DEV_PORT):
        base_url = f"http://127.0.0.1:{port}"
        credentials = {name: value.replace("{base_url}", base_url) for name, value in api.credentials.items()}
        extractors.append({"name": api.tap, "config": {"base_url": base_url, **credentials}})
    text = yaml.safe_dump(extractors, sort_keys=False, width=110)
    return textwrap.indent(f"# by {COMMAND}\n{text}", " " * 6)


def streams_table(tap: Documented) -> str:
    """Write the table of a tap's streams."""
    parents = {type(stream): stream.name for stream in tap.streams}
    rows = [
        [
            code(stream.name),
            code(getattr(stream, "path", "")),
            code(*stream.primary_keys),
            code(stream.replication_key) if stream.replication_key else "",
            code(parents[stream.parent_stream_type]) if stream.parent_stream_type else "",
        ]
        for stream in tap.streams
    ]
    return table(["Stream", "Path", "Key", "Incremental on", "Child of"], rows)


def taps_table() -> str:
    """Write the table of the taps."""
    rows = []
    for tap in TAPS:
        cursors = dict.fromkeys(stream.replication_key for stream in tap.streams if stream.replication_key)
        incremental = sum(stream.replication_key is not None for stream in tap.streams)
        rows.append(
            [
                f"[`{tap.name}`](docs/{tap.name}.md)",
                tap.description,
                str(len(tap.streams)),
                f"{incremental}, on {code(*cursors)}" if cursors else "none",
            ]
        )
    return table(["Tap", "What it does", "Streams", "Incremental"], rows)


def products() -> Iterable[tuple[Documented, Provider]]:
    """List the products that the taps can read, each with its tap."""
    return ((tap, provider) for tap in TAPS for provider in tap.tap_class.providers[1:])


def products_table() -> str:
    """Write the table of the products."""
    rows = [
        [
            f"[{provider.title}](docs/{page_of(provider)})" + (" (experimental)" if provider.experimental else ""),
            f"[`{tap.name}`](docs/{tap.name}.md)",
            code(provider.name),
            str(len(tap.tap_class.streams_for({"provider": provider.name}))),
        ]
        for tap, provider in products()
    ]
    return table(["Product", "Tap", "`provider`", "Streams"], rows)


def page_of(provider: Provider) -> str:
    """Name the page of a product.

    Raises:
        MetadataError: It has none.
    """
    if provider.name not in PAGES or provider.name not in COSTED:
        raise MetadataError(
            f"the provider {provider.name} has no page; write one, and put it into PAGES here and into COSTED in "
            "request_costs.py"
        )
    return PAGES[provider.name]


def replaced(path: Path, text: str, start: str, end: str, block: str) -> str:
    """Put a block between two lines that mark its place.

    Raises:
        MetadataError: The marks are not there.
    """
    place = re.compile(rf"^([ ]*{re.escape(start)}\n).*?(?=^[ ]*{re.escape(end)}$)", re.DOTALL | re.MULTILINE)
    result, count = place.subn(lambda found: found[1] + block, text)
    if count != 1:
        raise MetadataError(
            f"{path.name} has {count} places between the lines '{start}' and '{end}'; mark the one where they belong"
        )
    return result


def meltano_text(path: Path) -> str:
    """Make the text of `meltano.yml`, as it should be."""
    text = path.read_text(encoding="utf-8")
    blocks = {"dev": dev_block(), **{tap.name: plugin_block(tap) for tap in TAPS}}
    for name, block in blocks.items():
        text = replaced(path, text, f"# <generated:{name}>", "# </generated>", block)
    return text


def readme_text(path: Path) -> str:
    """Make the text of the README, as it should be."""
    text = path.read_text(encoding="utf-8")
    for what, block in (("taps", taps_table()), ("products", products_table())):
        text = replaced(path, text, f"<!-- {what} -->", f"<!-- /{what} -->", f"\n{block}\n")
    return text


def page_text(path: Path, tap: Documented) -> str:
    """Make the text of a tap's page, as it should be.

    Raises:
        MetadataError: There is no such page.
    """
    if not path.exists():
        raise MetadataError(f"{tap.name} has no page docs/{path.name}; write one after the others' example")
    text = path.read_text(encoding="utf-8")
    for what, block in (("streams", streams_table(tap)), ("settings", settings_table(tap))):
        text = replaced(path, text, f"<!-- {what} -->", f"<!-- /{what} -->", f"\n{block}\n")
    return text


def product_text(path: Path) -> str:
    """Make the text of a page about one product or more, as it should be.

    Raises:
        MetadataError: There is no such page.
    """
    if not path.exists():
        raise MetadataError(f"there is no page docs/{path.name}; write one after the others' example")
    text = path.read_text(encoding="utf-8")
    for tap, provider in products():
        if page_of(provider) == path.name:
            blocks = {
                "streams": product_streams_table(tap.tap_class, provider),
                "costs": costs_tables(tap.tap_class, provider),
            }
            for what, block in blocks.items():
                mark = f"{provider.name} {what}"
                text = replaced(path, text, f"<!-- {mark} -->", f"<!-- /{mark} -->", f"\n{block}\n")
    return text


def reference_text(path: Path, tap: Documented) -> str:  # noqa: ARG001
    """Make the text of the reference of a tap's streams."""
    return streams_page(tap.tap_class, COMMAND)


def types_table() -> str:
    """Make the table of types out of the one in the docstring of `taps.bridge.columns`."""
    rows: list[list[str]] = []
    _, header, body, _ = re.split(r"^=+  =+$", columns.__doc__ or "", flags=re.MULTILINE)
    begin = header.strip("\n").index("dlt")
    for line in body.strip("\n").splitlines():
        cells = [line[:begin].strip(), line[begin:].strip()]
        if cells[0]:
            rows.append(cells)
        else:  # the one above goes on
            rows[-1][1] += f" {cells[1]}"
    return table(["JSON Schema", "dlt"], rows)


def errors_table() -> str:
    """Make a table of the bridge's errors out of their docstrings."""
    kinds = [(name, vars(errors)[name]) for name in errors.__all__ if name != "BridgeError"]
    return table(["Class", "When"], [[code(name), (kind.__doc__ or "").splitlines()[0]] for name, kind in kinds])


def bridge_text(path: Path) -> str:
    """Make the text of the page for users of dlt.

    Raises:
        MetadataError: It has no place for a table.
    """
    text = path.read_text(encoding="utf-8")
    text = replaced(path, text, "<!-- types -->", "<!-- /types -->", types_table())
    return replaced(path, text, "<!-- errors -->", "<!-- /errors -->", errors_table())


#: What comes of a fault, by its name in `tests/faults/matrix.yml`: where it comes once, and where it stays.
OUTCOMES = {
    "unharmed": "All records arrive.",
    "again": "The request is sent again, and all records arrive.",
    "fails": "The stream fails at once.",
    "gives up": "The stream fails after the last try.",
    "empty": "",  # of a child alone; the reason says it
}


def faults_tables() -> str:
    """Make a table of each group of faults in the matrix."""
    matrix = yaml.safe_load((ROOT / "tests" / "faults" / "matrix.yml").read_text(encoding="utf-8"))
    parts = []
    for group in matrix["groups"]:
        rows = []
        for fault in group["faults"]:
            reasons = "; ".join(exception["why"] for exception in fault.get("except", ()))
            says = fault.get("example") or fault.get("says", "")
            message = code(f"GET /v1/…: {says}") if says else ""
            once = OUTCOMES[fault["once"]] + (f" But {reasons}." if reasons else "")
            spec = fault.get("stays_spec", fault["spec"])
            rows.append([fault["name"], code(spec), once, OUTCOMES[fault["stays"]], message])
        header = ["Fault", "In the sandbox", "Once", "For good", "Message"]
        parts.append(f"\n### {group['title']}\n\n{table(header, rows)}")
    return "".join(parts) + "\n"


def faults_text(path: Path) -> str:
    """Make the text of the page about faults, as it should be."""
    text = path.read_text(encoding="utf-8")
    return replaced(path, text, "<!-- faults -->", "<!-- /faults -->", faults_tables())


def main() -> int:
    """Write the files, or with `--check` say which differ.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description="Write what the taps say of themselves into meltano.yml, README and docs."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a file differs")
    check: bool = parser.parse_args().check
    failed = False
    files: dict[Path, Callable[[Path], str]] = {ROOT / "meltano.yml": meltano_text, ROOT / "README.md": readme_text}
    files[ROOT / "docs" / "dlt.md"] = bridge_text
    files[ROOT / "docs" / "faults.md"] = faults_text
    files |= {ROOT / "docs" / f"{tap.name}.md": partial(page_text, tap=tap) for tap in TAPS}
    files |= dict.fromkeys((ROOT / "docs" / name for name in PAGES.values()), product_text)
    reference = ROOT / "docs" / "reference"
    for tap in TAPS:
        page = reference / f"{tap.name.replace('tap-', 'streams-')}.md"
        files[page] = partial(reference_text, tap=tap)
    files[reference / "settings.md"] = lambda _: settings_page(TAPS, COMMAND)
    for path, make in files.items():
        try:
            text = make(path)
        except MetadataError as error:
            print(f"generate_metadata: {error}", file=sys.stderr)
            failed = True
            continue
        if path.exists() and text == path.read_text(encoding="utf-8"):
            continue
        if check:
            print(f"{path.name} differs from what the taps say; run {COMMAND}", file=sys.stderr)
            failed = True
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path.name} is up to date again")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
