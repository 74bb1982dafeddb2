"""Links and claims, over the twin and the real table alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from sync_core.model import Deprovision, Guarded, Leaving, Link, LinkDigest, LinkState, Parked, digest, fingerprints
from sync_core.model.errors import ConflictError, NewerSchemaError
from sync_core.ports import Links
from sync_core.storage.concurrency import for_each
from sync_core.storage.links import FEW, TableLinks
from sync_core.storage.repositories import Storage
from sync_core.storage.table import Row

AT = datetime(2026, 3, 29, 1, 59, 59, 123457, tzinfo=UTC)
TENANT = "22222222-2222-2222-2222-222222222222"
FULL = Link(
    sync="a-to-b",
    source_id="source-1",
    tenants=("11111111-1111-1111-1111-111111111111", TENANT),
    state=LinkState.LINKED,
    target_id="target-1",
    applied=fingerprints({"displayName": "Zoë", "department": None}),
    refused={"mobilePhone": "403 Authorization_RequestDenied"},
    manager="source-2",
    dirty=True,
    on_create_written=True,
    guarded=Guarded.SOFT_DELETE,
    approved_target="target-2",
    read_at=AT,
    noticed_at=AT,
    settle=timedelta(seconds=1.5),
    invited_at=AT.replace(microsecond=0),
    linked_at=AT,
    deleted_at=AT.replace(microsecond=1),
    parked=Parked(until=datetime.max.replace(tzinfo=UTC), tries=3, reason="it's parked, 100%"),
    heir="b-to-a",
    waiting_since=AT,
    away=True,
    redeem=True,
    leaving=Leaving(stage=Deprovision.DISABLE, since=AT, until=AT.replace(year=2027), then=Deprovision.SOFT_DELETE),
)


@pytest_asyncio.fixture
async def links(account: Storage) -> Links:
    """No links yet."""
    await account.create("links")
    return account.links


def linked(number: int, **changes: object) -> Link:
    """A link of the sync `s`; its ids sort by number."""
    link = Link(sync="s", source_id=f"u{number:05d}", state=LinkState.LINKED, target_id=f"t{number}", read_at=AT)
    return replace(link, **changes)  # type: ignore[arg-type]


async def save_all(links: Links, saved: list[Link]) -> None:
    async def save(link: Link) -> None:
        await links.save(link)

    await for_each(saved, save)


@pytest.mark.parametrize("link", [FULL, Link(sync="a-to-b", source_id="a/b#c?d%e"), replace(FULL, applied={})])
async def test_link_survives(links: Links, link: Link) -> None:
    """A link reads back as it was saved, microseconds and odd ids included."""
    saved = await links.save(link)
    assert saved.etag
    assert await links.get(link.sync, link.source_id) == saved
    assert replace(saved, etag=None) == link


async def test_unknown_link_is_none(links: Links) -> None:
    """A user whom nobody ever looked at has no link."""
    assert await links.get("s", "nobody") is None


async def test_saving_a_known_link_as_new_conflicts(links: Links) -> None:
    """Two workers who both found no link: one inserts it, the other looks again."""
    await links.save(linked(1))
    with pytest.raises(ConflictError):
        await links.save(linked(1))


async def test_concurrent_saves_one_wins(links: Links) -> None:
    """Of workers who read the same link, exactly one may save it."""
    link = await links.save(linked(1))
    saves = [links.save(replace(link, manager=f"worker {n}")) for n in range(4)]
    results = await asyncio.gather(*saves, return_exceptions=True)
    (winner,) = [result for result in results if isinstance(result, Link)]
    assert sum(isinstance(result, ConflictError) for result in results) == 3
    assert await links.get("s", link.source_id) == winner


async def test_long_applied_map(links: Links) -> None:
    """More attributes than Entra lets anybody map still fit into one row."""
    link = await links.save(linked(1, applied=fingerprints({f"extension_{n:032d}_attribute": n for n in range(300)})))
    assert await links.get("s", link.source_id) == link


async def test_row_of_a_newer_release_is_refused(links: Links, account: Storage) -> None:
    """After a rollback a row that a newer release wrote is an error, never a guess; a feed nominates its user."""
    await account.tables_by_name["links"].insert(Row(pk="s", rk="u", values={"v": 3, "state": "linked"}))
    with pytest.raises(NewerSchemaError, match="version 3"):
        await links.get("s", "u")
    assert await links.digests("s", ["u"]) == {"u": LinkDigest(digest="", state=LinkState.LINKED)}


async def test_claim_belongs_to_the_first(links: Links) -> None:
    """A target user is claimed once; later claimants learn who owns it, and the owner may repeat the claim."""
    assert await links.owner(TENANT, "t1") is None
    assert await links.claim(TENANT, "t1", "s/u1") == "s/u1"
    assert await links.claim(TENANT, "t1", "s/u2") == "s/u1"
    assert await links.claim(TENANT, "t1", "s/u1") == "s/u1"
    assert await links.owner(TENANT, "t1") == "s/u1"


async def test_claims_at_once_have_one_owner(links: Links) -> None:
    """Claimants at the same moment all get the same answer."""
    owners = await asyncio.gather(*(links.claim(TENANT, "t1", f"s/u{n}") for n in range(6)))
    assert len(set(owners)) == 1
    assert await links.owner(TENANT, "t1") == owners[0]


async def test_a_claim_moves_once(links: Links) -> None:
    """From one owner to another, safe to repeat; a third one's claim is not touched, nor one that is not there."""
    await links.claim(TENANT, "t1", "sales/u1")
    for _ in range(2):
        await links.move_claim(TENANT, "t1", "sales/u1", "staff/u1")
        assert await links.owner(TENANT, "t1") == "staff/u1"
    for target_id in ("t1", "t2"):
        with pytest.raises(ConflictError):
            await links.move_claim(TENANT, target_id, "sales/u2", "staff/u2")
    assert (await links.owner(TENANT, "t1"), await links.owner(TENANT, "t2")) == ("staff/u1", None)


