"""The target as the page shows it: who differs there, newcomers who cannot be used, and the pair of one person."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Locator, Route, expect

from local.sign_in import PEOPLE
from sync_core.model import Blocked, Control, Drift, Edited, Kind, LinkState, Policy, Why
from sync_core.ops import pairs
from sync_core.ports import Asked, DriftRecord
from tests.support.make import ADA, NAME
from tests.support.page import Site
from tests.support.staff import BLOCKED, EDITED, STAFF, staff_id
from tests.support.world import World

from .test_hostile import NAMES
from .visit import DIFFERENT, PERSON, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

USER = staff_id(EDITED)
LISTED, UNUSABLE = "Edited or blocked by somebody else", "Newcomers who cannot be used"


def pair(visit: Visit) -> Locator:
    return visit.page.get_by_role("region", name="Pair")


async def agree(visit: Visit, yes: str) -> None:
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_role("button", name=yes, exact=True).click()
    await expect(dialog).to_have_count(0)


async def unlink(visit: Visit) -> None:
    await visit.press("Unlink …").click()
    await visit.page.get_by_label("Why?").fill("the guest is theirs now")
    await agree(visit, "Unlink")


async def newest(world: World) -> tuple[Kind, str | None]:
    event, *_ = (await world.storage.activity.page(Asked(of=[(NAME, USER)], limit=1))).events
    return event.kind, event.operator


async def test_a_pair_is_ended_and_the_guest_stays(visit: Visit) -> None:
    """Nothing without a reason. Until it is done the page says what is asked for; then there is no pair."""
    world = visit.site.world
    guest = (await world.stored(USER)).target_id
    await visit.open(DIFFERENT)
    await expect(pair(visit)).to_contain_text("linked")
    await visit.press("Unlink …").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Unlink", exact=True).click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()  # the reason is missing
    await visit.press("Cancel").click()
    await unlink(visit)
    await expect(pair(visit)).to_contain_text("asked for unlink. It is not done yet")
    await expect(pair(visit).get_by_role("button")).to_have_count(0)
    assert await newest(world) == (Kind.APPROVED, PEOPLE["Operator"])
    world.clock.advance(timedelta(seconds=1))
    assert await world.deliver() == []
    await expect(visit.page.get_by_role("status")).to_contain_text("The app looked: unlinked", timeout=15_000)
    await expect(pair(visit)).to_contain_text("There is no pair")
    await expect(pair(visit)).to_contain_text(f"xtsync link {USER} --sync {NAME} --target ID")
    assert (await world.stored(USER)).state is LinkState.SEEN
    assert world.target.users[guest or ""].attributes["department"] == "Their own"


async def test_an_invitation_is_redeemed_anew(visit: Visit) -> None:
    """The guest stays, and has to accept once more. As long as it is not done the pair can still be ended."""
    world = visit.site.world
    account = world.target.users[(await world.stored(USER)).target_id or ""]
    account.redeemed = True
    await visit.open(DIFFERENT)
    await expect(pair(visit)).to_contain_text(f"xtsync move {USER} --sync {NAME} --to USER")
    await visit.press("Redeem anew …").click()
    await agree(visit, "Redeem anew")
    await expect(pair(visit)).to_contain_text("asked for reset the redemption.")
    assert await pair(visit).get_by_role("button").all_inner_texts() == ["Unlink …"]
    world.clock.advance(timedelta(seconds=1))
    assert await world.deliver() == []
    assert account.redeemed is False
    await expect(visit.page.get_by_role("status")).to_contain_text("redeem the invitation anew", timeout=15_000)
    await expect(visit.press("Redeem anew …")).to_be_visible()


async def test_what_is_asked_during_a_pause_waits(visit: Visit) -> None:
    """The page says so at once, and the request stands with the pair."""
    await visit.site.world.runtime.pauses.say(NAME, Control.PAUSED, by=PEOPLE["Operator"], reason="a look")
    await visit.open(DIFFERENT)
    await unlink(visit)
    await expect(visit.page.get_by_role("status")).to_contain_text("The sync is paused", timeout=3000)
    await expect(pair(visit)).to_contain_text("asked for unlink")


async def test_what_somebody_else_asked_meanwhile_is_said(visit: Visit) -> None:
    """The question stays, with the reason; nothing is asked twice."""
    world = visit.site.world
    await visit.open(DIFFERENT)
    await pairs.unlink(world.runtime, world.sync, USER, by=staff_id(2), reason="theirs")
    await visit.press("Redeem anew …").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Redeem anew", exact=True).click()
    await expect(visit.page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "It is asked for already: unlink"
    )
    assert await newest(world) == (Kind.APPROVED, staff_id(2))
    assert all("409" in each for each in visit.complaints)
    visit.complaints.clear()


async def test_a_pair_is_repaired_with_the_keyboard(visit: Visit) -> None:
    """Escape asks for nothing and leaves the focus where it was; after the answer the focus is not lost."""
    await visit.open(DIFFERENT)
    button = visit.press("Redeem anew …")
    await button.focus()
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    await visit.page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    assert (await visit.site.world.stored(USER)).redeem is False
    await visit.page.keyboard.press("Enter")
    await visit.page.keyboard.press("Shift+Tab")
    await expect(visit.page.get_by_role("dialog").get_by_role("button", name="Redeem anew")).to_be_focused()
    await visit.page.keyboard.press("Enter")
    await expect(pair(visit)).to_contain_text("asked for reset the redemption")
    await expect(visit.page.get_by_role("region", name="Where the person stands")).to_be_focused()


async def test_a_reader_sees_the_pair_and_repairs_nothing(browser: Browser, site: Site) -> None:
    """Neither buttons nor commands; the server refuses a request that is made by hand."""
    visit = await Visit.begin(browser, site, "Reader")
    await visit.open(DIFFERENT)
    await expect(pair(visit)).to_contain_text("department since")
    assert await pair(visit).get_by_role("button").count() == 0
    assert "xtsync" not in await pair(visit).inner_text()
    options = "{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}"
    asked = f"fetch('/api/ops/links/{NAME}/{USER}/redeem', {options}).then((said) => said.status)"
    assert await visit.page.evaluate(asked) == 403
    assert (await site.world.stored(USER)).redeem is False
    visit.complaints.clear()  # the browser's own line about 403
    await visit.end()


async def test_a_person_without_a_target_user_has_no_pair(visit: Visit) -> None:
    """Somebody whom the sync deleted has one, which only a command may give to another account."""
    await visit.open(f"people/{NAME}/{staff_id(24)}")
    await expect(pair(visit)).to_contain_text("There is no pair")
    await visit.open(f"people/{NAME}/{staff_id(7)}")
    await expect(pair(visit)).to_contain_text("deleted by the sync")
    await expect(pair(visit)).to_contain_text("xtsync move")
    assert await pair(visit).get_by_role("button").count() == 0


async def test_a_version_before_tells_of_no_pair(visit: Visit) -> None:
    """Two run side by side while one replaces the other: then nothing is said about the pair."""

    async def before(route: Route) -> None:
        answer = await (await route.fetch()).json()
        del answer["pair"], answer["drift"]
        await route.fulfill(content_type="application/json", body=json.dumps(answer))

    await visit.page.route("**/api/ops/why/**", before)
    await visit.open(PERSON)
    await expect(visit.page.locator("main")).to_contain_text("The user is in scope")
    await expect(pair(visit)).to_have_count(0)


async def test_a_row_leads_to_the_person(visit: Visit) -> None:
    """From the list to the one who was edited, and from a cause to the one who was blocked."""
    for table, n in (("Edited or blocked", EDITED), ("blocked", BLOCKED)):
        await visit.open("target")
        rows = visit.page.get_by_role("table", name=table, exact=True)
        await rows.get_by_role("link", name=STAFF[n]).click()
        await visit.settled()
        assert visit.page.url.endswith(f"#/people/{NAME}/{staff_id(n)}")


async def test_one_sync_and_a_shorter_time_are_asked_for(visit: Visit) -> None:
    """The filters stand in the address, so that it can be sent to somebody."""
    await visit.open("target")
    await visit.page.get_by_role("combobox", name="Sync").select_option(NAME)
    await visit.settled()
    visit.asked.clear()
    await visit.page.get_by_label("Newcomers within").select_option("24h")
    await visit.settled()
    assert visit.page.url.endswith(f"#/target?sync={NAME}&since=24h")
    asked = [each.partition("/ops/")[2] for each in visit.asked]
    assert f"drift?sync={NAME}" in asked
    assert f"verify?sync={NAME}&since=24h&limit=1000" in asked


async def test_newcomers_who_cannot_be_read_stand_in_nobodys_way(visit: Visit) -> None:
    """Graph may be silent: the list from storage is there, and the newcomers are tried again."""
    await visit.page.route("**/api/ops/verify**", lambda route: route.fulfill(status=503))
    await visit.open("target")
    section = visit.page.get_by_role("region", name=UNUSABLE)
    await expect(section.get_by_role("alert")).to_contain_text("Try again in a minute.")
    await expect(visit.page.get_by_role("region", name=LISTED)).to_contain_text(STAFF[EDITED])
    await visit.page.unroute_all()
    await section.get_by_role("button", name="Try again").click()
    await expect(section).to_contain_text("What helps:")
    visit.complaints.clear()  # the browser's own line about 503


async def test_newcomers_who_can_all_be_used(browser: Browser) -> None:
    """Said in one sentence, without a table."""
    world = World()
    (await world.linked()).redeemed = True
    async with Site(world=world) as site:
        visit = await Visit.begin(browser, site)
        await visit.open("target")
        section = visit.page.get_by_role("region", name=UNUSABLE)
        await expect(section).to_contain_text("1 newcomer looked at in the target now: each can be used.")
        await expect(section.get_by_role("table")).to_have_count(0)
        await visit.end()


@pytest.mark.parametrize(
    ("repairs", "told"),
    [(1, "waits is written again as soon as the sync may; written again 1 time in a day"), (3, "fought is not")],
)
async def test_what_comes_of_a_difference_is_said(browser: Browser, repairs: int, told: str) -> None:
    """In the list and with the person, by the policy of the sync."""
    world = World(policy=Policy(drift=Drift(attributes=Edited.ENFORCE, blocked_in_target=Blocked.ENFORCE)))
    await world.linked()
    now = world.clock.now()
    target_id = (await world.stored(ADA)).target_id or ""
    await world.storage.drifts.save(
        DriftRecord(sync=NAME, source_id=ADA, target_id=target_id, differs={"city": now}, repairs=[now] * repairs)
    )
    async with Site(world=world) as site:
        visit = await Visit.begin(browser, site)
        for view in ("target", f"people/{NAME}/{ADA}"):
            await visit.open(view)
            await expect(visit.page.locator("main")).to_contain_text(told)
        await visit.end()


async def test_hostile_names_are_text_here_too(browser: Browser, site: Site) -> None:
    """In the lists and in the questions, on a telephone."""
    world = site.world
    for n, name in ((EDITED, NAMES[0]), (BLOCKED, NAMES[3])):
        world.change(staff_id(n), displayName=name)
        await world.look(staff_id(n), why=Why.TARGET)
    visit = await Visit.begin(browser, site, viewport={"width": 360, "height": 800})
    await visit.open("target")
    await expect(visit.page.get_by_role("region", name=LISTED)).to_contain_text(NAMES[0])
    assert await visit.wider_than_the_window() == []
    await visit.open(f"people/{NAME}/{staff_id(BLOCKED)}")
    await visit.press("Unlink …").click()
    assert await visit.wider_than_the_window() == []
    assert await visit.violations({"rules": {"color-contrast": {"enabled": False}}}) == []
    assert await visit.page.locator("main img, main script").count() == 0
    await visit.end()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("act", ["Redeem anew …", "Unlink …"])
async def test_everybody_can_answer_the_questions(browser: Browser, site: Site, scheme: str, act: str) -> None:
    """No rule of axe-core is broken in a question, in either scheme of colours."""
    visit = await Visit.begin(browser, site, color_scheme=scheme)
    await visit.open(DIFFERENT)
    await visit.press(act).click()
    assert await visit.violations({}) == []
    await visit.end()
