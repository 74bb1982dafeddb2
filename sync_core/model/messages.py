"""The bodies of the queue messages (docs/architecture.md, section "Messages and tables"): one place for both sides.

Pure. Every body is a JSON object with a version; anything else raises MessageError and ends in the poison queue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from . import FeedRun, LifecycleEvent, Nomination, PlanRun, Why
from .errors import MessageError

VERSION = 1
USER_CHANGES = "user-changes"
FEED_PAGES = "feed-pages"
SUBSCRIPTION_EVENTS = "subscription-events"
PLAN_JOBS = "plan-jobs"
WORK_QUEUES = (USER_CHANGES, FEED_PAGES, SUBSCRIPTION_EVENTS, PLAN_JOBS)

# The kinds of feed, as FeedRun names them.
USERS = "users"
GROUPS = "groups"
TARGET = "target"

type Message = Nomination | FeedRun | LifecycleEvent | PlanRun

# https://www.w3.org/TR/trace-context/#traceparent-header-field-values
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def poison_queue(name: str) -> str:
    """The host's own naming. https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue"""
    return f"{name}-poison"


def encode(message: Message) -> str:
    body: dict[str, str | int]
    match message:
        case Nomination():
            body = {
                "sync": message.sync,
                "user": message.user,
                "why": message.why.stored,
                **({"of": message.why.value} if message.why.value != message.why.stored else {}),
                "at": format_time(message.at),
                "attempt": message.attempt,
                **({"config": message.config} if message.config else {}),
                **({"traceparent": message.traceparent} if message.traceparent else {}),
            }
        case FeedRun():
            body = {
                "tenant": message.tenant,
                "feed": message.feed,
                "round": message.round,
                "attempt": message.attempt,
            }
        case PlanRun():
            body = {"job": message.job, "attempt": message.attempt}
        case _:
            body = {"tenant": message.tenant, "event": message.event, "at": format_time(message.at)}
    return json.dumps({"v": VERSION, **body}, separators=(",", ":"))


def decode_nomination(body: str) -> Nomination:
    fields = _fields(body)
    return Nomination(
        sync=_text(fields, "sync"),
        user=_text(fields, "user"),
        why=_why(fields),
        at=_time(fields, "at"),
        attempt=_count(fields, "attempt"),
        config=_text(fields, "config") if "config" in fields else "",
        traceparent=_traceparent(fields),
    )


def decode_feed_run(body: str) -> FeedRun:
    fields = _fields(body)
    return FeedRun(
        tenant=_text(fields, "tenant"),
        feed=_text(fields, "feed"),
        round=_text(fields, "round"),
        attempt=_count(fields, "attempt"),
    )


def decode_lifecycle_event(body: str) -> LifecycleEvent:
    fields = _fields(body)
    return LifecycleEvent(tenant=_text(fields, "tenant"), event=_text(fields, "event"), at=_time(fields, "at"))


def decode_plan_run(body: str) -> PlanRun:
    fields = _fields(body)
    return PlanRun(job=_text(fields, "job"), attempt=_count(fields, "attempt"))


def decode(queue: str, body: str) -> Message:
    """The body of a message of this work queue; raises MessageError for any other."""
    return _DECODERS[queue](body)


def format_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """ISO 8601 with a zone; raises ValueError otherwise."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time before or after all times") from error


_DECODERS: Mapping[str, Callable[[str], Message]] = {
    USER_CHANGES: decode_nomination,
    FEED_PAGES: decode_feed_run,
    SUBSCRIPTION_EVENTS: decode_lifecycle_event,
    PLAN_JOBS: decode_plan_run,
}


def _fields(body: str) -> Mapping[str, object]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MessageError("the body is not JSON") from error
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        raise MessageError(f"the body is not a version {VERSION} message")
    return fields


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise MessageError(f"'{name}' is missing or not text of at most 256 characters")
    return value


def _count(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise MessageError(f"'{name}' is not a count")
    return value


def _time(fields: Mapping[str, object], name: str) -> datetime:
    try:
        return parse_time(_text(fields, name))
    except ValueError as error:
        raise MessageError(f"'{name}' is not a time with a zone") from error


def _traceparent(fields: Mapping[str, object]) -> str:
    """Telemetry stops no work: what cannot be read counts as none."""
    value = fields.get("traceparent")
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else ""


def _why(fields: Mapping[str, object]) -> Why:
    if fields.get("of") == Why.TARGET.value:
        return Why.TARGET  # a version before passes `of` over
    try:
        return Why(_text(fields, "why"))
    except ValueError as error:
        raise MessageError("'why' is none of the known reasons") from error
