"""What an Operator does on the page, to the end: in the tenant, in the record, and on the page again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from sync_core.model import Control, LinkState, Policy, Why
from sync_core.ports import Asked
from tests.support.make import ADA, NAME, STAGES
from tests.support.page import Site
from tests.support.staff import LEAVERS, NEWCOMERS, STAFF, address, staff_id
from tests.support.world import World

from .visit import VIEWS, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

GONE = "00000000-0000-4000-8000-000000000000"
HELD = LEAVERS[2]  # the first two were within the limit


async def say(page: Page, yes: str) -> None:
    """In the dialog: a button of the page may have the same name, and is behind it."""
    await page.get_by_role("dialog").get_by_role("button", name=yes, exact=True).click()


async def agree(page: Page, yes: str) -> None:
    await say(page, yes)
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def asked(world: World) -> set[str]:
    """The users for whom a person asked; those of retries, which wait for their time, are left out."""
    return {each.user for each in await world.nominated() if each.why in {Why.OPERATOR, Why.APPROVED}}


async def choose(visit: Visit, n: int) -> None:
    await visit.page.get_by_role("checkbox", name=STAFF[n]).check()


async def test_an_approved_deletion_is_carried_out(visit: Visit) -> None:
    """Exactly the one who was chosen; the others stay held, and the record says who approved it."""
    world = visit.site.world
    link = await world.stored(staff_id(HELD))
    await visit.open("holds")
    await choose(visit, HELD)
    await visit.press("Approve 1 …").click()
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_contain_text(staff_id(HELD))
    await expect(dialog).to_contain_text("delete: deleted in the source")
    await agree(visit.page, "Approve 1")
    await expect(visit.page.get_by_role("status")).to_have_text("1 removal approved.")
    world.clock.advance(timedelta(seconds=1))
    assert await world.deliver() == []
    assert link.target_id in world.target.deleted
    await expect(visit.page.locator("main")).to_contain_text("3 removals waiting", timeout=15_000)
    main = visit.page.locator("main")
    await expect(main).to_contain_text("deleted in the target: deleted in the source, after an approval.")
    await expect(main).not_to_contain_text("approval expired")
    outcome = visit.page.locator("main > div > p")
    await expect(outcome.get_by_role("link")).to_have_attribute("href", f"#/people/{NAME}/{staff_id(HELD)}")
    await expect(outcome).to_contain_text(STAFF[HELD])
    await expect(visit.page.get_by_role("link", name="Holds 3")).to_be_visible()
    decisions = visit.page.get_by_role("table", name="Decisions")
    await expect(decisions.locator("tbody tr")).to_have_count(1)
    await visit.open(f"people/{NAME}/{staff_id(HELD)}")
    happened = visit.page.get_by_role("table", name="What happened")
    kinds = await happened.locator("td[data-label=Kind]").all_inner_texts()
    assert kinds[:3] == ["soft deleted", "approved", "held"]


async def test_all_that_wait_are_approved_at_once(visit: Visit) -> None:
    """The question names each of them."""
    await visit.open("holds")
    await visit.press("Choose all that wait").click()
    await visit.press("Approve 4 …").click()
    await expect(visit.page.get_by_role("dialog").get_by_role("listitem")).to_have_count(4)
    await agree(visit.page, "Approve 4")
    assert await visit.site.world.deliver() == []
    await visit.again()
    await expect(visit.page.locator("main")).to_contain_text("Nothing is held.")


async def test_a_list_that_changed_is_not_decided(visit: Visit) -> None:
    """Somebody is held after the list was read: the decision would be about a list that nobody saw."""
    world = visit.site.world
    await visit.open("holds")
    await choose(visit, HELD)
    world.source.soft_delete(staff_id(15))
    await world.look(staff_id(15))
    await visit.press("Approve 1 …").click()
    await say(visit.page, "Approve 1")
    await expect(visit.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The list changed")
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    assert await asked(world) == set()
    assert all("409" in each for each in visit.complaints)
    visit.complaints.clear()


async def test_a_rejected_deletion_waits_no_more(visit: Visit) -> None:
    """The person keeps access, and the list shows who said so."""
    world = visit.site.world
    await visit.open("holds")
    await choose(visit, HELD)
    await visit.press("Reject 1 …").click()
    await agree(visit.page, "Reject 1")
    await visit.settled()
    await expect(visit.page.locator("main")).to_contain_text("3 removals waiting")
    await expect(visit.page.get_by_role("table", name="Held removals")).to_contain_text("rejected")
    assert await world.deliver() == []
    assert (await world.stored(staff_id(HELD))).state is LinkState.LINKED


async def test_newcomers_are_let_in_by_the_code_of_the_list(visit: Visit) -> None:
    """Exactly those who were shown come in; one who came after the list was read waits on."""
    world = visit.site.world
    await visit.open("newcomers")
    world.hire(ADA)
    await world.look(ADA)
    await visit.press("Approve 3 …").click()
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Let in 3 newcomers of {NAME}?")
    await agree(visit.page, "Approve 3")
    await expect(visit.page.get_by_role("status")).to_contain_text(f"3 newcomers of {NAME} are let in.")
    await visit.settled()
    row = visit.page.get_by_role("table", name="Newcomers by sync").get_by_role("row", name=NAME)
    await expect(row.locator("td[data-label=Waiting]")).to_have_text("1")
    await expect(row.locator("td[data-label='On their way']")).to_have_text("3")
    await expect(row).to_contain_text("by you")
    for n in NEWCOMERS:
        await world.look(staff_id(n))
        assert (await world.stored(staff_id(n))).state is LinkState.LINKED
    await world.look(ADA)
    assert (await world.stored(ADA)).state is LinkState.SEEN
    await visit.again()
    await expect(row.locator("td[data-label='On their way']")).to_have_text("0")


async def test_newcomers_whom_somebody_else_approved_are_read_again(visit: Visit) -> None:
    """The code stands for no list of now: nothing is approved, and after the question the list is the one of now."""
    world = visit.site.world
    await visit.open("newcomers")
    anna = staff_id(2)
    approved = await world.runtime.creations.approve(world.sync, 3, by=anna, listed=None)
    assert approved is not None
    await visit.press("Approve 3 …").click()
    await say(visit.page, "Approve 3")
    refused = visit.page.get_by_role("dialog").get_by_role("alert")
    await expect(refused).to_contain_text("nothing was approved")
    await expect(refused).to_contain_text("Somebody else changed it")
    await visit.press("Cancel").click()
    await visit.settled()
    await expect(visit.page.locator("main")).to_contain_text("No newcomer waits.")
    await expect(visit.press("Approve 3 …")).to_have_count(0)
    await expect(visit.page.locator("td[data-label='Last approval']")).to_contain_text(f"by {STAFF[2]}")
    assert (await world.storage.creations.get(NAME)).approval == approved
    assert all("409" in each for each in visit.complaints)
    visit.complaints.clear()


async def test_an_approval_is_given_and_left_with_the_keyboard(visit: Visit) -> None:
    """Escape approves nobody and leaves the focus where it was."""
    await visit.open("newcomers")
    button = visit.press("Approve 3 …")
    await button.focus()
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    await expect(button).to_be_focused()
    assert (await visit.site.world.storage.creations.get(NAME)).approval is None


async def test_a_sync_is_paused_and_goes_on(visit: Visit) -> None:
    """With a reason, without which nothing is paused; the page shows who, when and why."""
    world = visit.site.world
    await visit.open()
    card = visit.page.get_by_role("article", name=NAME)
    await expect(card).to_contain_text("runs")
    await card.get_by_role("button", name="Pause everything …").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()  # the reason is missing
    await visit.page.get_by_label("Reason").fill("who are these leavers?")
    await agree(visit.page, "Pause")
    await visit.settled()
    await expect(card).to_contain_text("paused")
    await expect(card).to_contain_text("who are these leavers?")
    await expect(card).to_contain_text("by you")
    assert (await world.runtime.pauses.read(NAME)).control is Control.PAUSED
    bar = visit.page.locator("#paused")
    for view in ("holds", "people", "plan", ""):
        await visit.open(view)
        await expect(bar).to_contain_text(f"{NAME}: paused")
    await card.get_by_role("button", name="Resume …").click()
    await agree(visit.page, "Resume")
    await visit.settled()
    await expect(card).to_contain_text("runs")
    await expect(bar).to_be_hidden()
    assert len(await world.runs()) == 1  # a full round follows


async def test_deletions_alone_are_paused(visit: Visit) -> None:
    """Everything else goes on, and the card says so."""
    await visit.open()
    card = visit.page.get_by_role("article", name=NAME)
    await card.get_by_role("button", name="Pause deletions …").click()
    await visit.page.get_by_label("Reason").fill("a look")
    await agree(visit.page, "Pause")
    await visit.settled()
    await expect(card).to_contain_text("deletions paused")
    await expect(card.get_by_role("button", name="Pause everything …")).to_be_visible()


async def test_a_person_is_found_by_address(visit: Visit) -> None:
    """No address and no name is ever in an address of the page or of a request: those end in logs."""
    world = visit.site.world
    await visit.open("people")
    await visit.find(address(3))
    await visit.page.wait_for_url(f"**/#/people/{NAME}/{staff_id(3)}")
    await visit.settled()
    await expect(visit.page.locator("main")).to_contain_text("The user is in scope")
    await expect(visit.page.get_by_role("table", name="What happened")).to_contain_text("invited as target user")
    await visit.press("Look again now").click()
    await expect(visit.page.get_by_role("status")).to_contain_text("The app looks within seconds")
    assert await asked(world) == {staff_id(3)}
    assert visit.asked
    assert [each for each in visit.asked if "@" in each or "%40" in each or STAFF[3].split()[1] in each] == []


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_look_that_was_asked_for_has_an_end(visit: Visit, *, renamed: bool) -> None:
    """The page says that the app has looked, and what it did; when it looked last stands with the person."""
    world = visit.site.world
    await visit.open(f"people/{NAME}/{staff_id(3)}")
    if renamed:
        world.change(staff_id(3), displayName="Ben Nowak")
    await visit.press("Look again now").click()
    await expect(visit.page.get_by_role("status")).to_contain_text("The app looks within seconds")
    world.clock.advance(timedelta(seconds=1))
    assert await world.deliver() == []
    said = "updated displayName, when an operator asked" if renamed else "nothing to write"
    await expect(visit.page.get_by_role("status")).to_have_text(f"The app looked: {said}.", timeout=15_000)
    await expect(visit.page.locator("main")).to_contain_text("Last looked at by the app: just now")


@pytest.mark.parametrize(
    ("whom", "told"),
    [
        ("nobody@contoso.example", "Check the spelling"),
        ("Ada", "Type the whole address"),
        (GONE, "record"),
        ("Nobody <nobody@contoso.example>", "Somebody who was deleted"),
    ],
)
async def test_who_is_not_found_is_told_apart(visit: Visit, whom: str, told: str) -> None:
    """A wrong spelling, no address at all, and somebody who is gone, of whom the record may know."""
    await visit.open("people")
    await visit.find(whom)
    await expect(visit.page.locator("main")).to_contain_text(told)
    visit.complaints.clear()  # the browser's own line about 400 and 404


async def test_the_last_person_is_gone_when_a_search_begins(visit: Visit) -> None:
    """Below "nobody has this address" they would pass for the one who was looked for; and they can be found anew."""
    await visit.open(f"people/{NAME}/{staff_id(3)}")
    await visit.find("nobody@contoso.example")
    await expect(visit.page.get_by_role("alert")).to_contain_text("Check the spelling")
    await expect(visit.page.get_by_role("region", name="Where the person stands")).to_have_count(0)
    await expect(visit.page.get_by_role("region", name="What happened")).to_have_count(0)
    assert visit.page.url.endswith("#/people")
    await visit.find(address(3))
    await visit.settled()
    await expect(visit.page.get_by_role("region", name="Where the person stands")).to_contain_text(staff_id(3))
    await visit.find(f"Ben Kowalski \u2039{address(3)}\u203a ")
    await visit.settled()
    await expect(visit.page.get_by_role("region", name="Where the person stands")).to_contain_text(staff_id(3))
    visit.complaints.clear()  # the browser's own line about 404


async def test_a_leaver_is_kept_and_then_no_longer(browser: Browser) -> None:
    """The list says who is due when; a word on the person's page defers it, and another one takes that back."""
    world = World(policy=Policy(source_deleted=STAGES))
    account = await world.linked()
    world.source.soft_delete(ADA)
    await world.look(why=Why.ABSENT)
    world.clock.advance(timedelta(minutes=1))
    async with Site(world=world) as site:
        visit = await Visit.begin(browser, site)
        await visit.open("leavers")
        row = visit.page.get_by_role("table", name="Leavers").locator("tbody tr")
        await expect(row).to_contain_text("soft delete")
        await expect(row).to_contain_text("in 14 days")
        await row.get_by_role("link").click()
        await visit.settled()
        await visit.press("Keep until …").click()
        await visit.page.get_by_label("Until the beginning of this day").fill("2026-03-01")
        await visit.page.get_by_label("Why?").fill("hands over")
        await agree(visit.page, "Keep")
        await expect(visit.page.get_by_role("status")).to_contain_text("Kept until 2026-03-01.")
        assert await world.deliver() == []
        await visit.open("leavers")
        await visit.again()
        await expect(row).to_contain_text("hands over")
        world.clock.advance(timedelta(days=20))
        await world.look()
        assert account in world.target.users.values()

        await visit.open(f"people/{NAME}/{ADA}")
        await expect(visit.page.locator("main")).to_contain_text("keeps the user until 2026-03-01 00:00:00 UTC")
        world.clock.advance(timedelta(minutes=1))
        await visit.press("Keep no longer …").click()
        await agree(visit.page, "Keep no longer")
        world.clock.advance(timedelta(minutes=1))
        assert await world.deliver() == []
        assert account in world.target.deleted.values()
        await visit.end()


