"""`python -m tests.browser.screenshots`: pictures of the page for docs/, over the same world as its tests."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser

from tests.support.chromium import HELP, chromium, started
from tests.support.make import NAME
from tests.support.page import Site
from tests.support.staff import LEAVERS, PLAN, staff_id, staffed

from .visit import Visit

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "page"
MOST = 150_000  # bytes of one picture
PERSON = f"people/{NAME}/{staff_id(3)}"
# A file: the view, the scheme of colours, and the width and height of the window.
PICTURES = {
    "health": ("", "light", (1180, 900)),
    "holds": ("holds", "light", (1180, 640)),
    "newcomers": ("newcomers", "light", (1180, 330)),
    "person": (PERSON, "light", (1180, 720)),
    "adoptions": (f"adoptions/{NAME}/{staff_id(24)}", "light", (1180, 420)),
    "parked": ("parked", "light", (1180, 560)),
    "history": ("history", "dark", (1180, 620)),
    "plan": (f"plan/{PLAN}", "light", (1180, 760)),
    "narrow": ("holds", "dark", (360, 740)),
}


async def take(browser: Browser, site: Site, name: str) -> Path:
    view, scheme, (width, height) = PICTURES[name]
    visit = await Visit.begin(browser, site, color_scheme=scheme, viewport={"width": width, "height": height})
    await visit.open(view)
    if name == "holds":
        for n in LEAVERS[2:4]:
            await visit.page.get_by_role("checkbox", name=staff_id(n)).check()
    file = FOLDER / f"{name}.png"
    await visit.page.screenshot(path=file)
    await visit.end()
    return file


async def main() -> int:
    if chromium() is None:
        sys.stderr.write(f"{HELP}\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    async with Site(world=await staffed()) as site, started() as browser:
        for name in PICTURES:
            file = await take(browser, site, name)
            size = file.stat().st_size
            sys.stdout.write(f"wrote {file.relative_to(FOLDER.parents[1])}: {size:,} bytes\n")
            if size > MOST:
                raise RuntimeError(f"{file.name} is too large: take a smaller window")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
