"""What Application Insights would get of a run, as rows of its tables: queries can then be tried on a laptop.

Of the columns of AppTraces and AppRequests those that the real host fills for every app. OperationName is the name of
the function; ResultCode is "0" unless the function answers HTTP.
https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces
https://learn.microsoft.com/azure/azure-monitor/reference/tables/apprequests
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azure_functions_runtime.utils.executor import invocation_id_cv

type Row = dict[str, Any]
type Keep = Callable[[str, Row], None]

# The host and the worker log about themselves; their lines are no traces of the app.
_NOT_OF_THE_APP = ("local.", "azure_functions_runtime", "azure.functions")

_invocation: ContextVar[str] = ContextVar("invocation", default="")
_running: dict[str, str] = {}  # the function's name by invocation id


@contextmanager
def running(function: str, invocation_id: str) -> Iterator[None]:
    """Lines that are logged in the block, and in tasks that it starts, belong to this invocation."""
    token = _invocation.set(invocation_id)
    _running[invocation_id] = function
    try:
        yield
    finally:
        del _running[invocation_id]
        _invocation.reset(token)


def is_heard(record: logging.LogRecord) -> bool:  # noqa: ARG001 - a filter of the logging module
    """False for a line whose invocation has ended: the real host drops it."""
    return not (current := _current()) or current in _running


def _current() -> str:
    """The worker sets its own variable in the threads of synchronous functions."""
    return _invocation.get() or invocation_id_cv.get() or ""


class Telemetry(logging.Handler):
    """A handler for the root logger. `keep` is given the table's name and one row of it, at once."""

    def __init__(self, keep: Keep, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(logging.INFO)
        self._keep = keep
        self._now = now
        self.addFilter(is_heard)

    def emit(self, record: logging.LogRecord) -> None:
        """One row of AppTraces."""
        if not record.name.startswith(_NOT_OF_THE_APP):
            severity = min(max(record.levelno // 10 - 1, 0), 4)  # 0 verbose, 1 information, ... 4 critical
            self._row(
                "AppTraces", {"Message": self.format(record), "SeverityLevel": severity}, _running.get(_current(), "")
            )

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
