"""The operations of Graph v1.0, read from the request builders of the installed msgraph-sdk.

`make docs` writes them to the file that the emulator reads where it has no route. A line is a segment, indented by its
depth, with the methods of the path that it ends.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgraph

from entra_graph_emulator.api.operations import FILE

_BUILDERS = Path(msgraph.__path__[0]) / "generated"
_TEMPLATE = re.compile(r'super\(\).__init__\(request_adapter, "\{\+baseurl\}/?([^"?]*?)(?:\{\?|\?|")')
_METHOD = re.compile(r"RequestInformation\(Method\.(\w+), self\.url_template")
_OPEN = re.compile(r"\{[^}/]*\}")
_ALTERNATE = re.compile(r"(.*?)(\w+)\([A-Za-z]+='\{\}'\)(/.*|)")


def operations() -> dict[str, set[str]]:
    """Methods by path, such as `users/{}/messages`; alternate keys count as keys."""
    found: dict[str, set[str]] = {}
    for file in sorted(_BUILDERS.rglob("*_request_builder.py")):
        text = file.read_text("utf-8")
        template, methods = _TEMPLATE.search(text), set(_METHOD.findall(text))
        if template is not None and methods:
            found.setdefault(_OPEN.sub("{}", template[1]), set()).update(methods)
    paths: dict[str, set[str]] = {}
    for path, methods in found.items():
        keyed = _ALTERNATE.fullmatch(path)
        known = keyed is not None and f"{keyed[1]}{keyed[2]}/{{}}" in found
        name = f"{keyed[1]}{keyed[2]}/{{}}{keyed[3]}" if keyed is not None and known else path
        paths.setdefault(name.replace("/graph.", "/microsoft.graph."), set()).update(methods)
    return paths


def text() -> str:
    tree: dict[str, Any] = {}
    for path, methods in operations().items():
        node = tree
        for segment in path.split("/"):
            node = node.setdefault(segment, {})
        node[""] = methods
    head = f"# Made by tools.graph_operations from the request builders of msgraph-sdk {version('msgraph-sdk')}."
    return "\n".join([head, *_lines(tree, 0), ""])


def _lines(tree: Mapping[str, Any], depth: int) -> Iterator[str]:
    for segment in sorted(each for each in tree if each):
        yield " ".join([" " * depth + segment, *sorted(tree[segment].get("", ()))])
        yield from _lines(tree[segment], depth + 1)


def main() -> None:
    FILE.write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
