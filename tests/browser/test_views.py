"""Each view of the page: with what there is, with nothing, failing, loading; on any screen, for everybody."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from sync_core.model import Mode
from tests.support.make import ADA, NAME
from tests.support.page import Site
from tests.support.staff import BLOCKED, EDITED, STAFF, TEAMS, staffed
from tests.support.world import World

from .visit import CHOICE, DIFFERENT, PERSON, PLANNED, VIEWS, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

THERE = {
    "": (
        "4 removals held",
        "contoso-to-fabrikam",
        "2 of 2 used",
        "3 newcomers of contoso-to-fabrikam",
        "contoso/users",
        "live",
        "user-changes",
    ),
    "people": ("Address in the source tenant",),
    PERSON: (STAFF[0], "The user is in scope", "Nothing is to be done", "invited", "updated"),
    DIFFERENT: (
        STAFF[EDITED],
        "Somebody else edited or blocked it in the target: listed",
        "department since",
        "Redeem anew …",
    ),
    "holds": ("4 removals waiting", "deleted in the source", "Nobody has decided"),
    "newcomers": ("3 newcomers waiting", "contoso-to-fabrikam", "23 of 23 used", "Approve 3 …"),
    "adoptions": ("waits for a word", STAFF[24], STAFF[25]),
    CHOICE: (STAFF[24], "B2B user", "Adopt …"),
    "leavers": ("Nobody is between two stages of leaving.",),
    "parked": ("internal user", "unadopted", STAFF[23], "xtsync adopt USER adopts it"),
    "target": (
        STAFF[EDITED],
        "department",
        "stays until the source changes",
        STAFF[BLOCKED],
        "blocked",
        "newcomers looked at in the target now: none can be used.",
        "the target user may not sign in, and the sync did not do that",
        "the invitation is not accepted, and whether a prompt comes cannot be seen",
    ),
    "history": ("invited", "soft deleted", "held", "configured"),
    "plan": ("the deployed file", "A new plan", "done"),
    PLANNED: (
        "held until a person decides: delete in the target",
        "4 users of contoso-to-fabrikam",
        "2 of at most 2 are used in 24 h",
        "3 users of contoso-to-fabrikam",
        "invite into the target, once a person lets this newcomer in",
        "leave alone: an internal user of the target",
        STAFF[23],
        "deleted in the source",
    ),
}
NOTHING = {
    "": "Nothing waits for a person.",
    f"people/contoso-to-fabrikam/{ADA}": "The record has nothing of this person in this sync.",
    "holds": "Nothing is held.",
    "newcomers": "No newcomer waits.",
    "adoptions": "Nobody waits for an adoption",
    "leavers": "Nobody is between two stages of leaving.",
    "parked": "Nobody is set aside",
    "target": "Nobody is known to be otherwise in the target than the sync left them.",
    "target?since=24h": "No newcomer of this time can be looked at.",
    "history?kind=lost": "Nothing of this kind happened.",
    "plan": "Nobody asked for a plan within a week.",
}
# What a view reads, and fails to read.
READ = {
    "": "status",
    PERSON: "why/**",
    "holds": "holds",
    "newcomers": "creations",
    "adoptions": "adoptions",
    CHOICE: "adoptions/**",
    "leavers": "due**",
    "parked": "status",
    "target": "drift**",
    "history": "activity**",
    "plan": "plan",
    PLANNED: "plan/*",
}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def site() -> AsyncIterator[Site]:
    """One for all of this file: it is only looked at."""
    async with Site(world=await staffed()) as site:
        yield site


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_shows_what_there_is(visit: Visit, view: str) -> None:
    """Names are read while they are shown."""
    await visit.open(view)
    for text in THERE[view]:
        await expect(visit.page.locator("main")).to_contain_text(text)


@pytest.mark.parametrize("view", NOTHING)
async def test_where_nothing_is_the_page_says_so(browser: Browser, view: str) -> None:
    """A table without rows would leave open whether it was read."""
    world = World()
    await world.runtime.keep()
    await world.first_round()
    async with Site(world=world) as site:
        visit = await Visit.begin(browser, site)
        await visit.open(view)
        await expect(visit.page.locator("main")).to_contain_text(NOTHING[view])
        await visit.end()


@pytest.mark.parametrize("view", READ)
async def test_what_cannot_be_read_says_what_to_do(visit: Visit, view: str) -> None:
    """The error's own words; and another try, which then succeeds."""
    error = {"error": {"code": "Unavailable", "messages": ["storage is silent"], "hint": None}}

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, content_type="application/json", body=json.dumps(error))

    await visit.page.route(f"**/api/ops/{READ[view]}", fail)
    await visit.open(view)
    failed = visit.page.get_by_role("alert").first
    await expect(failed).to_contain_text("Storage is silent.")
    await expect(failed).to_contain_text("Try again in a minute.")
    await visit.page.unroute_all()
    await failed.get_by_role("button", name="Try again").click()
    await visit.settled()
    await expect(visit.page.locator("main")).to_contain_text(THERE[view][0])
    assert all("503" in each for each in visit.complaints)  # the browser's own line about each of them
    visit.complaints.clear()


