"""The Graph ports against the project's Graph emulator, in process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import pytest

from local.graph_emulator.emulator import Emulator
from local.graph_emulator.testing import BASE, CONTOSO, FABRIKAM, World
from local.graph_emulator.transport import EmulatorTransport
from local.graph_emulator.wire.throttle import Quota
from sync_core.graph.budget import WriteBudget
from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import EmulatorCredential
from sync_core.graph.source import GraphSource
from sync_core.graph.subscriptions import GraphSubscriptions
from sync_core.graph.target import GraphTarget
from sync_core.model import Marker, SourceState, SourceUser
from sync_core.model.errors import (
    ConflictError,
    GraphRefusedError,
    MissingManagerError,
    NotVisibleYetError,
    ResyncRequiredError,
    ThrottledError,
    UnavailableError,
)
from sync_core.ports import Presence, SourceDirectory, SubscriptionApi, TargetDirectory

from ..unit.test_budget import LoopClock, SharedRecord, in_virtual_time
from .test_graph_adapter import StoppedClock, answers, client_for, yes

NOBODY = "99999999-9999-9999-9999-999999999999"
OWNER = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"
MARKER = Marker(attribute=OWNER, sync="a-to-b", tenant_id=CONTOSO, source_id="aaaaaaaa-0000-0000-0000-000000000001")


class Stage:
    """The emulator's world with our adapters on it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clients = {tenant: self._client(tenant) for tenant in (CONTOSO, FABRIKAM)}
        self.source: SourceDirectory = GraphSource(self.clients[CONTOSO], world.clock, ["department", "otherMails"])
        self.target: TargetDirectory = GraphTarget(self.clients[FABRIKAM])
        self.subscriptions: SubscriptionApi = GraphSubscriptions(
            self.clients[CONTOSO], public_url="https://sync.example"
        )

    def read_only(self, tenant: str) -> GraphClient:
        return self._client(tenant, read_only=True)

    def _client(self, tenant: str, *, read_only: bool = False) -> GraphClient:
        transport = EmulatorTransport(self.world.emulator)
        clock = self.world.clock
        credential = EmulatorCredential(
            base_url=BASE, tenant_id=tenant, app_id="app-1", clock=clock, transport=transport
        )
        return GraphClient(
            tenant_id=tenant,
            credential=credential,
            clock=clock,
            graph_url=BASE,
            transport=transport,
            read_only=read_only,
        )

    def person(self, name: str, **more: Any) -> str:
        """A new user of the source tenant."""
        address = f"{name}@contoso.com"
        properties = {
            "accountEnabled": True,
            "displayName": name,
            "mailNickname": name,
            "userPrincipalName": address,
            "mail": address,
        }
        return str(self.world.source.create({**properties, **more}).id)

    async def round(self, link: str | None = None) -> tuple[list[SourceUser], str]:
        users: list[SourceUser] = []
        while True:
            page = await self.source.delta_page(link)
            users.extend(page.users)
            if page.delta_link:
                return users, page.delta_link
            link = page.next_link

    def fault(self, **values: Any) -> None:
        self.world.emulator.faults.add(values)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with World() as world:
        stage = Stage(world)
        yield stage
        for client in stage.clients.values():
            await client.close()


# --- source -----------------------------------------------------------------------------------------------------


async def test_a_user_is_read_in_each_state(stage: Stage) -> None:
    """Live, disabled, soft-deleted and gone are told apart, by reading that one user."""
    user_id = stage.person("ada", department="Numbers")
    user = stage.world.source.user(user_id)
    live = await stage.source.read_user(user_id)
    assert (live.state, live.attributes["department"], live.address) == (
        SourceState.LIVE,
        "Numbers",
        "ada@contoso.com",
    )
    stage.world.source.update(user, {"accountEnabled": False})
    assert (await stage.source.read_user(user_id)).state is SourceState.DISABLED
    stage.world.source.delete(user)
    deleted = await stage.source.read_user(user_id)
    assert (deleted.state, deleted.attributes["department"]) == (SourceState.SOFT_DELETED, "Numbers")
    stage.world.source.purge(user)
    assert (await stage.source.read_user(user_id)).state is SourceState.GONE


