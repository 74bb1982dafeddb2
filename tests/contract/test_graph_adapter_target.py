"""What only Graph's adapter can show of the target tenant's port, against the project's Graph emulator in process."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import httpx
import pytest

from entra_graph_emulator.emulator import Emulator
from entra_graph_emulator.testing import BASE, FABRIKAM
from entra_graph_emulator.transport import EmulatorTransport
from entra_graph_emulator.wire.throttle import Quota
from sync_core.graph.budget import WriteBudget
from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import EmulatorCredential
from sync_core.graph.target import GraphTarget
from sync_core.model import TargetUser
from sync_core.model.errors import GraphRefusedError, ThrottledError, UnavailableError
from sync_core.ports.writes import noted_writes
from tests.support.budget import SharedRecord
from tests.support.graph import answers, client_for, yes
from tests.support.tenants import MARKER, NOBODY, EmulatedTenants
from tests.support.virtual_time import LoopClock, in_virtual_time

OWNER = MARKER.attribute


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


async def test_a_pending_guest_is_found_by_another_mail(emulated: EmulatedTenants) -> None:
    """Never redeemed, the name in the #EXT# form, the address among otherMails alone: a B2B user all the same."""
    guest = await emulated.target.invite("old@contoso.com", "Old", confirm=yes)
    assert await emulated.target.update(guest, {"mail": "other@contoso.com", "otherMails": ["ada@contoso.com"]}) == {}
    user = emulated.world.target.user(guest)
    assert user.properties["externalUserState"] == "PendingAcceptance"
    assert user.properties["userPrincipalName"].startswith("old_contoso.com#EXT#@")
    assert [(each.id, each.external) for each in await emulated.target.candidates("ada@contoso.com")] == [(guest, True)]


async def test_the_marked_are_listed_page_by_page(emulated: EmulatedTenants) -> None:
    """The source ids of one sync and tenant, over all pages; what names nobody is left out."""
    ids = {f"aaaaaaaa-0000-0000-0000-{n:012d}" for n in range(1, 1002)}
    for n, source_id in enumerate(sorted(ids)):
        emulated.world.target.create(_named(f"u{n}", MARKER.prefix + source_id))
    for n, text in enumerate((MARKER.prefix, f"{MARKER.prefix}nobody", f"other/{MARKER.tenant_id}/{NOBODY}")):
        emulated.world.target.create(_named(f"odd{n}", text))
    first = await emulated.target.marked(MARKER)
    assert first.next_link is not None
    second = await emulated.target.marked(MARKER, first.next_link)
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
    rest = {"accountEnabled": True, "displayName": None, "externalUserState": None, "mail": "a@b.com"}
    one = {"id": "1", "userPrincipalName": "a_b.com#EXT#@c.com", "createdDateTime": "2026-01-05T09:00:00Z", **rest}
    two = {**one, "id": "2", "userPrincipalName": "two@c.com"}
    link = "https://graph.microsoft.com/v1.0/users?$skiptoken=x"
    pages = [{"value": [one], "@odata.nextLink": link}, {"value": [one, two]}]
    target = GraphTarget(client_for(lambda _: httpx.Response(200, json=pages.pop(0))))
    assert [(each.id, each.external) for each in await target.candidates("a@b.com")] == [("1", True), ("2", False)]


async def shown(emulated: EmulatedTenants, guest: str) -> TargetUser:
    user = await emulated.target.read_user(guest)
    assert user is not None
    return user


@pytest.mark.parametrize("lacking", ["externalUserState", "userPrincipalName", "accountEnabled", "mail"])
async def test_an_answer_that_lacks_what_was_selected_says_nothing_about_a_user(lacking: str) -> None:
    """A guest would seem internal, or a blocked one enabled."""
    user: dict[str, Any] = {
        "id": "1",
        "userPrincipalName": "a_b.com#EXT#@c.com",
        "externalUserState": "Accepted",
        "mail": "a@b.com",
    }
    user |= {"accountEnabled": False, "displayName": "A", "createdDateTime": "2026-01-05T09:00:00Z"}
    del user[lacking]
    target = GraphTarget(client_for(lambda _: httpx.Response(200, json=user)))
    with pytest.raises(UnavailableError):
        await target.read_user("1")


async def test_an_answer_that_lacks_an_attribute_shows_no_edit() -> None:
    """It would seem that somebody cleared it. Graph leaves out an empty directory extension, and nothing else."""
    extension = f"extension_{'a' * 32}_owner"
    target = GraphTarget(client_for(lambda _: httpx.Response(200, json={"id": "1", "city": None})))
    assert await target.read_values("1", ["city", extension]) == {"city": None, extension: None}
    with pytest.raises(UnavailableError):
        await target.read_values("1", ["city", "department"])


