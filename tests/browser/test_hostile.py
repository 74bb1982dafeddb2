"""Texts from other people's tenants are shown as text, whatever they are, and do nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from sync_core.model import Event, Kind, Written
from tests.support.make import NAME
from tests.support.page import Site
from tests.support.staff import LEAVERS, staff_id

from .visit import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

HELD = LEAVERS[2:6]
NAMES = (
    "<img src=x onerror=\"document.title='taken'\">",
    "<script>document.title='taken'</script>",
    "\u202eecila\u202c \u2067\u05d0\u05d1\u2069 \u200f",
    "W" * 10_000,
)


@pytest.mark.parametrize("width", [1280, 360])
async def test_a_hostile_name_is_shown_and_does_nothing(browser: Browser, site: Site, width: int) -> None:
    """Markup stays text, and neither its direction nor its length moves anything else."""
    world = site.world
    for n, name in zip(HELD, NAMES, strict=True):
        world.source.restore(staff_id(n))
        world.change(staff_id(n), displayName=name)
    visit = await Visit.begin(browser, site, viewport={"width": width, "height": 800})
    await visit.open("holds")
    table = visit.page.get_by_role("table", name="Held removals")
    for name in NAMES[:3]:
        await expect(table).to_contain_text(name)
    assert await visit.page.locator("main img, main script").count() == 0
    assert await visit.page.title() == "Holds — xtsync"
    assert await visit.wider_than_the_window() == []
    tall = await table.locator("tbody tr").evaluate_all("(rows) => rows.map((row) => row.offsetHeight)")
    assert max(tall) < 400
    await visit.press("Choose all that wait").click()
    await visit.press("Approve 4 …").click()
    assert await visit.wider_than_the_window() == []
    await visit.page.keyboard.press("Escape")
    await visit.open(f"people/{NAME}/{staff_id(HELD[0])}")
    await expect(visit.page.locator("main")).to_contain_text(NAMES[0])
    assert await visit.wider_than_the_window() == []
    await visit.end()


async def test_values_of_the_record_are_text(browser: Browser, site: Site) -> None:
    """What was written to the target, with what was there before; each in a closed list below the event."""
    values = [
        Written(attribute=f"extensionAttribute{n}", value=name[:1024], before=None, before_known=True)
        for n, name in enumerate(NAMES, 1)
    ]
    now = site.world.clock.now()
    event = Event(at=now, sync=NAME, user=staff_id(HELD[0]), kind=Kind.UPDATED, values=values)
    await site.world.storage.activity.record([event])
    visit = await Visit.begin(browser, site, viewport={"width": 360, "height": 800})
    await visit.open("history?kind=updated&since=1h")
    await visit.page.locator("main details summary").first.click()
    main = visit.page.locator("main")
    await expect(main).to_contain_text("extensionAttribute2: nothing → \"<script>document.title='taken'</script>\"")
    assert await visit.page.locator("main img, main script").count() == 0
    assert await visit.wider_than_the_window() == []
    await visit.end()


async def test_the_browser_itself_refuses_what_the_page_never_does(visit: Visit) -> None:
    """The policy holds: no inline script, no markup out of a text, no other host."""
    await visit.open()
    page = visit.page
    markup = "() => { try { document.body.innerHTML = '<b>x</b>'; return 'done'; } catch (e) { return e.name; } }"
    assert await page.evaluate(markup) == "TypeError"
    elsewhere = "() => fetch('http://127.0.0.1:9/').then(() => 'done', (e) => e.name)"
    assert await page.evaluate(elsewhere) == "TypeError"
    style = (
        "const s = document.createElement('style'); s.textContent = 'main { display: none }'; document.head.append(s);"
    )
    await page.evaluate(f"() => {{ {style} }}")
    assert await page.locator("main").is_visible()
    assert len(visit.complaints) >= 3
    visit.complaints.clear()
