"""People of the target edit, block, delete, restore and enable: each is found by a poll, or where Graph tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import until
from sync_core.ports import FeedPhase
from tests.support.stack import SYNC, a_while_later

from .story import Story, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = 24
CONFIG = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {SYNC}
    source: contoso
    target: fabrikam
    deletion_guard: {{ max_percent: 100, min_count: 100 }}
"""
LEFT = f"""{CONFIG}
    drift: {{ attributes: leave }}
"""
REPAIRED = f"""{CONFIG}
    drift: {{ attributes: enforce, blocked_in_target: enforce }}
    deprovision: {{ deleted_in_target: restore }}
"""
TOLD = f"""{CONFIG}
    drift: {{ attributes: enforce, blocked_in_target: enforce, subscribe: true }}
    deprovision: {{ deleted_in_target: restore }}
"""
THEIRS = "Theirs"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with running(tmp_path_factory.mktemp("target"), CONFIG, people=PEOPLE) as story:
        await rounds(story)
        await a_while_later(story.storage)
        await rounds(story)
        yield story


async def rounds(story: Story) -> None:
    """One poll, the round of the target, and all that they lead to."""
    before = (await story.storage.feeds.get("fabrikam", "target")).completed_at
    await story.round()

    async def over() -> bool:
        state = await story.storage.feeds.get("fabrikam", "target")
        completed = state.phase is FeedPhase.IDLE and state.completed_at != before
        return completed and await story.idle()

    assert await until(over, timeout_s=60)


async def writes(story: Story, since: int) -> Counter[str]:
    items = (await story.emulated.control("GET", f"/requests?tenant={FABRIKAM}&since={since}"))["items"]
    return Counter(each["method"] for each in items if each["kind"] in {"write", "invite"})


async def last(story: Story) -> int:
    return int((await story.emulated.control("GET", "/requests?items=false"))["last"])


async def some(story: Story, number: int) -> list[dict[str, Any]]:
    """Enabled guests of ours who were not meddled with before."""
    select = ["id", "mail", "accountEnabled", "department", "jobTitle", "creationType"]
    users = await story.emulated.users(FABRIKAM, select)
    fit = [each for each in users if each["creationType"] and each["accountEnabled"] and each["department"] != THEIRS]
    return sorted(fit, key=lambda each: str(each["id"]))[:number]


async def now(story: Story, guest: dict[str, Any]) -> dict[str, Any] | None:
    found = {each["id"]: each for each in await story.emulated.users(FABRIKAM, ["id", "accountEnabled", "department"])}
    return found.get(guest["id"])


async def test_our_own_writes_are_no_edits(story: Story) -> None:
    """After a first sync the target's feed has everybody, and two more polls write nothing and list nobody."""
    since = await last(story)
    await rounds(story)
    assert await writes(story, since) == Counter()
    assert (await story.stack.xtsync("drift"))[1]["users"] == []


async def test_what_is_reported_is_listed_and_left(story: Story) -> None:
    """An edit and a block. Redemption is nobody's edit."""
    edited, blocked, redeemed = await some(story, 3)
    since = await last(story)
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{edited['id']}", {"department": THEIRS})
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{blocked['id']}", {"accountEnabled": False})
    await story.emulated.control("POST", f"/tenants/{FABRIKAM}/redeem", {"users": [redeemed["id"]]})
    theirs = await writes(story, since)
    await rounds(story)
    _, listed = await story.stack.xtsync("drift")
    found = {each["target_id"]: [one["name"] for one in each["attributes"]] for each in listed["users"]}
    assert found == {edited["id"]: ["department"], blocked["id"]: ["accountEnabled"]}
    assert await writes(story, since) == theirs


async def test_who_is_deleted_there_is_known_to_be_lost(story: Story) -> None:
    """By policy nobody is restored; who is restored by hand is ours again and gets what changed meanwhile."""
    deleted = (await some(story, 5))[4]
    await story.emulated.graph(FABRIKAM, "DELETE", f"/users/{deleted['id']}")
    await rounds(story)
    assert await state_of(story, deleted) == "lost"
    await story.emulated.graph(FABRIKAM, "POST", f"/directory/deletedItems/{deleted['id']}/restore")
    await rounds(story)
    assert await state_of(story, deleted) == "linked"


