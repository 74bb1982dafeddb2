"""The bill of a month. Pure: `bill(load, deployment, work)` gives its rows, and `total` their sum.

Each execution is taken as `seconds` of an instance by itself. Azure bills a period in which an instance executes, a
second at least, so executions that overlap cost less, and the bill is an upper bound:
https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#billing
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .prices import PRICES, Meter, UnitPrice

HOURS = Decimal(730)  # of a month, as Azure's own calculator has it
DAYS = HOURS / 24
# Of the JSON that is sent, on average. https://learn.microsoft.com/azure/azure-monitor/logs/cost-logs
BILLED_PART_OF_LOGS = Decimal("0.75")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one piece of work takes: executions, operations of storage, bytes of log lines as JSON."""

    http: Decimal
    executions: Decimal  # of functions without HTTP
    tables: Decimal
    queues: Decimal
    log_bytes: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Work of each kind. That of `round` is for a thousand people."""

    poll: Work
    change: Work
    round: Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a deployment has to do. `people` are those of all its sources; `changes` and `rounds` are a day's."""

    people: int
    changes: Decimal
    rounds: Decimal = Decimal(1)
    log_gb: Decimal | None = None  # a month, in place of what was measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How it is deployed. `listening` are the queues that an instance asks for messages all the time."""

    memory_mb: int
    ready: int  # instances of the HTTP functions that are always there
    poll_minutes: Decimal
    listening: int
    asks_a_second: Decimal
    alerts: Mapping[Meter, int]
    seconds: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    meter: Meter
    quantity: Decimal
    price: UnitPrice

    @property
    def dollars(self) -> Decimal:
        return self.price.cost(self.quantity)


def bill(
    load: Load, deployment: Deployment, work: Measured, prices: Mapping[Meter, UnitPrice] = PRICES
) -> Sequence[Row]:
    """One row for each meter, in the order of `Meter`, with none left out."""
    quantities = _quantities(load, deployment, _sum(load, deployment, work))
    return [Row(meter=meter, quantity=quantities[meter], price=prices[meter]) for meter in Meter]


def total(rows: Sequence[Row]) -> Decimal:
    """Dollars a month, not rounded."""
    return sum((row.dollars for row in rows), Decimal(0))


def _quantities(load: Load, deployment: Deployment, month: Work) -> Mapping[Meter, Decimal]:
    gigabytes, hour = Decimal(deployment.memory_mb) / 1024, 3600
    second = gigabytes * deployment.seconds  # GB-s of one execution
    is_ready = deployment.ready > 0
    ready, on_demand = (month.http if is_ready else Decimal(0)), month.executions + (0 if is_ready else month.http)
    asked = deployment.listening * deployment.asks_a_second * hour * HOURS
    log_gb = month.log_bytes * BILLED_PART_OF_LOGS / 10**9 if load.log_gb is None else load.log_gb
    return {
        Meter.BASELINE: deployment.ready * gigabytes * hour * HOURS,
        Meter.READY_TIME: ready * second,
        Meter.READY_EXECUTIONS: ready,
        Meter.TIME: on_demand * second,
        Meter.EXECUTIONS: on_demand,
        Meter.TABLES: month.tables,
        Meter.QUEUES: month.queues + asked,
        Meter.LOGS: log_gb,
        **{meter: Decimal(deployment.alerts.get(meter, 0)) for meter in (Meter.ALERTS_5, Meter.ALERTS_15)},
    }


def _sum(load: Load, deployment: Deployment, work: Measured) -> Work:
    """The work of a month."""
    times = (
        (work.poll, HOURS * 60 / deployment.poll_minutes),
        (work.change, load.changes * DAYS),
        (work.round, load.rounds * DAYS * load.people / 1000),
    )
    return Work(
        http=sum((each.http * count for each, count in times), Decimal(0)),
        executions=sum((each.executions * count for each, count in times), Decimal(0)),
        tables=sum((each.tables * count for each, count in times), Decimal(0)),
        queues=sum((each.queues * count for each, count in times), Decimal(0)),
        log_bytes=sum((each.log_bytes * count for each, count in times), Decimal(0)),
    )
