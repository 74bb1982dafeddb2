"""The rooms of the core, as its docstring names them."""

from __future__ import annotations

from pathlib import Path

import sync_core


def test_the_docstring_has_one_line_for_each_file_and_folder() -> None:
    """A newcomer reads one list and has seen every room."""
    folder = Path(sync_core.__file__).parent
    there = {path.name + "/" * path.is_dir() for path in folder.iterdir() if not path.name.startswith("__")}
    lines = (sync_core.__doc__ or "").split("\n\n", 1)[1].splitlines()
    assert sorted(line.split()[0] for line in lines if line.strip()) == sorted(there)
