"""The Chromium of this machine, driven by Playwright; nothing is downloaded.

Debian: `apt-get install chromium`. https://playwright.dev/python/docs/api/class-browsertype
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

HELP = "no Chromium on this machine: apt-get install chromium"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Without them it looks for hosts of its maker at every start.
_ALONE = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic")


def chromium() -> str | None:
    """Its path; None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """Without a sandbox for root alone, whom it refuses otherwise."""
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*_ALONE, *root])
        try:
            yield browser
        finally:
            await browser.close()
