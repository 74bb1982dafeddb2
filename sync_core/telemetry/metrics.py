"""Every metric of the program, once: the code records by these, and docs/telemetry.md is their table.

Names and units follow OpenTelemetry's conventions. An attribute has few values, such as the names of syncs: each
combination is a series that is paid for. None names a person.
https://opentelemetry.io/docs/specs/semconv/general/metrics/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SYNC = "xtsync.sync"
TENANT = "xtsync.tenant"  # its id where Graph is called, else its key in sync.yaml
FEED = "xtsync.feed"
QUEUE = "xtsync.queue"
CHANGE = "xtsync.change"
REASON = "xtsync.reason"
WHY = "xtsync.why"
ERROR = "error.type"  # OpenTelemetry's own
STATUS = "http.response.status_code"  # likewise


class Instrument(StrEnum):
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`bounds` are the upper bounds of a histogram's buckets, in its unit."""

    name: str
    instrument: Instrument
    unit: str
    attributes: tuple[str, ...]
    description: str
    bounds: tuple[float, ...] = ()


def _counter(name: str, unit: str, attributes: tuple[str, ...], description: str) -> Metric:
    return Metric(name=name, instrument=Instrument.COUNTER, unit=unit, attributes=attributes, description=description)


def _gauge(name: str, unit: str, attributes: tuple[str, ...], description: str) -> Metric:
    return Metric(name=name, instrument=Instrument.GAUGE, unit=unit, attributes=attributes, description=description)


CHANGES = _counter("xtsync.changes", "{change}", (SYNC, CHANGE), "Changes that were carried out.")
LATENCY = Metric(
    name="xtsync.change.latency",
    instrument=Instrument.HISTOGRAM,
    unit="s",
    attributes=(SYNC, WHY),
    description="From nomination to the end of the look.",
    bounds=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
HELD = _counter("xtsync.held", "{look}", (SYNC,), "Looks that ended with a removal held for a person.")
PARKED = _counter("xtsync.parked", "{look}", (SYNC, REASON), "Looks that set their user aside.")
RETRIES = _counter("xtsync.retries", "{look}", (SYNC, ERROR), "Looks that the queue tries again.")
THROTTLED = _counter("xtsync.graph.throttled", "s", (TENANT, STATUS), "Time that Graph asked for.")
PERMIT_WAIT = Metric(
    name="xtsync.graph.permit.wait",
    instrument=Instrument.HISTOGRAM,
    unit="s",
    attributes=(TENANT,),
    description="A write's wait for its permit.",
    bounds=(0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60),
)
USERS_LINKED = _gauge("xtsync.users.linked", "{user}", (SYNC,), "Pairs, at the last poll.")
USERS_PARKED = _gauge("xtsync.users.parked", "{user}", (SYNC,), "Users set aside, at the last poll.")
USERS_HELD = _gauge("xtsync.users.held", "{user}", (SYNC,), "Held removals, at the last poll.")
USERS_WAITING = _gauge("xtsync.users.waiting", "{user}", (SYNC,), "Newcomers who wait, at the last poll.")
QUEUE_STOOD = _gauge("xtsync.queue.stood", "s", (QUEUE,), "How long its messages have waited.")
POISON_WAITING = _gauge("xtsync.poison.waiting", "{message}", (QUEUE,), "Messages on the poison queue.")
FEED_BEHIND = _gauge("xtsync.feed.behind", "s", (TENANT, FEED), "Time since a round was completed.")
SUBSCRIPTION_UNKEPT = _gauge("xtsync.subscription.unkept", "s", (TENANT, FEED), "Time since Graph renewed it.")

METRICS = (
    CHANGES,
    LATENCY,
    HELD,
    PARKED,
    RETRIES,
    THROTTLED,
    PERMIT_WAIT,
    USERS_LINKED,
    USERS_PARKED,
    USERS_HELD,
    USERS_WAITING,
    QUEUE_STOOD,
    POISON_WAITING,
    FEED_BEHIND,
    SUBSCRIPTION_UNKEPT,
)
