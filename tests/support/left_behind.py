"""What version 0.1 left behind, as tests.e2e.leave_behind wrote it down: tables, messages and both tenants.

`settled`: everybody is where they are to be, or waits for something that no upgrade brings.
`unfinished`: the power failed in the middle of everything, and people decided something before it was back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sync_core.storage.repositories import Storage
from sync_core.storage.table import Row

SYNC = "staff"
STAFF = "dddddddd-0000-4000-8000-000000000001"
BARRED = "dddddddd-0000-4000-8000-000000000002"  # whoever is in it is out
NOWHERE = "http://graph.emulator"  # in place of the emulator's address
_DATA = Path(__file__).parent / "data"
# The time of linking is part of what was written to the target: the reference to a manager is to one life of theirs.
_TIME = re.compile(r'(linked_at":")?\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(Z|\+00:00)')


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    config: str  # sync.yaml
    people: Mapping[str, str]  # source id by name
    tables: Mapping[str, Sequence[Row]]
    queues: Mapping[str, Sequence[str]]  # bodies
    tenants: Sequence[Mapping[str, Any]]  # snapshots for the emulator

    def row(self, name: str) -> Row:
        """The row of somebody's link."""
        return next(row for row in self.tables["links"] if row.pk == SYNC and row.rk == self.people[name])

    async def fill(self, storage: Storage) -> None:
        """Into empty tables and queues."""
        for table, rows in self.tables.items():
            for row in rows:
                await storage.tables_by_name[table].insert(row)
        for queue, bodies in self.queues.items():
            await storage.queues_by_name[queue].send_many(bodies)


def left_behind(name: str, *, graph_url: str = NOWHERE, ago: timedelta | None = None) -> LeftBehind:
    """With `ago`: as if it had been left that long ago, whenever it really was."""
    text = (_DATA / f"version_0_1_{name}.json").read_text("utf-8").replace(NOWHERE, graph_url)
    if ago is not None:
        text = _moved(text, datetime.now(UTC) - ago - datetime.fromisoformat(json.loads(text)["at"]))
    document = json.loads(text)
    return LeftBehind(
        config=document["sync.yaml"],
        people=document["people"],
        tables={table: [_row(values) for values in rows] for table, rows in document["tables"].items()},
        queues=document["queues"],
        tenants=document["tenants"],
    )


def _row(values: Mapping[str, Any]) -> Row:
    return Row(pk=values["pk"], rk=values["rk"], values={n: v for n, v in values.items() if n not in {"pk", "rk"}})


def _moved(text: str, by: timedelta) -> str:
    """Every time of the document but those of linking, with as many digits as before."""

    def move(found: re.Match[str]) -> str:
        linked, time, zone = found.groups()
        if linked:
            return found.group()
        moved = (datetime.fromisoformat(time) + by).isoformat(timespec="microseconds")
        return (moved if "." in time else moved.partition(".")[0]) + zone

    return _TIME.sub(move, text)
