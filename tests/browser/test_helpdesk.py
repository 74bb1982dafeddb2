"""What a helpdesk reads and presses: who decided, what a pause means for them, and what is safe."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from local.sign_in import PEOPLE
from sync_core.model import Control
from tests.support.make import NAME
from tests.support.staff import LEAVERS, STAFF, staff_id

from .visit import PERSON, PLANNED, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")
HELD = LEAVERS[2]


async def paused(visit: Visit) -> None:
    await visit.site.world.runtime.pauses.say(NAME, Control.PAUSED, by=PEOPLE["Operator"], reason="a look")


async def test_a_look_during_a_pause_says_at_once_that_it_waits(visit: Visit) -> None:
    """Not after all the questions whether the app has looked."""
    await paused(visit)
    await visit.open(PERSON)
    await visit.press("Look again now").click()
    await expect(visit.page.get_by_role("status")).to_contain_text("The sync is paused", timeout=3000)


async def test_an_approval_during_a_pause_says_that_the_removal_comes_later(visit: Visit) -> None:
    """Before the press, in the question."""
    await paused(visit)
    await visit.open("holds")
    await visit.page.get_by_role("checkbox", name=STAFF[HELD]).check()
    await visit.press("Approve 1 …").click()
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Paused: {NAME}. Nothing is removed there before")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()


async def test_a_person_who_decided_is_named_in_every_view(visit: Visit) -> None:
    """The caller is "you", in History as in the list of plans; no raw object id is left."""
    await visit.open()
    await visit.press("Pause everything …").click()
    await visit.page.get_by_label("Reason").fill("a look")
    await visit.page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    await visit.open("history?kind=paused")
    events = visit.page.get_by_role("table", name="Events")
    await expect(events).to_contain_text("you paused the sync: a look")
    assert PEOPLE["Operator"] not in await visit.text()
    await visit.open(PLANNED)
    assert PEOPLE["Reader"] not in await visit.text()


async def test_a_link_to_somebody_who_is_held_shows_them_alone(visit: Visit) -> None:
    """From the person to the list, and from there to the whole list."""
    await visit.open(f"people/{NAME}/{staff_id(HELD)}")
    await visit.page.get_by_role("link", name="See what is held").click()
    await visit.settled()
    rows = visit.page.get_by_role("table", name="Held removals").locator("tbody tr")
    await expect(rows).to_have_count(1)
    await visit.page.get_by_role("link", name="Show all").click()
    await expect(rows).to_have_count(4)


async def test_who_is_not_linked_cannot_be_kept(visit: Visit) -> None:
    """Leaving takes nothing from somebody who has no target user."""
    await visit.open(f"people/{NAME}/{staff_id(24)}")
    await expect(visit.press("Look again now")).to_be_visible()
    await expect(visit.press("Keep until …")).to_have_count(0)
    await visit.open(PERSON)
    await expect(visit.press("Keep until …")).to_be_visible()


async def test_the_deployed_file_is_where_a_new_one_begins(visit: Visit) -> None:
    """And a plan says whom it looked at."""
    await visit.open("plan")
    await visit.press("Begin with the deployed file").click()
    await expect(visit.page.get_by_label("The sync.yaml to plan")).to_have_value(visit.site.world.runtime.config.text)
    await visit.open(PLANNED)
    await expect(visit.page.get_by_role("region", name="Whom it looked at")).to_contain_text("The plan looked at")


async def test_the_heads_of_tables_fit_a_telephone(visit: Visit) -> None:
    """Each of the buttons that sort stands within the window."""
    await visit.page.set_viewport_size({"width": 360, "height": 740})
    for view in ("holds", "plan", "leavers", "newcomers", ""):
        await visit.open(view)
        assert await visit.wider_than_the_window() == []
