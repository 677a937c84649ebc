"""The configuration for dlt's REST source as a Python module that stands alone."""

from __future__ import annotations

import sys
import textwrap
from collections import defaultdict
from typing import TYPE_CHECKING

from taps.bridge import rest_steps
from taps.bridge.rest_code import code_of, definitions, settings_in
from taps.engine import jsonapi, timestamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taps.bridge.rest_config import RestPlan

__all__ = ["module_of"]

_WIDTH = 100
_IMPORTS = ("import dlt", "from dlt.sources.rest_api import rest_api_source")
_PACKAGES_OF_DLT = {"requests"}
_SOURCE = '''\
def {name}():
    """Make the dlt source; its settings are looked up when this is called."""
    return rest_api_source(
        {config},
        name="{name}",
    )


if __name__ == "__main__":
    pipeline = dlt.pipeline("{name}", destination="duckdb", dataset_name="{name}_data")
    print(pipeline.run({name}()))
'''


def module_of(plan: RestPlan) -> str:
    """Write the module.

    A function of the source's name makes the source, and the module run as a script loads it into DuckDB. No secret is
    in it, but the name of where dlt has it, and nothing of this package is imported.

    Args:
        plan: The configuration, with its secrets by their names.
    """

    def lookup(name: str) -> str:
        if plan.is_optional(name):
            return f'dlt.config.get("{plan.where(name)}")'
        return f'dlt.{"secrets" if plan.is_secret(name) else "config"}["{plan.where(name)}"]'

    imports, copied = definitions(plan.tree, [jsonapi, timestamps, rest_steps])
    standard, foreign = _grouped([*imports, *_IMPORTS])
    head = ["from __future__ import annotations", *filter(None, [_import_lines(standard), _import_lines(foreign)])]
    source = _SOURCE.format(name=plan.name, config=code_of(plan.tree, lookup, " " * 8, 8))
    packages = sorted({module.partition(".")[0] for module in foreign} - _PACKAGES_OF_DLT)
    documentation = "\n".join(_documentation(plan, packages))
    return "\n\n".join([f'"""{documentation}\n"""', *head]) + "".join(f"\n\n\n{code}" for code in [*copied, source])


def _documentation(plan: RestPlan, packages: list[str]) -> Iterator[str]:
    properties = plan.tap.config_jsonschema["properties"]
    command = f"taps dlt-config {plan.name.replace('_', '-')}"
    yield f"The {plan.name.replace('_', ' ')} API for dlt's REST source, as `{command}` of frontline-taps prints it."
    yield ""
    yield f"It needs {' and '.join(packages)}. It looks for its settings in `.dlt/secrets.toml`, or in environment"
    yield f"variables such as `{plan.where('base_url').replace('.', '__').upper()}`:"
    yield ""
    yield f"    [sources.{plan.name}]"
    for name in settings_in(plan.tree):
        example = (properties[name].get("examples") or ["…"])[0]
        yield f'    {"# " if plan.is_optional(name) else ""}{name} = "{example}"'
    if plan.uncovered:
        yield ""
        yield "These streams are not in it, because dlt would not give all of their rows; for those there is"
        yield f'`singer_source("{plan.tap.name}")` of frontline-taps:'
        yield ""
        for stream, reason in plan.uncovered.items():
            yield from textwrap.wrap(
                f"{stream}: {reason}",
                _WIDTH,
                initial_indent="    ",
                subsequent_indent="        ",
                break_on_hyphens=False,
            )


def _grouped(imports: Iterable[str]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Sort import statements by whether their modules are Python's own; by module, what is imported from it."""
    groups: tuple[dict[str, set[str]], dict[str, set[str]]] = defaultdict(set), defaultdict(set)
    for line in imports:
        words = line.split()
        group = groups[words[1].partition(".")[0] not in sys.stdlib_module_names]
        group[words[1]] |= {words[3]} if words[0] == "from" else {""}
    return groups


def _import_lines(group: dict[str, set[str]]) -> str:
    plain = [f"import {module}" for module, names in sorted(group.items()) if "" in names]
    of_names = ((module, ", ".join(sorted(names - {""}))) for module, names in sorted(group.items()))
    return "\n".join([*plain, *(f"from {module} import {names}" for module, names in of_names if names)])
