"""`kill`: the Functions host is killed by SIGKILL in the middle of an initial sync, and another one takes over.

The messages that it was working on become visible again when their leases end, and half-done users are completed then.
A user whose invitation was sent but not recorded is invited again, and gets no second target user.
"""

from __future__ import annotations

import json
import time

from local.demo import FABRIKAM
from local.stack import ROOT

from .figures import Figure
from .run import Run
from .tenants import TwoTenants, two_tenants

_PEOPLE = 500
_LEASE_S = 20  # 600 on Azure; only the waiting time depends on it


async def measure(run: Run) -> list[Figure]:
    people = run.size(_PEOPLE)
    async with two_tenants(run, people, settings={"FUNCTIONS_HOST_LEASE_SECONDS": str(_LEASE_S)}) as here:
        start = await here.log.last()
        there = await _kill_half_way(here)
        await here.stack.start_host(here.stack.ports.functions)
        began = time.monotonic()
        with run.step("the rest, by another host", people) as advance:
            await here.synced(advance)
        seconds = time.monotonic() - began
        requests = await here.log.since(start, tenant=FABRIKAM)
        guests, links = await here.guests(), await here.runtime.storage.links.count(here.sync.name)
        invitations = sum(r.kind == "invite" and r.done for r in requests)
        patches = sum(r.method == "PATCH" and r.done for r in requests)
        in_flight = _most_in_flight()
        return [
            Figure(name="B2B users at the kill", value=there, unit="", beside=f"{people} people"),
            Figure(name="from the restart to the end", value=seconds, unit="s", beside=f"leases of {_LEASE_S} s"),
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


async def _kill_half_way(here: TwoTenants) -> int:
    """Kill the host after half of the users; returns the number of B2B users at that time."""
    await here.by_hand("poll_feeds")
    half = len(here.people) // 2
    with here.run.step("the first half", half) as advance:
        await here.synced(advance, at_least=half)
    await here.stack.kill_host(here.stack.host_processes[0])
    return await here.guests()


def _most_in_flight() -> int:
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    return int(queues["batchSize"]) + int(queues["newBatchThreshold"])
