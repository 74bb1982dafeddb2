"""`control`: a first sync that is watched, let in by a person, stopped in the middle, and goes on.

In observe nothing is written. Then the creation guard lets the first newcomers in, and the rest once they are approved.
A pause comes when half of them are there; people change and leave meanwhile. At the end both tenants agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User
from sync_core.model import Kind
from sync_core.ports import Asked, FeedPhase

from .figures import Figure
from .requests import Request
from .run import Run, StalledError
from .tenants import TwoTenants, two_tenants

_PEOPLE = 5000
_AT_ONCE = 500
_CHANGES = 500
_LEAVERS = 50
# Graph lets one app write 3,000 times in 150 s, and a newcomer takes about three writes.
_LONGEST_S = 3600.0
# So long nothing may be written by a paused sync (seconds).
_STILL_S = 5.0


async def measure(run: Run) -> list[Figure]:
    people, at_once = run.size(_PEOPLE), run.size(_AT_ONCE)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "sync.yaml"
        file.write_text(_config("observe", at_once), encoding="utf-8")
        async with two_tenants(run, people, config=file) as here:
            observed = await _observe(here)
            file.write_text(_config("run", at_once), encoding="utf-8")
            await here.stack.stop_hosts()
            await here.stack.start_hosts(1)
            return [*observed, *await _let_in(here, at_once), *await _pause(here), *await _go_on(here)]


def _config(mode: str, at_once: int) -> str:
    return f"""
tenants: {{ contoso: {{ id: {CONTOSO} }}, fabrikam: {{ id: {FABRIKAM} }} }}
syncs:
  - name: contoso-to-fabrikam
    source: contoso
    target: fabrikam
    mode: {mode}
    creation_guard: {{ max_percent: 0, min_count: {at_once}, window: 24h }}
"""


async def _observe(here: TwoTenants) -> list[Figure]:
    start = await here.log.last()
    with here.run.step("observe", len(here.people)):
        await _round(here)
    decided = set(await _users_of(here, Kind.WOULD_INVITE))
    return [
        Figure(name="observed: writes into the target", value=len(await _writes(here, start)), unit="", limit=0),
        Figure(
            name="observed: people without a recorded decision",
            value=len({person["id"] for person in here.people} - decided),
            unit="",
            limit=0,
            beside=f"{len(here.people):,} people",
        ),
    ]


async def _let_in(here: TwoTenants, at_once: int) -> list[Figure]:
    with here.run.step(f"the first {at_once:,}", at_once):
        await _round(here)
    there, (waiting,) = await here.guests(), (await _xtsync(here, "creations"))["syncs"]
    await _xtsync(here, "creations", "approve", waiting["code"])
    return [
        Figure(name="let in before an approval", value=there, unit="", limit=at_once),
        Figure(
            name="newcomers neither let in nor waiting",
            value=abs(len(here.people) - there - waiting["waiting"]),
            unit="",
            limit=0,
        ),
    ]


async def _pause(here: TwoTenants) -> list[Figure]:
    """Half of them are there. People change and leave, and everything that is nominated is let go."""
    await here.by_hand("poll_feeds")
    half = len(here.people) // 2
    with here.run.step(f"the first {half:,}, approved", half) as advance:
        await here.synced(advance, at_least=half)
    start = await here.log.last()
    await _xtsync(here, "pause", "--reason", "measured")
    paused_at = datetime.now(UTC)
    (said,) = (await _xtsync(here, "status"))["syncs"]
    if said["control"] != "paused":
        raise StalledError(f"the sync is {said['control']}")
    await asyncio.sleep(_STILL_S)
    writes = await _writes(here, start)
    still = await here.log.last()
    with here.run.step("changes during the pause", _CHANGES):
        await _changes_and_leavers(here)
        await here.by_hand("poll_feeds")
        await asyncio.sleep(_STILL_S)
    late = [write for write in writes if write.began > paused_at]
    return [
        Figure(name="writes that began after `xtsync pause` had answered", value=len(late), unit=""),
        Figure(
            name="the last of them",
            value=max(((write.began - paused_at).total_seconds() for write in late), default=0),
            unit="s",
            limit=2,
            beside="every instance obeys within 2 s",
        ),
        Figure(name="paused: writes later than that", value=len(await _writes(here, still)), unit="", limit=0),
    ]


async def _changes_and_leavers(here: TwoTenants) -> None:
    """Some of those who are in the target, and some who wait."""
    there = {user["mail"] for user in await here.emulated.users(FABRIKAM, ["mail"])}
    linked = [person for person in here.people if person["mail"] in there]
    new = [person for person in here.people if person["mail"] not in there]
    changes, leavers = here.run.size(_CHANGES), here.run.size(_LEAVERS)
    for person in [*linked[leavers : leavers + changes // 2], *new[leavers : leavers + changes - changes // 2]]:
        await here.change(person, {"department": "Paused"})
    for person in _leavers(linked, new, leavers):
        await here.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}")


def _leavers(linked: Sequence[User], new: Sequence[User], count: int) -> list[User]:
    return [*linked[: count // 2], *new[: count - count // 2]]


async def _go_on(here: TwoTenants) -> list[Figure]:
    await _xtsync(here, "resume")
    left = here.run.size(_LEAVERS)
    expected = len(here.people) - left

    async def agree() -> bool:
        # The queue is not asked: who left in the middle of an invitation is looked for a quarter of an hour longer.
        return await here.guests() == expected and await here.disagreements() == 0

    with here.run.step("the rest", expected):
        await here.until(agree, "the tenants did not agree", every_s=2, most_s=_LONGEST_S)
    return [
        Figure(name="resumed: disagreements at the end", value=await here.disagreements(), unit="", limit=0),
        Figure(
            name="resumed: people in the target too many or too few",
            value=abs(await here.guests() - expected),
            unit="",
            limit=0,
            beside=f"{left} left during the pause",
        ),
    ]


async def _round(here: TwoTenants) -> None:
    """A poll, and all that its full round leads to."""
    began = datetime.now(UTC)
    await here.by_hand("poll_feeds")

    async def over() -> bool:
        state = await here.runtime.storage.feeds.get(here.sync.source.key)
        done = state.phase is FeedPhase.IDLE and state.completed_at is not None and state.completed_at > began
        return done and await here.idle()

    await here.until(over, "the round did not end", most_s=_LONGEST_S)


async def _users_of(here: TwoTenants, kind: Kind) -> list[str]:
    asked = Asked(of=[(here.sync.name, "")], kinds=frozenset({kind}), limit=10 * len(here.people))
    return [event.user for event in (await here.runtime.storage.activity.page(asked)).events]


async def _writes(here: TwoTenants, since: int) -> list[Request]:
    return [request for request in await here.log.since(since, tenant=FABRIKAM) if request.writes]


async def _xtsync(here: TwoTenants, *arguments: str) -> Any:
    code, answer = await here.stack.xtsync(*arguments)
    if code not in {0, 3}:
        raise StalledError(f"xtsync {arguments[0]} ended with code {code}")
    return answer
