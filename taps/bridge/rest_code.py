"""A configuration before it is one: what becomes either Python objects or the code that makes them.

It is a tree of dictionaries, lists and scalars. In it a `Call` stands for an object that is to be made, a function for
itself, and a text may have settings in it that are looked up when the configuration is made.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

__all__ = ["Call", "code_of", "definitions", "made", "setting", "settings_in"]

_WIDTH = 120
_INDENT = "    "
# It is an address, so that a tap's settings that must be one can be such a text as well; or one of e-mail.
_SETTING = re.compile(r"(?:https://)?([a-z0-9_]+)[.@]setting\.invalid", re.ASCII)


@dataclass(frozen=True)
class Call:
    """An object that is to be made.

    Attributes:
        target: What makes it: a class, a function, or a method of a class.
        arguments: Its positional arguments.
        named: Its named ones.
    """

    target: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the target is called in code."""
        owner = getattr(self.target, "__self__", None)
        return f"{owner.__name__}.{self.target.__name__}" if inspect.isclass(owner) else self.target.__name__


def setting(name: str, pattern: str = "") -> str:
    """Give the text that stands for a setting's value.

    Args:
        name: The setting.
        pattern: What its value has to match.
    """
    text = f"https://{name}.setting.invalid"
    return text if re.search(pattern, text) else f"{name}@setting.invalid"


def settings_in(tree: Any) -> list[str]:
    """List the settings that a tree has in it, in their order."""
    found: dict[str, None] = {}
    for node in _nodes(tree):
        if isinstance(node, str):
            found.update(dict.fromkeys(_SETTING.findall(node)))
    return list(found)


def made(tree: Any, lookup: Callable[[str], Any]) -> Any:
    """Make the objects.

    Args:
        tree: The configuration.
        lookup: Gives a setting's value.
    """
    if isinstance(tree, dict):
        return {key: made(value, lookup) for key, value in tree.items()}
    if isinstance(tree, list):
        return [made(value, lookup) for value in tree]
    if isinstance(tree, Call):
        arguments = [made(argument, lookup) for argument in tree.arguments]
        return tree.target(*arguments, **{name: made(value, lookup) for name, value in tree.named.items()})
    if isinstance(tree, str):
        whole = _SETTING.fullmatch(tree)
        return lookup(whole[1]) if whole else _SETTING.sub(lambda found: str(lookup(found[1])), tree)
    return tree


def code_of(tree: Any, lookup: Callable[[str], str], indent: str = "", before: int = 0) -> str:
    """Write the code that makes the objects.

    Args:
        tree: The configuration.
        lookup: Gives the expression for a setting's value.
        indent: What the line begins with on which the code begins.
        before: How much of that line is taken.
    """
    if isinstance(tree, str):
        return _text(tree, lookup)
    if isinstance(tree, dict):
        items = [(f"{_text(key, lookup)}: ", value) for key, value in tree.items()]
        return _bracketed(("{", "}"), items, lookup, indent, before)
    if isinstance(tree, list):
        return _bracketed(("[", "]"), [("", value) for value in tree], lookup, indent, before)
    if isinstance(tree, Call):
        items = [("", argument) for argument in tree.arguments]
        items += [(f"{name}=", value) for name, value in tree.named.items()]
        return _bracketed((f"{tree.name}(", ")"), items, lookup, indent, before)
    return str(tree.__name__) if callable(tree) else repr(tree)


def _bracketed(
    brackets: tuple[str, str],
    items: list[tuple[str, Any]],
    lookup: Callable[[str], str],
    indent: str,
    before: int,
) -> str:
    """Write items on one line if they fit on it, or else on a line each."""
    opening, closing = brackets
    line = opening + ", ".join(label + code_of(value, lookup) for label, value in items) + closing
    if before + len(line) < _WIDTH and "\n" not in line:
        return line
    inner = indent + _INDENT
    lines = [f"{inner}{label}{code_of(value, lookup, inner, len(inner) + len(label))}," for label, value in items]
    return "\n".join([opening, *lines, indent + closing])


def _text(text: str, lookup: Callable[[str], str]) -> str:
    if whole := _SETTING.fullmatch(text):
        return lookup(whole[1])
    parts = _SETTING.split(text)
    if len(parts) == 1:
        return json.dumps(text, ensure_ascii=False)  # which is Python as well
    # Split puts the settings' names between the texts.
    codes = [lookup(part) if at % 2 else _text(part, lookup) for at, part in enumerate(parts) if part]
    return " + ".join(codes)


def definitions(tree: Any, modules: Iterable[ModuleType]) -> tuple[list[str], list[str]]:
    """Copy out of modules what the code of a tree needs.

    Args:
        tree: The configuration.
        modules: Where its classes and functions are defined; none of two of them the same name for different things.

    Returns:
        The statements that import what is needed from elsewhere, and the definitions, in their order.
    """
    sources = [_Source(module) for module in modules]
    needed: set[str] = set()
    ahead = {node.name.partition(".")[0] for node in _nodes(tree) if isinstance(node, Call)}
    ahead |= {node.__name__ for node in _nodes(tree) if callable(node)}
    while ahead:
        needed |= ahead
        ahead = {used for source in sources for name in ahead for used in source.uses(name)} - needed
    defined = {name for source in sources for name in source.defined}
    imports = {line for source in sources for name, line in source.imported.items() if name in needed - defined}
    return sorted(imports), [text for source in sources for name, (_, text) in source.defined.items() if name in needed]


class _Source:
    """The names at the top of a module."""

    def __init__(self, module: ModuleType) -> None:
        text = inspect.getsource(module)
        lines = text.splitlines()
        self.imported: dict[str, str] = {}
        self.defined: dict[str, tuple[ast.stmt, str]] = {}
        for node in self._statements(ast.parse(text).body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    origin = f"from {node.module} import " if isinstance(node, ast.ImportFrom) else "import "
                    self.imported[alias.name] = origin + alias.name
                continue
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            code = "\n".join(re.sub(r"\s+# (noqa|type):? .*", "", line) for line in lines[first - 1 : node.end_lineno])
            for name in self._names(node):
                self.defined[name] = (node, code)

    def uses(self, name: str) -> set[str]:
        """List the names that a definition of this module uses, in its annotations as well."""
        if name not in self.defined:
            return set()
        node, _ = self.defined[name]
        return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}

    @staticmethod
    def _statements(body: list[ast.stmt]) -> Iterable[ast.stmt]:
        for node in body:
            if isinstance(node, ast.If):  # the imports for the annotations
                yield from node.body
            else:
                yield node

    @staticmethod
    def _names(node: ast.stmt) -> Iterable[str]:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _nodes(tree: Any) -> Iterable[Any]:
    yield tree
    if isinstance(tree, Call):
        tree = [*tree.arguments, *tree.named.values()]
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(value)