async def test_null_is_told_from_absent(stage: Stage) -> None:
    """An attribute that is empty comes as null, one that was not asked for does not come."""
    user = await stage.source.read_user(stage.person("ada"))
    assert user.attributes["department"] is None
    assert "jobTitle" not in user.attributes
    assert not [name for name in user.attributes if "@" in name]


async def test_the_time_of_a_read_is_before_it(stage: Stage) -> None:
    """A slow answer counts from when it was asked for."""
    user_id = stage.person("ada")
    stage.fault(path="/users/*", mode="slow", delay_s=8, count=1)
    asked = stage.world.clock.now()
    assert (await stage.source.read_user(user_id)).read_at == asked
    assert stage.world.clock.now() == asked + timedelta(seconds=8)


@pytest.mark.parametrize("path", ["/users/*", "/directory/*"])
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 403}, {"status": 429}, {"mode": "reset"}, {"mode": "truncate"}],
    ids=["500", "403", "429", "reset", "truncate"],
)
async def test_a_failed_read_is_never_a_missing_user(stage: Stage, path: str, fault: dict[str, Any]) -> None:
    """Nothing but Graph's own 404, twice, makes a user gone."""
    user_id = stage.person("ada")
    user = stage.world.source.user(user_id)
    if path == "/directory/*":
        stage.world.source.delete(user)
    stage.fault(path=path, **fault)
    with pytest.raises((UnavailableError, GraphRefusedError, ThrottledError)):
        await stage.source.read_user(user_id)


async def test_a_gateways_404_is_no_missing_user() -> None:
    """A 404 that Graph did not write, as from a wrong route on the way, proves nothing."""
    source = GraphSource(client_for(answers(404)), StoppedClock())
    with pytest.raises(GraphRefusedError):
        await source.read_user(NOBODY)


@pytest.mark.parametrize("enabled", [{}, {"accountEnabled": None}, {"accountEnabled": "true"}])
async def test_account_enabled_is_never_assumed(enabled: dict[str, Any]) -> None:
    """A read without accountEnabled is an error: either guess would enable or disable somebody."""
    source = GraphSource(client_for(answers(200, {"id": NOBODY, **enabled})), StoppedClock())
    with pytest.raises(UnavailableError):
        await source.read_user(NOBODY)


async def test_an_answer_about_somebody_else_is_refused() -> None:
    """The answer must be about the user who was asked for."""
    body = {"id": "88888888-8888-8888-8888-888888888888", "accountEnabled": True}
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, body)), StoppedClock()).read_user(NOBODY)


async def test_a_feed_shows_who_came_changed_and_went(stage: Stage) -> None:
    """A full round lists everybody; later rounds list new, changed, soft-deleted, purged and restored users."""
    stage.world.source.settings.delta_page_size = 2
    ids = [stage.person(f"p{number}") for number in range(5)]
    users, link = await stage.round()
    assert {user.id for user in users} == set(ids)
    assert all(user.state is SourceState.LIVE and user.attributes["mail"] for user in users)
    people = [stage.world.source.user(user_id) for user_id in ids]
    stage.world.source.update(people[0], {"department": "New"})
    stage.world.source.update(people[1], {"accountEnabled": False})
    stage.world.source.delete(people[2])
    stage.world.source.delete(people[3])
    stage.world.source.purge(people[3])
    users, link = await stage.round(link)
    states = {user.id: user.state for user in users}
    assert states == {
        ids[0]: SourceState.LIVE,
        ids[1]: SourceState.DISABLED,
        ids[2]: SourceState.SOFT_DELETED,
        ids[3]: SourceState.GONE,
    }
    stage.world.source.restore(people[2])
    users, link = await stage.round(link)
    assert [(user.id, user.state) for user in users] == [(ids[2], SourceState.LIVE)]
    assert (await stage.round(link))[0] == []