async def test_a_guest_who_was_converted_is_internal_whatever_the_creation_type_says(
    emulated: EmulatedTenants,
) -> None:
    """`creationType` may keep "Invitation" after the conversion."""
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert (await shown(emulated, guest)).external
    user = emulated.world.target.user(guest)
    user.properties |= {"externalUserState": None, "userPrincipalName": "ada@fabrikam.com"}
    assert user.properties["creationType"] == "Invitation"
    assert not (await shown(emulated, guest)).external


async def test_what_exchange_owns_is_left_and_the_rest_is_written(emulated: EmulatedTenants) -> None:
    """The refusal says what kind of object it is, and names no attribute."""
    emulated.world.target.settings.external_service_owns_mail = True
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    wanted: dict[str, Any] = {"showInAddressList": True, "mail": "ada@contoso.com", "department": "X"}
    refused = await emulated.target.update(guest, wanted)
    assert refused is not None
    assert refused.keys() == {"mail", "showInAddressList"}
    assert emulated.world.target.user(guest).properties["department"] == "X"


async def test_attributes_are_left_one_by_one_as_graph_names_them(emulated: EmulatedTenants) -> None:
    """Each refusal names one, and costs a request; if that goes on and nothing is accepted, it is an error."""
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    badge = "extension_0123456789abcdef0123456789abcdef_badge"
    refused = await emulated.target.update(guest, {"givenName": "", "city": "", badge: "7", "department": "X"})
    assert refused is not None
    assert refused.keys() == {"givenName", "city", badge}
    assert emulated.world.target.user(guest).properties["department"] == "X"
    names = ("city", "companyName", "country", "department", "employeeId", "employeeType", "givenName", "jobTitle")
    before = emulated.requests()
    more = ("officeLocation", "postalCode", "state", "surname")
    with pytest.raises(GraphRefusedError):
        await emulated.target.update(guest, dict.fromkeys([*names, *more], ""))
    assert emulated.requests() - before == 10


async def test_an_unnamed_refusal_is_found_by_halving(emulated: EmulatedTenants) -> None:
    """All but the refused attribute is written, within a bound of requests."""
    emulated.world.target.settings.unnamed_refusals = ["jobTitle"]
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    names = ("city", "companyName", "country", "department", "employeeId", "givenName", "jobTitle", "officeLocation")
    wanted = {**dict.fromkeys((*names, "postalCode", "state", "streetAddress", "surname"), "X")}
    before = emulated.requests()
    assert await emulated.target.update(guest, wanted) == {"jobTitle": "400 Request_BadRequest"}
    assert emulated.requests() - before <= 9
    properties = emulated.world.target.user(guest).properties
    assert {name for name in wanted if properties.get(name) != "X"} == {"jobTitle"}


async def test_many_unnamed_refusals_have_an_end(emulated: EmulatedTenants) -> None:
    """What was not tried any more counts as refused, so that it is tried again later; what was accepted stays."""
    names = ["city", "companyName", "country", "department", "employeeId", "givenName", "jobTitle", "officeLocation"]
    emulated.world.target.settings.unnamed_refusals = names
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    before = emulated.requests()
    wanted = dict.fromkeys(["state", "surname", *names], "X")
    refused = await emulated.target.update(guest, wanted)
    assert refused is not None
    assert refused.keys() == {*names}
    assert emulated.requests() - before <= 20
    properties = emulated.world.target.user(guest).properties
    assert {name for name in wanted if properties.get(name) == "X"} == {"state", "surname"}


async def test_access_is_taken_though_the_address_is_taken_by_another(emulated: EmulatedTenants) -> None:
    """Somebody leaves and changes their address in one save: the conflict is about the address alone."""
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    await emulated.target.invite("eve@contoso.com", "Eve", confirm=yes)
    wanted: dict[str, Any] = {"mail": "eve@contoso.com", "department": "X", "accountEnabled": False}
    refused = await emulated.target.update(guest, wanted)
    assert refused == {"mail": "400 Request_BadRequest"}
    properties = emulated.world.target.user(guest).properties
    assert (properties["accountEnabled"], properties["department"]) == (False, "X")


async def test_access_is_taken_though_every_other_attribute_is_refused(emulated: EmulatedTenants) -> None:
    """A write of its own, and the first: what comes after it may fail."""
    emulated.world.target.settings.unnamed_refusals = ["city", "department"]
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    refused = await emulated.target.update(guest, {"city": "X", "department": "X", "accountEnabled": False})
    assert refused is not None
    assert refused.keys() == {"city", "department"}
    assert emulated.world.target.user(guest).properties["accountEnabled"] is False


