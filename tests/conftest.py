"""Which tests count for the branches of the pure modules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.processes import bypass_proxies

bypass_proxies(os.environ)  # a proxy knows nothing of the ports of this machine
UNIT = Path(__file__).parent / "unit"
# They run the whole, thousands of times and with crashes, or start processes: no branch of a pure module needs them.
WHOLE = ("checks", "reconcile", "telemetry", "test_cli", "test_ops_plan_jobs", "test_ops_syncs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of `tests/unit` that are about rules. The tracer would double the time of the others."""
    for item in items:
        if not item.path.is_relative_to(UNIT) or str(item.path.relative_to(UNIT)).startswith(WHOLE):
            item.add_marker(pytest.mark.no_cover)
