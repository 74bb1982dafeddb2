"""Azurite's log of requests: how many operations of each kind the storage account would bill.

A batch is one operation, and a request that fails is one too, as in Azure.
https://learn.microsoft.com/azure/storage/blobs/map-rest-apis-transaction-categories
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from sync_core.model.messages import WORK_QUEUES, poison_queue
from sync_core.storage.repositories import TABLES

TABLE, QUEUE, POLL, BLOB = "table", "queue", "poll", "blob"
_QUEUES = {*WORK_QUEUES, *map(poison_queue, WORK_QUEUES)}
_LINE = re.compile(r'"(?P<method>[A-Z]+) /devstoreaccount1/(?P<name>[$\w-]+)(?P<rest>[^ ]*) HTTP/')


def kind_of(line: str) -> str | None:
    """TABLE, QUEUE or BLOB; POLL for a host that asks for messages, also if it gets some. None: not about a request."""
    found = _LINE.search(line)
    if found is None:
        return None
    name, rest = found["name"], found["rest"]
    if name in {*TABLES, "$batch", "Tables"}:
        return TABLE
    if name in _QUEUES:
        is_poll = found["method"] == "GET" and rest.startswith("/messages") and "peekonly" not in rest
        return POLL if is_poll else QUEUE
    return BLOB


class StorageLog:
    """Reads what was written since a given place in the file: take `end` before an action, and pass it to `since`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def end(self) -> int:
        return self._path.stat().st_size

    def since(self, place: int) -> Counter[str]:
        """The requests of each kind."""
        with self._path.open("rb") as file:
            file.seek(place)
            lines = file.read().decode(errors="replace").splitlines()
        return Counter(kind for kind in map(kind_of, lines) if kind is not None)
