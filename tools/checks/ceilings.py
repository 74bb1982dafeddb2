"""How many findings a room may still have. A room without a number has none, and a number may only fall."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("ceilings.toml")
_HEAD = """\
# How many findings a room may still have, by check. A room that is not here may have none. Numbers only fall:
# `python -m tools.checks.words --lower` writes today's counts where they are lower.
"""

type Ceilings = Mapping[str, Mapping[str, int]]  # by check, then by room


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that a check would like to see otherwise."""

    room: str
    path: Path
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; {self.remedy}"


def read(file: Path = FILE) -> Ceilings:
    """Raises OSError, and tomllib.TOMLDecodeError."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def lowered(ceilings: Ceilings, check: str, counts: Mapping[str, int]) -> Ceilings:
    """With today's count wherever it is below the ceiling. A room without findings loses its line."""
    fallen = {room: min(ceiling, counts.get(room, 0)) for room, ceiling in ceilings.get(check, {}).items()}
    return {**ceilings, check: {room: count for room, count in fallen.items() if count}}


def text(ceilings: Ceilings) -> str:
    """As TOML, in order."""
    parts = [_HEAD]
    for check, rooms in sorted(ceilings.items()):
        if rooms:
            parts.append(f"\n[{check}]\n" + "".join(f'"{room}" = {count}\n' for room, count in sorted(rooms.items())))
    return "".join(parts)


def above(ceilings: Ceilings, check: str, findings: Iterable[Finding]) -> list[Finding]:
    """All findings of the rooms that have more of them than they may."""
    findings = list(findings)
    counts = Counter(finding.room for finding in findings)
    allowed = ceilings.get(check, {})
    return [finding for finding in findings if counts[finding.room] > allowed.get(finding.room, 0)]


def main(check: str, findings: Sequence[Finding], arguments: Sequence[str] | None = None) -> int:
    """The command line of every check. Exit code 1 where a room has more findings than it may, else 0."""
    parser = argparse.ArgumentParser(prog=f"python -m tools.checks.{check}")
    parser.add_argument("room", nargs="*", help="list all findings of these rooms, whatever their ceilings")
    parser.add_argument("--lower", action="store_true", help="write today's counts into ceilings.toml")
    parser.add_argument("--count", action="store_true", help="print the number of findings in each room")
    wanted = parser.parse_args(arguments)
    ceilings = read()
    counts = Counter(finding.room for finding in findings)
    if wanted.lower:
        FILE.write_text(text(lowered(ceilings, check, counts)), encoding="utf-8")
        ceilings = read()
    if wanted.count:
        _say(f"{count:5} {room}" for room, count in sorted(counts.items()))
    if wanted.room:
        asked = [each for each in findings if each.room in wanted.room or str(each.path) in wanted.room]
        _say(map(str, asked))
        return int(bool(asked))
    too_many = above(ceilings, check, findings)
    _say(map(str, too_many))
    for room in sorted({finding.room for finding in too_many}):
        _say([f"{check}: {room} has {counts[room]} findings and may have {ceilings.get(check, {}).get(room, 0)}"])
    if not too_many:
        still = f", {counts.total()} old findings left" if findings else ""
        _say([f"{check}: no room is above its ceiling{still}"])
    return int(bool(too_many))


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
