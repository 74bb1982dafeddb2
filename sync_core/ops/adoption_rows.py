"""The rows of a file of adoptions: written by hand, or by `xtsync preflight --csv` and edited since."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model import SourceUser, Sync, TargetUser, fingerprint
from .errors import UsageError

# The first of them name the columns of a file with a header; it may have others besides.
COLUMNS = ("adopt", "user", "target", "code", "sync")
_YES, _NO = frozenset({"yes", "y", "x", "true", "1"}), frozenset({"", "no", "n", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`code` binds it to what was shown. `line` is that of the file."""

    line: int
    user: str
    target: str | None = None
    sync: str | None = None
    code: str | None = None


def code_of(sync: Sync, source: SourceUser, target: TargetUser) -> str:
    """The code for what a person was shown of both: another person's address or name, or a block, changes it.

    It begins with letters, so that no spreadsheet takes it for a number.
    """
    seen = [sync.name, source.id, (source.address or "").lower(), target.id, target.display_name, target.mail.lower()]
    return f"as-{fingerprint([*seen, str(target.enabled), str(target.external), str(target.linked_to)])}"


def read_rows(text: str) -> list[Row]:
    """Rows `USER` or `USER,TARGET` of CSV; empty ones and those that begin with # are passed over.

    If the first row names columns, they may come in any order, parted by commas or semicolons. With a column `adopt`,
    only rows with a yes in it count. Raises UsageError for any other row, naming its line.
    """
    lines = text.splitlines()
    parted = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
    cells = [(n, [cell.strip() for cell in row]) for n, row in enumerate(csv.reader(lines, delimiter=parted), 1)]
    told = [(number, row) for number, row in cells if any(row) and not row[0].startswith("#")]
    header = [cell.lower() for cell in told[0][1]] if told else []
    if "user" in header:
        rows = [row for number, cells in told[1:] if (row := _named(number, header, cells)) is not None]
    else:
        rows = [_plain(number, row) for number, row in told]
    if not rows:
        column = "Say yes in the column adopt, or take that column out." if "adopt" in header else ""
        raise UsageError("the file names nobody", hint=column or "One source user in each line: USER or USER,TARGET.")
    return rows


def _plain(number: int, cells: Sequence[str]) -> Row:
    if len(cells) > 2 or not cells[0]:
        raise UsageError(f"line {number} is neither USER nor USER,TARGET", hint="One source user in each line.")
    return Row(line=number, user=cells[0], target=cells[1] if len(cells) == 2 and cells[1] else None)


def _named(number: int, header: Sequence[str], cells: Sequence[str]) -> Row | None:
    """None for a row without a yes."""
    if len(cells) > len(header):
        raise UsageError(f"line {number} has more cells than the first line", hint="Was it cut by another character?")
    row: Mapping[str, str] = dict(zip(header, cells, strict=False))
    word = row.get("adopt", "yes").lower()
    if word in _NO:
        return None
    if word not in _YES:
        raise UsageError(f"line {number}: '{word}' in the column adopt is neither yes nor no", hint="Say yes, or no.")
    if not row.get("user"):
        raise UsageError(f"line {number} names no user", hint="Nobody of the source is meant there: say no.")
    if "code" in row and not row["code"]:
        hint = "Say no there; if another row of this user has a code, say yes in that one."
        raise UsageError(f"line {number} has no code: no word adopts by it", hint=hint)
    given = {name: row.get(name) or None for name in ("target", "sync", "code")}
    return Row(line=number, user=row["user"], **given)
