"""What one Python file imports, read from its syntax tree. Nothing is executed.

`if TYPE_CHECKING:` is left out, because Python never enters it. Imports in functions are told apart from those that run
when the module is loaded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BY_NAME = {"import_module", "__import__"}
_OUT_OF_SIGHT = {"iter_modules", "walk_packages", "entry_points", "iter_entry_points", "exec_module", "resolve_name"}
DYNAMIC_WORDS = re.compile("|".join(sorted({*_BY_NAME, *_OUT_OF_SIGHT, "__getattr__"})).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """`import module`, or `from module import name` with name "*" for everything."""

    module: str
    name: str = ""
    in_function: bool = False
    in_try: bool = False


@dataclass(slots=True)
class Imports:
    found: list[Import] = field(default_factory=list)
    dynamic: bool = False  # it imports something that cannot be read from here


def read_imports(source: bytes, module: str, *, is_package: bool) -> Imports:
    """Raises SyntaxError."""
    reader = _Reader(module if is_package else module.rpartition(".")[0])
    tree = ast.parse(source)
    reader.read(tree.body, in_function=False, in_try=False)
    if any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body):
        reader.imports.dynamic = True  # the module decides what it holds when it is asked
    return reader.imports


class _Reader:
    def __init__(self, package: str) -> None:
        self.package = package
        self.imports = Imports()

    def read(self, nodes: list[ast.stmt], *, in_function: bool, in_try: bool) -> None:
        for node in nodes:
            self._read_one(node, in_function=in_function, in_try=in_try)

    def _read_one(self, node: ast.AST, *, in_function: bool, in_try: bool) -> None:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                self.read(node.orelse, in_function=in_function, in_try=in_try)
                return
            case ast.Import():
                for alias in node.names:
                    self._add(alias.name, "", in_function=in_function, in_try=in_try)
            case ast.ImportFrom():
                for alias in node.names:
                    self._add(self._absolute(node), alias.name, in_function=in_function, in_try=in_try)
            case ast.Call():
                self._call(node, in_function=in_function, in_try=in_try)
        in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        in_try = in_try or isinstance(node, ast.Try)
        for child in ast.iter_child_nodes(node):
            self._read_one(child, in_function=in_function, in_try=in_try)

    def _absolute(self, node: ast.ImportFrom) -> str:
        return self._resolved("." * node.level + (node.module or ""))

    def _resolved(self, name: str) -> str:
        level = len(name) - len(name.lstrip("."))
        if level == 0:
            return name
        parts = self.package.split(".")
        return ".".join([*parts[: len(parts) - level + 1], *filter(None, [name[level:]])])

    def _call(self, node: ast.Call, *, in_function: bool, in_try: bool) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _OUT_OF_SIGHT:
            self.imports.dynamic = True
        elif name in _BY_NAME:
            match node.args:
                case [ast.Constant(value=str(module)), *_]:
                    self._add(self._resolved(module), "", in_function=in_function, in_try=in_try)
                case _:
                    self.imports.dynamic = True

    def _add(self, module: str, name: str, *, in_function: bool, in_try: bool) -> None:
        self.imports.found.append(Import(module=module, name=name, in_function=in_function, in_try=in_try))


def ancestors(module: str) -> Iterator[str]:
    """`a.b.c`: a, a.b. Python loads them first."""
    parts = module.split(".")
    return (".".join(parts[:n]) for n in range(1, len(parts)))
