"""Two versions of the function app on one storage while sync.yaml is edited, on the whole local stack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import until
from local.groups import split
from local.processes import free_ports
from tests.support.stack import SYNC

from .story import Story, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = 24
_POLLS = 30
_SIDE_BY_SIDE_S = 15
WIDE = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {SYNC}
    source: contoso
    target: fabrikam
    deletion_guard: {{ max_percent: 100, min_count: 1 }}
"""
NARROW = f"""{WIDE}
    scope:
      filters: [{{ name: Sales, clauses: [{{ attribute: department, operator: EQUALS, value: Sales }}] }}]
"""


class Upgrade(Story):
    async def start_beside(self, config: str) -> str:
        """One more instance, with this file, while the others go on with theirs. Its address."""
        self.stack.config.write_text(config)
        port = free_ports(1)[0]
        await self.stack.start_host(port, [name for group in split(self.stack.app) for name in group])
        return f"http://127.0.0.1:{port}"

    async def poll_on(self, url: str) -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            (await http.post(f"{url}/admin/functions/poll_feeds", json={"input": ""})).raise_for_status()

    async def employ(self, department: str, addresses: list[str]) -> None:
        for user in await self.emulated.users(CONTOSO, ["id", "mail"]):
            if user["mail"] in addresses:
                await self.emulated.graph(CONTOSO, "PATCH", f"/users/{user['id']}", {"department": department})

    async def dismiss(self, address: str) -> None:
        for user in await self.emulated.users(CONTOSO, ["id", "mail"]):
            if user["mail"] == address:
                await self.emulated.graph(CONTOSO, "DELETE", f"/users/{user['id']}")

    async def guests_by_address(self) -> dict[str, str]:
        return {user["mail"]: user["id"] for user in await self.emulated.users(FABRIKAM, ["id", "mail"])}

    async def until_there_are(self, addresses: set[str], url: str) -> None:
        """Until the target has exactly these; this instance polls as its timer would."""

        async def there() -> bool:
            return set(await self.guests_by_address()) == addresses

        for _ in range(_POLLS):
            if await until(there, timeout_s=10):
                return
            await self.poll_on(url)
        raise AssertionError(set(await self.guests_by_address()) ^ addresses)

    async def quiet(self) -> bool:
        """No message waits."""

        async def empty() -> bool:
            return not any((await self.storage.queues.depths()).values())

        return await until(empty, timeout_s=90)


@pytest_asyncio.fixture(loop_scope="session")
async def story(tmp_path: Path) -> AsyncIterator[Upgrade]:
    async with running(tmp_path, WIDE, people=PEOPLE) as story:
        yield Upgrade(story.stack, story.emulated, story.storage)


async def test_a_narrower_scope_beside_an_older_instance_and_the_wide_one_back(story: Upgrade) -> None:
    """The newest file judges, whoever takes a message; what an older instance does meanwhile is not left so."""
    await story.stack.start_by_hand("keep_subscriptions")
    await story.round()
    guests = await story.guests_by_address()
    sales, moves_in, moves_out = sorted(guests)[:6], sorted(guests)[6:9], sorted(guests)[:3]
    await story.employ("Sales", sales)
    await story.employ("Research", sorted(guests)[6:])
    await story.round()
    old = list(story.stack.host_processes)
    newer = await story.start_beside(NARROW)
    await story.poll_on(newer)
    await story.employ("Sales", moves_in)
    await story.employ("Research", moves_out)
    await story.poll_on(newer)
    await asyncio.sleep(_SIDE_BY_SIDE_S)
    for host in old:
        await story.stack.kill_host(host)
    await story.until_there_are({*sales, *moves_in} - {*moves_out}, newer)

    older = list(story.stack.host_processes)
    back = await story.start_beside(WIDE)
    await story.poll_on(back)
    leaver = sorted(guests)[-1]
    await story.dismiss(leaver)
    for host in older:
        await story.stack.kill_host(host)
    await story.poll_on(back)
    del guests[leaver]
    await story.until_there_are({*guests}, back)
    assert await story.quiet()
    assert await story.guests_by_address() == guests
