"""`latency`: the time from a change in the source to its write in the target, by webhook, on the emulator's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User

from .figures import Figure, spread
from .requests import Request
from .run import Run
from .tenants import TwoTenants, two_tenants

_ONE_BY_ONE = 200
_AT_ONCE = 50


async def measure(run: Run) -> list[Figure]:
    singles, together = run.size(_ONE_BY_ONE), run.size(_AT_ONCE)
    async with two_tenants(run, singles + together) as here:
        await here.settle()
        seconds = []
        with run.step(f"{singles} single changes", singles) as advance:
            for n, person in enumerate(here.people[:singles]):
                seconds += await changed(here, [person])
                advance(n + 1)
        with run.step(f"{together} changes at once", 1):
            burst = await changed(here, here.people[singles:])
        return [
            *spread(seconds, f"{singles} changes one after another", tail=95),
            *spread(burst, f"{together} changes at once", tail=95),
            Figure(name="disagreements at the end", value=await here.disagreements(), unit="", limit=0),
        ]


async def changed(here: TwoTenants, people: Sequence[User], *, apart_s: float = 0) -> list[float]:
    """Change these users, at once or so many seconds apart; returns the seconds until the target has each change."""
    links = [await here.runtime.storage.links.get(here.sync.name, person["id"]) for person in people]
    targets = {link.target_id: link.source_id for link in links if link is not None}
    start = await here.log.last()

    async def change(n: int, person: User) -> None:
        await asyncio.sleep(n * apart_s)
        await here.change(person, {"jobTitle": "Moved"})

    await asyncio.gather(*(change(n, person) for n, person in enumerate(people)))
    requests: list[Request] = []

    async def done() -> bool:
        requests.extend(await here.log.since(requests[-1].number if requests else start))
        return targets.keys() <= {r.user for r in requests if r.tenant == FABRIKAM and r.writes}

    await here.until(done, "a change did not reach the target", every_s=0.02, most_s=60)
    asked = {r.user: r.began for r in requests if r.tenant == CONTOSO and r.writes}
    written = {targets[r.user]: r.ended for r in requests if r.tenant == FABRIKAM and r.writes and r.user in targets}
    return [(written[user] - asked[user]).total_seconds() for user in targets.values()]
