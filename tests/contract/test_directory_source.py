"""The port of the source tenant, over the twin and over Graph's adapter alike: users one by one and by their delta."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import SourceState
from sync_core.model.errors import ResyncRequiredError
from tests.support.tenants import NOBODY, Tenants, followed


async def test_a_user_is_read_in_each_state(tenants: Tenants) -> None:
    """Live, disabled, soft-deleted and gone are told apart, by reading that one user."""
    tenants.ask_for("department")
    ada = tenants.person("ada", department="Numbers")
    live = await tenants.source.read_user(ada)
    assert (live.state, live.attributes["department"], live.address) == (
        SourceState.LIVE,
        "Numbers",
        "ada@contoso.com",
    )
    tenants.change(ada, accountEnabled=False)
    assert (await tenants.source.read_user(ada)).state is SourceState.DISABLED
    tenants.delete(ada)
    deleted = await tenants.source.read_user(ada)
    assert (deleted.state, deleted.attributes["department"]) == (SourceState.SOFT_DELETED, "Numbers")
    tenants.restore(ada)
    assert (await tenants.source.read_user(ada)).state is SourceState.DISABLED
    tenants.delete(ada)
    tenants.purge(ada)
    gone = await tenants.source.read_user(ada)
    assert (gone.state, gone.attributes) == (SourceState.GONE, {})
    assert (await tenants.source.read_user(NOBODY)).state is SourceState.GONE


async def test_a_deleted_user_is_gone_after_thirty_days(tenants: Tenants) -> None:
    """Entra empties deletedItems by itself."""
    ada = tenants.person("ada")
    tenants.delete(ada)
    tenants.later(timedelta(days=29))
    assert (await tenants.source.read_user(ada)).state is SourceState.SOFT_DELETED
    tenants.later(timedelta(days=2))
    assert (await tenants.source.read_user(ada)).state is SourceState.GONE


async def test_null_is_told_from_absent(tenants: Tenants) -> None:
    """An attribute that is empty comes as null, one that was not asked for does not come."""
    tenants.ask_for("department")
    ada = tenants.person("ada", jobTitle="Analyst")
    user = await tenants.source.read_user(ada)
    assert user.attributes["department"] is None
    assert user.attributes["id"] == ada
    assert "jobTitle" not in user.attributes
    assert not [name for name in user.attributes if "@" in name]


async def test_a_read_says_when_it_was_made(tenants: Tenants) -> None:
    """By the clock of the caller, so that two reads can be put in order."""
    ada = tenants.person("ada")
    assert (await tenants.source.read_user(ada)).read_at == tenants.now()
    tenants.later(timedelta(minutes=1))
    assert (await tenants.source.read_user(ada)).read_at == tenants.now()
    assert (await followed(tenants))[0][0].read_at == tenants.now()


async def test_the_same_attributes_give_the_same_selection(tenants: Tenants) -> None:
    """In whatever order they are named: another selection costs a full round."""
    tenants.ask_for("city", "department", "id")
    first = tenants.source.select
    tenants.ask_for("department", "city")
    assert tenants.source.select == first
    tenants.ask_for("department")
    assert tenants.source.select != first


# --- managers ---------------------------------------------------------------------------------------------------


async def test_a_manager_is_read_with_the_user(tenants: Tenants) -> None:
    """By id; null for nobody, and for one who is soft-deleted. Reads that did not ask do not show it."""
    ada, bob = tenants.person("ada"), tenants.person("bob")
    tenants.set_manager(ada, bob)
    assert "manager" not in (await tenants.source.read_user(ada)).attributes
    tenants.ask_for("manager")
    assert (await tenants.source.read_user(ada)).manager == bob
    assert (await tenants.source.read_user(bob)).attributes["manager"] is None
    tenants.delete(bob)
    assert (await tenants.source.read_user(ada)).attributes["manager"] is None
    tenants.delete(ada)
    assert "manager" not in (await tenants.source.read_user(ada)).attributes


async def test_a_feed_names_managers_that_changed(tenants: Tenants) -> None:
    """A full round names everybody's; a later one names a new one or its removal, and nothing where none changed."""
    tenants.ask_for("manager")
    ada, bob, carol = (tenants.person(name) for name in ("ada", "bob", "carol"))
    tenants.set_manager(ada, bob)
    users, link = await followed(tenants)
    assert {each.id: each.manager for each in users} == {ada: bob, bob: None, carol: None}
    tenants.set_manager(ada, carol)
    users, link = await followed(tenants, link)
    assert [(each.id, each.manager) for each in users] == [(ada, carol)]
    tenants.set_manager(ada, None)
    users, link = await followed(tenants, link)
    assert [each.attributes["manager"] for each in users] == [None]
    tenants.change(ada, displayName="Ada L")
    users, link = await followed(tenants, link)
    assert ["manager" in each.attributes for each in users] == [False]


async def test_the_verified_domains_of_the_tenant_are_known(tenants: Tenants) -> None:
    """In lower case, the initial one among them."""
    assert "contoso.com" in await tenants.source.verified_domains()
    assert all(domain == domain.lower() for domain in await tenants.source.verified_domains())


