"""`burst`: a thousand notifications about fifty users within seconds, as a bulk change in the source causes them.

Graph counts an answer above 3 s as slow and drops an endpoint that is slow too often, so the webhook must hold while
workers are busy; and many notifications about one user must not mean many reads or any write in vain.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from itertools import batched
from random import Random

import httpx

from local.demo import CONTOSO, FABRIKAM
from sync_core.webhook import client_state_hash
from sync_core.worker import SETTLE

from .figures import Figure, percentile, spread
from .requests import reads_by_user
from .run import Run, StalledError
from .world import World, world

_USERS = 50
_COPIES = 20  # notifications about each user
_ITEMS = 20  # in one POST
_AT_ONCE = 4
_CLIENT_STATE = "known to Graph and to this benchmark"

type Item = dict[str, object]


async def measure(run: Run) -> list[Figure]:
    async with world(run, run.size(_USERS)) as here:
        await here.subscribed()
        await here.initial_sync()
        items = await _prepare(here)
        mark = await here.log.mark()
        began = time.monotonic()
        seconds = await _post(here, items)
        posted = time.monotonic() - began
        await here.until(here.idle, "the notifications were not worked off", every_s=0.1)
        settled = time.monotonic() - began
        requests = await here.log.since(mark)
        reads = reads_by_user(r for r in requests if r.tenant == CONTOSO)
        writes = sum(r.writes for r in requests if r.tenant == FABRIKAM)
        users, count = len(here.people), len(items)
        return [
            *spread(
                seconds, f"POST of {_ITEMS}, {_AT_ONCE} at a time", tail=99, limit=run.limit(1.0), beside="Graph: 3 s"
            ),
            Figure(name="notifications taken in", value=count / posted, unit="/s"),
            Figure(name="from the first POST to nothing left to do", value=settled, unit="s"),
            Figure(name="source reads per user, median", value=percentile(list(reads.values()), 50), unit=""),
            Figure(
                name="source reads per user, most",
                value=max(reads.values()),
                unit="",
                limit=3,
                beside=f"{_COPIES} notifications about each",
            ),
            Figure(name="users never read", value=users - len(reads), unit="", limit=0),
            Figure(
                name="target writes too many or too few",
                value=abs(writes - users),
                unit="",
                limit=0,
                beside=f"{users} changes",
            ),
            Figure(name="disagreements at the end", value=await here.disagreements(), unit="", limit=0),
        ]


async def _prepare(here: World) -> list[Item]:
    """Change everybody once, unheard, and make what Graph would post about it. Its client state is known to Graph and
    the product keeps a hash of it only: the row is given the hash of ours."""
    await asyncio.sleep(SETTLE / timedelta(seconds=1))  # whoever was just looked at would be looked at later
    await here.emulated.control("PUT", "/delivery", {"enabled": False})
    for person in here.people:
        await here.change(person, {"jobTitle": "Moved"})
    records = here.runtime.storage.subscriptions
    record = await records.get(here.sync.source.key)
    if record is None:
        raise StalledError("the subscription was not stored")
    await records.save(replace(record, client_state_hash=client_state_hash(_CLIENT_STATE)))
    items = [_item(record.subscription_id, str(person["id"])) for person in here.people for _ in range(_COPIES)]
    Random(1).shuffle(items)
    return items


def _item(subscription: str, user: str) -> Item:
    return {
        "subscriptionId": subscription,
        "changeType": "updated",
        "clientState": _CLIENT_STATE,
        "tenantId": CONTOSO,
        "resource": f"Users/{user}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": user},
    }


async def _post(here: World, items: list[Item]) -> list[float]:
    """Seconds of each POST, from the client's side."""
    posts = [list(batch) for batch in batched(items, _ITEMS, strict=False)]
    url = f"{here.stack.functions_url}/api/graph/notifications"
    slots = asyncio.Semaphore(_AT_ONCE)
    seconds: list[float] = []
    with here.run.step(f"{len(items):,} notifications", len(posts)) as advance:
        async with httpx.AsyncClient(timeout=30) as http:

            async def post(batch: list[Item]) -> None:
                async with slots:
                    began = time.perf_counter()
                    answer = await http.post(url, json={"value": batch})
                    seconds.append(time.perf_counter() - began)
                    advance(len(seconds))
                if answer.status_code != 202:
                    raise StalledError(f"the webhook answered {answer.status_code}")

            await asyncio.gather(*map(post, posts))
    return seconds
