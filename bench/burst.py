"""`burst`: a thousand notifications about fifty users within seconds, as a bulk change in the source causes them.

Graph counts an answer above 3 s as slow and drops an endpoint that is slow too often. So the webhook must be quick
while the workers are busy. Many notifications about one user must not cause many reads or a needless write.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from random import Random
from statistics import median

import httpx

from local.demo import CONTOSO, FABRIKAM
from sync_core.nominate.webhook import client_state_hash

from .figures import Figure, spread
from .processes import cpu_figure, cpu_seconds
from .requests import reads_by_user
from .run import Run, StalledError
from .tenants import TwoTenants, two_tenants

_USERS = 50
_COPIES = 20  # notifications about each user
_ITEMS = 20  # in one POST
_AT_ONCE = 4
_ROUNDS = 3
_CLIENT_STATE = "known to Graph and to this benchmark"

type Item = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Burst:
    posts: Sequence[float]  # seconds of each
    posted_s: float
    ended_s: float
    reads: Mapping[str, int]  # of the source, by user
    writes: int
    cpu_s: float  # of the host
    disagreements: int


async def measure(run: Run) -> list[Figure]:
    rounds = 1 if run.quick else _ROUNDS
    users = run.size(_USERS)
    bursts = [await _burst(run, users, n) for n in range(rounds)]
    posts = [seconds for burst in bursts for seconds in burst.posts]
    title = f"POST of {_ITEMS}, {_AT_ONCE} at a time"
    return [
        *spread(posts, title, tail=99, limit=run.limit(1.0), beside=f"{rounds} bursts; Graph: 3 s"),
        Figure(name="notifications taken in", value=median(users * _COPIES / b.posted_s for b in bursts), unit="/s"),
        Figure(name="from the first POST to nothing left to do", value=median(b.ended_s for b in bursts), unit="s"),
        *cpu_figure("CPU per notification", median(b.cpu_s for b in bursts), users * _COPIES),
        *_figures(bursts, users),
        Figure(name="disagreements at the end", value=sum(b.disagreements for b in bursts), unit="", limit=0),
    ]


def _figures(bursts: Sequence[_Burst], users: int) -> list[Figure]:
    most = median(max(b.reads.values()) for b in bursts)
    each = f"{_COPIES} notifications about each"
    unread = sum(users - len(b.reads) for b in bursts)
    wrong = sum(abs(b.writes - users) for b in bursts)
    return [
        Figure(name="source reads per user, most", value=most, unit="", limit=3, beside=each),
        Figure(name="users never read", value=unread, unit="", limit=0),
        Figure(name="target writes too many or too few", value=wrong, unit="", limit=0, beside=f"{users} changes"),
    ]


async def _burst(run: Run, users: int, n: int) -> _Burst:
    """One burst, on a stack of its own.

    Once a minute Azurite cleans up after every message that it ever had. After some thousands of messages that stops it
    for ten seconds.
    """
    async with two_tenants(run, users) as here:
        await here.settle()
        subscription = await _own_client_state(here)
        return await _measured(here, subscription, n)


async def _measured(here: TwoTenants, subscription: str, n: int) -> _Burst:
    """Change every user without a notification, post the notifications, and wait until the queues are empty."""
    for person in here.people:
        await here.change(person, {"jobTitle": f"Moved {n}"})
    items = [_item(subscription, str(person["id"])) for person in here.people for _ in range(_COPIES)]
    Random(n).shuffle(items)
    start = await here.log.last()
    cpu_s, began = cpu_seconds(here.stack.host_processes), time.monotonic()
    posts = await _post(here, items)
    posted = time.monotonic()
    await here.until(here.idle, "the notifications were not worked off", every_s=0.1)
    ended = time.monotonic()
    cpu_s = cpu_seconds(here.stack.host_processes) - cpu_s
    requests = await here.log.since(start)
    return _Burst(
        posts=posts,
        posted_s=posted - began,
        ended_s=ended - began,
        reads=reads_by_user(r for r in requests if r.tenant == CONTOSO),
        writes=sum(r.writes for r in requests if r.tenant == FABRIKAM),
        cpu_s=cpu_s,
        disagreements=await here.disagreements(),
    )


async def _own_client_state(here: TwoTenants) -> str:
    """Replace the stored hash of the client state by that of ours, and stop Graph's own notifications.

    Only Graph knows the original client state. Returns the id of the subscription.
    """
    await here.emulated.control("PUT", "/delivery", {"enabled": False})
    records = here.runtime.storage.subscriptions
    record = await records.get(here.sync.source.key)
    if record is None:
        raise StalledError("the subscription was not stored")
    await records.save(replace(record, client_state_hash=client_state_hash(_CLIENT_STATE)))
    return record.subscription_id


def _item(subscription: str, user: str) -> Item:
    return {
        "subscriptionId": subscription,
        "changeType": "updated",
        "clientState": _CLIENT_STATE,
        "tenantId": CONTOSO,
        "resource": f"Users/{user}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": user},
    }


async def _post(here: TwoTenants, items: list[Item]) -> list[float]:
    """The seconds of each POST, as the client measures them."""
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
