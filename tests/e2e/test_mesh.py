"""Several syncs in one deployment: three tenants, five directions, everybody as Member, through every real part."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from local.agreement import compare
from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, User, until
from local.stack import BY_HAND, Stack
from sync_core.model.messages import FEED_PAGES, TARGET, USER_CHANGES, USERS
from sync_core.storage.connect import connect
from sync_core.storage.repositories import Storage

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAILSPIN = "33333333-3333-3333-3333-333333333333"
PEOPLE = {CONTOSO: 14, FABRIKAM: 11, TAILSPIN: 8}
# Whose people each tenant takes in; one direction, Fabrikam to Tailspin, is one way only.
SOURCES = {CONTOSO: (FABRIKAM, TAILSPIN), FABRIKAM: (CONTOSO,), TAILSPIN: (CONTOSO, FABRIKAM)}
CONFIG = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
  tailspin: {{ id: {TAILSPIN} }}
syncs:
  - {{ name: contoso-to-fabrikam, source: contoso, target: fabrikam }}
  - {{ name: contoso-to-tailspin, source: contoso, target: tailspin }}
  - {{ name: fabrikam-to-contoso, source: fabrikam, target: contoso }}
  - {{ name: fabrikam-to-tailspin, source: fabrikam, target: tailspin }}
  - {{ name: tailspin-to-contoso, source: tailspin, target: contoso }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    stack: Stack
    emulated: Emulated
    storage: Storage
    people: Mapping[str, list[User]]  # by tenant; those who were enabled from the beginning
    never: set[str]

    async def settle(self) -> list[str]:
        """Wait until all tenants agree and nothing is left to do; what differs when the time is up."""

        async def settled() -> bool:
            depths = await self.storage.queues.depths()
            return depths[USER_CHANGES] == depths[FEED_PAGES] == 0 and not await self.faults()

        await until(settled, timeout_s=90, every_s=0.3)
        return await self.faults()

    async def faults(self) -> list[str]:
        judged = [
            await compare(self.emulated, *_ordered(target, sources), never_provisioned=self.never)
            for target, sources in SOURCES.items()
        ]
        return [fault for each in judged for fault in each.faults]

    async def requests(self, since: int) -> list[User]:
        return list((await self.emulated.control("GET", f"/requests?since={since}"))["items"])

    async def last_request(self) -> int:
        return int((await self.emulated.control("GET", "/requests?items=false"))["last"])


def _ordered(target: str, sources: tuple[str, ...]) -> tuple[str, ...]:
    return sources[0], target, *sources[1:]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    config = Path(tmp_path_factory.mktemp("mesh")) / "sync.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    async with Stack(config=config, settings=BY_HAND) as stack, Emulated(stack.graph_url) as emulated:
        for seed, (tenant, name) in enumerate([(CONTOSO, "contoso"), (FABRIKAM, "fabrikam"), (TAILSPIN, "tailspin")]):
            await emulated.tenant(tenant, name, people=PEOPLE[tenant], seed=seed + 1)
        users = {tenant: await emulated.users(tenant, ["id", "accountEnabled"]) for tenant in PEOPLE}
        storage = connect(stack.azurite.connection_string)
        yield Mesh(
            stack=stack,
            emulated=emulated,
            storage=storage,
            people={tenant: [user for user in found if user["accountEnabled"]] for tenant, found in users.items()},
            never={user["id"] for found in users.values() for user in found if not user["accountEnabled"]},
        )
        await storage.close()


async def test_a_mesh_converges_and_nobody_travels_on(mesh: Mesh) -> None:
    """Each person is invited once into each tenant that takes them in; a Member from outside goes no further."""
    await mesh.stack.start_by_hand("keep_subscriptions")
    await mesh.stack.start_by_hand("poll_feeds")
    assert await mesh.settle() == []
    invitations = Counter(r["tenant"] for r in await mesh.requests(0) if r["kind"] == "invite")
    assert invitations == {
        target: sum(len(mesh.people[source]) for source in sources) for target, sources in SOURCES.items()
    }
    guests = [
        user for user in await mesh.emulated.users(FABRIKAM, ["creationType", "userType"]) if user["creationType"]
    ]
    assert guests
    assert {user["userType"] for user in guests} == {"Member"}


async def test_one_round_reads_each_tenant_once_as_source_and_once_as_target(mesh: Mesh) -> None:
    """The target users that the mesh itself made come by in the feeds, and nobody is written for them."""
    assert await mesh.settle() == []
    since = await mesh.last_request()
    feeds = [(key, feed) for key in ("contoso", "fabrikam", "tailspin") for feed in (USERS, TARGET)]
    before = {of: await mesh.storage.feeds.get(*of) for of in feeds}

    async def round_done() -> bool:
        after = {of: await mesh.storage.feeds.get(*of) for of in feeds}
        return all(state.completed_at != before[of].completed_at for of, state in after.items())

    await mesh.stack.start_by_hand("poll_feeds")
    assert await until(round_done, timeout_s=30)
    assert await mesh.settle() == []
    seen = await mesh.requests(since)
    # One as a source, and one as a target.
    assert Counter(r["tenant"] for r in seen if r["kind"] == "delta") == dict.fromkeys(PEOPLE, 2)
    assert not [r for r in seen if r["kind"] in {"invite", "write"}]


async def test_a_change_goes_to_every_tenant_that_takes_the_person_in_and_back_to_none(mesh: Mesh) -> None:
    """By webhook; the guests' own notifications, which the writes cause, lead to no write."""
    assert await mesh.settle() == []
    since = await mesh.last_request()
    changed = {tenant: people[0] for tenant, people in mesh.people.items()}
    for tenant, person in changed.items():
        await mesh.emulated.graph(tenant, "PATCH", f"/users/{person['id']}", {"department": "Mesh"})
    assert await mesh.settle() == []
    await asyncio.sleep(2)  # an echo would take this long to come around
    assert await mesh.settle() == []
    written = Counter(r["tenant"] for r in await mesh.requests(since) if r["kind"] == "write")
    by_hand = Counter(changed.keys())
    assert written - by_hand == Counter({target: len(sources) for target, sources in SOURCES.items()})


async def test_a_leaver_leaves_every_tenant(mesh: Mesh) -> None:
    """And only the leaver."""
    leaver = mesh.people[CONTOSO][1]
    await mesh.emulated.graph(CONTOSO, "DELETE", f"/users/{leaver['id']}")
    assert await mesh.settle() == []
