"""Reads back what the local host wrote for Application Insights."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from local.functions_host.telemetry import Row


def read_telemetry(path: Path) -> list[tuple[str, Row]]:
    """Rows with the names of their tables, in the order of writing; times are datetimes again."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(table, row | {"TimeGenerated": datetime.fromisoformat(row["TimeGenerated"])}) for table, row in lines]
