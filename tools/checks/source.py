"""The files that the checks read, and the room that each belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_files(*places: str, root: Path = ROOT) -> Iterator[Path]:
    """Every Python file below these folders, and the files named; relative to `root`, in order."""
    for place in places:
        path = root / place
        found = [path] if path.is_file() else sorted(path.rglob("*.py"))
        yield from (each.relative_to(root) for each in found if "node_modules" not in each.parts)


def documents(root: Path = ROOT) -> Iterator[Path]:
    """Every Markdown file that people read: of the repository's first floor, docs/, emulator/ and .github/."""
    for folder in (root, root / "docs", root / "emulator", root / ".github"):
        pattern = "**/*.md" if folder.name == ".github" else "*.md"
        yield from (each.relative_to(root) for each in sorted(folder.glob(pattern)))


def room(path: Path) -> str:
    """`sync_core/graph`, `tests/unit`, `local`; a document is a room of its own."""
    if path.suffix != ".py" or len(path.parts) == 1:
        return str(path)
    return "/".join(path.parts[:-1][:2])