async def test_what_waits_stands_beside_the_names_of_the_views(visit: Visit) -> None:
    """Whichever view one begins with."""
    await visit.open("history")
    for name in ("Holds 4", "Newcomers 3", "Adoptions 2", "Set aside 3"):
        await expect(visit.page.get_by_role("link", name=name, exact=True)).to_be_visible()


async def test_a_session_that_is_over_leads_to_the_sign_in(visit: Visit) -> None:
    """The view says so, with the way there."""
    await visit.open("people")
    await visit.context.clear_cookies()
    await visit.page.goto(f"{visit.site.url}/api/ops/#/holds")
    failed = visit.page.get_by_role("alert").first
    await expect(failed).to_contain_text("You are not signed in.")
    await failed.get_by_role("link", name="Sign in").click()
    await expect(visit.page.locator("body")).to_contain_text("Choose a role")
    visit.complaints.clear()  # the browser's own lines about 401


async def test_without_an_answer_the_page_says_what_to_look_at(visit: Visit) -> None:
    """The network, the app, or a session that is over long since."""
    await visit.open("people")
    await visit.page.route("**/api/ops/holds", lambda route: route.abort())
    await visit.page.goto(f"{visit.site.url}/api/ops/#/holds")
    await expect(visit.page.get_by_role("alert").first).to_contain_text("load this page again")
    visit.complaints.clear()


async def test_while_it_reads_the_page_says_so(visit: Visit) -> None:
    """A person who waits knows for what, also one who hears the screen."""
    goes_on = asyncio.Event()

    async def wait(route: Route) -> None:
        await goes_on.wait()
        await route.continue_()

    await visit.page.route("**/api/ops/holds", wait)
    await visit.page.goto(f"{visit.site.url}/api/ops/#/holds")
    section = visit.page.get_by_role("region", name="Held removals")
    await expect(section).to_contain_text("Reading …")
    await expect(section).to_have_attribute("aria-busy", "true")
    goes_on.set()
    await expect(section).to_contain_text("4 removals waiting")


@pytest.mark.parametrize(
    ("scheme", "width", "options"),
    [
        ("light", 1280, {}),
        ("dark", 1280, {"runOnly": ["color-contrast"]}),  # the colours are all that is different
        ("light", 360, {"rules": {"color-contrast": {"enabled": False}}}),  # the colours are all that is the same
    ],
)
async def test_everybody_can_use_every_view(
    browser: Browser, site: Site, scheme: str, width: int, options: dict[str, object]
) -> None:
    """No rule of axe-core is broken, and nothing sticks out on the right."""
    visit = await Visit.begin(browser, site, color_scheme=scheme, viewport={"width": width, "height": 800})
    for view in VIEWS:
        await visit.open(view)
        assert await visit.violations(options) == [], view
        assert await visit.wider_than_the_window() == [], view
    await visit.end()


@pytest.mark.parametrize("width", [800, 961])
async def test_every_view_fits_a_tablet(visit: Visit, width: int) -> None:
    """No table sticks out: not as cards, and not in the narrowest window where its rows are rows."""
    await visit.page.set_viewport_size({"width": width, "height": 800})
    for view in VIEWS:
        await visit.open(view)
        assert await visit.wider_than_the_window() == [], view