async def test_empty_pages_are_followed(stage: Stage) -> None:
    """A page without entries that has a next link is not the end."""
    stage.world.source.settings.delta_empty_pages = 0.7
    stage.world.source.settings.delta_page_size = 3
    ids = {stage.person(f"p{number}") for number in range(20)}
    assert {user.id for user in (await stage.round())[0]} == ids


@pytest.mark.parametrize("form", ["syncStateNotFound", "Request_UnsupportedQuery", "resyncRequired"])
async def test_an_aged_delta_link_needs_a_resync(stage: Stage, form: str) -> None:
    """After its life a delta link says so, in whichever form, and never gives an empty round."""
    stage.world.source.settings.delta_expired_form = form
    _, link = await stage.round()
    stage.world.clock.advance(timedelta(days=40).total_seconds())
    with pytest.raises(ResyncRequiredError):
        await stage.source.delta_page(link)


@pytest.mark.parametrize("link", ["https://evil.example/v1.0/users/delta?$deltatoken=1", "nonsense"])
async def test_a_tampered_link_starts_over(stage: Stage, link: str) -> None:
    """A stored link to elsewhere is not followed, and the feed mends itself."""
    before = stage.world.emulator.log.report()["last"]
    with pytest.raises(ResyncRequiredError):
        await stage.source.delta_page(link)
    assert stage.world.emulator.log.report()["last"] == before


HERE = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=1"
ELSEWHERE = "https://evil.example/v1.0/users/delta?$deltatoken=1"


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"value": []},
        {"value": [], "@odata.nextLink": HERE, "@odata.deltaLink": HERE},
        {"value": [], "@odata.deltaLink": ELSEWHERE},
        {"value": [], "@odata.nextLink": 7},
        {"value": None, "@odata.deltaLink": HERE},
        {"value": [1], "@odata.deltaLink": HERE},
        {"value": [{}], "@odata.deltaLink": HERE},
        {"value": [{"id": ""}], "@odata.deltaLink": HERE},
    ],
)
async def test_a_page_that_is_not_whole_is_an_error(page: dict[str, Any]) -> None:
    """A page without exactly one good link, or with a broken entry, is never the end of a round."""
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, page)), StoppedClock()).delta_page(None)


async def test_an_entry_without_account_enabled_stays_without() -> None:
    """A delta entry that leaves it out only nominates: nothing is filled in."""
    page = {"value": [{"id": NOBODY, "displayName": "N"}], "@odata.deltaLink": HERE}
    delta = await GraphSource(client_for(answers(200, page)), StoppedClock()).delta_page(None)
    assert delta.users[0].state is SourceState.LIVE
    assert delta.users[0].attributes == {"id": NOBODY, "displayName": "N"}


async def test_who_exists_is_asked_in_thousands(stage: Stage) -> None:
    """Only those who are there come back, however many are asked for."""
    ids = [stage.person(f"p{number}") for number in range(3)]
    stage.world.source.delete(stage.world.source.user(ids[2]))
    unknown = [f"00000000-0000-0000-0000-{number:012d}" for number in range(1500)]
    assert await stage.source.existing([*unknown, *ids]) == set(ids[:2])
    assert await stage.source.existing([]) == set()


def test_the_selection_is_ordered_and_encoded(stage: Stage) -> None:
    """The same attributes give the same selection in whatever order; foreign characters cannot change the URL."""
    client = stage.clients[CONTOSO]
    first = GraphSource(client, stage.world.clock, ["b", "a", "id"])
    assert first.select == GraphSource(client, stage.world.clock, ["a", "b"]).select
    assert GraphSource(client, stage.world.clock, ["x&{y}"]).select.endswith("x%26%7By%7D")


