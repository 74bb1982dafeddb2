"""A first sync that waits, on the whole local stack: the ceiling, a person's word, and those who come later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import until
from tests.support.stack import SYNC

from .story import Story, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE, AT_ONCE = 20, 4
FILE = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {SYNC}
    source: contoso
    target: fabrikam
    creation_guard: {{ max_percent: 0, min_count: %d, window: 24h }}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    async with running(tmp_path, FILE % AT_ONCE, people=PEOPLE) as story:
        yield story


async def test_a_first_sync_waits_for_a_person(story: Story) -> None:
    """As many as the ceiling says come at once; the approved come then, and a raised ceiling lets one more in."""
    code, plan = await story.stack.xtsync("plan")
    counts = plan["syncs"][0]["counts"]
    wait = counts["Invite, waiting for approval"]
    assert (code, counts["Invite"]) == (3, AT_ONCE)

    await story.round()
    guests = await story.ids(FABRIKAM)
    assert len(guests) == AT_ONCE
    _, listed = await story.stack.xtsync("creations")
    (waiting,) = listed["syncs"]
    assert (waiting["waiting"], waiting["used"], waiting["limit"]) == (wait, AT_ONCE, AT_ONCE)

    code, approved = await story.stack.xtsync("creations", "approve", waiting["code"])
    assert (code, approved["approved"], approved["waiting"]) == (0, wait, 0)
    await story.round()
    assert len(await story.ids(FABRIKAM)) == AT_ONCE + wait

    address = "late@contoso.example"
    late: dict[str, object] = {
        "accountEnabled": True,
        "displayName": "Late",
        "mail": address,
        "userPrincipalName": address,
    }
    late |= {"mailNickname": "late", "passwordProfile": {"password": "never-read-Xy1!"}}
    await story.emulated.graph(CONTOSO, "POST", "/users", late)
    await story.round()
    assert len(await story.ids(FABRIKAM)) == AT_ONCE + wait
    await story.run_with(FILE % (AT_ONCE + 1))
    await story.round()

    async def let_in() -> bool:
        return await story.guests() == AT_ONCE + int(wait) + 1

    assert await until(let_in, timeout_s=30)
