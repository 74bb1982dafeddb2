"""One compiler for all tests. Where there is none, what needs it is skipped, and says what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.bicep import HELP, Compiler, find_compiler


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    executable = find_compiler()
    if executable is None:
        pytest.skip(f"the templates were not compiled, and the snapshots not compared with them: {HELP}")
    with Compiler(executable) as compiler:
        yield compiler