async def test_a_manager_is_read_with_the_user(stage: Stage) -> None:
    """By id; null for nobody, and for one who is soft-deleted. Whoever does not ask does not get it."""
    source = GraphSource(stage.clients[CONTOSO], stage.world.clock, ["manager"])
    ada, bob = stage.person("ada"), stage.person("bob")
    user, boss = stage.world.source.user(ada), stage.world.source.user(bob)
    assert (await source.read_user(ada)).attributes["manager"] is None
    stage.world.source.set_manager(user, bob)
    assert (await source.read_user(ada)).manager == bob
    assert "manager" not in (await stage.source.read_user(ada)).attributes
    stage.world.source.delete(boss)
    assert (await source.read_user(ada)).attributes["manager"] is None
    assert (await source.read_user(bob)).state is SourceState.SOFT_DELETED


async def test_a_feed_names_managers_that_changed(stage: Stage) -> None:
    """Everybody's in a full round; later who was set, replaced or removed, and nothing where it did not change."""
    stage.source = GraphSource(stage.clients[CONTOSO], stage.world.clock, ["manager"])
    ada, bob, carol = (stage.person(name) for name in ("ada", "bob", "carol"))
    user = stage.world.source.user(ada)
    stage.world.source.set_manager(user, bob)
    users, link = await stage.round()
    assert {each.id: each.manager for each in users} == {ada: bob, bob: None, carol: None}
    stage.world.source.set_manager(user, carol)
    users, link = await stage.round(link)
    assert [each.manager for each in users] == [carol]
    stage.world.source.set_manager(user, None)
    users, link = await stage.round(link)
    assert [each.attributes["manager"] for each in users] == [None]
    stage.world.source.update(user, {"displayName": "Ada L"})
    users, link = await stage.round(link)
    assert ["manager" in each.attributes for each in users] == [False]


async def test_who_reports_to_somebody_is_listed_to_the_end(stage: Stage) -> None:
    """Over pages; nobody reports to somebody who is gone."""
    boss = stage.person("boss")
    reports = {stage.person(f"p{number}") for number in range(3)}
    for report in reports:
        stage.world.source.set_manager(stage.world.source.user(report), boss)
    assert set(await stage.source.reports(boss)) == reports
    assert await stage.source.reports(NOBODY) == []
    stage.fault(path="/users/*", status=403)
    with pytest.raises(GraphRefusedError):
        await stage.source.reports(boss)
    link = "https://graph.microsoft.com/v1.0/users/1/directReports?$skiptoken=x"
    pages = [{"value": [{"id": "1"}, {"id": None}], "@odata.nextLink": link}, {"value": [{"id": "2"}]}]
    source = GraphSource(client_for(lambda _: httpx.Response(200, json=pages.pop(0))), StoppedClock())
    assert await source.reports(boss) == ["1", "2"]


# --- target -----------------------------------------------------------------------------------------------------


async def test_an_invitation_makes_one_external_user(stage: Stage) -> None:
    """Invited twice, there is one user, found by the address, external, with a time of creation."""
    first = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert await stage.target.invite("ada@contoso.com", "Ada", confirm=yes) == first
    candidates = await stage.target.candidates("ada@contoso.com")
    assert [(each.id, each.external) for each in candidates] == [(first, True)]
    assert candidates[0].created_at == stage.world.clock.now()
    assert await stage.target.read_user(first) == candidates[0]
    user = stage.world.target.user(first)
    assert user.properties["displayName"] == "Ada"


async def test_no_mail_is_sent_and_the_way_leads_to_the_target() -> None:
    """Invitations are silent and lead to the target tenant's My Apps."""
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(201, json={"invitedUser": {"id": NOBODY}})

    client = client_for(handler)
    await GraphTarget(client).invite("ada@contoso.com", "Ada", confirm=yes)
    [sent] = bodies
    assert b'"sendInvitationMessage": false' in sent
    assert f"https://myapplications.microsoft.com/?tenantid={client.tenant_id}".encode() in sent


async def test_an_address_with_quotes_and_signs_is_one_value(stage: Stage) -> None:
    """A quote, a hash or a plus in an address neither breaks the filter nor widens it."""
    for name in ("o'hara", "a+b", "x#ext#y"):
        assert await stage.target.candidates(f"{name}@contoso.com") == []
    guest = await stage.target.invite("o'hara@contoso.com", "O'Hara", confirm=yes)
    assert [each.id for each in await stage.target.candidates("o'hara@contoso.com")] == [guest]