async def test_everybody_who_reports_to_a_user_is_listed(tenants: Tenants) -> None:
    """Of a user who is not there it is not known, and those who are deleted report to nobody."""
    boss = tenants.person("boss")
    reports = [tenants.person(f"p{number}") for number in range(3)]
    for report in reports:
        tenants.set_manager(report, boss)
    assert sorted(await tenants.source.reports(boss) or ()) == sorted(reports)
    tenants.delete(reports[0])
    assert sorted(await tenants.source.reports(boss) or ()) == sorted(reports[1:])
    tenants.delete(boss)
    assert await tenants.source.reports(boss) is None
    assert await tenants.source.reports(NOBODY) is None


# --- memberships ------------------------------------------------------------------------------------------------


async def test_a_user_is_read_with_the_memberships_that_were_asked_for(tenants: Tenants) -> None:
    """Through every level; groups that nobody asked for are not mentioned, and a deleted user is in none."""
    ada, bob = tenants.person("ada"), tenants.person("bob")
    inner = tenants.group(ada)
    outer, other = tenants.group(inner), tenants.group(ada)
    asked = [outer, inner]
    assert (await tenants.source.read_user(ada, asked)).member_of == frozenset({outer, inner})
    assert (await tenants.source.read_user(ada, [other, NOBODY])).member_of == frozenset({other})
    assert (await tenants.source.read_user(bob, asked)).member_of == frozenset()
    tenants.delete(ada)
    assert (await tenants.source.read_user(ada, asked)).member_of is None
    tenants.restore(ada)
    assert (await tenants.source.read_user(ada, asked)).member_of == frozenset({outer, inner})


async def test_missing_groups_are_named(tenants: Tenants) -> None:
    """Those that were deleted, and those that never were."""
    there, gone = tenants.group(), tenants.group()
    tenants.dissolve(gone)
    assert await tenants.source.missing_groups([there, gone, NOBODY]) == {gone, NOBODY}
    assert await tenants.source.missing_groups([]) == set()


# --- listings ---------------------------------------------------------------------------------------------------


async def test_a_feed_shows_who_came_changed_and_went(tenants: Tenants) -> None:
    """A full round lists everybody; later rounds list new, changed, soft-deleted, purged and restored users."""
    tenants.ask_for("department")
    tenants.page_by(2)
    ids = [tenants.person(f"p{number}") for number in range(5)]
    users, link = await followed(tenants)
    assert {user.id for user in users} == set(ids)
    assert all(user.state is SourceState.LIVE and user.attributes["mail"] for user in users)
    tenants.change(ids[0], department="New")
    tenants.change(ids[1], accountEnabled=False)
    tenants.delete(ids[2])
    tenants.delete(ids[3])
    tenants.purge(ids[3])
    users, link = await followed(tenants, link)
    assert {user.id: user.state for user in users} == {
        ids[0]: SourceState.LIVE,
        ids[1]: SourceState.DISABLED,
        ids[2]: SourceState.SOFT_DELETED,
        ids[3]: SourceState.GONE,
    }
    assert [user.attributes for user in users if user.absent] == [{}, {}]
    tenants.restore(ids[2])
    users, link = await followed(tenants, link)
    assert [(user.id, user.state) for user in users] == [(ids[2], SourceState.LIVE)]
    assert (await followed(tenants, link))[0] == []


async def test_a_round_can_be_read_again_from_its_link(tenants: Tenants) -> None:
    """A worker that died before it stored the next link gets the same changes once more."""
    ada = tenants.person("ada")
    _, link = await followed(tenants)
    tenants.change(ada, displayName="Ada L")
    for _ in range(2):
        users, _ = await followed(tenants, link)
        assert [user.attributes["displayName"] for user in users] == ["Ada L"]


async def test_an_aged_delta_link_needs_a_resync(tenants: Tenants) -> None:
    """After its life a delta link says so, and never gives an empty round."""
    _, link = await followed(tenants)
    tenants.later(timedelta(days=6))
    assert (await followed(tenants, link))[0] == []
    tenants.later(timedelta(days=34))
    with pytest.raises(ResyncRequiredError):
        await tenants.source.delta_page(link)


@pytest.mark.parametrize("link", ["https://evil.example/v1.0/users/delta?$deltatoken=1", "nonsense"])
async def test_a_tampered_link_starts_over(tenants: Tenants, link: str) -> None:
    """A stored link that the source did not issue is of no use, and the feed mends itself."""
    with pytest.raises(ResyncRequiredError):
        await tenants.source.delta_page(link)


async def test_those_who_exist_are_told_however_many_are_asked_for(tenants: Tenants) -> None:
    """Only those who are there come back: no deleted ones, no unknown ones, no groups."""
    ids = [tenants.person(f"p{number}") for number in range(3)]
    tenants.delete(ids[2])
    unknown = [f"00000000-0000-0000-0000-{number:012d}" for number in range(1500)]
    assert await tenants.source.existing([*unknown, *ids, tenants.group()]) == set(ids[:2])
    assert await tenants.source.existing([]) == set()
