"""The record of what happened, as a person asks for it: of whom, which kinds, since when."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from ..assembly import Runtime
from ..model import Event, Kind, is_object_id
from ..ports import Asked
from . import documents
from .errors import UsageError, no_page
from .names import find_syncs, find_user
from .sentences import of_event
from .times import moment

MOST = 1000  # events of one page
_PAGE = 100

type ReadPage = Callable[[int, str], Awaitable[documents.Activity]]  # takes its size, and `more` of the one before


async def people(runtime: Runtime, user: str, sync: str | None) -> list[tuple[str, str]]:
    """The syncs to ask, each with the user's object id. A name is looked up now.

    An object id is taken as it is: the record outlives the person, and no tenant is asked.
    """
    if is_object_id(user.lower()):
        return [(name, user.lower()) for name, _ in await everybody(runtime, sync)]
    return [(each.name, source_id) for each, source_id in await find_user(runtime, user, sync)]


async def everybody(runtime: Runtime, sync: str | None) -> list[tuple[str, str]]:
    """All of this sync, or of every sync of the configuration. The record of a former sync is found by its name."""
    if sync is not None and sync not in runtime.config.syncs:
        former = [(sync, "")]
        if (await runtime.storage.activity.page(Asked(of=former, limit=1))).events:
            return former
    return [(each.name, "") for each in find_syncs(runtime.config, sync)]


def question(
    of: Sequence[tuple[str, str]],
    now: datetime,
    *,
    kinds: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int = _PAGE,
    after: str = "",
) -> Asked:
    """Raises UsageError for a kind or a time that is none."""
    return Asked(
        of=of,
        kinds=frozenset() if kinds is None else _kinds(kinds),
        since=None if since is None else moment(since, now),
        until=None if until is None else moment(until, now),
        limit=limit,
        after=after,
    )


async def history(runtime: Runtime, asked: Asked) -> documents.Activity:
    """One page. Raises UsageError for an `after` that no page gave."""
    try:
        page = await runtime.storage.activity.page(asked)
    except ValueError:
        raise no_page() from None
    return documents.Activity(events=[shown(event) for event in page.events], more=page.more or None)


async def all_events(read: ReadPage, after: str, most: int | None) -> AsyncIterator[documents.ActivityEvent]:
    """Page by page, to the end or the newest `most`; no more than one page is held."""
    left = most
    while left is None or left > 0:
        page = await read(MOST if left is None else min(left, MOST), after)
        for event in page.events:
            yield event
        if page.more is None:
            return
        after = page.more
        left = None if left is None else left - len(page.events)


def shown(event: Event) -> documents.ActivityEvent:
    began = event.nominated_at
    latency = None if began is None else max(0, (event.at - began) // timedelta(milliseconds=1))
    return documents.ActivityEvent(
        at=event.at,
        sync=event.sync,
        user=event.user or None,
        kind=event.kind,
        text=of_event(event),
        why=event.why or None,
        decision=documents.EventDecision(
            reason=event.reason or None, scope=event.scope, scope_reason=event.scope_reason or None
        ),
        attributes=event.attributes,
        refused=event.refused,
        target_id=event.target_id or None,
        graph_request_ids=event.graph_request_ids,
        operator=event.operator or None,
        latency_ms=latency,
        attempt=event.attempt,
        next_try_at=event.next_try_at,
        values=[
            documents.WrittenValue(
                attribute=each.attribute,
                value=each.value,
                before=each.before,
                before_known=each.before_known,
                cut=each.cut,
            )
            for each in event.values
        ],
    )


def _kinds(text: str) -> frozenset[Kind]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in set(Kind)]
    if unknown:
        raise UsageError(f"no kind of event is named '{unknown[0]}'", hint=f"Kinds are: {', '.join(Kind)}.")
    return frozenset(map(Kind, names))