async def test_an_internal_user_is_a_candidate_but_not_external(stage: Stage) -> None:
    """Somebody of the target tenant itself who has the address is shown as such, and cannot be invited."""
    user = stage.world.target.create(
        {
            "accountEnabled": True,
            "displayName": "Internal",
            "mailNickname": "internal",
            "userPrincipalName": "internal@fabrikam.com",
            "otherMails": ["ada@contoso.com"],
            "mail": "ada@contoso.com",
        }
    )
    assert [(each.id, each.external) for each in await stage.target.candidates("ada@contoso.com")] == [(user.id, False)]
    with pytest.raises(GraphRefusedError) as caught:
        await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert caught.value.status == 400
    assert "already exists" in caught.value.message


async def _guest(stage: Stage, name: str, **attributes: Any) -> str:
    guest = await stage.target.invite(f"{name}@contoso.com", name, confirm=yes)
    assert await stage.target.update(guest, attributes) == {}
    return guest


async def test_a_pending_guest_is_found_by_another_mail(stage: Stage) -> None:
    """Never redeemed, the name in the #EXT# form, the address among otherMails alone: a B2B user all the same."""
    guest = await _guest(stage, "old", mail="other@contoso.com", otherMails=["ada@contoso.com"])
    user = stage.world.target.user(guest)
    assert user.properties["externalUserState"] == "PendingAcceptance"
    assert user.properties["userPrincipalName"].startswith("old_contoso.com#EXT#@")
    assert [(each.id, each.external) for each in await stage.target.candidates("ada@contoso.com")] == [(guest, True)]


async def test_who_bears_the_marker_is_found_whatever_the_address(stage: Stage) -> None:
    """By exactly this text; a directory extension comes along only because it is asked for."""
    ours = await _guest(stage, "old", **{OWNER: MARKER.text})
    await _guest(stage, "another", **{OWNER: f"{MARKER.prefix}{NOBODY}"})
    await _guest(stage, "longer", **{OWNER: f"{MARKER.text}0"})
    candidates = await stage.target.candidates(None, marker=MARKER)
    assert [(each.id, each.marker) for each in candidates] == [(ours, MARKER.text)]
    theirs = await stage.target.candidates("another@contoso.com", marker=MARKER)
    assert {each.marker for each in theirs} == {MARKER.text, f"{MARKER.prefix}{NOBODY}"}
    assert [each.marker for each in await stage.target.candidates("old@contoso.com")] == [None]


async def test_a_quote_in_a_marker_does_not_widen_the_search(stage: Stage) -> None:
    """Nobody is found by it, and Graph understands the filter."""
    await _guest(stage, "old", **{OWNER: MARKER.text})
    odd = replace(MARKER, source_id=f"x' or {OWNER} ne '")
    assert await stage.target.candidates(None, marker=odd) == []
    await _guest(stage, "odd", **{OWNER: odd.text})
    assert [each.marker for each in await stage.target.candidates(None, marker=odd)] == [odd.text]


async def test_the_marked_are_listed_page_by_page(stage: Stage) -> None:
    """The source ids of one sync and tenant, over all pages; what names nobody is left out."""
    ids = {f"aaaaaaaa-0000-0000-0000-{n:012d}" for n in range(1, 1002)}
    for n, source_id in enumerate(sorted(ids)):
        stage.world.target.create(_named(f"u{n}", MARKER.prefix + source_id))
    for n, text in enumerate((MARKER.prefix, f"{MARKER.prefix}nobody", f"other/{MARKER.tenant_id}/{NOBODY}")):
        stage.world.target.create(_named(f"odd{n}", text))
    first = await stage.target.marked(MARKER)
    assert first.next_link is not None
    second = await stage.target.marked(MARKER, first.next_link)
    assert second.next_link is None
    assert sorted([*first.source_ids, *second.source_ids]) == sorted(ids)


