"""What only Graph's adapter can show of groups, against the project's Graph emulator in process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from entra_graph_emulator.testing import CONTOSO
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
from tests.support.clock import ManualClock
from tests.support.graph import answers, client_for
from tests.support.tenants import NOBODY, EmulatedTenants

HERE = "https://graph.microsoft.com/v1.0/groups/delta?$deltatoken=1"


async def test_memberships_are_asked_twenty_at_a_time(emulated: EmulatedTenants) -> None:
    """As many as one call takes; none at all, no call."""
    ada = emulated.person("ada")
    groups = [emulated.group(ada) for n in range(45)]
    before = emulated.requests()
    assert (await emulated.source.read_user(ada, groups)).member_of == frozenset(groups)
    assert emulated.requests() - before == 4
    await emulated.source.read_user(ada)
    assert emulated.requests() - before == 5


@pytest.mark.parametrize(
    ("status", "error"), [(403, GraphRefusedError), (404, NotVisibleYetError), (429, ThrottledError), (503, SyncError)]
)
async def test_a_membership_that_cannot_be_read_is_an_error(
    emulated: EmulatedTenants, status: int, error: type[Exception]
) -> None:
    """Never the lack of one; a user who is not there any more, or not yet everywhere, is read again."""
    ada = emulated.person("ada")
    emulated.fault(method="POST", path="/users/*/checkMemberGroups", status=status, count=1)
    with pytest.raises(error):
        await emulated.source.read_user(ada, [emulated.group(ada)])


@pytest.mark.parametrize("answer", [{}, {"value": None}, {"value": "all"}])
async def test_an_answer_without_a_list_is_no_lack_of_membership(answer: dict[str, Any]) -> None:
    """A gateway's page, a truncated body."""
    user = {"id": NOBODY, "accountEnabled": True}
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, {**user, **answer})), ManualClock()).read_user(NOBODY, [NOBODY])


async def test_a_group_that_cannot_be_read_is_not_missing(emulated: EmulatedTenants) -> None:
    """Only Graph's own 404 makes a group missing."""
    there = emulated.group()
    emulated.fault(method="GET", path="/groups/*", status=403, count=1)
    with pytest.raises(GraphRefusedError):
        await emulated.source.missing_groups([there])


# --- listings ---------------------------------------------------------------------------------------------------


async def test_a_listing_of_members_that_breaks_off_is_an_error(emulated: EmulatedTenants) -> None:
    """A half list would nominate the other half."""
    made = emulated.group(emulated.person("ada"))
    emulated.fault(method="GET", path="/groups/*/transitiveMembers/*", status=503, count=1)
    with pytest.raises(SyncError):
        await emulated.groups.members(made)


# --- changes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["syncStateNotFound", "tooOld", "resyncRequired", "gone"])
async def test_an_aged_delta_link_says_so_in_several_forms(emulated: EmulatedTenants, form: str) -> None:
    """Each of them asks for a resync."""
    emulated.world.source.settings.delta_expired_form = form
    link = await emulated.groups.latest([emulated.group()])
    emulated.later(timedelta(days=40))
    with pytest.raises(ResyncRequiredError):
        await emulated.groups.changes(link, [])


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


async def test_memberships_can_be_read_without_being_able_to_write(emulated: EmulatedTenants) -> None:
    """A dry run asks who is a member: that POST is allowed by name, and no other is."""
    ada = emulated.person("ada")
    made = emulated.group(ada)
    client = emulated.read_only(CONTOSO)
    assert (await GraphSource(client, emulated.world.clock).read_user(ada, [made])).member_of == frozenset({made})
    with pytest.raises(ReadOnlyError):
        await client.post("/groups/{id}/members/$ref", {"id": made}, body={})
    await client.close()
