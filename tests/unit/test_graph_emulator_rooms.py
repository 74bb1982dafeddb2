"""The map of the Graph emulator is complete."""

import re
from pathlib import Path

import local.graph_emulator


def test_the_emulator_has_one_line_for_each_file_and_folder() -> None:
    """The package's docstring names what lies in it, and nothing else."""
    assert local.graph_emulator.__file__ is not None
    folder = Path(local.graph_emulator.__file__).parent
    there = {f"{each.name}/" if each.is_dir() else each.name for each in folder.iterdir()}
    named = re.findall(r"^    (\S+) {2,}\S", local.graph_emulator.__doc__ or "", re.MULTILINE)
    assert sorted(named) == sorted(there - {"__init__.py", "__pycache__/"})
