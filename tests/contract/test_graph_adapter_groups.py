"""Groups through the Graph ports against the project's Graph emulator: who is in them, and who came or went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from local.graph_emulator.directory.objects import Group
from local.graph_emulator.testing import CONTOSO
from sync_core.graph.groups import GraphGroups
from sync_core.graph.source import GraphSource
from sync_core.model.errors import (
    GraphRefusedError,
    NotVisibleYetError,
    ReadOnlyError,
    ResyncRequiredError,
    SyncError,
    ThrottledError,
    UnavailableError,
)
from sync_core.ports import GroupChanges, GroupDirectory

from .test_graph_adapter import StoppedClock, answers, client_for
from .test_graph_adapter_ports import NOBODY, Stage, stage

__all__ = ["stage"]

HERE = "https://graph.microsoft.com/v1.0/groups/delta?$deltatoken=1"


def group(stage: Stage, name: str, *members: str) -> Group:
    tenant = stage.world.source
    made = tenant.groups.create(
        {"displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True}
    )
    for member in members:
        join(stage, made, member)
    return made


def join(stage: Stage, made: Group, member: str) -> None:
    stage.world.source.groups.add(made, "members", stage.world.source.object(member))  # type: ignore[arg-type]


def leave(stage: Stage, made: Group, member: str) -> None:
    stage.world.source.groups.remove(made, "members", member)


def directory(stage: Stage) -> GroupDirectory:
    return GraphGroups(stage.clients[CONTOSO])


async def follow(stage: Stage, link: str, groups: Sequence[str]) -> tuple[list[str], bool, str]:
    users: list[str] = []
    regrouped = False
    while True:
        page: GroupChanges = await directory(stage).changes(link, groups)
        users += [*page.joined, *page.left]
        regrouped = regrouped or page.regrouped
        if page.delta_link:
            return users, regrouped, page.delta_link
        link = page.next_link or ""


# --- the fresh read ---------------------------------------------------------------------------------------------


async def test_a_user_is_read_with_the_memberships_that_were_asked_for(stage: Stage) -> None:
    """Through every level; groups that nobody asked for are not mentioned."""
    ada, bob = stage.person("ada"), stage.person("bob")
    inner = group(stage, "Inner", ada)
    outer, other = group(stage, "Outer", inner.id), group(stage, "Other", ada)
    asked = [outer.id, inner.id]
    assert (await stage.source.read_user(ada, asked)).member_of == frozenset({outer.id, inner.id})
    assert (await stage.source.read_user(ada, [other.id, NOBODY])).member_of == frozenset({other.id})
    assert (await stage.source.read_user(bob, asked)).member_of == frozenset()
    stage.world.source.delete(stage.world.source.user(ada))
    assert (await stage.source.read_user(ada, asked)).member_of is None


async def test_memberships_are_asked_twenty_at_a_time(stage: Stage) -> None:
    """As many as one call takes; none at all, no call."""
    ada = stage.person("ada")
    groups = [group(stage, f"G{n}", ada).id for n in range(45)]
    before = stage.world.emulator.log.report()["last"]
    assert (await stage.source.read_user(ada, groups)).member_of == frozenset(groups)
    assert stage.world.emulator.log.report()["last"] - before == 4
    await stage.source.read_user(ada)
    assert stage.world.emulator.log.report()["last"] - before == 5


@pytest.mark.parametrize(
    ("status", "error"), [(403, GraphRefusedError), (404, NotVisibleYetError), (429, ThrottledError), (503, SyncError)]
)
async def test_a_membership_that_cannot_be_read_is_an_error(stage: Stage, status: int, error: type[Exception]) -> None:
    """Never the lack of one; a user who is not there any more, or not yet everywhere, is read again."""
    ada = stage.person("ada")
    stage.fault(method="POST", path="/users/*/checkMemberGroups", status=status, count=1)
    with pytest.raises(error):
        await stage.source.read_user(ada, [group(stage, "G", ada).id])


@pytest.mark.parametrize("answer", [{}, {"value": None}, {"value": "all"}])
async def test_an_answer_without_a_list_is_no_lack_of_membership(answer: dict[str, Any]) -> None:
    """A gateway's page, a truncated body."""
    user = {"id": NOBODY, "accountEnabled": True}
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, {**user, **answer})), StoppedClock()).read_user(NOBODY, [NOBODY])


async def test_missing_groups_are_those_that_graph_says_are_not_there(stage: Stage) -> None:
    """Deleted for good, deleted and restorable, and never there; any other failure raises."""
    there, gone = group(stage, "There"), group(stage, "Gone")
    stage.world.source.groups.delete(gone)
    assert await stage.source.missing_groups([there.id, gone.id, NOBODY]) == {gone.id, NOBODY}
    stage.fault(method="GET", path="/groups/*", status=403, count=1)
    with pytest.raises(GraphRefusedError):
        await stage.source.missing_groups([there.id])


# --- listings ---------------------------------------------------------------------------------------------------


async def test_the_closure_has_every_level_and_no_group_that_is_missing(stage: Stage) -> None:
    """Also where groups go in a circle."""
    inner = group(stage, "Inner")
    middle = group(stage, "Middle", inner.id)
    outer, other = group(stage, "Outer", middle.id), group(stage, "Other")
    join(stage, inner, outer.id)
    assert await directory(stage).closure([outer.id, NOBODY]) == {outer.id, middle.id, inner.id}
    assert await directory(stage).closure([other.id]) == {other.id}


