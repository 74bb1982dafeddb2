"""A scope of groups, through every real part there is: who joins and who leaves, at any depth, by event and by poll."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, User, until
from local.stack import BY_HAND, Stack
from sync_core.ports import FeedPhase
from sync_core.storage.connect import connect
from sync_core.storage.repositories import Storage

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADATUM = "33333333-3333-3333-3333-333333333333"
STAFF = "dddddddd-0000-0000-0000-000000000001"
TEAM = "dddddddd-0000-0000-0000-000000000002"  # a member of Staff
CLUB = "dddddddd-0000-0000-0000-000000000003"  # of nobody's scope, until Team takes it in
BOARD = "dddddddd-0000-0000-0000-000000000004"
BARRED = "dddddddd-0000-0000-0000-000000000005"  # whoever is in it is out
PEOPLE = 30
CONFIG = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
  adatum: {{ id: {ADATUM} }}
syncs:
  - name: staff
    source: contoso
    target: fabrikam
    scope:
      users: assigned
      groups: [{STAFF}]
      filters: [{{ name: Not barred, clauses: [{{ attribute: memberOf, operator: NOT IN, value: [{BARRED}] }}] }}]
    deletion_guard: {{ min_count: 50 }}
  - name: board
    source: contoso
    target: adatum
    scope:
      filters: [{{ name: Board, clauses: [{{ attribute: memberOf, operator: EQUALS, value: {BOARD} }}] }}]
    deletion_guard: {{ max_percent: 0, min_count: 0 }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeTenants:
    """A running stack of three tenants; `people` are Contoso's enabled users, of whom the first are in groups."""

    stack: Stack
    emulated: Emulated
    storage: Storage
    people: Sequence[User]

    async def join(self, group: str, member: str) -> None:
        body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{member}"}
        await self.emulated.graph(CONTOSO, "POST", f"/groups/{group}/members/$ref", body)

    async def leave(self, group: str, member: str) -> None:
        await self.emulated.graph(CONTOSO, "DELETE", f"/groups/{group}/members/{member}/$ref")

    async def guests(self, tenant: str = FABRIKAM) -> set[str]:
        """The addresses of a target's users."""
        return {str(user["mail"]) for user in await self.emulated.users(tenant, ["id", "mail"])}

    async def shown(self, expected: Sequence[User], tenant: str = FABRIKAM, *, timeout_s: float = 20) -> bool:
        """Wait until a target has just these people."""
        wanted = {person["mail"] for person in expected}

        async def same() -> bool:
            return await self.guests(tenant) == wanted

        return await until(same, timeout_s=timeout_s)

    async def idle(self) -> None:
        async def over() -> bool:
            return (await self.storage.feeds.get("contoso", "groups")).phase is FeedPhase.IDLE

        assert await until(over, timeout_s=20)

    async def poll(self) -> None:
        """Once no round that a notification asked for is under way: a poll leaves those alone."""
        await self.idle()
        await self.stack.start_by_hand("poll_feeds")

    async def last_request(self) -> int:
        return int((await self.emulated.control("GET", "/requests?items=false"))["last"])

    async def xtsync(self, *arguments: str) -> Any:
        return (await self.stack.xtsync(*arguments))[1]


def group(group_id: str, name: str, members: Sequence[str]) -> dict[str, object]:
    named = {"id": group_id, "displayName": name, "mailNickname": name, "members": members}
    return {**named, "mailEnabled": False, "securityEnabled": True}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ThreeTenants]:
    config = Path(tmp_path_factory.mktemp("groups")) / "sync.yaml"
    config.write_text(CONFIG)
    async with Stack(config=config, settings=BY_HAND) as stack, Emulated(stack.graph_url) as emulated:
        storage = connect(stack.azurite.connection_string)
        await emulated.two_tenants(CONTOSO, FABRIKAM, people=PEOPLE, seed=5)
        await emulated.control("POST", "/tenants", {"id": ADATUM, "displayName": "Adatum", "domain": "adatum.example"})
        await emulated.control("PUT", f"/tenants/{ADATUM}/settings", {"automatic_redemption": ["*"]})
        users = await emulated.users(CONTOSO, ["id", "mail", "accountEnabled"])
        people = [user for user in users if user["accountEnabled"]]
        ids = [person["id"] for person in people]
        groups = [
            group(TEAM, "Team", ids[:4]),
            group(STAFF, "Staff", [*ids[4:8], TEAM]),
            group(CLUB, "Club", ids[8:10]),
            group(BOARD, "Board", ids[:3]),
            group(BARRED, "Barred", ids[13:14]),
        ]
        await emulated.control("POST", f"/tenants/{CONTOSO}/groups", {"value": groups})
        three = ThreeTenants(stack=stack, emulated=emulated, storage=storage, people=people)
        await stack.start_by_hand("keep_subscriptions")
        await three.poll()
        assert await three.shown(people[:8], timeout_s=60)
        assert await three.shown(people[:3], ADATUM)
        yield three
        await storage.close()


async def test_only_members_were_looked_at(three: ThreeTenants) -> None:
    """The first round of users puts nobody on the queue whom no group has."""
    requests = (await three.emulated.control("GET", "/requests"))["items"]
    asked = {r["path"].split("/")[2] for r in requests if r["path"].endswith("/checkMemberGroups")}
    assert asked == {person["id"] for person in three.people[:8]}


