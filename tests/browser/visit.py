"""Somebody who looks at the page: what they see, what they press, and what their browser complains about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from local.sign_in import COOKIE
from tests.support.make import NAME
from tests.support.page import Site
from tests.support.staff import EDITED, PLAN, staff_id

AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
PERSON = f"people/{NAME}/{staff_id(0)}"
DIFFERENT = f"people/{NAME}/{staff_id(EDITED)}"
CHOICE = f"adoptions/{NAME}/{staff_id(24)}"
PLANNED = f"plan/{PLAN}"
VIEWS = (
    *("", "people", PERSON, DIFFERENT, "holds", "newcomers", "adoptions", CHOICE, "leavers", "parked", "target"),
    *("history", "plan", PLANNED),
)

# No section reads any more, the names that were asked for have come, and a form that was sent has its answer.
_SETTLED = (
    "() => document.querySelector('h1') && !document.querySelector('[aria-busy], [data-asks], [type=submit]:disabled')"
)


@dataclass(kw_only=True)  # without slots: Playwright keeps something on those who listen
class Visit:
    site: Site
    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # every address that the browser asked for

    @classmethod
    async def begin(cls, browser: Browser, site: Site, role: str = "Operator", **options: Any) -> Visit:
        """Signed in already; `options` are those of the browser's context."""
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        if role:
            await context.add_cookies([{"name": COOKIE, "value": role, "url": site.url}])
        visit = cls(site=site, page=await context.new_page(), context=context)
        visit.page.set_default_timeout(10_000)
        visit.page.on("console", visit._heard)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("request", visit._noted)
        return visit

    async def end(self) -> None:
        await self.context.close()
        assert not self.complaints, self.complaints

    async def open(self, view: str = "") -> None:
        await self.page.goto(f"{self.site.url}/api/ops/#/{view}")
        await self.settled()

    async def settled(self) -> None:
        await self.page.wait_for_function(_SETTLED)

    async def again(self) -> None:
        await self.page.reload()
        await self.settled()

    def press(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    async def find(self, whom: str) -> None:
        await self.page.get_by_label("Address in the source tenant").fill(whom)
        await self.press("Find").click()

    async def text(self) -> str:
        return await self.page.inner_text("main")

    async def violations(self, options: Mapping[str, object]) -> list[str]:
        """Of the rules of axe-core, each with the elements. `options` are those of axe.run."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        asked = {"resultTypes": ["violations"], **options}
        found = await self.page.evaluate("(asked) => axe.run(document, asked)", asked)
        return [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found["violations"]]

    async def wider_than_the_window(self) -> list[str]:
        """The elements that stick out on the right, of the window or of their section."""
        found: list[str] = await self.page.evaluate(
            "() => [...document.querySelectorAll('body *')].filter((each) => !each.closest('.hidden'))"
            ".filter((each) => each.getBoundingClientRect().right > 0.5"
            " + Math.min(innerWidth, (each.closest('section') ?? document.body).getBoundingClientRect().right))"
            ".map((each) => each.outerHTML.slice(0, 120))"
        )
        return found

    def _heard(self, message: ConsoleMessage) -> None:
        if message.location["url"].endswith("/favicon.ico"):
            return  # which the browser asks for of its own accord, on the pages of the sign-in
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _noted(self, request: Request) -> None:
        self.asked.append(request.url)
