"""The last and the next run of a timer, kept in a blob so that a missed run is noticed at start."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from local.functions_host.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`last` is None before the first run."""

    last: datetime | None
    next: datetime
    updated: datetime

    def as_json(self) -> dict[str, str]:
        """The real host's form; without a last run, .NET's earliest date."""
        return {
            "Last": self.last.isoformat() if self.last else "0001-01-01T00:00:00+00:00",
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Raises KeyError or ValueError for any other document."""
        last = datetime.fromisoformat(document["Last"])
        return cls(
            last=None if last.year == 1 else last,
            next=datetime.fromisoformat(document["Next"]),
            updated=datetime.fromisoformat(document["LastUpdated"]),
        )


class ScheduleMonitor:
    """`azure-webjobs-hosts/timers/<host id>/<function>/status`."""

    def __init__(self, container: ContainerClient, path: str) -> None:
        self._container = container
        self._path = path

    async def is_past_due(self, schedule: Schedule, now: datetime) -> tuple[bool, Status]:
        """Whether a run was missed, and the current status. After a change of the schedule, no run counts as missed."""
        status = await self.read()
        if status is None or schedule.after(max(status.last or status.updated, status.updated)) != status.next:
            fresh = Status(last=status.last if status else None, next=schedule.after(now), updated=now)
            await self.write(fresh)
            return False, fresh
        return now > status.next, status

    async def read(self) -> Status | None:
        """The stored status; None if it is absent or unreadable."""
        try:
            stream = await self._container.download_blob(self._path)
            return Status.from_json(json.loads(await stream.readall()))
        except (ResourceNotFoundError, ValueError, KeyError):
            return None

    async def write(self, status: Status) -> None:
        """Replace what is stored."""
        await self._container.upload_blob(self._path, json.dumps(status.as_json()).encode(), overwrite=True)