async def test_who_joins_a_nested_group_comes_by_event_and_who_leaves_goes(three: ThreeTenants) -> None:
    """The notification of the group leads to a round of its feed, and that to the person."""
    since = await three.last_request()
    await three.join(TEAM, three.people[10]["id"])
    assert await three.shown([*three.people[:8], three.people[10]])
    await three.leave(TEAM, three.people[10]["id"])
    assert await three.shown(three.people[:8])
    polled = await three.emulated.control("GET", f"/requests?since={since}")
    assert not [r for r in polled["items"] if r["kind"] == "delta" and "/users/" in r["path"]]


async def test_a_group_that_is_taken_in_brings_its_members_and_takes_them_along(three: ThreeTenants) -> None:
    """Nobody joined or left a group that was followed: the closure is another one."""
    await three.join(TEAM, CLUB)
    assert await three.shown(three.people[:10])
    await three.leave(TEAM, CLUB)
    assert await three.shown(three.people[:8])


async def test_a_group_that_keeps_people_out_takes_them_in_again(three: ThreeTenants) -> None:
    """By a clause of the filter: joining it costs the account, leaving it brings the same one back."""
    person = three.people[13]

    await three.join(STAFF, person["id"])
    await three.poll()
    await three.idle()
    assert await three.shown(three.people[:8])
    await three.leave(BARRED, person["id"])
    assert await three.shown([*three.people[:8], person])
    await three.join(BARRED, person["id"])
    assert await three.shown(three.people[:8])
    await three.leave(BARRED, person["id"])
    assert await three.shown([*three.people[:8], person])
    await three.leave(STAFF, person["id"])
    assert await three.shown(three.people[:8])


async def test_who_was_disabled_first_goes_all_the_same(three: ThreeTenants) -> None:
    """Disabled, synchronized, and then removed from the group: Entra leaves such users behind."""
    person = three.people[7]

    async def disabled() -> bool:
        users = await three.emulated.users(FABRIKAM, ["mail", "accountEnabled"])
        return [user["accountEnabled"] for user in users if user["mail"] == person["mail"]] == [False]

    await three.emulated.graph(CONTOSO, "PATCH", f"/users/{person['id']}", {"accountEnabled": False})
    assert await until(disabled, timeout_s=20)
    await three.leave(STAFF, person["id"])
    assert await three.shown(three.people[:7])


async def test_the_poll_alone_finds_who_came_and_who_went(three: ThreeTenants) -> None:
    """With delivery switched off, one round of each feed brings both tenants together; of groups taken in, too."""
    await three.emulated.control("PUT", "/delivery", {"enabled": False})
    try:
        await three.join(STAFF, three.people[11]["id"])
        await three.join(TEAM, CLUB)
        await three.leave(STAFF, three.people[6]["id"])
        await three.poll()
        assert await three.shown([*three.people[:6], *three.people[8:10], three.people[11]])
        await three.leave(TEAM, CLUB)
        await three.leave(STAFF, three.people[5]["id"])
        await three.poll()
        assert await three.shown([*three.people[:5], three.people[11]])
    finally:
        await three.emulated.control("PUT", "/delivery", {"enabled": True})


async def test_a_dead_delta_link_of_the_groups_starts_their_feed_over(three: ThreeTenants) -> None:
    """A member who joined meanwhile is found by the listing, and nobody is deleted."""
    await three.emulated.control("PUT", "/delivery", {"enabled": False})
    try:
        await three.emulated.control("POST", f"/tenants/{CONTOSO}/delta-reset", {"form": "resyncRequired"})
        await three.join(STAFF, three.people[12]["id"])
        await three.poll()
        assert await three.shown([*three.people[:5], *three.people[11:13]])
    finally:
        await three.emulated.control("PUT", "/delivery", {"enabled": True})


async def test_an_emptied_group_is_held_until_a_person_approves(three: ThreeTenants) -> None:
    """This sync allows no deletion: nobody goes, the holds are shown with their reason, approval carries them out."""
    board = three.people[:3]
    for person in board:
        await three.leave(BOARD, person["id"])

    async def held() -> bool:
        return len((await three.xtsync("holds", "list", "--sync", "board"))["holds"]) == len(board)

    assert await until(held, timeout_s=30, every_s=1)
    assert await three.guests(ADATUM) == {person["mail"] for person in board}
    looked = await three.xtsync("sync", board[0]["id"], "--sync", "board", "--dry-run")
    assert looked["results"][0]["steps"][0]["scope"]["reason"] == "filter 'Board': memberOf EQUALS does not hold"
    code = (await three.xtsync("holds", "list", "--sync", "board"))["code"]
    await three.xtsync("holds", "approve", code, "--sync", "board", "--yes")
    assert await three.shown([], ADATUM)


async def test_a_deleted_group_deletes_nobody(three: ThreeTenants) -> None:
    """What its members were in is not there to be asked: they stay, and whoever is looked at is parked."""
    full_before = (await three.storage.feeds.get("contoso", "groups")).full_at
    before = await three.guests()
    await three.emulated.graph(CONTOSO, "DELETE", f"/groups/{STAFF}")
    await three.poll()
    person = three.people[0]
    looked = await three.xtsync("sync", person["id"], "--sync", "staff")
    assert (looked["results"][0]["outcome"]["result"], looked["results"][0]["outcome"]["error"]) == (
        "parked",
        "undecided",
    )
    assert looked["results"][0]["steps"][0]["scope"]["reason"] == f"there is no group {STAFF}"

    async def listed() -> bool:
        return (await three.storage.feeds.get("contoso", "groups")).full_at != full_before

    assert await until(listed, timeout_s=20)
    assert await three.guests() == before
