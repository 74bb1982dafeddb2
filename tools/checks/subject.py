"""`python -m tools.checks.subject FILE`: the commit message in FILE has a subject that fits into one line of a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST = 72  # characters, as git's own documentation has it for a log of 80 columns
_WRITTEN_BY_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ")


def faults(message: str) -> Iterator[str]:
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    if subject.startswith(_WRITTEN_BY_GIT):
        return
    if not subject.strip():
        yield "the first line is empty; say there in a few words what changes"
    if len(subject) > LONGEST:
        yield f"the subject has {len(subject)} characters; {LONGEST} are allowed, and the why goes into the body"
    if len(lines) > 1 and lines[1].strip():
        yield "the second line is not empty; leave one empty line between subject and body"


def main() -> int:
    found = list(faults(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.stderr.writelines(f"commit message: {fault}\n" for fault in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
