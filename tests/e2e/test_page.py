"""The page on the local stack: the function app in Microsoft's worker, Azurite, the emulator, and a browser."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from local.emulated import until
from tests.support.chromium import HELP, chromium, started
from tests.support.principals import HEADER, principal
from tests.support.stack import SYNC, SyncedStack, hold

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(chromium() is None, reason=HELP),
]


async def test_an_operators_story(world: SyncedStack) -> None:
    """Health, a person by address, a look, a hold that is approved, a pause and its end; all in one sitting."""
    person, held, *_ = await world.people()
    await hold(world, held["id"])
    async with started() as browser:
        context = await browser.new_context(extra_http_headers={HEADER: principal("Operator")})
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await page.goto(f"{world.stack.functions_url}/api/ops/")
        card = page.get_by_role("article", name=SYNC)
        await expect(card).to_contain_text("runs")
        await expect(page.get_by_role("figure")).to_contain_text("access given")

        await page.get_by_role("link", name="People").click()
        await page.get_by_label("Address in the source tenant").fill(person["mail"])
        await page.get_by_role("button", name="Find").click()
        await expect(page.get_by_role("region", name="Where the person stands")).to_contain_text(person["displayName"])
        await expect(page.get_by_role("table", name="What happened")).to_contain_text("invited as target user")
        await page.get_by_role("button", name="Look again now").click()
        await expect(page.get_by_role("status")).to_contain_text("Asked for")

        await page.get_by_role("link", name="Holds").first.click()
        await page.get_by_role("checkbox", name=held["displayName"]).check()
        await page.get_by_role("button", name="Approve 1 …").click()
        await page.get_by_role("button", name="Approve 1", exact=True).click()
        await expect(page.get_by_role("status")).to_contain_text("1 removal approved.")

        await page.get_by_role("link", name="Health").click()
        await card.get_by_role("button", name="Pause everything …").click()
        await page.get_by_label("Reason").fill("a look")
        await page.get_by_role("button", name="Pause", exact=True).click()
        await expect(card).to_contain_text("paused")
        await card.get_by_role("button", name="Resume …").click()
        await page.get_by_role("button", name="Resume", exact=True).click()
        await expect(card).to_contain_text("runs")
        assert complaints == []
    assert await until(world.idle, timeout_s=60)
    assert await world.agree() == []  # the person is in scope, so that the approved deletion was none