async def state_of(story: Story, guest: dict[str, Any]) -> str:
    _, listed = await story.stack.xtsync("links")
    return next(str(each["state"]) for each in listed["pairs"] if each["target_id"] == guest["id"])


async def test_who_is_enabled_there_although_we_disabled_them_is_disabled_again(story: Story) -> None:
    """Within one poll, whatever is said of edits."""
    guest = (await some(story, 7))[6]
    users = await story.emulated.users(CONTOSO, ["id", "mail"])
    source = next(each["id"] for each in users if each["mail"] == guest["mail"])
    await story.emulated.graph(CONTOSO, "PATCH", f"/users/{source}", {"accountEnabled": False})
    await rounds(story)
    assert (await now(story, guest) or {})["accountEnabled"] is False
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{guest['id']}", {"accountEnabled": True})
    await rounds(story)
    assert (await now(story, guest) or {})["accountEnabled"] is False


async def test_what_is_left_is_not_listed(story: Story) -> None:
    """With another sync.yaml: a new edit is neither written again nor shown."""
    await story.run_with(LEFT)
    await rounds(story)
    guest = (await some(story, 8))[7]
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{guest['id']}", {"department": THEIRS})
    await rounds(story)
    _, listed = await story.stack.xtsync("drift")
    assert guest["id"] not in {each["target_id"] for each in listed["users"]}
    assert (await now(story, guest) or {})["department"] == THEIRS


async def test_what_is_enforced_is_repaired_within_a_poll(story: Story) -> None:
    """Also what was edited and blocked before the policy said so; who is deleted there is restored."""
    await story.run_with(REPAIRED)
    await rounds(story)
    guest, gone = (await some(story, 11))[9:]
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{guest['id']}", {"department": THEIRS})
    await story.emulated.graph(FABRIKAM, "DELETE", f"/users/{gone['id']}")
    await rounds(story)
    users = await story.emulated.users(FABRIKAM, ["id", "department", "accountEnabled", "creationType"])
    assert [each["id"] for each in users if each["department"] == THEIRS] == []
    assert gone["id"] in {each["id"] for each in users}
    blocked = [each["id"] for each in users if each["creationType"] and not each["accountEnabled"]]
    sources = await story.emulated.users(CONTOSO, ["id", "accountEnabled"])
    assert len(blocked) <= len([each for each in sources if not each["accountEnabled"]])
    assert (await story.stack.xtsync("drift"))[1]["users"] == []


async def test_what_graph_tells_of_the_target_needs_no_poll(story: Story) -> None:
    """An edit, a block and a deletion are repaired although nobody polls; our own writes come to nothing more."""
    await story.run_with(TOLD)
    await rounds(story)
    await story.stack.start_by_hand("keep_subscriptions")
    assert await until(lambda: subscribed(story), timeout_s=30)
    edited, blocked, gone = (await some(story, 14))[11:]
    since = await last(story)
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{edited['id']}", {"department": THEIRS})
    await story.emulated.graph(FABRIKAM, "PATCH", f"/users/{blocked['id']}", {"accountEnabled": False})
    await story.emulated.graph(FABRIKAM, "DELETE", f"/users/{gone['id']}")
    theirs = await writes(story, since)

    async def repaired() -> bool:
        users = await story.emulated.users(FABRIKAM, ["id", "accountEnabled", "department"])
        there = {each["id"]: each for each in users}
        as_before = there[edited["id"]]["department"] == edited["department"] and there[blocked["id"]]["accountEnabled"]
        return as_before and gone["id"] in there

    assert await until(repaired, timeout_s=60)
    assert await until(story.idle, timeout_s=60)
    ours = await writes(story, since) - theirs
    assert ours["PATCH"] == 3  # one for each
    assert ours - Counter(PATCH=3, POST=1, PUT=1) == Counter()  # and a restore, perhaps with the manager


async def subscribed(story: Story) -> bool:
    records = {each.tenant: each for each in await story.storage.subscriptions.all()}
    return "fabrikam" in records and bool(records["fabrikam"].subscription_id)
