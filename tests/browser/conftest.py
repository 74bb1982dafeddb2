"""One Chromium for all tests of a process; a world and a page for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.chromium import HELP, chromium, started
from tests.support.page import Site
from tests.support.staff import staffed

from .visit import Visit


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    if chromium() is None:
        pytest.skip(HELP)
    async with started() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    async with Site(world=await staffed()) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, site: Site) -> AsyncIterator[Visit]:
    """An Operator's, in a window of the usual size. Nothing may go wrong in the browser that no test foresaw."""
    visit = await Visit.begin(browser, site)
    yield visit
    await visit.end()