async def test_an_adoption_is_approved_for_exactly_one_user(visit: Visit) -> None:
    """The next look adopts that one."""
    world = visit.site.world
    await visit.open("adoptions")
    await visit.page.get_by_role("row", name=STAFF[24]).get_by_role("link", name="Who may be meant").click()
    await visit.settled()
    await visit.press("Adopt …").click()
    await expect(visit.page.get_by_role("dialog")).to_contain_text("10000000-0000-4000-8000-000000000002")
    await agree(visit.page, "Adopt")
    assert await world.deliver() == []
    link = await world.stored(staff_id(24))
    assert (link.state, link.target_id) == (LinkState.LINKED, "10000000-0000-4000-8000-000000000002")


async def test_an_internal_user_is_offered_to_nobody(visit: Visit) -> None:
    """The page says why, and has no button for it."""
    await visit.open(f"adoptions/{NAME}/{staff_id(23)}")
    await expect(visit.page.locator("main")).to_contain_text(
        "Cannot be adopted: leave alone: an internal user of the target"
    )
    await expect(visit.press("Adopt …")).to_have_count(0)


async def test_a_cause_is_tried_again_for_everybody(visit: Visit) -> None:
    """One press for all who are set aside by it, and for nobody else."""
    world = visit.site.world
    await visit.open("parked")
    await visit.press("Try these 2 again …").click()
    await agree(visit.page, "Try again")
    await expect(visit.page.get_by_role("status")).to_contain_text("Asked for: 2 users.")
    assert await asked(world) == {staff_id(24), staff_id(25)}


