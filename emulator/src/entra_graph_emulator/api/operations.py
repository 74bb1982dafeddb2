"""The operations that Graph v1.0 has, whether or not they are emulated. Read when a request has no route.

The file beside this one is made from the request builders of Microsoft's SDK.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("operations.txt")
COVERAGE: Final = "graph-emulator-coverage.md"
_PARAMETER: Final = re.compile(r"\w+='.*'")
_METHODS: Final = "/"  # the key of a path's methods, beside its segments: none of them has it


def listed() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each path of the file by its segments, with its methods; a part of a path has none."""
    above: list[str] = []
    for line in FILE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            segment, *methods = line.split()
            above[len(line) - len(line.lstrip()) :] = [segment]
            yield tuple(above), tuple(methods)


@lru_cache(maxsize=1)
def _tree() -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, methods in listed():
        node = tree
        for segment in path:
            node = node.setdefault(_key(segment), {_METHODS: frozenset()})
        node[_METHODS] |= frozenset(methods)
    return tree


def methods_of(segments: Sequence[str]) -> frozenset[str] | None:
    """The methods that Graph has for these segments; none for a part of a path, None for a path that leads nowhere."""
    node: dict[str, Any] | None = _tree()
    for segment in segments:
        below = node and (node.get(_key(segment)) or node.get("{}"))
        # The parameter of a function comes as a segment of its own.
        node = node if below is None and _PARAMETER.fullmatch(segment) else below
    return node[_METHODS] if node else None


def _key(segment: str) -> str:
    """A segment without what varies: its namespace and the parameters of a function."""
    if segment == "{}":
        return segment
    name = segment.lower().partition("(")[0].partition("=")[0]
    for namespace in ("microsoft.graph.", "graph."):
        if name.startswith(namespace) and "." not in name.removeprefix(namespace):
            return name.removeprefix(namespace)
    return name