async def test_a_mail_contact_keeps_an_address_and_nothing_else(emulated: EmulatedTenants) -> None:
    """The guest is made without mail, gets its other attributes, and can be disabled later."""
    emulated.world.target.settings.contact_addresses = ["ada@contoso.com"]
    guest = await emulated.target.invite("ada@contoso.com", "[mark] Ada", confirm=yes)
    wanted: dict[str, Any] = {"mail": "ada@contoso.com", "displayName": "Ada", "accountEnabled": True}
    assert await emulated.target.update(guest, wanted) == {"mail": "400 Request_BadRequest"}
    assert emulated.world.target.user(guest).properties["displayName"] == "Ada"
    assert await emulated.target.update(guest, {"mail": "ada@contoso.com", "accountEnabled": False}) is not None
    assert emulated.world.target.user(guest).properties["accountEnabled"] is False


@pytest.mark.parametrize("status", [404, 204])
async def test_a_manager_who_is_not_set_is_removed_all_the_same(emulated: EmulatedTenants, status: int) -> None:
    """Whichever way Graph says that there was none."""
    emulated.world.target.settings.missing_manager_status = status
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert await emulated.target.set_manager(guest, None)


async def test_a_failed_write_is_never_a_missing_user(emulated: EmulatedTenants) -> None:
    """Only Graph's own 404 makes a write's user missing."""
    emulated.fault(path="*", status=403)
    with pytest.raises(GraphRefusedError):
        await emulated.target.update(NOBODY, {"department": "X"})
    with pytest.raises(GraphRefusedError):
        await emulated.target.soft_delete(NOBODY, confirm=yes)
    with pytest.raises(GraphRefusedError):
        await emulated.target.set_manager(NOBODY, None)
    with pytest.raises(GraphRefusedError):
        await emulated.target.restore(NOBODY)


async def test_a_write_that_was_done_may_still_fail(emulated: EmulatedTenants) -> None:
    """A 5xx leaves open what happened: it is unavailable, not refused."""
    guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    emulated.fault(path="/users/*", method="PATCH", mode="applied", status=500, count=1)
    with pytest.raises(UnavailableError):
        await emulated.target.update(guest, {"department": "Done"})
    assert emulated.world.target.user(guest).properties["department"] == "Done"


async def test_blocked_invitations_are_refused_with_their_code(emulated: EmulatedTenants) -> None:
    """A policy against guests is a refusal with Graph's status."""
    emulated.world.target.settings.guest_invitations = False
    with pytest.raises(GraphRefusedError) as caught:
        await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    assert caught.value.status == 403


@pytest.mark.parametrize("body", [None, {}, {"invitedUser": None}, {"invitedUser": {"id": ""}}, {"invitedUser": []}])
async def test_an_invitation_without_its_user_is_no_success(body: object) -> None:
    """Success without a user's id has happened: it must be tried again."""
    with pytest.raises(UnavailableError):
        await GraphTarget(client_for(answers(201, body))).invite("a@contoso.com", "Ada", confirm=yes)


async def test_throttling_carries_the_wait(emulated: EmulatedTenants) -> None:
    """Over the quota the error says how long to wait, with decimals."""
    emulated.world.emulator.throttle.set(Quota(writes=1, window_s=15))
    await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
    with pytest.raises(ThrottledError) as caught:
        await emulated.target.invite("bob@contoso.com", "Ada", confirm=yes)
    assert caught.value.retry_after is not None
    assert 15 < caught.value.retry_after < 19


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


async def test_accepted_writes_are_noted_by_the_ids_of_graph(emulated: EmulatedTenants) -> None:
    """In order, as the target tenant logs them; neither a read nor a refused write is among them."""
    with noted_writes() as ids:
        guest = await emulated.target.invite("ada@contoso.com", "Ada", confirm=yes)
        await emulated.target.read_user(guest)
        assert await emulated.target.update(guest, {"department": "Sales"}) == {}
        assert await emulated.target.update(NOBODY, {"department": "Sales"}) is None
        assert await emulated.target.existing([guest]) == {guest}
        boss = emulated.world.target.create(_named("boss", "")).id
        assert await emulated.target.set_manager(guest, boss)
        assert await emulated.target.soft_delete(guest, confirm=yes)
        assert await emulated.target.restore(guest)
    logged = {each["id"]: each["method"] for each in emulated.world.emulator.log.report()["items"]}
    assert [logged[each] for each in ids] == ["POST", "PATCH", "PUT", "DELETE", "POST"]
