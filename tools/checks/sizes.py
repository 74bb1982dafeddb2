"""`python -m tools.checks.sizes`: files and functions that are too long to read in one go, and two habits to avoid.

An import inside a function hides what a module needs; the few that are there keep a cold start short. A link is changed
by its own methods alone, so that model/link.py shows every transition.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from . import ceilings
from .ceilings import Finding
from .source import ROOT, python_files

PLACES = ("sync_core", "local", "emulator")
LONGEST_FILE = 350  # lines
LONGEST_FUNCTION = 45  # lines, with its docstring and decorators
LATE_IMPORTS = 5
LINK = Path("sync_core/model/link.py")

_LATE_IMPORT = re.compile(r"# noqa: PLC0415\b")
_REPLACED_LINK = re.compile(r"\breplace\(link\b")


def findings(root: Path = ROOT) -> Iterator[Finding]:
    """The room of a finding is its subject: `sync_core files`, `local functions`, `late imports`, `replace(link`."""
    late: list[Finding] = []
    for place in PLACES:
        for path in python_files(place, root=root):
            source = (root / path).read_text(encoding="utf-8")
            yield from of_file(place, path, source)
            if place == "sync_core":
                yield from _links_replaced(path, source)
                late += _late_imports(path, source)
    if len(late) > LATE_IMPORTS:
        yield from late


def of_file(place: str, path: Path, source: str) -> Iterator[Finding]:
    lines = source.splitlines()
    if len(lines) > LONGEST_FILE:
        yield _finding(f"{place} files", path, 1, f"{len(lines)} lines", f"divide it; {LONGEST_FILE} are allowed")
    for name, line, length in functions(source):
        if length > LONGEST_FUNCTION:
            what = f"{name} has {length} lines"
            yield _finding(f"{place} functions", path, line, what, f"divide it; {LONGEST_FUNCTION} are allowed")


def _links_replaced(path: Path, source: str) -> Iterator[Finding]:
    for number, line in enumerate(source.splitlines(), 1):
        if _REPLACED_LINK.search(line) and path != LINK:
            remedy = f"give the transition a name in {LINK}"
            yield _finding("replace(link", path, number, "a link changed by replace()", remedy)


def _late_imports(path: Path, source: str) -> Iterator[Finding]:
    for number, line in enumerate(source.splitlines(), 1):
        if _LATE_IMPORT.search(line):
            remedy = f"import at the top; {LATE_IMPORTS} in all of sync_core are allowed"
            yield _finding("late imports", path, number, "an import in a function", remedy)


def functions(source: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and number of lines of each. Raises SyntaxError."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, node.lineno, (node.end_lineno or first) - first + 1


def _finding(room: str, path: Path, line: int, what: str, remedy: str) -> Finding:
    return Finding(room=room, path=path, line=line, what=what, remedy=remedy)


if __name__ == "__main__":
    sys.exit(ceilings.main("sizes", list(findings())))
