"""`kill`: the Functions host dies by SIGKILL in the middle of an initial sync, and another one takes over.

The messages that it had in hand come back when their leases end. Half-done users are finished then; nobody is invited
twice but those whose invitation was sent and not yet recorded, and even they get no second user.
"""

from __future__ import annotations

import json
import time

from local.demo import FABRIKAM
from local.stack import ROOT

from .figures import Figure
from .run import Run
from .world import World, world

_PEOPLE = 500
_LEASE_S = 20  # 600 on Azure; nothing but the waiting depends on it


async def measure(run: Run) -> list[Figure]:
    people = run.size(_PEOPLE)
    async with world(run, people, settings={"FUNCTIONS_HOST_LEASE_SECONDS": str(_LEASE_S)}) as here:
        mark = await here.log.mark()
        there = await _kill_half_way(here)
        await here.stack.start_host(here.stack.ports.functions)
        began = time.monotonic()
        with run.step("the rest, by another host", people) as advance:
            await here.synced(advance)
        seconds = time.monotonic() - began
        requests = await here.log.since(mark, tenant=FABRIKAM)
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
                name="PATCHes beyond one per user", value=patches - people, unit="", limit=in_flight, beside="likewise"
            ),
        ]


async def _kill_half_way(here: World) -> int:
    """How many B2B users there were when the host was gone."""
    await here.by_hand("poll_feeds")
    half = len(here.people) // 2
    with here.run.step("the first half", half) as advance:
        await here.synced(advance, at_least=half)
    await here.stack.kill_host(here.stack.host_processes[0])
    return await here.guests()


def _most_in_flight() -> int:
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    return int(queues["batchSize"]) + int(queues["newBatchThreshold"])
