"""Today's app on what version 0.1 left: tables, messages, and both tenants. It goes on; it does nothing over again.

tests.e2e.leave_behind made the data, run in a checkout of version 0.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, until
from local.stack import BY_HAND, Stack
from sync_core.model import Link, LinkState
from sync_core.ports import FeedState
from sync_core.storage.connect import connect
from tests.support.left_behind import SYNC, left_behind

from .leave_behind import Columns, Life

pytestmark = pytest.mark.asyncio(loop_scope="session")

AGO = timedelta(minutes=20)  # how long nothing ran: nobody is new to Entra any more
PARKED = {"waiting", "internal"}
AWAY = {"held", "rejected"}  # deleted in the source, and still there in the target
REFUSED = Counter({"PATCH /users/refused": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded(Life):
    """A running app of today."""

    left: Mapping[str, Link] = field(default_factory=dict)  # what there was before any host ran
    rounds: int = 3

    def looks_later(self, outcome: Columns) -> bool:
        """Also what Graph refused is tried again."""
        return bool(outcome["error"] or outcome["refused"])

    async def links(self) -> dict[str, Link]:
        found = {name: await self.storage.links.get(SYNC, user) for name, user in self.people.items()}
        return {name: link for name, link in found.items() if link is not None}

    async def feeds(self) -> list[FeedState]:
        return [
            await self.storage.feeds.get(tenant, feed)
            for tenant, feed in (("contoso", "users"), ("contoso", "groups"), ("fabrikam", "target"))
        ]

    async def target(self) -> Any:
        """Everybody who is, or was, in the target, and every change that was ever made there."""
        tenant = await self.emulated.control("GET", f"/tenants/{FABRIKAM}/snapshot")
        return {name: tenant[name] for name in ("users", "deleted_users", "log")}

    async def last_request(self) -> int:
        return int((await self.emulated.control("GET", "/requests?items=false"))["last"])

    async def asked_of_target(self, since: int) -> list[tuple[str, str]]:
        """Kind and request of each but those of the target's feed, with names in place of the target's ids."""
        names = {str(link.target_id): name for name, link in (await self.links()).items()}
        asked = (await self.emulated.control("GET", f"/requests?tenant={FABRIKAM}&since={since}"))["items"]
        items = [each for each in asked if each["kind"] != "delta"]
        return [
            (each["kind"], f"{each['method']} {'/'.join(names.get(part, part) for part in each['path'].split('/'))}")
            for each in items
        ]

    async def written(self, since: int) -> Counter[str]:
        return Counter(request for kind, request in await self.asked_of_target(since) if kind in {"write", "invite"})

    async def resync(self) -> None:
        """A full round of each feed, to its end, and every look that it led to."""
        before = {feed.feed: feed.full_at for feed in await self.feeds()}
        await self.xtsync("resync")

        async def over() -> bool:
            feeds = await self.feeds()
            return all(feed.phase == "idle" and feed.full_at != before[feed.feed] for feed in feeds)

        await self.wait("full rounds", over)
        await self.quiet()


@asynccontextmanager
async def upgraded(name: str, folder: Path) -> AsyncIterator[Upgraded]:
    config = folder / "sync.yaml"
    async with Stack(config=config, settings=BY_HAND, hosts=0) as stack, Emulated(stack.graph_url) as emulated:
        left = left_behind(name, graph_url=stack.graph_url, ago=AGO)
        config.write_text(left.config)
        storage = connect(stack.azurite.connection_string)
        for tenant in left.tenants:
            body = {"id": tenant["id"], "domain": tenant["domains"][0]}
            await emulated.control("POST", "/tenants", body)
            await emulated.control("PUT", f"/tenants/{tenant['id']}/snapshot", tenant)
        await left.fill(storage)
        earlier = {row.rk for row in left.tables["activity"]}
        world = Upgraded(stack=stack, emulated=emulated, storage=storage, people=left.people, earlier=earlier)
        world = replace(world, left=await world.links())
        await stack.start_hosts(1)
        yield world
        await storage.close()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def settled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upgraded]:
    async with upgraded("settled", tmp_path_factory.mktemp("settled")) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def unfinished(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upgraded]:
    async with upgraded("unfinished", tmp_path_factory.mktemp("unfinished")) as world:
        yield world


def read_again(before: Mapping[str, Link], after: Mapping[str, Link]) -> dict[str, Link]:
    """`before`, as a look at everybody that finds nothing to do leaves it.

    The link of somebody deleted by others is clean: they were still deleted when no write of ours could come any more.
    Those who are held are away, so that nobody compared their manager.
    """
    assert {name for name, link in after.items() if link.retry is not None} == {*before} & {"refused"}
    return {
        name: replace(
            link,
            etag=after[name].etag,
            read_at=after[name].read_at,
            parked=after[name].parked,
            away=name in AWAY,
            manager=None if name in AWAY else link.manager,
            refused_since=after[name].refused_since,
            retry=after[name].retry,
            dirty=link.dirty and link.state is not LinkState.LOST,
        )
        for name, link in before.items()
    }


async def test_the_first_poll_looks_at_everybody_and_changes_nothing(settled: Upgraded) -> None:
    """Version 0.1 began no full round after an edit of a policy. Of a link, only its tenants and last look change.

    What Graph refused version 0.1 is sent once more, refused again, and waits for its next try.
    """
    before, target, since = await settled.links(), await settled.target(), await settled.last_request()
    await settled.stack.start_by_hand("keep_subscriptions")
    await settled.poll()
    await settled.quiet()
    assert [(feed.full, feed.error) for feed in await settled.feeds()] == [(True, "")] * 3
    after = await settled.links()
    assert {name: replace(link, tenants=None) for name, link in after.items()} == read_again(before, after)
    assert (after["lost"].state, before["lost"].parked is None) == (LinkState.LOST, False)  # by policy: settled
    looked_at = {name for name, link in after.items() if link.read_at != before[name].read_at}
    assert {name: link.tenants for name, link in after.items()} == {
        name: (CONTOSO, FABRIKAM) if name in looked_at else None for name in after
    }
    assert await settled.written(since) == REFUSED
    assert await settled.target() == target


async def test_a_poll_goes_on_at_the_delta_links(settled: Upgraded) -> None:
    """Neither feed starts over, nobody is nominated, no row of a link is touched, and the target is asked nothing."""
    before, target, since = await settled.links(), await settled.target(), await settled.last_request()
    await settled.poll()
    await settled.quiet()
    assert [(feed.full, feed.nominated, feed.error) for feed in await settled.feeds()] == [(False, 0, "")] * 3
    assert await settled.asked_of_target(since) == []
    assert await settled.links() == before
    assert await settled.target() == target


async def test_a_full_round_finds_nothing_to_do(settled: Upgraded) -> None:
    """Everybody is read, and what is refused is sent again; nothing else is written, nobody invited or deleted."""
    before, target, since = await settled.links(), await settled.target(), await settled.last_request()
    await settled.resync()
    assert [feed.full for feed in await settled.feeds()] == [True, True, True]
    after = await settled.links()
    assert after == read_again(before, after)
    assert {name for name, link in after.items() if link.parked} == PARKED
    assert {link.parked.reason for link in after.values() if link.parked} == {
        "adoption needs approval",
        "internal user",
    }
    assert await settled.written(since) == REFUSED
    assert await settled.target() == target
    assert {name for name, link in after.items() if link.read_at != before[name].read_at} > {"held", "rejected"}


async def test_nobody_is_nominated_for_ever(settled: Upgraded) -> None:
    """Another full round leads to the same looks as the one before, and the poll after it to none."""
    nominated = [feed.nominated for feed in await settled.feeds()]
    await settled.resync()
    assert [feed.nominated for feed in await settled.feeds()] == nominated
    await settled.poll()
    await settled.quiet()
    assert [feed.nominated for feed in await settled.feeds()] == [0, 0, 0]


async def test_the_next_change_arrives(settled: Upgraded) -> None:
    """As one PATCH of what differs, through the poll and through a notification; the pair is the old one."""
    before, since = await settled.links(), await settled.last_request()
    for name in ("ada", "returned"):
        await settled.patch(name, department="After the upgrade")

    async def arrived() -> bool:
        return (await settled.written(since)).keys() == {"PATCH /users/ada", "PATCH /users/returned"}

    assert await until(arrived, timeout_s=20)
    await settled.quiet()
    after = await settled.links()
    assert await settled.written(since) == {"PATCH /users/ada": 1, "PATCH /users/returned": 1}
    assert {name: link.target_id for name, link in after.items()} == {
        name: link.target_id for name, link in before.items()
    }


async def test_what_was_begun_is_finished_once(unfinished: Upgraded) -> None:
    """By the messages that were waiting and one full round; nobody is invited, and no deletion counted, again."""
    before = unfinished.left
    await unfinished.resync()
    after = await unfinished.links()
    deleted = {"counted", "approved"}
    assert {name for name, link in after.items() if link.state is LinkState.DELETED} == deleted
    assert all(link.state is LinkState.LINKED for name, link in after.items() if name not in deleted)
    assert not [name for name, link in after.items() if link.dirty or link.guarded or link.parked]
    assert after["disabling"].disabled
    known = {name: link.target_id for name, link in before.items() if link.target_id is not None}
    assert {name: after[name].target_id for name in known} == known
    assert after["waiting"].target_id == before["waiting"].approved_target
    assert await unfinished.written(0) == {
        **{f"PATCH /users/{name}": 1 for name in after.keys() - deleted},
        "PATCH /users/disabling": 2,  # access is taken by a write of its own, before the other attributes
        **{f"DELETE /users/{name}": 1 for name in deleted},
        "POST /directory/deletedItems/restoring/restore": 1,
        "DELETE /users/waiting/manager/$ref": 1,  # of a guest who was there before, nobody knows whom they reported to
    }
    window = await unfinished.storage.guards.window(SYNC)
    assert sum(window.slices.values()) == 3
    assert await unfinished.storage.guards.holds(SYNC) == []


async def test_then_everybody_is_where_they_are_to_be(unfinished: Upgraded) -> None:
    """Another full round changes nothing."""
    before, target = await unfinished.links(), await unfinished.target()
    await unfinished.resync()
    after = await unfinished.links()
    assert after == read_again(before, after)
    assert await unfinished.target() == target