def _named(name: str, marker: str) -> dict[str, Any]:
    return {
        "accountEnabled": True,
        "displayName": name,
        "mailNickname": name,
        "userPrincipalName": f"{name}@fabrikam.com",
        OWNER: marker,
    }


async def test_candidates_are_collected_over_pages_once_each() -> None:
    """Every page counts, and a user on two pages counts once."""
    one = {"id": "1", "userPrincipalName": "a_b.com#EXT#@c.com", "createdDateTime": "2026-01-05T09:00:00.1234567Z"}
    link = "https://graph.microsoft.com/v1.0/users?$skiptoken=x"
    pages = [{"value": [one], "@odata.nextLink": link}, {"value": [one, {"id": "2"}]}]
    target = GraphTarget(client_for(lambda _: httpx.Response(200, json=pages.pop(0))))
    assert [(each.id, each.external) for each in await target.candidates("a@b.com")] == [("1", True), ("2", False)]


async def test_updates_write_and_clear(stage: Stage) -> None:
    """A value is set, null clears it, and a user who is not there is no error."""
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert await stage.target.update(guest, {"department": "Numbers", "city": "London"}) == {}
    assert await stage.target.update(guest, {"department": None}) == {}
    properties = stage.world.target.user(guest).properties
    assert (properties.get("department"), properties["city"]) == (None, "London")
    assert await stage.target.update(NOBODY, {"department": "X"}) is None


async def test_an_administrators_sensitive_attributes_are_left_and_the_rest_is_written(stage: Stage) -> None:
    """Graph only says that privileges are lacking: what nobody without a directory role may write is left out."""
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    user = stage.world.target.user(guest)
    user.admin = True
    code = "403 Authorization_RequestDenied"
    wanted: dict[str, Any] = {"accountEnabled": False, "mobilePhone": "1", "department": "X", "city": "Oslo"}
    assert await stage.target.update(guest, wanted) == {"accountEnabled": code, "mobilePhone": code}
    assert (user.properties["department"], user.properties["city"]) == ("X", "Oslo")
    assert user.properties.get("accountEnabled") is not False
    assert await stage.target.update(guest, {"mobilePhone": "1"}) == {"mobilePhone": code}
    assert await stage.target.enabled(guest)
    stage.world.target.update(user, {"accountEnabled": False})
    assert not await stage.target.enabled(guest)
    assert not await stage.target.enabled(NOBODY)


async def test_what_exchange_owns_is_left_and_the_rest_is_written(stage: Stage) -> None:
    """The refusal says what kind of object it is, and names no attribute."""
    stage.world.target.settings.external_service_owns_mail = True
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    wanted: dict[str, Any] = {"showInAddressList": True, "mail": "ada@contoso.com", "department": "X"}
    refused = await stage.target.update(guest, wanted)
    assert refused is not None
    assert refused.keys() == {"mail", "showInAddressList"}
    assert stage.world.target.user(guest).properties["department"] == "X"


async def test_attributes_are_left_one_by_one_as_graph_names_them(stage: Stage) -> None:
    """Each refusal names one: several of them cost a request each, and too many are an error."""
    stage.world.target.settings.extensions_need_registration = True
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    badge = "extension_0123456789abcdef0123456789abcdef_badge"
    refused = await stage.target.update(guest, {"givenName": "", "city": "", badge: "7", "department": "X"})
    assert refused is not None
    assert refused.keys() == {"givenName", "city", badge}
    assert stage.world.target.user(guest).properties["department"] == "X"
    names = ("city", "companyName", "country", "department", "givenName", "jobTitle", "postalCode")
    before = stage.world.emulator.log.report()["last"]
    with pytest.raises(GraphRefusedError):
        await stage.target.update(guest, dict.fromkeys(names, ""))
    assert stage.world.emulator.log.report()["last"] - before == 6