async def test_claims_are_per_tenant(links: Links) -> None:
    """The same id in two target tenants is two users."""
    assert await links.claim(TENANT, "t1", "s/u1") == "s/u1"
    assert await links.claim("another", "t1", "s/u2") == "s/u2"
    assert await links.claimed_in("t1", "s/u2") == ["another"]
    assert await links.claimed_in("t1", "s/u3") == []


async def test_forget_removes_link_and_claim(links: Links) -> None:
    """A forgotten link frees its target user for another owner."""
    link = await links.save(linked(1))
    await links.claim(TENANT, "t1", "s/u00001")
    await links.forget(link)
    assert await links.get("s", link.source_id) is None
    assert await links.owner(TENANT, "t1") is None
    assert await links.claim(TENANT, "t1", "s/u2") == "s/u2"


async def test_who_is_unfinished_is_listed(links: Links) -> None:
    """Being invited, or dirty though deleted or lost; a dirty pair that is linked is found by its digest.

    One that was deleted a moment ago is looked at later.
    """
    invited = Link(sync="s", source_id="u00001").invitation_begun(AT, "nonce")
    settled = replace(linked(2), state=LinkState.DELETED)
    begun = replace(linked(3), state=LinkState.DELETED, dirty=True)
    lost = replace(linked(4), state=LinkState.LOST, dirty=True)
    pair = replace(linked(5), dirty=True)
    recent = replace(linked(6), state=LinkState.DELETED, dirty=True, deleted_at=AT)
    for each in (invited, settled, begun, lost, pair, recent):
        await links.save(each)
    assert sorted([user async for user in links.unfinished("s", deleted_before=AT)]) == ["u00001", "u00003", "u00004"]


async def test_a_claim_is_released_without_its_link(links: Links) -> None:
    """Safe to repeat; another owner's claim stays, and so does the link."""
    link = await links.save(linked(1))
    await links.claim(TENANT, "t1", "s/u00001")
    await links.claim(TENANT, "t2", "s/u2")
    for _ in range(2):
        await links.release("t1", "s/u00001")
        await links.release("t2", "s/u00001")
    assert (await links.owner(TENANT, "t1"), await links.owner(TENANT, "t2")) == (None, "s/u2")
    assert await links.get("s", link.source_id) == link


async def test_forget_leaves_others_claims(links: Links) -> None:
    """A link that never won the claim on its target does not take the winner's away."""
    link = await links.save(linked(1))
    await links.claim(TENANT, "t1", "s/somebody-else")
    await links.forget(link)
    assert await links.owner(TENANT, "t1") == "s/somebody-else"


async def test_forget_of_a_changed_link_conflicts(links: Links) -> None:
    """A link that another worker has saved since is not forgotten, and keeps its claim."""
    link = await links.save(linked(1))
    await links.claim(TENANT, "t1", "s/u00001")
    await links.save(replace(link, manager="another"))
    with pytest.raises(ConflictError):
        await links.forget(link)
    assert await links.owner(TENANT, "t1") == "s/u00001"


async def test_digests_of_few(links: Links) -> None:
    """A digest says what was applied, and whose the target user is."""
    await links.save(linked(1, applied={"a": "1", "manager": "2"}, manager="u00009"))
    await links.save(linked(2, dirty=True))
    await links.save(linked(3, state=LinkState.SEEN, target_id=None, read_at=None))
    await links.save(linked(4, state=LinkState.LOST))
    digests = await links.digests("s", ["u00001", "u00002", "u00003", "u00004", "nobody"])
    assert digests == {
        "u00001": LinkDigest(digest=digest({"a": "1"}), state=LinkState.LINKED, manager="u00009", reference="2"),
        "u00002": LinkDigest(digest="", state=LinkState.LINKED),
        "u00003": LinkDigest(digest="", state=LinkState.SEEN),
        "u00004": LinkDigest(digest="", state=LinkState.LOST),
    }
    assert await links.digests("s", []) == {}


