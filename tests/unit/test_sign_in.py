"""The local stand-in of App Service authentication: it lets in whom App Service would, and nobody by a header."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from local.sign_in import COOKIE, HEADER, LOGIN, PAGE, PEOPLE
from tests.support.page import Site
from tests.support.principals import principal
from tests.support.world import World
from tools.package.build import app_files


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with Site(world=World()) as site, httpx.AsyncClient(base_url=site.url) as http:
        yield http


@pytest.mark.parametrize("path", ["/api/ops/", "/api/ops", "/api/ops/me", "/api/ops/web/app.js"])
@pytest.mark.parametrize("headers", [{}, {HEADER: principal("Operator")}, {"Cookie": f"{COOKIE}=Owner"}])
async def test_a_header_from_outside_is_taken_off(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    """As App Service takes it off; neither does a session that was never begun."""
    assert (await http.get(path, headers=headers)).status_code == 401


@pytest.mark.parametrize(("person", "status"), [("Operator", 200), ("Reader", 200), ("nobody", 403)])
async def test_one_is_who_one_chose_to_be(http: httpx.AsyncClient, person: str, status: int) -> None:
    """Also where a header says something else."""
    chosen = await http.get(LOGIN, params={"as": person, "post_login_redirect_uri": PAGE})
    assert (chosen.status_code, chosen.headers["Location"]) == (302, PAGE)
    answer = await http.get("/api/ops/me", headers={HEADER: principal("Owner")})
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["id"], answer.json()["roles"]) == (PEOPLE[person], [person])


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_sign_in_leads_to_no_other_site(http: httpx.AsyncClient, to: str) -> None:
    """Whatever the address says."""
    chosen = await http.get(LOGIN, params={"as": "Reader", "post_login_redirect_uri": to})
    assert chosen.headers["Location"] == PAGE


def test_it_is_not_deployed() -> None:
    """Nothing of the folder `local` is, and no setting of the app names it."""
    assert [path for path in app_files() if path.parts[0] == "local"] == []
    assert [path for path in app_files() if path.suffix == ".py" and b"sign_in" in path.read_bytes()] == []
