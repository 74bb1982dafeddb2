"""Which tests count for the branches of the pure modules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.processes import bypass_proxies

bypass_proxies(os.environ)  # a proxy knows nothing of the ports of this machine
UNIT = Path(__file__).parent / "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of `tests/unit`. The tracer would double the time of a simulated history, which proves no branch."""
    for item in items:
        if not item.path.is_relative_to(UNIT):
            item.add_marker(pytest.mark.no_cover)
