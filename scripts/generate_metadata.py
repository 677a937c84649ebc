"""Write what is known from the taps into `meltano.yml`, the README and `docs`, so that none of it is kept by hand.

A tap's settings and capabilities come from its own `--about --format=json`, its streams from the tap class, and what
the sandbox asks for from the sandbox. Only the text between marks is replaced, each on a line of its own:

* in `meltano.yml` between `# <generated:tap-name>` and `# </generated>`, and likewise `# <generated:dev>`
* in `README.md` between `<!-- taps -->` and `<!-- /taps -->`, and likewise `products`
* in `docs/dlt.md` between `<!-- types -->` and `<!-- /types -->`, and likewise `errors`
* in `docs/spark.md` between `<!-- types -->` and `<!-- /types -->`, and likewise `options`
* in `docs/faults.md` between `<!-- faults -->` and `<!-- /faults -->`, from the matrix that the tests hold the taps to
* in `docs/tap-name.md` between `<!-- streams -->` and `<!-- /streams -->`, and likewise `settings`
* in the page of a product between `<!-- name streams -->` and `<!-- /name streams -->`, for its provider's name, and
  likewise `costs`

The reference of the streams and that of the settings, in `docs/reference`, and the definitions for Meltano's plugin
hub, in `docs/hub`, are written as a whole.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from typing import TYPE_CHECKING

import yaml

from documented import COMMAND, PAGES, ROOT, TAPS, MetadataError, page_of, products
from meltano_blocks import definition_of, dev_block, hub_definition, plugin_block
from overview_tables import (
    errors_table,
    faults_tables,
    products_table,
    spark_options_table,
    spark_types_table,
    streams_table,
    taps_table,
    types_table,
)
from product_tables import costs_tables, product_streams_table
from setting_pages import settings_page, settings_table
from stream_pages import streams_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from documented import Documented


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


def hub_text(path: Path) -> str:
    """Make the text of a plugin's definition in the form of the plugin hub, which has its name."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    tap = next((tap for tap in TAPS if tap.name == path.stem), None)
    return hub_definition(tap, project) if tap else definition_of(project, path.stem)


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


def bridge_text(path: Path) -> str:
    """Make the text of the page for users of dlt.

    Raises:
        MetadataError: It has no place for a table.
    """
    text = path.read_text(encoding="utf-8")
    text = replaced(path, text, "<!-- types -->", "<!-- /types -->", types_table())
    return replaced(path, text, "<!-- errors -->", "<!-- /errors -->", errors_table())


def spark_text(path: Path) -> str:
    """Make the text of the page for users of Spark.

    Raises:
        MetadataError: It has no place for a table.
    """
    text = path.read_text(encoding="utf-8")
    text = replaced(path, text, "<!-- types -->", "<!-- /types -->", f"\n{spark_types_table()}\n")
    return replaced(path, text, "<!-- options -->", "<!-- /options -->", f"\n{spark_options_table()}\n")


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
    files[ROOT / "docs" / "spark.md"] = spark_text
    files[ROOT / "docs" / "faults.md"] = faults_text
    files |= {ROOT / "docs" / f"{tap.name}.md": partial(page_text, tap=tap) for tap in TAPS}
    files |= dict.fromkeys((ROOT / "docs" / name for name in PAGES.values()), product_text)
    reference = ROOT / "docs" / "reference"
    for tap in TAPS:
        page = reference / f"{tap.name.replace('tap-', 'streams-')}.md"
        files[page] = partial(reference_text, tap=tap)
    files[reference / "settings.md"] = lambda _: settings_page(TAPS, COMMAND)
    defined = [*(tap.name for tap in TAPS), "target-duckdb", "target-jsonl", "meltano-map-transformer"]
    files |= dict.fromkeys((ROOT / "docs" / "hub" / f"{name}.yml" for name in defined), hub_text)
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
