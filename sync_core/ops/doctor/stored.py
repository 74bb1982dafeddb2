"""Checks of the configuration and of stored state: syncs, progress of feeds, queues, parked users, holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ...guard.configurations import Configurations
from ...guard.creations import CreationGuard
from ...guard.deletions import standing
from ...guard.pauses import Pauses
from ...model import Control, Mode, Sync
from ...model.errors import ConfigError, Fault, OtherTenantError
from ...model.messages import USERS, WORK_QUEUES, poison_queue
from ...nominate.rounds import STALLED
from ...ports import Activity, FeedPhase, Feeds, FeedState, Fronts, Guards, Links, Poison
from ...storage.queue import Queue
from ..words import ago, span
from . import remedies
from .finding import Found, failed, ok, warning

# The alert `feed-not-completed` has the same limit; the poll starts a round every five minutes.
FEED_OVERDUE = timedelta(minutes=30)
# The alert `queue-not-worked` has the same limit: three polls.
STANDS_STILL = timedelta(minutes=15)
# Of directory objects. https://learn.microsoft.com/graph/delta-query-overview
DELTA_LINK_LIFE = timedelta(days=7)
_ENCODING = "base64"
_UNREADABLE = (
    "Unreadable: not base64, so no function ever sees it. Only this app may send to its queues: see who else has a",
    "Storage Queue Data role on the account.",
)
_FAILED = (
    "Kept: it made the program fail five times. The exceptions are in AppExceptions of Log Analytics. Report them.",
)
_SETTLE = (
    "The messages, with their ids:",
    "xtsync poison",
    "Once more, after a fix; or gone for good:",
    "xtsync poison put-back ID",
    "xtsync poison remove ID",
    "What they mean: docs/operations.md#messages-poisoned",
)


async def configuration(syncs: Sequence[Sync], warnings: int) -> Found:
    """Faults of the configuration end the command before any check; warnings are found here."""
    if warnings:
        return warning(f"{warnings} things may not do what you think", "Which, with their lines:", "xtsync validate")
    return ok(", ".join(f"{sync.name}: {sync.source.key} to {sync.target.key}" for sync in syncs))


async def tenants(configurations: Configurations, syncs: Sequence[Sync]) -> Found:
    """A sync of other tenants than its name stood for is stopped."""
    stopped = []
    for sync in syncs:
        try:
            await configurations.check(sync)
        except OtherTenantError as error:
            stopped.append(error)
    if not stopped:
        return ok("each sync is of the tenants that it began with")
    return failed("; ".join(map(str, stopped)), *dict.fromkeys(error.hint for error in stopped))


async def pauses(pauses: Pauses, syncs: Sequence[Sync]) -> Found:
    """A pause is no fault: somebody asked for it, and may have forgotten it."""
    records = [await pauses.read(sync.name) for sync in syncs]
    said = [f"{each.sync}: {each.control}" for each in records if each.control is not Control.RUNNING]
    said += [f"{sync.name}: observes" for sync in syncs if sync.mode is Mode.OBSERVE]
    if not said:
        return ok("every sync may write")
    return warning(", ".join(said), "Who paused it, and why:", "xtsync status", "Let it go on:", "xtsync resume")


async def feed(feeds: Feeds, tenant: str, now: datetime, public_url: str, name: str = USERS) -> Found:
    state = await feeds.get(tenant, name)
    if state.completed_at is not None and now - state.completed_at <= FEED_OVERDUE:
        return ok(f"completed {ago(state.completed_at, now)}")
    if _is_read(state, now):
        return warning(f"a round is being read: {state.entries} entries so far", "How it goes on:", "xtsync status")
    beginning = ("If that does not complete either, from the very beginning:", f"xtsync resync --tenant {tenant}")
    if _nobody_polls(state, now):
        return failed(
            f"nobody polls: {_age(state, now)}, and none was begun",
            "Does the app run? If so, the timer poll_feeds is off:",
            f"curl -i {public_url}/api/health",
            *remedies.timer_off("POLL_SCHEDULE"),
            *beginning,
        )
    return failed(
        _age(state, now) + (f"; stopped by {state.error}" if state.error else ""),
        "poll_feeds starts a round every five minutes, as long as the app runs:",
        f"curl -i {public_url}/api/health",
        *remedies.start_timer("poll_feeds", public_url),
        *beginning,
    )


def _nobody_polls(state: FeedState, now: datetime) -> bool:
    """A poll begins a round unless one is under way; so an old beginning without one means that there was no poll."""
    if state.phase is not FeedPhase.IDLE or state.error:
        return False
    if state.started_at is None:
        return state.completed_at is None
    return now - state.started_at > FEED_OVERDUE


def _is_read(state: FeedState, now: datetime) -> bool:
    return state.phase is not FeedPhase.IDLE and state.progress_at is not None and now - state.progress_at < STALLED


def _age(state: FeedState, now: datetime) -> str:
    if state.completed_at is None:
        return "no round was ever completed"
    age = now - state.completed_at
    if state.delta_link is not None and age > DELTA_LINK_LIFE:
        return f"the delta link is stale: {span(age.total_seconds())} old, and Graph gives it up after seven days"
    return f"no round was completed for {span(age.total_seconds())}"


def host_encoding(host_json: Path) -> str:
    """messageEncoding of host.json; empty where there is no such file. base64 is the host's own default."""
    try:
        queues = json.loads(host_json.read_text(encoding="utf-8"))["extensions"]["queues"]
        return str(queues.get("messageEncoding", _ENCODING))
    except FileNotFoundError:
        return ""
    except KeyError:
        return _ENCODING
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError([Fault(where=host_json.name, message="cannot be read as a host configuration")]) from error


