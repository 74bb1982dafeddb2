"""The version that `xtsync --version` says."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path


def version() -> str:
    """The version of the installed package. Code that is not installed runs beside pyproject.toml, which has it."""
    try:
        return metadata.version("xtsync")
    except metadata.PackageNotFoundError:
        pass
    try:
        text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return "of unknown version"
    return str(tomllib.loads(text)["project"]["version"])