async def test_everybody_is_read_again(visit: Visit) -> None:
    """A full round of this tenant starts."""
    await visit.open()
    await visit.press("Read contoso again …").click()
    await agree(visit.page, "Read again")
    assert (await visit.site.world.feed()).full


async def test_a_reader_sees_everything_and_does_nothing(browser: Browser, site: Site) -> None:
    """No view offers an action, and the server refuses one that is made by hand."""
    visit = await Visit.begin(browser, site, "Reader")
    await visit.open()
    await expect(visit.page.locator("#caller")).to_contain_text("Reader")
    for view in VIEWS:
        await visit.open(view)
        inside = visit.page.locator("main button:not(th button):visible, main input[type=checkbox]")
        assert [await each.inner_text() for each in await inside.all()] == (
            ["Find"] if view.startswith("people") else ["Plan"] if view == "plan" else []
        )
    options = "{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{\"reason\": \"r\"}'}"
    status = await visit.page.evaluate(f"fetch('/api/ops/pause', {options}).then((said) => said.status)")
    assert status == 403
    assert (await site.world.runtime.pauses.read(NAME)).control is Control.RUNNING
    visit.complaints.clear()  # the browser's own line about 403
    await visit.end()


@pytest.mark.parametrize(("person", "told"), [("nobody", "needs the role Operator or Reader"), ("", "Choose a role")])
async def test_nobody_else_sees_even_the_page(browser: Browser, site: Site, person: str, told: str) -> None:
    """Without a role there is a sentence that says which one; without a sign-in there is the sign-in."""
    visit = await Visit.begin(browser, site, person)
    await visit.page.goto(f"{site.url}/api/ops/")
    await expect(visit.page.locator("body")).to_contain_text(told)
    visit.complaints.clear()  # the browser's own lines about 401 and 403
    await visit.end()


