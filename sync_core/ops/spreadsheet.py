"""CSV for spreadsheets. RFC 4180, and no cell that a spreadsheet takes for a formula.

A display name or a reason may begin like one, and a spreadsheet would run it for whoever opens the file. Such a cell
gets an apostrophe in front. https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO

from ..model.messages import format_time

type Cell = str | int | datetime | Sequence[str] | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def line(cells: Sequence[Cell]) -> str:
    """One row, with its end. An absent value is an empty cell, and several texts share one, parted by spaces."""
    out = StringIO()
    csv.writer(out).writerow([_safe(_text(cell)) for cell in cells])
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return cell
        case int():
            return str(cell)
        case datetime():
            return format_time(cell)
    return " ".join(cell)
