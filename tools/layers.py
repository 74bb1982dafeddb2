"""`python -m tools.layers`: draws the layers of .importlinter into docs/architecture.md, so that both say the same."""

from __future__ import annotations

import ast
import re
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"

_PLACES = ("", "emulator/src")  # where packages are

_BEGIN = "<!-- Drawn by `make docs` from .importlinter. Edit that file, and run it again. -->\n"
_END = "<!-- The end of what `make docs` draws. -->\n"
_BETWEEN = re.compile(re.escape(_BEGIN) + ".*" + re.escape(_END), re.DOTALL)


def pictures(contracts: ConfigParser, root: Path = ROOT) -> str:
    """One for each container of a contract about layers, in a fenced block."""
    drawn = [
        _picture(container, contract["layers"].split("\n"), _without_io(contracts), root)
        for contract in contracts.values()
        if contract.get("type") == "layers"
        for container in contract.get("containers", "").split()
    ]
    return "\n".join(f"```text\n{picture}```\n" for picture in drawn)


def page(text: str) -> str:
    """The page with today's pictures between its two markers. Raises ValueError where it has none."""
    if not _BETWEEN.search(text):
        raise ValueError(f"{PAGE.name} has lost its markers; put back: {_BEGIN}{_END}")
    return _BETWEEN.sub(lambda _: _BEGIN + pictures(read_contracts()) + _END, text)


def read_contracts(file: Path = ROOT / ".importlinter") -> ConfigParser:
    contracts = ConfigParser()
    contracts.read_string(file.read_text(encoding="utf-8"))
    return contracts


def _picture(container: str, layers: list[str], without_io: set[str], root: Path) -> str:
    [folder] = [each for place in _PLACES if (each := root / place / container.replace(".", "/")).is_dir()]
    lines = _lines(folder)
    rows: list[list[str]] = []
    for layer in filter(None, map(str.strip, layers)):
        rooms = re.split(r"\s*[|:]\s*", layer)
        rows.append([_row(room, folder, lines, pure=f"{container}.{room}" in without_io) for room in rooms])
    border = "-" * max(len(row) for layer in rows for row in layer) + "\n"
    drawn = border.join("".join(f"{row}\n" for row in layer) for layer in rows)
    return f"{folder.relative_to(root)}/\n{border}{drawn}{border}"


def _row(room: str, folder: Path, lines: dict[str, str], *, pure: bool) -> str:
    name = f"{room}/" if (folder / room).is_dir() else f"{room}.py"
    return f"{'*' if pure else ' '} {name:14} {lines.get(name, '')}".rstrip()


def _lines(folder: Path) -> dict[str, str]:
    """What the docstring of a package says of each of its rooms, one line for each."""
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    found = re.findall(r"^\s*(\w+(?:/|\.py))\s{2,}(.+)$", said, re.MULTILINE)
    return dict(found)


def _without_io(contracts: ConfigParser) -> set[str]:
    """The modules that contract `pure` keeps from every library that does I/O."""
    return set(contracts.get("importlinter:contract:pure", "source_modules", fallback="").split())


def main() -> int:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"drew the layers into {PAGE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