async def test_one_signs_in_and_out(browser: Browser, site: Site) -> None:
    """On this machine by a choice; the page is where one wanted to go."""
    visit = await Visit.begin(browser, site, "")
    await visit.page.goto(site.entrance)
    await visit.page.get_by_role("link", name="Reader").click()
    await visit.settled()
    await expect(visit.page.locator("#caller")).to_contain_text("Reader")
    await visit.page.get_by_role("link", name="Sign out").click()
    await expect(visit.page.locator("body")).to_contain_text("Choose a role")
    await visit.end()


async def test_everything_works_by_keyboard(visit: Visit) -> None:
    """From the top of the page to an approved deletion, and the focus is never lost on the way."""
    page, world = visit.page, visit.site.world
    await visit.open()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await _tab_to(page, "Holds")
    await page.keyboard.press("Enter")
    await visit.settled()
    await expect(page.locator("main")).to_be_focused()
    await _tab_to(page, staff_id(HELD)[:8])
    await page.keyboard.press("Space")
    await _tab_to(page, "Approve 1 …")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Approve 1 …")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await _tab_to(page, "Approve 1")
    await page.keyboard.press("Enter")
    await visit.settled()
    await expect(page.get_by_role("region", name="Held removals")).to_be_focused()
    assert await asked(world) == {staff_id(HELD)}