async def encoding(queues: Mapping[str, Queue], host_encoding: str) -> Found:
    """The host decodes, by host.json, what our own code and the host's output bindings encode."""
    if host_encoding not in {"", _ENCODING}:
        return failed(
            f"host.json has messageEncoding {host_encoding}, the code sends base64",
            "Put this into host.json, under extensions.queues, and deploy:",
            '"messageEncoding": "base64"',
        )
    foreign = {name: sum([not each.readable for each in await queues[name].peek()]) for name in WORK_QUEUES}
    found = [name for name, count in foreign.items() if count]
    if not found:
        return ok(_ENCODING)
    return failed(
        f"not base64: {', '.join(f'{foreign[name]} on {name}' for name in found)}",
        "Only this app may send to these queues: see who else has a Storage Queue Data role on the account. The host",
        "moves such messages to the poison queue. To see them:",
        *(f"az storage message peek --auth-mode login --num-messages 32 --queue-name {name}" for name in found),
    )


async def messages(fronts: Fronts, now: datetime) -> Found:
    """The poll notes which message is next, so this needs two polls to have an opinion."""
    stood = {queue: await fronts.stood(queue, now) for queue in WORK_QUEUES}
    found = [queue for queue in WORK_QUEUES if stood[queue] >= STANDS_STILL]
    if not found:
        return ok("taken")
    return failed(
        f"nobody takes messages: {', '.join(f'{q}, for {span(stood[q].total_seconds())}' for q in found)}",
        *(line for queue in found for line in remedies.function_off(queue.replace("-", "_"))),
    )


async def poison(poison: Poison, activity: Activity) -> Found:
    unreadable = 0
    found = []
    for queue in WORK_QUEUES:
        if depth := await poison.depth(queue):
            here = sum(not each.readable for each in await poison.peek(queue))
            unreadable += here
            found.append(f"{depth} on {poison_queue(queue)}" + (f" ({here} unreadable)" if here else ""))
    if kept := await activity.poison_count():
        found.append(f"{kept} kept in table activity")
    if not found:
        return ok("none")
    return failed(", ".join(found), *(_UNREADABLE if unreadable else ()), *(_FAILED if kept else ()), *_SETTLE)


async def parked(links: Links, syncs: Sequence[Sync]) -> Found:
    """Parked users are tried again by themselves: a warning, and no fault of the deployment."""
    counts = {sync.name: len(await links.parked(sync.name)) for sync in syncs}
    if not any(counts.values()):
        return ok("nobody")
    return warning(_counted(counts), "Who, and why:", "xtsync status", "Where it stops:", "xtsync sync USER --dry-run")


async def holds(guards: Guards, syncs: Sequence[Sync], now: datetime) -> Found:
    counts = {sync.name: sum([standing(hold, now).waiting for hold in await guards.holds(sync.name)]) for sync in syncs}
    if not any(counts.values()):
        return ok("no deletion waits")
    return failed(
        f"deletions wait for a person: {_counted(counts)}",
        "First find out why so many people left (docs/operations.md#deletions-held). Then read the list, and decide:",
        "xtsync holds",
        "xtsync holds approve CODE",
        "xtsync holds reject CODE",
    )


async def newcomers(creations: CreationGuard, syncs: Sequence[Sync]) -> Found:
    """They come in by themselves as the window moves on: a warning, and no fault of the deployment."""
    counts = {sync.name: (await creations.waiting(sync)).people for sync in syncs}
    if not any(counts.values()):
        return ok("nobody waits")
    return warning(
        f"newcomers wait for a person: {_counted(counts)}",
        "Are so many meant (docs/operations.md#creations-waiting)? Then let them in:",
        "xtsync creations",
        "xtsync creations approve CODE",
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {name}" for name, count in counts.items() if count)