@pytest.mark.parametrize("view", ["holds", ""])
async def test_the_link_to_the_content_leads_there_and_stays_in_the_view(visit: Visit, view: str) -> None:
    """The address goes on naming the view, so that loading it again shows the same."""
    await visit.open(view)
    await visit.page.keyboard.press("Tab")
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.locator("main")).to_be_focused()
    await visit.again()
    assert visit.page.url.endswith(f"#/{view}")
    await expect(visit.page.locator("main")).to_contain_text(THERE[view][0])


async def test_the_address_of_the_content_alone_shows_health(visit: Visit) -> None:
    """Somebody may have kept it: a blank page would stay blank."""
    await visit.page.goto(f"{visit.site.url}/api/ops/#main")
    await visit.settled()
    await expect(visit.page.locator("main")).to_contain_text(THERE[""][0])


async def test_health_is_read_again_also_after_the_navigation(visit: Visit) -> None:
    """The whole view has the focus then, and nobody has their hands in it. Beside the heading stands how old it is."""
    await visit.page.clock.install()
    await visit.open("holds")
    await visit.page.get_by_role("link", name="Health").press("Enter")
    await visit.settled()
    await expect(visit.page.locator("main")).to_be_focused()
    now = visit.site.world.clock.now()
    await expect(visit.page.locator("h1 + .read")).to_have_text(f"as of {now:%H:%M} UTC")
    before = len([each for each in visit.asked if each.endswith("/status")])
    await visit.page.clock.run_for(31_000)
    await visit.settled()
    assert len([each for each in visit.asked if each.endswith("/status")]) == before + 1
    for button in ("Kind", "Pause everything …"):
        await visit.page.get_by_role("button", name=button).first.focus()
        await visit.page.clock.run_for(31_000)
        await visit.settled()
        await expect(visit.page.get_by_role("button", name=button).first).to_be_focused()
    assert len([each for each in visit.asked if each.endswith("/status")]) == before + 3
    await visit.press("Pause everything …").first.click()
    await visit.page.clock.run_for(31_000)
    assert len([each for each in visit.asked if each.endswith("/status")]) == before + 3


