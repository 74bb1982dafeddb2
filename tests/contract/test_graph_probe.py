"""The probes of a tenant, asked of the emulator: what they may send, what they find, what they leave behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from entra_graph_emulator.testing import BASE, FABRIKAM, World
from entra_graph_emulator.transport import EmulatorTransport
from graph_probe.asking import Asking, hidden
from graph_probe.gate import ForbiddenRequestError, Gate
from graph_probe.journal import Journal
from graph_probe.probes import PROBES
from graph_probe.running import NotYoursError, check_disposable, differences, run_all, settings_of
from graph_probe.session import Session

ROOT = Path(__file__).resolve().parents[2]
MARK = "zz-probe-0123"
# Other answers than the emulator's own, one for each probe that has a switch.
SWITCHED: dict[str, Any] = {
    "select_adds_id": False,
    "location_form": "v2",
    "invited_other_mails": False,
    "already_exists_code": "Request_BadRequest",
    "reinvite_revives_deleted": True,
    "directory_etags": True,
    "missing_manager_status": 204,
    "soft_delete_security_groups": False,
    "deletion_drops_references": True,
    "extensions_need_registration": False,
}


@asynccontextmanager
async def asked(world: World, journal: Journal | None) -> AsyncIterator[tuple[Session, str]]:
    """A session in Fabrikam, and its token; without a journal it only reads."""

    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds)

    form = {"grant_type": "client_credentials", "client_id": "probe", "client_secret": "any"}
    token = (await world.http.post(f"/{FABRIKAM}/oauth2/v2.0/token", data=form)).json()["access_token"]
    mark = "" if journal is None else MARK
    ids = (lambda: journal.ids) if journal is not None else frozenset
    gate = Gate(EmulatorTransport(world.emulator), graph=BASE, mark=mark, journalled=ids)
    async with httpx.AsyncClient(transport=gate) as http:
        ask = Asking(http, f"{BASE}/v1.0", token, sleep=sleep)
        yield Session(ask, mark=mark, domain="fabrikam.com", journal=journal), token


async def results(world: World, journal: Journal | None) -> list[dict[str, Any]]:
    for name in ("Grace", "Ada"):
        world.target.create({"displayName": name, "userPrincipalName": f"{name}@fabrikam.com"})
    world.target.delete(world.target.create({"displayName": "Gone", "userPrincipalName": "gone@fabrikam.com"}))
    async with asked(world, journal) as (session, _):
        probes = [each for each in PROBES if journal is not None or not each.writes]
        found = await run_all(probes, session, lambda _: None)
        if journal is not None:
            assert await session.clean_up() == []
        return found


async def test_reading_changes_nothing(world: World) -> None:
    """Every probe that reads is answered, and not one request is a write."""
    found = await results(world, None)
    assert [each["probe"] for each in found] == [each.id for each in PROBES if not each.writes]
    assert {each["reading"] for each in found} <= {"A", "B"}
    assert world.target.user_count == 2


async def test_writing_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    """Users, guests and groups are gone for good, and everybody else is as before."""
    found = await results(world, Journal(tmp_path / "run.journal"))
    unclear = {each["probe"]: each["says"] for each in found if each["reading"] == "unclear"}
    assert unclear == {}
    assert (world.target.user_count, world.target.deleted_count, len(world.target.groups)) == (2, 1, 0)
    assert Journal(tmp_path / "run.journal").left == []


async def test_a_tenant_differs_from_itself_in_nothing(tmp_path: Path) -> None:
    """Two runs with the same settings."""
    runs = []
    for n in range(2):
        async with World() as world:
            runs.append(await results(world, Journal(tmp_path / str(n))))
    assert differences(*runs) == []


async def test_exactly_what_is_switched_is_named(tmp_path: Path) -> None:
    """Ten settings of the second tenant, and those that make the first one of it again."""
    async with World() as world:
        first = await results(world, Journal(tmp_path / "first"))
    async with World() as world:
        await world.control("PUT", f"/tenants/{FABRIKAM}/settings", SWITCHED)
        second = await results(world, Journal(tmp_path / "second"))
    found = differences(second, first)
    assert {name: value for each in found for name, value in each["settings"].items()} == SWITCHED
    assert {**settings_of(second), **SWITCHED} == settings_of(second)


async def test_what_a_crash_leaves_is_cleaned_up_by_the_journal(world: World, tmp_path: Path) -> None:
    """Also what Graph had made before it could say its id; what others made stays."""
    path = tmp_path / "run.journal"
    world.target.create({"displayName": f"{MARK}-1-not", "userPrincipalName": "mine@fabrikam.com"})
    async with asked(world, Journal(path)) as (session, _):
        await session.user()
        await session.group()
    journal = Journal(path)
    journal.intend("users", f"{MARK}-9")
    world.target.create({"displayName": f"{MARK}-9", "userPrincipalName": "nine@fabrikam.com"})
    with path.open("a") as file:
        file.write('{"made": "zz-pro')
    async with asked(world, Journal(path)) as (session, _):
        assert await session.clean_up() == []
    assert [each.properties["displayName"] for each in world.target.users()] == [f"{MARK}-1-not"]
    assert (len(world.target.groups), world.target.deleted_count) == (0, 0)


OTHERS = "99999999-9999-9999-9999-999999999999"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {"displayName": f"{MARK}-1"}),
        ("DELETE", f"/users/{OTHERS}", None),
        ("POST", "/$batch", {"requests": [{"id": "1", "method": "DELETE", "url": f"/users/{OTHERS}"}]}),
        ("POST", "/$batch", {"requests": "GET"}),
        ("POST", "/invitations", {"invitedUserDisplayName": MARK}),
    ],
)
async def test_a_run_that_reads_sends_nothing_else(world: World, method: str, path: str, body: Any) -> None:
    """It is refused before it is sent, also inside a batch."""
    async with asked(world, None) as (session, _):
        with pytest.raises(ForbiddenRequestError):
            await session.ask.send(method, path, body=body)
        assert session.ask.requests == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", f"/users/{OTHERS}", None),
        ("PATCH", f"/users/{OTHERS}", {"jobTitle": "x"}),
        ("DELETE", f"/directory/deletedItems/{OTHERS}", None),
        ("PUT", f"/users/{OTHERS}/manager/$ref", {"@odata.id": f"{BASE}/v1.0/users/{OTHERS}"}),
        ("POST", "/users", {"displayName": "Ada"}),
        ("POST", "/users", {"displayName": MARK, "mail": "ada@contoso.com"}),
        ("POST", "/invitations", {"invitedUserDisplayName": MARK, "invitedUserEmailAddress": "ada@contoso.com"}),
        ("POST", "/invitations", {"invitedUserDisplayName": MARK, "invitedUserEmailAddress": "a@example.com"}),
        ("PATCH", "/policies/authorizationPolicy", {}),
        ("POST", "/subscriptions", {}),
        ("DELETE", f"/applications/{OTHERS}", None),
    ],
)
async def test_a_run_that_writes_touches_only_its_own(
    world: World, tmp_path: Path, method: str, path: str, body: Any
) -> None:
    """Whatever a probe asks for: users of others, addresses of others, mails, and everything else of the tenant."""
    async with asked(world, Journal(tmp_path / "run.journal")) as (session, _):
        with pytest.raises(ForbiddenRequestError):
            await session.ask.send(method, path, body=body)
        assert session.ask.requests == 0


async def test_another_place_gets_nothing(world: World) -> None:
    """A link of an answer that leads elsewhere is not followed: the token stays with Graph."""
    async with asked(world, None) as (session, _):
        with pytest.raises(ForbiddenRequestError):
            await session.ask.get("https://evil.example/v1.0/users")


@pytest.mark.parametrize(
    ("owned", "domain", "licensed", "words"),
    [
        ("", "fabrikam.com", False, "type its id once more"),
        (FABRIKAM, "contoso.com", False, "no verified domain"),
        (FABRIKAM, "fabrikam.com", True, "licences"),
    ],
)
async def test_a_tenant_that_may_be_in_use_is_not_written_to(
    world: World, tmp_path: Path, owned: str, domain: str, licensed: bool, words: str
) -> None:
    """The tenant is named twice, has the domain, and nobody in it has a licence."""
    user = world.target.create({"displayName": "Grace", "userPrincipalName": "grace@fabrikam.com"})
    if licensed:
        world.target.update(user, {"assignedLicenses": [{"skuId": OTHERS, "disabledPlans": []}]})
    async with asked(world, Journal(tmp_path / "run.journal")) as (session, token):
        with pytest.raises(NotYoursError, match=words):
            await check_disposable(session, token, tenant=FABRIKAM, owned=owned, domain=domain)


async def test_a_tenant_for_tests_may_be_written_to(world: World, tmp_path: Path) -> None:
    """And the token has to be its own."""
    async with asked(world, Journal(tmp_path / "run.journal")) as (session, token):
        await check_disposable(session, token, tenant=FABRIKAM, owned=FABRIKAM, domain="fabrikam.com")
        with pytest.raises(NotYoursError, match="another tenant"):
            await check_disposable(session, token, tenant=OTHERS, owned=OTHERS, domain="fabrikam.com")


async def test_what_is_written_down_names_nobody(world: World, tmp_path: Path) -> None:
    """No token, no address, no id; a person may attach it to an issue."""
    said = json.dumps(await results(world, Journal(tmp_path / "run.journal")))
    assert "eyJ" not in said
    assert "@example.com" not in said.replace("{address}", "")
    assert FABRIKAM not in said
    assert hidden("Ada <ada@contoso.com>, 11111111-1111-1111-1111-111111111111") == "Ada <{address}>, {id}"


def test_the_page_has_every_question() -> None:
    """With its readings, in order."""
    page = (ROOT / "docs" / "graph-probe.md").read_text(encoding="utf-8")
    said = [
        f"| {each.id} | {each.asks} | {'; '.join(f'{name}: {it.says}' for name, it in each.readings.items())} |"
        for each in PROBES
    ]
    assert [line for line in page.splitlines() if line.startswith(("| R", "| W"))] == said
