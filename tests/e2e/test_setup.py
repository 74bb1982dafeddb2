"""`local/setup.sh` on a machine that lacks something: its last line names what is missing, and the remedy."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable).resolve()
# All that a bare Debian has of what the script calls.
BARE = ["bash", "cat", "cut", "dirname", "env", "mkdir", "sh", "sha256sum"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout in a folder whose name has to be quoted, and beside it the programs of a bare machine."""
    folder = tmp_path / "it's $HOME & co"
    (folder / "local").mkdir(parents=True)
    for name in ("local/setup.sh", "local/home.sh", "local/uv.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder / name)
    (tmp_path / "bin").mkdir()
    for program in BARE:
        found = shutil.which(program)
        assert found is not None
        (tmp_path / "bin" / program).symlink_to(found)
    return folder


async def setup(folder: Path, **environ: str) -> tuple[int | None, str]:
    """The exit code and the last line of a run without HOME."""
    settings: Mapping[str, str] = {"PATH": str(folder.parent / "bin"), "TERM": "dumb", **environ}
    process = await asyncio.create_subprocess_exec(
        folder / "local" / "setup.sh",
        cwd=folder.parent,
        env=settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode().splitlines()[-1]


async def test_without_python_the_interpreter_is_named(folder: Path) -> None:
    """And how it is installed, by two ways."""
    code, said = await setup(folder)
    assert code == 1
    assert said.startswith("setup: CPython 3.13 is needed: install it (for example 'pyenv install 3.13' or 'apt ")


async def test_a_registry_out_of_reach_is_named_behind_a_dead_proxy(folder: Path) -> None:
    """Pip itself would say that no version of the package exists."""
    (folder.parent / "bin" / "python3.13").symlink_to(PYTHON)
    code, said = await setup(folder, HTTPS_PROXY="http://127.0.0.1:9", PIP_RETRIES="0")
    assert code == 1
    assert said == "setup: that failed (see above): can PyPI and npm be reached? Behind a proxy, set HTTPS_PROXY."


@pytest.mark.parametrize("home", ["", "/proc/none"])
async def test_without_a_home_folder_caches_are_in_the_checkout(folder: Path, home: str) -> None:
    """Also for `make package` and the tests: each of them may ask a registry."""
    printed = await asyncio.create_subprocess_exec(
        folder / "local" / "home.sh", env={**os.environ, "HOME": home}, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await printed.communicate()
    assert said.decode() == f"{folder}/.cache/home\n"
    made = await asyncio.create_subprocess_exec(
        *("make", "--silent", "--file", ROOT / "Makefile", "--eval", "said: ; @printenv HOME", "said"),
        cwd=folder,
        env={**os.environ, "HOME": home},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await made.communicate()
    assert said.decode() == f"{folder}/.cache/home\n"
