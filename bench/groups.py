"""`groups`: the time from a change of membership to the target user, by notification and by poll alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User
from sync_core.nominate.rounds import SECOND_LOOK, SPACING
from sync_core.reconcile.coalescing import COALESCE_WITHIN

from .figures import Figure, spread
from .run import Run
from .tenants import TwoTenants, two_tenants

_ONE_BY_ONE = 10
_AT_ONCE = 50
_STAFF = "dddddddd-0000-0000-0000-000000000001"  # named in the scope
_TEAM = "dddddddd-0000-0000-0000-000000000002"  # nested in _STAFF
_CONFIG = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: staff
    source: contoso
    target: fabrikam
    scope: {{ users: assigned, groups: [{_STAFF}] }}
    deletion_guard: {{ min_count: 100000 }}
    creation_guard: {{ min_count: 100000 }}
"""
# After this time no requested round is left, and a notification about a user just read is not merged.
_QUIET = max(COALESCE_WITHIN, SECOND_LOOK + SPACING) + timedelta(seconds=1)


async def measure(run: Run) -> list[Figure]:
    singles, together = run.size(_ONE_BY_ONE), run.size(_AT_ONCE)
    figures: list[Figure] = []
    with TemporaryDirectory() as folder:
        config = Path(folder) / "sync.yaml"
        config.write_text(_CONFIG)
        async with two_tenants(run, singles + together, config=config) as here:
            await _prepare(here)
            for joining in (True, False):
                what = "joined" if joining else "left"
                seconds = []
                with run.step(f"{singles} {what}, one by one", singles) as advance:
                    for n, person in enumerate(here.people[:singles]):
                        await asyncio.sleep(_QUIET.total_seconds())
                        seconds += await _moved(here, [person], joining=joining)
                        advance(n + 1)
                await asyncio.sleep(_QUIET.total_seconds())
                with run.step(f"{together} {what} at once", 1):
                    burst = await _moved(here, here.people[singles:], joining=joining)
                figures += spread(seconds, f"{what} by event, {singles} one after another", tail=95)
                figures += spread(burst, f"{what} by event, {together} at once", tail=95)
            await here.emulated.control("PUT", "/delivery", {"enabled": False})
            for joining in (True, False):
                await asyncio.sleep(_QUIET.total_seconds())
                polled = await _moved(here, here.people[singles:], joining=joining, poll=True)
                figures += spread(
                    polled, f"{'joined' if joining else 'left'} by poll alone, {together} at once", tail=95
                )
            left = await here.guests()
    return [*figures, Figure(name="target users left at the end", value=left, unit="", limit=0)]


async def _prepare(here: TwoTenants) -> None:
    """Make two groups without users, subscribe to both feeds, and read the first rounds to the end."""
    groups = [
        {"id": group, "displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True}
        for group, name in ((_TEAM, "Team"), (_STAFF, "Staff"))
    ]
    await here.emulated.control("POST", f"/tenants/{CONTOSO}/groups", {"value": groups})
    await _add_member(here, _STAFF, _TEAM)
    await here.subscribed()
    await here.by_hand("poll_feeds")

    async def ready() -> bool:
        feed = await here.runtime.storage.feeds.get("contoso", "groups")
        record = await here.runtime.storage.subscriptions.get("contoso", "groups")
        return feed.full_at is not None and record is not None and bool(record.subscription_id)

    await here.until(ready, "the first round of the groups feed did not end")


async def _moved(here: TwoTenants, people: Sequence[User], *, joining: bool, poll: bool = False) -> list[float]:
    """Add or remove these members at once; returns the seconds until the target shows each change.

    With `poll`, a poll is started afterwards, and the seconds count from its start.
    """
    mails = {person["id"]: str(person["mail"]).lower() for person in people}
    began: dict[str, float] = {}

    async def move(person: User) -> None:
        began[person["id"]] = time.monotonic()
        if joining:
            await _add_member(here, _TEAM, person["id"])
        else:
            await here.emulated.graph(CONTOSO, "DELETE", f"/groups/{_TEAM}/members/{person['id']}/$ref")

    await asyncio.gather(*map(move, people))
    if poll:
        began = dict.fromkeys(mails, time.monotonic())
        await here.by_hand("poll_feeds")
    took: dict[str, float] = {}

    async def shown() -> bool:
        there = {str(user["mail"]).lower() for user in await here.emulated.users(FABRIKAM, ["mail"])}
        now = time.monotonic()
        for person, mail in mails.items():
            if (mail in there) is joining:
                took.setdefault(person, now - began[person])
        return len(took) == len(mails)

    await here.until(shown, "a change of membership did not reach the target", every_s=0.05, most_s=120)
    return [*took.values()]


async def _add_member(here: TwoTenants, group: str, member: str) -> None:
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{member}"}
    await here.emulated.graph(CONTOSO, "POST", f"/groups/{group}/members/$ref", body)
