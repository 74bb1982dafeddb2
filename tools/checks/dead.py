"""`python -m tools.checks.dead`: what the product defines and does not use. Tests do not count as a use.

A name is used when the product reads it anywhere outside of its own definition: as a variable, as an attribute, in a
pattern. An import or `__all__` is no use. Names are compared as text, without types: of two methods with one name, both
count as used when one is. So the check misses some, and what it reports is dead unless a framework calls it (KEPT).

Reported are functions, methods, classes, constants and fields, and parameters with a default that no call passes.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import ceilings
from .ceilings import Finding
from .kept import KEPT
from .source import ROOT, python_files, room

PRODUCT = ("function_app.py", "sync_core", "local", "emulator", "bench", "tools")
REPORTED = ("sync_core", "local", "emulator")

# A decorator from this list changes a function; any other one hands it to somebody who calls it.
_PLAIN_DECORATORS = {
    "abstractmethod",
    "asynccontextmanager",
    "cache",
    "cached_property",
    "classmethod",
    "contextmanager",
    "dataclass",
    "lru_cache",
    "property",
    "setter",
    "staticmethod",
    "total_ordering",
    "unique",
    "wraps",
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    kind: str  # function, class, name, attribute or parameter
    name: str
    path: Path
    line: int
    end: int
    within: str = ""  # the class or, of a parameter, the function

    @property
    def label(self) -> str:
        return f"{self.within}.{self.name}" if self.within else self.name

    def spans(self, use: Use) -> bool:
        return self.path == use.path and self.line <= use.line <= self.end


@dataclass(frozen=True, slots=True)
class Use:
    name: str
    path: Path
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Of a function by name: how many arguments by position, and which by keyword (None: `**`)."""

    name: str
    positional: int
    keywords: frozenset[str | None]


class Source:
    """The definitions, uses and calls of some files. Raises SyntaxError."""

    def __init__(self, paths: Iterable[Path], root: Path = ROOT) -> None:
        self.definitions: list[Definition] = []
        self.parameters: list[tuple[Definition, int | None]] = []  # with the place among positional arguments
        self.uses: list[Use] = []
        self.calls: dict[str, list[Call]] = {}
        self.values: set[str] = set()  # functions that are passed about; nobody can say how they are called
        for path in paths:
            self._read(path, ast.parse((root / path).read_text(encoding="utf-8")))

    def _read(self, path: Path, tree: ast.Module) -> None:
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    self.uses.append(Use(name, path, node.lineno))
                    if id(node) not in called:
                        self.values.add(name)
                case ast.MatchClass(kwd_attrs=names):
                    self.uses.extend(Use(name, path, node.lineno) for name in names)
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    keywords = frozenset(keyword.arg for keyword in node.keywords)
                    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
                    positional = sys.maxsize if starred else len(node.args)
                    self.calls.setdefault(name, []).append(Call(name=name, positional=positional, keywords=keywords))
        self._define(path, tree.body, within="")

    def _define(self, path: Path, body: list[ast.stmt], within: str) -> None:
        for node in body:
            match node:
                case ast.ClassDef():
                    self._add(path, node, "class", node.name, within)
                    self._define(path, node.body, within=node.name)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if all(_decorator(each) in _PLAIN_DECORATORS for each in node.decorator_list):
                        self._add(path, node, "function", node.name, within)
                        self._parameters(path, node, within)
                case ast.Assign(targets=targets):
                    for target in targets:
                        for name in (each for each in ast.walk(target) if isinstance(each, ast.Name)):
                            self._add(path, node, "name", name.id, within)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    self._add(path, node, "name", name, within)
                case ast.TypeAlias(name=ast.Name(id=name)):
                    self._add(path, node, "name", name, within)
                case ast.If():
                    self._define(path, node.body + node.orelse, within)
            if within and isinstance(node, _Function):
                self._attributes(path, node, within)

    def _attributes(self, path: Path, node: _Function, within: str) -> None:
        """What a method sets on `self`."""
        for target in ast.walk(node):
            match target:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                    self.definitions.append(_definition(path, target, "attribute", name, within))

    def _add(self, path: Path, node: ast.stmt, kind: str, name: str, within: str) -> None:
        if not (name.startswith("__") and name.endswith("__")) and name != "_":
            self.definitions.append(_definition(path, node, kind, name, within))

    def _parameters(self, path: Path, node: _Function, within: str) -> None:
        of = within if node.name == "__init__" else node.name
        positional = node.args.posonlyargs + node.args.args
        bound = within and not any(_decorator(each) == "staticmethod" for each in node.decorator_list)
        with_default = positional[len(positional) - len(node.args.defaults) :]
        for argument in with_default:
            place = positional.index(argument) - bool(bound)
            self.parameters.append((_definition(path, node, "parameter", argument.arg, of), place))
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if default is not None:
                self.parameters.append((_definition(path, node, "parameter", argument.arg, of), None))

    def unused(self, kept: Container[str] = ()) -> list[Definition]:
        """Also what only something unused uses. `kept` has names and labels (`Class.name`)."""
        uses: dict[str, list[Use]] = {}
        for use in self.uses:
            uses.setdefault(use.name, []).append(use)
        dead: list[Definition] = []
        alive = [each for each in self.definitions if each.label not in kept and each.name not in kept]
        while True:
            by_file: dict[Path, list[Definition]] = {}
            for each in dead:
                by_file.setdefault(each.path, []).append(each)
            found = [
                each
                for each in alive
                if all(
                    each.spans(use) or any(one.spans(use) for one in by_file.get(use.path, ()))
                    for use in uses.get(each.name, ())
                )
            ]
            if not found:
                return dead
            dead += found
            alive = [each for each in alive if each not in found]

    def never_passed(self, kept: Container[str] = ()) -> list[Definition]:
        """Parameters with a default, of functions that are called and never passed about."""
        return [
            parameter
            for parameter, place in self.parameters
            if parameter.within in self.calls
            and parameter.within not in self.values
            and parameter.label not in kept
            and not any(_passes(call, parameter.name, place) for call in self.calls[parameter.within])
        ]


def _passes(call: Call, name: str, place: int | None) -> bool:
    return name in call.keywords or None in call.keywords or (place is not None and call.positional > place)


def _definition(path: Path, node: ast.stmt | ast.expr, kind: str, name: str, within: str) -> Definition:
    return Definition(kind=kind, name=name, path=path, line=node.lineno, end=node.end_lineno or 0, within=within)


def _decorator(node: ast.expr) -> str:
    match node:
        case ast.Call(func=inner):
            return _decorator(inner)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def findings(root: Path = ROOT) -> Iterator[Finding]:
    product = Source(python_files(*PRODUCT, root=root), root)
    tests = {use.name for use in Source(python_files("tests", root=root), root).uses}
    for each in [*product.unused(KEPT), *product.never_passed(KEPT)]:
        if each.path.parts[0] not in REPORTED:
            continue
        if each.kind == "parameter":
            where = "no call of the product passes it"
        else:
            where = "only tests use it" if each.name in tests else "nobody uses it"
        what = f"{each.kind} {each.label}: {where}"
        yield Finding(
            room=room(each.path),
            path=each.path,
            line=each.line,
            what=what,
            remedy="delete it, or name its reader in kept.py",
        )


if __name__ == "__main__":
    sys.exit(ceilings.main("dead", list(findings())))