async def test_a_manager_is_set_replaced_and_removed(stage: Stage) -> None:
    """One reference; removing one that is not there is no error, whichever way Graph says so."""
    ada, bob, carol = [await stage.target.invite(f"{n}@contoso.com", n, confirm=yes) for n in ("ada", "bob", "carol")]
    user = stage.world.target.user(ada)
    for manager in (bob, carol, None):
        assert await stage.target.set_manager(ada, manager)
        assert user.manager == manager
    for status in (404, 204):
        stage.world.target.settings.missing_manager_status = status
        assert await stage.target.set_manager(ada, None)


async def test_a_missing_manager_is_told_from_a_missing_user(stage: Stage) -> None:
    """Both are a 404, and only the text tells whom it is about."""
    ada, bob = [await stage.target.invite(f"{n}@contoso.com", n, confirm=yes) for n in ("ada", "bob")]
    with pytest.raises(MissingManagerError):
        await stage.target.set_manager(ada, NOBODY)
    await stage.target.soft_delete(bob, confirm=yes)
    with pytest.raises(MissingManagerError):
        await stage.target.set_manager(ada, bob)
    assert not await stage.target.set_manager(bob, ada)
    assert not await stage.target.set_manager(bob, None)
    stage.fault(path="/users/*", status=403)
    with pytest.raises(GraphRefusedError):
        await stage.target.set_manager(ada, None)


async def test_a_users_life_in_the_target(stage: Stage) -> None:
    """Deleting, restoring and losing a user, each told by what is there afterwards; repeating is no error."""
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert await stage.target.presence(guest) is Presence.PRESENT
    assert await stage.target.soft_delete(guest, confirm=yes)
    assert not await stage.target.soft_delete(guest, confirm=yes)
    assert await stage.target.presence(guest) is Presence.SOFT_DELETED
    assert await stage.target.read_user(guest) is None
    assert await stage.target.restore(guest)
    assert not await stage.target.restore(guest)
    assert await stage.target.presence(guest) is Presence.PRESENT
    await stage.target.soft_delete(guest, confirm=yes)
    stage.world.clock.advance(timedelta(days=31).total_seconds())
    assert await stage.target.presence(guest) is Presence.GONE
    assert not await stage.target.restore(guest)


async def test_a_new_user_is_not_everywhere_yet(stage: Stage) -> None:
    """A write that comes too early after the invitation asks for another try, and is no missing user."""
    stage.world.target.settings.visibility_s = 20
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    with pytest.raises(NotVisibleYetError):
        await stage.target.update(guest, {"department": "X"})
    stage.world.clock.advance(21)
    assert await stage.target.update(guest, {"department": "X"}) == {}


async def test_a_failed_write_is_never_a_missing_user(stage: Stage) -> None:
    """Only Graph's own 404 makes a write's user missing."""
    stage.fault(path="*", status=403)
    with pytest.raises(GraphRefusedError):
        await stage.target.update(NOBODY, {"department": "X"})
    with pytest.raises(GraphRefusedError):
        await stage.target.soft_delete(NOBODY, confirm=yes)
    with pytest.raises(GraphRefusedError):
        await stage.target.restore(NOBODY)


async def test_a_write_that_was_done_may_still_fail(stage: Stage) -> None:
    """A 5xx leaves open what happened: it is unavailable, not refused."""
    guest = await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    stage.fault(path="/users/*", method="PATCH", mode="applied", status=500, count=1)
    with pytest.raises(UnavailableError):
        await stage.target.update(guest, {"department": "Done"})
    assert stage.world.target.user(guest).properties["department"] == "Done"


async def test_blocked_invitations_are_refused_with_their_code(stage: Stage) -> None:
    """A policy against guests is a refusal with Graph's status."""
    stage.world.target.settings.guest_invitations = False
    with pytest.raises(GraphRefusedError) as caught:
        await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert caught.value.status == 403


