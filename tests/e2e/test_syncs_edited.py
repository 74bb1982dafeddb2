"""A sync that is renamed, moved and removed, on the whole local stack: whom it touches, and whom it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from tests.support.stack import SYNC

from .story import Story, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = 12
NORTHWIND = "33333333-3333-3333-3333-333333333333"
FILE = """
tenants:
  contoso: {{ id: {contoso} }}
  other: {{ id: {target} }}
syncs:
  - name: {name}
    source: contoso
    target: other
    deletion_guard: {{ max_percent: 100, min_count: 1 }}
"""


def file(name: str, target: str = FABRIKAM) -> str:
    return FILE.format(contoso=CONTOSO, name=name, target=target)


@pytest_asyncio.fixture(loop_scope="session")
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    async with running(tmp_path, file(SYNC), people=PEOPLE) as story:
        await story.emulated.tenant(NORTHWIND, "Northwind", people=0)
        yield story


async def said(story: Story, *command: str) -> int:
    """How many linked users the command was about."""
    code, answer = await story.stack.xtsync(*command, "--yes")
    assert code == 0, answer
    return int(answer["linked"])


async def test_a_sync_is_renamed_moved_and_removed(story: Story) -> None:
    """Guests stay the same through a rename; a move leaves them and makes others; a removal deletes those."""
    await story.round()
    guests = await story.ids(FABRIKAM)
    assert len(guests) > 5

    await story.run_with(file("people"))
    await story.round()
    leaver = await story.delete_somebody()
    assert await story.ids(FABRIKAM) == guests
    _, status = await story.stack.xtsync("status")
    assert f"xtsync rename {SYNC} people" in status["syncs"][0]["stopped"]["hint"]
    assert await said(story, "rename", SYNC, "people") == len(guests)
    await story.round()
    kept = await story.ids(FABRIKAM)
    assert (len(kept), kept < guests) == (len(guests) - 1, True), leaver

    await story.run_with(file("people", NORTHWIND))
    await story.round()
    assert await story.ids(NORTHWIND) == set()
    assert await said(story, "move", "people") == len(kept)
    await story.round()
    assert (await story.ids(FABRIKAM), len(await story.ids(NORTHWIND))) == (kept, len(kept))

    assert await said(story, "remove", "people", "--delete-users") == len(kept)
    await story.round()
    assert (await story.ids(FABRIKAM), await story.ids(NORTHWIND)) == (kept, set())