async def test_members_are_the_users_of_every_level(stage: Stage) -> None:
    """Disabled ones too, groups not; None says that there is no such group, which an empty one is not."""
    people = {stage.person(f"p{n}") for n in range(5)}
    ada = stage.person("ada", accountEnabled=False)
    inner = group(stage, "Inner", ada)
    outer = group(stage, "Outer", inner.id, *sorted(people))
    assert await directory(stage).members(outer.id) == {ada, *people}
    assert await directory(stage).members(group(stage, "Empty").id) == set()
    assert await directory(stage).members(NOBODY) is None


async def test_a_listing_of_members_that_breaks_off_is_an_error(stage: Stage) -> None:
    """A half list would nominate the other half."""
    made = group(stage, "G", stage.person("ada"))
    stage.fault(method="GET", path="/groups/*/transitiveMembers/*", status=503, count=1)
    with pytest.raises(SyncError):
        await directory(stage).members(made.id)


# --- changes ----------------------------------------------------------------------------------------------------


async def test_changes_name_who_came_and_who_went(stage: Stage) -> None:
    """From now on, only of the groups that are followed, and each link leads on from where the last one ended."""
    ada, bob = stage.person("ada"), stage.person("bob")
    made, other = group(stage, "G", ada), group(stage, "Other")
    link = await directory(stage).latest([made.id])
    assert (await follow(stage, link, [made.id]))[:2] == ([], False)
    join(stage, made, bob)
    leave(stage, made, ada)
    join(stage, other, ada)
    page = await directory(stage).changes(link, [made.id])
    assert (page.joined, page.left, page.regrouped) == ([bob], [ada], False)
    link = page.delta_link or ""
    assert (await follow(stage, link, [made.id]))[0] == []


async def test_more_groups_than_a_filter_takes_are_told_apart_here(stage: Stage) -> None:
    """The delta query is of all groups then, and the others' entries are left out."""
    ada, bob = stage.person("ada"), stage.person("bob")
    followed = [group(stage, f"G{n}").id for n in range(51)]
    other = group(stage, "Other")
    link = await directory(stage).latest(followed)
    join(stage, stage.world.source.groups.get(followed[7]), ada)
    join(stage, other, bob)
    assert (await follow(stage, link, followed))[0] == [ada]


async def test_a_group_that_came_or_went_is_said_only_when_the_closure_does_not_know(stage: Stage) -> None:
    """Entries may be repeated: what agrees with the closure as it was just read is old news."""
    inner, outer = group(stage, "Inner"), group(stage, "Outer")
    link = await directory(stage).latest([outer.id])
    join(stage, outer, inner.id)
    assert (await follow(stage, link, [outer.id]))[1] is True
    assert (await follow(stage, link, [outer.id, inner.id]))[1] is False
    leave(stage, outer, inner.id)
    assert (await follow(stage, link, [outer.id, inner.id]))[1] is True
    assert (await follow(stage, link, [outer.id]))[1] is False
    stage.world.source.groups.delete(outer)
    assert (await follow(stage, link, [outer.id]))[1] is True


@pytest.mark.parametrize("form", ["syncStateNotFound", "tooOld", "resyncRequired", "gone"])
async def test_an_aged_delta_link_needs_a_resync(stage: Stage, form: str) -> None:
    """In whichever form; it never gives an empty round."""
    stage.world.source.settings.delta_expired_form = form
    link = await directory(stage).latest([group(stage, "G").id])
    stage.world.clock.advance(40 * 86_400)
    with pytest.raises(ResyncRequiredError):
        await directory(stage).changes(link, [])


@pytest.mark.parametrize("link", ["https://evil.example/v1.0/groups/delta?$deltatoken=1", "nonsense"])
async def test_a_tampered_link_starts_over(stage: Stage, link: str) -> None:
    """A stored link to elsewhere is not followed."""
    with pytest.raises(ResyncRequiredError):
        await directory(stage).changes(link, [])


@pytest.mark.parametrize(
    "page",
    [
        {"value": []},
        {"value": [{}], "@odata.deltaLink": HERE},
        {"value": [{"id": NOBODY, "members@delta": "all"}], "@odata.deltaLink": HERE},
        {"value": [{"id": NOBODY, "members@delta": [1]}], "@odata.deltaLink": HERE},
        {"value": [{"id": NOBODY, "members@delta": [{}]}], "@odata.deltaLink": HERE},
    ],
)
async def test_a_page_that_is_not_whole_is_an_error(page: dict[str, Any]) -> None:
    """It is never the end of a round, and nobody on it is skipped."""
    with pytest.raises(UnavailableError):
        await GraphGroups(client_for(answers(200, page))).changes(HERE, [NOBODY])


async def test_a_member_of_no_stated_type_is_nominated_and_a_device_is_not() -> None:
    """At worst that costs a read."""
    members = [{"id": "A"}, {"@odata.type": "#microsoft.graph.device", "id": "D"}]
    page = {"value": [{"id": NOBODY, "members@delta": members}], "@odata.deltaLink": HERE}
    found = await GraphGroups(client_for(answers(200, page))).changes(HERE, [NOBODY])
    assert (found.joined, found.left, found.regrouped) == (["a"], [], False)


async def test_no_link_from_now_on_is_an_error() -> None:
    """A round that began nowhere would end nowhere."""
    page = {"value": [], "@odata.nextLink": HERE}
    with pytest.raises(UnavailableError):
        await GraphGroups(client_for(answers(200, page))).latest([NOBODY])


async def test_memberships_can_be_read_without_being_able_to_write(stage: Stage) -> None:
    """A dry run asks who is a member: that POST is allowed by name, and no other is."""
    ada = stage.person("ada")
    made = group(stage, "G", ada)
    client = stage.read_only(CONTOSO)
    assert (await GraphSource(client, stage.world.clock).read_user(ada, [made.id])).member_of == frozenset({made.id})
    with pytest.raises(ReadOnlyError):
        await client.post("/groups/{id}/members/$ref", {"id": made.id}, body={})
    await client.close()