# The name of what has the focus, as a screen reader would say it.
_SAID = """() => {
    const it = document.activeElement, by = it.getAttribute("aria-labelledby");
    const others = (by ?? "").split(" ").map((id) => document.getElementById(id)?.textContent);
    if (it === document.body) return ""; // between the last control of a dialog and its first one
    return by ? others.join(" ") : it.getAttribute("aria-label") ?? it.textContent;
}"""


async def _tab_to(page: Page, name: str) -> None:
    """Tab until what has the focus is called so."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if name in str(await page.evaluate(_SAID)):
            return
    raise AssertionError(f"no way to {name} by the keyboard")


async def test_older_events_follow_on_request(visit: Visit) -> None:
    """A page of the record at a time, below the first one."""
    world = visit.site.world
    for n in range(60):
        world.change(staff_id(0), department=f"D{n}")
        await world.look(staff_id(0))
    await visit.open("history")
    rows = visit.page.get_by_role("table", name="Events").locator("tbody tr")
    await expect(rows).to_have_count(100)
    await visit.press("Older events").click()
    await visit.settled()
    await visit.press("Show more").click()
    every = await world.storage.activity.page(Asked(of=[(NAME, "")], limit=1000))
    await expect(rows).to_have_count(len(every.events))
    await expect(visit.press("Older events")).to_have_count(0)
