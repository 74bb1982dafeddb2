"""The rooms of the core, and of the Graph emulator, as their docstrings name them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import entra_graph_emulator
import sync_core


@pytest.mark.parametrize("package", [sync_core, entra_graph_emulator])
def test_the_docstring_has_one_line_for_each_file_and_folder(package: ModuleType) -> None:
    """A newcomer reads one list and has seen every room."""
    folder = Path(str(package.__file__)).parent
    there = {path.name + "/" * path.is_dir() for path in folder.iterdir()} - {"__init__.py", "__pycache__/"}
    lines = (package.__doc__ or "").split("\n\n")[1].splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(there)
