"""`python -m tools.metrics_doc`: writes the table of metrics into docs/telemetry.md from the code that records them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sync_core.telemetry.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "telemetry.md"

_BEGIN = "<!-- Written by `make docs` from sync_core/telemetry/metrics.py. Edit that file, and run it again. -->\n"
_END = "<!-- The end of what `make docs` writes. -->\n"
_BETWEEN = re.compile(re.escape(_BEGIN) + ".*" + re.escape(_END), re.DOTALL)


def page(text: str) -> str:
    """The page with today's table between its two markers. Raises ValueError where it has none."""
    if not _BETWEEN.search(text):
        raise ValueError(f"{PAGE.name} has lost its markers; put back: {_BEGIN}{_END}")
    rows = [
        f"| `{each.name}` | {each.instrument}, {each.unit} | {', '.join(f'`{name}`' for name in each.attributes)} "
        f"| {each.description} |\n"
        for each in METRICS
    ]
    table = "".join(["| metric | kind, unit | attributes | what it is |\n|---|---|---|---|\n", *rows])
    return _BETWEEN.sub(lambda _: f"{_BEGIN}{table}{_END}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")
