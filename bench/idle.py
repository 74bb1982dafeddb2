"""`idle`: the time of a single change after a pause, on three processes, and what the polls between the changes cost.

Two stacks run at the same time: one with the longest wait between two polls that host.json has, one with a second. Each
gets a change every 2.5 to 4.5 s, which is longer than the wait takes to grow to its longest.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import AsyncExitStack

from local.stack import ROOT

from .figures import Figure, percentile, spread
from .latency import changed
from .run import Run
from .tenants import TwoTenants, two_tenants

_CHANGES = 200
A_SECOND = "00:00:01"
INTERVAL = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval"
# Azure Storage, queue operations of class 1, locally redundant: https://azure.microsoft.com/pricing/details/storage/queues/
_DOLLARS_A_POLL = 0.004 / 10_000
_HOURS_A_MONTH = 730


def chosen_interval() -> str:
    return str(json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]["maxPollingInterval"])


async def measure(run: Run) -> list[Figure]:
    chosen = chosen_interval()
    changes = run.size(_CHANGES)
    async with AsyncExitStack() as opened:
        stacks = {}
        for interval in dict.fromkeys((chosen, A_SECOND)):
            stack = two_tenants(run, changes, settings={INTERVAL: interval}, split=True)
            stacks[interval] = await opened.enter_async_context(stack)
        with run.step(f"{changes} changes, 2.5 to 4.5 s apart", changes):
            figures = await asyncio.gather(
                *(
                    _measured(here, interval, limit=run.limit(0.3) if interval == chosen else None)
                    for interval, here in stacks.items()
                )
            )
    return [figure for of_one in figures for figure in of_one]


async def _measured(here: TwoTenants, interval: str, *, limit: float | None) -> list[Figure]:
    await here.settle()
    draw = random.Random(interval)
    seconds: list[float] = []
    polls, began = await _polls(here), time.monotonic()
    for person in here.people:
        await asyncio.sleep(draw.uniform(2.5, 4.5))
        seconds += await changed(here, [person])
    hours = (time.monotonic() - began) / 3600
    an_hour = {queue: (count - polls.get(queue, 0)) / hours for queue, count in (await _polls(here)).items()}
    name = f"longest wait {interval}"
    tail = percentile(seconds, 99)
    return [
        *spread(seconds, name, tail=95, limit=limit, beside=f"p99 {1000 * tail:.0f} ms"),
        *(
            Figure(
                name=f"{name}, polls of {queue}",
                value=count,
                unit="an hour",
                beside=f"${count * _HOURS_A_MONTH * _DOLLARS_A_POLL:.2f} a month for an instance that always listens",
            )
            for queue, count in an_hour.items()
        ),
        Figure(name=f"{name}, disagreements at the end", value=await here.disagreements(), unit="", limit=0),
    ]


async def _polls(here: TwoTenants) -> dict[str, int]:
    return {queue: count for host in await here.stack.polls() for queue, count in host.items()}