async def test_digests_of_many(links: Links, account: Storage) -> None:
    """Whether asked for all of a large sync, a dense part or a thin one, exactly the asked links come."""
    await save_all(links, [linked(n, applied={"n": str(n)}) for n in range(250)])
    await links.save(Link(sync="t", source_id="u00001"))
    everybody = [f"u{n:05d}" for n in range(250)]
    links = TableLinks(account.tables_by_name["links"], page_rows=100)
    for asked in (everybody, everybody[100:150], everybody[::4], everybody[:FEW] + everybody[-FEW:]):
        digests = await links.digests("s", [*asked, "nobody", "zz/nobody"])
        assert sorted(digests) == asked
        assert all(digests[user].digest == linked(0, applied={"n": str(int(user[1:]))}).digest for user in asked)


async def test_ids_and_count(links: Links) -> None:
    """Ids come in order and after the given one, and only of target users who are ours and present."""
    states = [LinkState.LINKED, LinkState.SEEN, LinkState.DELETED, LinkState.LINKED, LinkState.LOST, LinkState.INVITING]
    await save_all(links, [linked(n, state=state) for n, state in enumerate([*states, LinkState.LINKED])])
    await links.claim(TENANT, "t0", "s/u00000")
    assert [each.source_id async for each in links.ours("s", "u00000")] == ["u00002", "u00003", "u00004", "u00006"]
    first = await links.one("s")
    assert (first.source_id if first else None, await links.one("another")) == ("u00000", None)
    assert [user async for user in links.ids("s")] == ["u00000", "u00003", "u00006"]
    assert [user async for user in links.ids("s", "u00000")] == ["u00003", "u00006"]
    assert [user async for user in links.ids("s", "u00004")] == ["u00006"]
    assert [user async for user in links.ids("t")] == []
    assert (await links.count("s"), await links.count("t")) == (3, 0)


async def test_those_who_were_in_a_group_are_listed(links: Links) -> None:
    """Whatever state their link is in; and a digest says in which."""
    states = [LinkState.SEEN, LinkState.SEEN, LinkState.DELETED, LinkState.LINKED]
    groups = [None, frozenset({"b", "a"}), frozenset({"a"}), frozenset({"c"})]
    made = zip(states, groups, strict=True)
    await save_all(links, [linked(n, state=s, member_of=g) for n, (s, g) in enumerate(made)])
    await links.save(linked(4, member_of=frozenset()))
    assert [user async for user in links.grouped("s")] == ["u00001", "u00002", "u00003"]
    assert [user async for user in links.grouped("s", "u00002")] == ["u00003"]
    users = ["u00000", "u00001", "u00004"]
    assert {user: each.member_of for user, each in (await links.digests("s", users)).items()} == {
        "u00000": None,
        "u00001": {"a", "b"},
        "u00004": frozenset(),
    }


async def test_parked(links: Links) -> None:
    """Parked users are listed with their whole links, and leave the list when they are no longer parked."""
    first = await links.save(linked(1, parked=Parked(until=AT, tries=1, reason="refused")))
    second = await links.save(linked(2, parked=Parked(until=AT, tries=0, reason="")))
    await links.save(linked(3))
    assert await links.parked("s") == [first, second]
    await links.save(replace(first, parked=None))
    assert await links.parked("s") == [second]


async def test_newcomers_who_wait(links: Links) -> None:
    """They are listed with the time, to the microsecond; who is invited, parked or linked by now waits no more."""
    waiting = [replace(linked(n, waiting_since=AT), state=LinkState.SEEN, target_id=None) for n in range(4)]
    first = await links.save(waiting[0])
    await links.save(replace(waiting[1], state=LinkState.INVITING))
    await links.save(replace(waiting[2], parked=Parked(until=AT, tries=1, reason="refused")))
    await links.save(linked(3, waiting_since=AT))
    assert [each async for each in links.waiting("s")] == [(AT, first.source_id)]
    await links.save(replace(first, waiting_since=None))
    assert [each async for each in links.waiting("s")] == []


async def test_a_newcomer_whom_a_newer_release_wrote_is_left_out(links: Links, account: Storage) -> None:
    """After a rollback the meaning of its columns may be another one."""
    row = Row(pk="s", rk="u", values={"v": 3, "waiting": True, "waiting_since": AT.isoformat()})
    await account.tables_by_name["links"].insert(row)
    assert [each async for each in links.waiting("s")] == []
