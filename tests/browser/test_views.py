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
from tests.support.make import ADA
from tests.support.page import Site
from tests.support.staff import STAFF, staffed
from tests.support.world import World

from .visit import CHOICE, PERSON, VIEWS, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

THERE = {
    "": ("4 deletions held", "contoso-to-fabrikam", "2 of 2 used", "contoso/users", "live", "user-changes"),
    "people": ("Address or object id",),
    PERSON: (STAFF[0], "The user is in scope", "Nothing is to be done", "invited", "updated"),
    "holds": ("4 deletions waiting", "deleted in the source", "Nobody has decided"),
    "adoptions": ("unadopted", STAFF[24], STAFF[25]),
    CHOICE: (STAFF[24], "B2B user", "Adopt …"),
    "parked": ("internal user", "unadopted", STAFF[23], "xtsync adopt USER adopts it"),
    "history": ("invited", "soft deleted", "held", "configured"),
}
NOTHING = {
    "": "Nothing waits for a person.",
    f"people/contoso-to-fabrikam/{ADA}": "The record has nothing of this person in this sync.",
    "holds": "No deletion is held.",
    "adoptions": "Nobody waits for an adoption",
    "parked": "Nobody is set aside",
    "history?kind=lost": "Nothing of this kind happened.",
}
# What a view reads, and fails to read.
READ = {
    "": "status",
    PERSON: "why/**",
    "holds": "holds",
    "adoptions": "adoptions",
    CHOICE: "adoptions/**",
    "parked": "status",
    "history": "activity**",
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
    section = visit.page.get_by_role("region", name="Held deletions")
    await expect(section).to_contain_text("Reading …")
    await expect(section).to_have_attribute("aria-busy", "true")
    goes_on.set()
    await expect(section).to_contain_text("4 deletions waiting")


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


async def test_tables_sort_and_filter(visit: Visit) -> None:
    """By any column, in both directions, by what is shown and by whole ids."""
    await visit.open("history")
    table = visit.page.get_by_role("table", name="Events")
    kinds = table.locator("tbody td[data-label=Kind]")
    await visit.press("Kind").click()
    assert (await kinds.first.inner_text(), await kinds.last.inner_text()) == ("configured", "updated")
    await visit.press("Kind").click()
    assert await kinds.first.inner_text() == "updated"
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
    await visit.page.get_by_label("Within").select_option("1h")
    await visit.settled()
    assert "since=1h" in visit.asked[-2] + visit.asked[-1]