async def test_dark_is_dark(browser: Browser, site: Site) -> None:
    """As the system of whoever looks at it says."""
    grounds = []
    for scheme in ("light", "dark"):
        visit = await Visit.begin(browser, site, color_scheme=scheme)
        await visit.open()
        grounds.append(await visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        await visit.end()
    light, dark = (sum(map(int, re.findall(r"\d+", ground)[:3])) for ground in grounds)
    assert light > 600 > 150 > dark


async def test_a_sync_that_observes_is_shown_as_that(browser: Browser) -> None:
    """It is no failure, and nothing is wrong with it."""
    async with Site(world=World(mode=Mode.OBSERVE)) as site:
        visit = await Visit.begin(browser, site)
        await visit.open()
        card = visit.page.get_by_role("article", name="contoso-to-fabrikam")
        await expect(card).to_contain_text("observes")
        await expect(card).to_contain_text("writes nothing to the target")
        await visit.end()


async def test_what_people_were_told_of_is_shown(visit: Visit) -> None:
    """Each thing that stands, since when, and who was told of it; a link leads to the newcomers."""
    await visit.open()
    items = visit.page.get_by_role("list", name="Notices that stand").get_by_role("listitem")
    told = sorted(await items.all_inner_texts())
    assert told == [
        f"{NAME}: {what} since 3 min ago, told to {TEAMS.address}" for what in ("creations wait", "held", "parked")
    ]
    await visit.page.get_by_role("list", name="What needs a person").get_by_role("link", name="3 newcomers").click()
    await visit.settled()
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Newcomers")
    await expect(visit.page.get_by_role("link", name="Newcomers 3")).to_have_attribute("aria-current", "page")


async def test_what_could_not_be_told_yet_is_shown_as_that(visit: Visit) -> None:
    """The receiver did not take the message: nobody may believe that they know of it."""
    held = {"receiver": "R", "event": "held", "about": NAME, "since": "2026-01-05T09:00:00Z", "told": False}
    standing = [held, {**held, "event": "scope-emptied", "told": True}]
    receivers = [{"receiver": "R", "kind": "webhook", "events": ["held"], "syncs": []}]
    body = json.dumps({"receivers": receivers, "standing": standing})
    await visit.page.route(
        "**/api/ops/notices", lambda route: route.fulfill(content_type="application/json", body=body)
    )
    await visit.open()
    await expect(visit.page.get_by_role("list", name="Notices that stand")).to_contain_text("not told yet to R")
    await expect(visit.page.get_by_role("list", name="Notices that stand")).to_contain_text("scope emptied since")


async def test_where_nothing_stands_the_notices_say_so(browser: Browser) -> None:
    """There is a receiver, and nothing to tell it."""
    async with Site(world=World(receivers=[TEAMS])) as site:
        visit = await Visit.begin(browser, site)
        await visit.open()
        await expect(visit.page.get_by_role("region", name="Notices")).to_contain_text("Nothing stands in the way.")
        await visit.end()


async def test_without_receivers_there_are_no_notices(browser: Browser) -> None:
    """An empty section would say that somebody is told."""
    async with Site(world=World()) as site:
        visit = await Visit.begin(browser, site)
        await visit.open()
        await expect(visit.page.get_by_role("heading", name="Feeds")).to_be_visible()
        await expect(visit.page.get_by_role("region", name="Notices")).to_have_count(0)
        await visit.end()


async def test_notices_that_cannot_be_read_stand_in_nobodys_way(visit: Visit) -> None:
    """Their section says so and is tried again; the rest of Health is there."""
    await visit.page.route("**/api/ops/notices", lambda route: route.fulfill(status=503))
    await visit.open()
    section = visit.page.get_by_role("region", name="Notices")
    await expect(section.get_by_role("alert")).to_contain_text("Try again in a minute.")
    await expect(visit.page.get_by_role("article", name=NAME)).to_be_visible()
    await visit.page.unroute_all()
    await section.get_by_role("button", name="Try again").click()
    await expect(section).to_contain_text("creations wait")
    visit.complaints.clear()  # the browser's own line about 503


async def test_a_sync_without_a_ceiling_is_shown_as_that(browser: Browser) -> None:
    """The guard is off: nothing is used, and nothing is full."""
    async with Site(world=World(creation_guard=None)) as site:
        visit = await Visit.begin(browser, site)
        await visit.open("newcomers")
        await expect(visit.page.get_by_role("table", name="Newcomers by sync")).to_contain_text("no ceiling")
        await visit.end()


async def test_tables_sort_and_filter(visit: Visit) -> None:
    """By any column, in both directions, by what is shown and by whole ids."""
    await visit.open("history")
    table = visit.page.get_by_role("table", name="Events")
    kinds = table.locator("tbody td[data-label=Kind]")
    await visit.press("Kind").click()
    assert (await kinds.first.inner_text(), await kinds.last.inner_text()) == ("configured", "would invite")
    await visit.press("Kind").click()
    assert await kinds.first.inner_text() == "would invite"
    await expect(visit.page.get_by_role("columnheader", name="Kind")).to_have_attribute("aria-sort", "descending")
    await visit.page.get_by_role("searchbox", name="Filter: Events").fill(STAFF[5].upper())
    assert await table.locator("tbody tr").count() > 0
    await expect(table.locator("tbody td[data-label=Whom]").first).to_contain_text(STAFF[5])
    await visit.page.get_by_role("searchbox", name="Filter: Events").fill("no such thing")
    await expect(table.locator("tbody tr")).to_have_count(0)


async def test_the_history_is_asked_by_kind_and_time(visit: Visit) -> None:
    """The filters stand in the address, so that it can be sent to somebody."""
    await visit.open("history")
    await visit.page.get_by_label("Kind").select_option("held")
    await visit.settled()
    assert visit.page.url.endswith("#/history?kind=held&since=7d")
    kinds = visit.page.locator("tbody td[data-label=Kind]")
    assert set(await kinds.all_inner_texts()) == {"held"}
    visit.asked.clear()
    await visit.page.get_by_label("Within").select_option("1h")
    await visit.settled()
    assert any("activity" in each and "since=1h" in each for each in visit.asked)
