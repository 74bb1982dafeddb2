"""What a run makes, written down before it is made: so that a crash leaves nothing behind that nobody knows of."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """`id` is empty until Graph has said it."""

    kind: str  # users or groups
    name: str
    id: str = ""


class Journal:
    """One JSON line for each step, on the disk before the next request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, Entry] = {}
        for line in _lines(path):
            self._take(line)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self._entries.values() if each.id)

    @property
    def left(self) -> list[Entry]:
        """What was made, or may have been, newest first."""
        return list(reversed(self._entries.values()))

    def intend(self, kind: str, name: str) -> None:
        self._write({"intended": name, "kind": kind})

    def made(self, name: str, object_id: str) -> None:
        self._write({"made": name, "id": object_id})

    def gone(self, name: str) -> None:
        self._write({"gone": name})

    def _write(self, line: dict[str, str]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(line)

    def _take(self, line: dict[str, str]) -> None:
        if name := line.get("intended"):
            self._entries[name] = Entry(kind=line["kind"], name=name)
        elif name := line.get("made"):
            self._entries[name] = Entry(kind=self._entries[name].kind, name=name, id=line["id"])
        else:
            self._entries.pop(line["gone"], None)


def _lines(path: Path) -> Iterator[dict[str, str]]:
    """A last line that a crash cut off is none: what it would have said was not done yet, or is found by its name."""
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            return
