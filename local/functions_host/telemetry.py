"""What Application Insights would get of a run, as rows of its tables: queries can then be tried on a laptop.

Of the columns of AppTraces and AppRequests those that the real host fills for every app. OperationName is the name of
the function; ResultCode is "0" unless the function answers HTTP.
https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces
https://learn.microsoft.com/azure/azure-monitor/reference/tables/apprequests
"""

import json
import logging
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

type Row = dict[str, Any]
type Keep = Callable[[str, Row], None]

# The host and the worker log about themselves; their lines are no traces of the app.
_NOT_OF_THE_APP = ("local.", "azure_functions_runtime", "azure.functions")

running: ContextVar[str] = ContextVar("running", default="")
"""The name of the function in whose invocation this code runs."""


class Telemetry(logging.Handler):
    """A handler for the root logger. `keep` is given the table's name and one row of it, at once."""

    def __init__(self, keep: Keep, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(logging.INFO)
        self._keep = keep
        self._now = now

    def emit(self, record: logging.LogRecord) -> None:
        """One row of AppTraces."""
        if not record.name.startswith(_NOT_OF_THE_APP):
            severity = min(max(record.levelno // 10 - 1, 0), 4)  # 0 verbose, 1 information, ... 4 critical
            self._row("AppTraces", {"Message": self.format(record), "SeverityLevel": severity}, running.get())

    def request(self, function: str, *, began: datetime, status: int | None, failed: bool) -> None:
        """One row of AppRequests: an invocation is over. `status` is what it answered, None without HTTP."""
        row = {
            "Name": function,
            "DurationMs": (self._now() - began).total_seconds() * 1000,
            "Success": not failed and (status or 200) < 400,
            "ResultCode": str(status or 0),
        }
        self._row("AppRequests", row, function)

    def now(self) -> datetime:
        return self._now()

    def _row(self, table: str, row: Row, operation: str) -> None:
        self._keep(table, {"TimeGenerated": self._now(), "OperationName": operation, "ItemCount": 1, **row})


def into_file(path: Path) -> Keep:
    """Appends `[table, row]` as a line of JSON; times are ISO 8601."""

    def keep(table: str, row: Row) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([table, row], default=datetime.isoformat) + "\n")

    return keep