@pytest.mark.parametrize("body", [None, {}, {"invitedUser": None}, {"invitedUser": {"id": ""}}, {"invitedUser": []}])
async def test_an_invitation_without_its_user_is_no_success(body: object) -> None:
    """Success without a user's id has happened: it must be tried again."""
    with pytest.raises(UnavailableError):
        await GraphTarget(client_for(answers(201, body))).invite("a@contoso.com", "Ada", confirm=yes)


async def test_throttling_carries_the_wait(stage: Stage) -> None:
    """Over the quota the error says how long to wait, with decimals."""
    stage.world.emulator.throttle.set(Quota(writes=1, window_s=15))
    await stage.target.invite("ada@contoso.com", "Ada", confirm=yes)
    with pytest.raises(ThrottledError) as caught:
        await stage.target.invite("bob@contoso.com", "Ada", confirm=yes)
    assert caught.value.retry_after is not None
    assert 15 < caught.value.retry_after < 19


# --- subscriptions ----------------------------------------------------------------------------------------------


async def test_a_subscriptions_life(stage: Stage) -> None:
    """Created once per resource, listed, renewed in place, deleted; one that Graph forgot says so."""
    expires = stage.world.clock.now() + timedelta(days=20)
    made = await stage.subscriptions.create(resource="users", client_state="secret", expires_at=expires)
    assert (made.resource, made.expires_at) == ("users", expires)
    assert made.notification_url == "https://sync.example/api/graph/notifications"
    assert await stage.subscriptions.list() == [made]
    with pytest.raises(ConflictError):
        await stage.subscriptions.create(resource="users", client_state="secret", expires_at=expires)
    later = expires + timedelta(days=5)
    renewed = await stage.subscriptions.renew(made.id, later)
    assert renewed is not None
    assert (renewed.id, renewed.expires_at) == (made.id, later)
    await stage.subscriptions.delete(made.id)
    await stage.subscriptions.delete(made.id)
    assert await stage.subscriptions.renew(made.id, later) is None
    assert await stage.subscriptions.list() == []
    urls = {url.partition("?")[0] for url in stage.world.subscriber.validations}
    assert urls == {f"https://sync.example/api/graph/{name}" for name in ("notifications", "lifecycle")}


# --- tokens -----------------------------------------------------------------------------------------------------


async def test_tokens_are_renewed_as_time_passes(stage: Stage) -> None:
    """Hours and days later the same client still reads."""
    user_id = stage.person("ada")
    for hours in (0, 0.9, 1, 30, 24 * 40):
        stage.world.clock.advance(hours * 3600)
        assert (await stage.source.read_user(user_id)).state is SourceState.LIVE


# --- write budget -----------------------------------------------------------------------------------------------


def test_two_workers_stay_under_the_quota() -> None:
    """Two processes with one shared record are never refused, and lose less than a tenth of the possible pace."""

    async def main() -> tuple[float, dict[str, int]]:
        clock, shared = LoopClock(), SharedRecord(latency=0.01)
        emulator = Emulator(clock=clock, rng=Random(1))
        tenant = emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain="fabrikam.com", users=1)
        emulator.throttle.set(Quota(writes=60, window_s=15))
        (user,) = tenant.users()
        left = iter(range(300))

        async def lane(target: GraphTarget) -> None:
            for number in left:
                assert await target.update(user.id, {"department": str(number)}) == {}

        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                transport = EmulatorTransport(emulator)
                credential = EmulatorCredential(
                    base_url=BASE, tenant_id=FABRIKAM, app_id="app-1", clock=clock, transport=transport
                )
                client = GraphClient(
                    tenant_id=FABRIKAM,
                    credential=credential,
                    clock=clock,
                    graph_url=BASE,
                    transport=transport,
                    budget=WriteBudget(FABRIKAM, shared, clock, writes=60, window_s=15),
                )
                for _ in range(8):
                    group.create_task(lane(GraphTarget(client)))
        return asyncio.get_running_loop().time(), emulator.log.report(items=False)["statuses"]

    seconds, statuses = in_virtual_time(main())
    assert statuses == {"204": 300}
    assert seconds <= 1.1 * (300 - 60) / 4
