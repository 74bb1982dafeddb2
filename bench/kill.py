"""`kill`: the Functions host is killed by SIGKILL in the middle of an initial sync, and another one takes over.

The messages that it was working on stay hidden for ten minutes. The poll a minute after the kill nominates their users.
A user whose invitation was sent but not recorded is invited again, and gets no second target user.
"""

from __future__ import annotations

import asyncio
import json
import time

from local.demo import FABRIKAM
from local.stack import ROOT
from sync_core.upkeep.in_hand import LEFT_AFTER

from .figures import Figure
from .run import Run
from .tenants import TwoTenants, two_tenants

_PEOPLE = 200


async def measure(run: Run) -> list[Figure]:
    people = run.size(_PEOPLE)
    async with two_tenants(run, people) as here:
        start = await here.log.last()
        there = await _kill_part_way(here)
        began = time.monotonic()
        await here.stack.start_host(here.stack.ports.functions)
        await asyncio.sleep(max(0.0, LEFT_AFTER.total_seconds() + 1 - (time.monotonic() - began)))
        await here.by_hand("poll_feeds")
        with run.step("the rest, by another host", people):
            await here.until(lambda: _agree(here), "the tenants did not agree")
        seconds = time.monotonic() - began
        requests = await here.log.since(start, tenant=FABRIKAM)
        guests, links = await here.guests(), await here.runtime.storage.links.count(here.sync.name)
        invitations = sum(r.kind == "invite" and r.done for r in requests)
        patches = sum(r.method == "PATCH" and r.done for r in requests)
        in_flight = _most_in_flight()
        return [
            Figure(name="B2B users at the kill", value=there, unit="", beside=f"{people} people"),
            Figure(name="from the kill to agreement", value=seconds, unit="s", beside="a poll after 61 s", limit=120),
            Figure(name="disagreements at the end", value=await here.disagreements(), unit="", limit=0),
            Figure(name="links too many or too few", value=abs(links - people), unit="", limit=0),
            Figure(name="B2B users too many or too few", value=abs(guests - people), unit="", limit=0),
            Figure(
                name="invitations beyond one per user",
                value=invitations - people,
                unit="",
                limit=in_flight,
                beside="messages in flight at the kill",
            ),
            Figure(
                name="PATCHes beyond one per user",
                value=patches - people,
                unit="",
                limit=in_flight,
                beside="messages in flight at the kill",
            ),
        ]


async def _agree(here: TwoTenants) -> bool:
    return await here.guests() >= len(here.people) and await here.disagreements() == 0


async def _kill_part_way(here: TwoTenants) -> int:
    """Kill the host after a part of the users; returns the number of B2B users at that time."""
    await here.by_hand("poll_feeds")
    part = max(1, int(len(here.people) * here.run.kill_at))
    with here.run.step(f"the first {part}", part):
        await here.until(lambda: _at_least(here, part), "the initial sync did not begin", every_s=0.05)
    await here.stack.kill_host(here.stack.host_processes[0])
    return await here.guests()


async def _at_least(here: TwoTenants, part: int) -> bool:
    return await here.guests() >= part


def _most_in_flight() -> int:
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    return int(queues["batchSize"]) + int(queues["newBatchThreshold"])
