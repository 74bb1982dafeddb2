"""The port of a source tenant's groups, over the twin and over Graph's adapter alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model.errors import ResyncRequiredError
from tests.support.tenants import NOBODY, Tenants

# --- listings ---------------------------------------------------------------------------------------------------


async def test_the_closure_has_every_level_and_no_group_that_is_missing(tenants: Tenants) -> None:
    """Groups that go in a circle end it as well."""
    inner = tenants.group()
    middle = tenants.group(inner)
    outer, other = tenants.group(middle), tenants.group(tenants.person("ada"))
    tenants.join(inner, outer)
    assert await tenants.groups.closure([outer, NOBODY]) == {outer, middle, inner}
    assert await tenants.groups.closure([other]) == {other}
    tenants.dissolve(middle)
    assert await tenants.groups.closure([outer, middle]) == {outer}


async def test_members_are_the_users_of_every_level(tenants: Tenants) -> None:
    """Disabled ones too, deleted ones and groups not; None says that there is no such group, unlike an empty one."""
    people = {tenants.person(f"p{number}") for number in range(3)}
    ada, bob = tenants.person("ada", accountEnabled=False), tenants.person("bob")
    outer = tenants.group(tenants.group(ada), bob, *sorted(people))
    assert await tenants.groups.members(outer) == {ada, bob, *people}
    tenants.delete(bob)
    assert await tenants.groups.members(outer) == {ada, *people}
    assert await tenants.groups.members(tenants.group()) == set()
    assert await tenants.groups.members(NOBODY) is None


# --- changes ----------------------------------------------------------------------------------------------------


async def test_changes_name_who_came_and_who_went(tenants: Tenants) -> None:
    """From now on, only of the groups that are followed, and each link leads on from where the last one ended."""
    ada, bob = tenants.person("ada"), tenants.person("bob")
    group, other = tenants.group(ada), tenants.group()
    link = await tenants.groups.latest([group])
    page = await tenants.groups.changes(link, [group])
    assert (page.joined, page.left, page.regrouped) == ([], [], False)
    tenants.join(group, bob)
    tenants.leave(group, ada)
    tenants.join(other, ada)
    for _ in range(2):  # a link can be read again
        page = await tenants.groups.changes(link, [group])
        assert (page.joined, page.left, page.regrouped) == ([bob], [ada], False)
    page = await tenants.groups.changes(page.delta_link or "", [group])
    assert (page.joined, page.left, page.next_link) == ([], [], None)


async def test_a_user_who_is_purged_leaves_its_groups(tenants: Tenants) -> None:
    """A soft-deleted user stays in them, so that a restore brings the memberships back."""
    ada = tenants.person("ada")
    group = tenants.group(ada)
    link = await tenants.groups.latest([group])
    tenants.delete(ada)
    page = await tenants.groups.changes(link, [group])
    assert (page.joined, page.left) == ([], [])
    tenants.purge(ada)
    page = await tenants.groups.changes(page.delta_link or "", [group])
    assert (page.joined, page.left) == ([], [ada])


async def test_more_groups_than_a_filter_takes_are_told_apart(tenants: Tenants) -> None:
    """Changes of other groups are left out, however many are followed."""
    ada, bob = tenants.person("ada"), tenants.person("bob")
    followed = [tenants.group() for _ in range(51)]
    other = tenants.group()
    link = await tenants.groups.latest(followed)
    tenants.join(followed[7], ada)
    tenants.join(other, bob)
    page = await tenants.groups.changes(link, followed)
    assert (page.joined, page.left) == ([ada], [])


async def test_a_group_that_came_or_went_is_told_only_when_the_closure_does_not_know(tenants: Tenants) -> None:
    """Entries may be repeated: what agrees with the closure as it was just read is old news."""
    inner, outer = tenants.group(), tenants.group()
    link = await tenants.groups.latest([outer])
    tenants.join(outer, inner)
    assert (await tenants.groups.changes(link, [outer])).regrouped
    page = await tenants.groups.changes(link, [outer, inner])
    assert not page.regrouped
    link = page.delta_link or ""
    tenants.leave(outer, inner)
    assert (await tenants.groups.changes(link, [outer, inner])).regrouped
    page = await tenants.groups.changes(link, [outer])
    assert not page.regrouped
    tenants.dissolve(outer)
    assert (await tenants.groups.changes(page.delta_link or "", [outer])).regrouped


async def test_an_aged_delta_link_needs_a_resync(tenants: Tenants) -> None:
    """It never gives an empty round."""
    group = tenants.group()
    link = await tenants.groups.latest([group])
    tenants.later(timedelta(days=40))
    with pytest.raises(ResyncRequiredError):
        await tenants.groups.changes(link, [group])


@pytest.mark.parametrize("link", ["https://evil.example/v1.0/groups/delta?$deltatoken=1", "nonsense"])
async def test_a_tampered_link_starts_over(tenants: Tenants, link: str) -> None:
    """A stored link that the source did not issue is not followed."""
    with pytest.raises(ResyncRequiredError):
        await tenants.groups.changes(link, [])
