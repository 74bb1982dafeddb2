"""A scope that was narrowed by mistake and put back, on the whole local stack: no hold is left after one round."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from sync_core.ports import HoldState
from tests.support.stack import SYNC

from .story import Story, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = 30
ALLOWED = 3
WIDE = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {SYNC}
    source: contoso
    target: fabrikam
    deletion_guard: {{ max_percent: 0, min_count: {ALLOWED} }}
"""
NARROW = f"""{WIDE}
    scope:
      filters: [{{ name: Nobody, clauses: [{{ attribute: department, operator: EQUALS, value: Nobody }}] }}]
"""


@pytest_asyncio.fixture(loop_scope="session")
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    async with running(tmp_path, WIDE, people=PEOPLE) as story:
        yield story


async def test_a_scope_that_is_put_back_leaves_no_hold_after_one_round(story: Story) -> None:
    """Many are held, some of them rejected by hand; back in scope, nobody is held, and a real leaver loses access."""
    await story.round()
    everybody = await story.guests()
    assert everybody > 20

    await story.run_with(NARROW)
    await story.round()
    assert await story.guests() == everybody - ALLOWED
    assert await story.held() == [HoldState.HELD] * (everybody - ALLOWED)
    _, holds = await story.stack.xtsync("holds")
    assert {hold["cause"].partition(":")[0] for hold in holds["holds"]} == {"out of scope"}
    leaver = holds["holds"][0]["source_id"]
    await story.stack.xtsync("holds", "reject", holds["code"], leaver, "--yes", "--by", "anna")

    await story.run_with(WIDE)
    await story.round()
    assert await story.held() == []
    assert await story.guests() == everybody

    _, past = await story.stack.xtsync("holds", "decisions")
    assert [(each["source_id"], each["decision"], each["decided_by"]) for each in past["decisions"]] == [
        (leaver, "rejected", "anna")
    ]
