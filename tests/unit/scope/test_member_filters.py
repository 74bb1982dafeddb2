"""Memberships as clauses of scoping filters: who is in a group is asked of Graph, and what it does not know is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import (
    Assigned,
    Clause,
    Deprovision,
    Filter,
    Json,
    LinkDigest,
    LinkState,
    Operator,
    Policy,
    SourceUser,
    Verdict,
    Why,
)
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.model.messages import GROUPS
from sync_core.nominate.users import worth_a_look
from sync_core.ports import GroupChanges
from sync_core.scope.filters import scope_attributes
from sync_core.scope.verdict import kept_out, scope
from tests.support.directories import pages
from tests.support.make import ADA, BOB, CONTOSO, NAME, SALES, STAFF, source, sync
from tests.support.scopes import CLUB, department, guarded, known_as, member, only, round_of_groups
from tests.support.world import World, names, whom

O = Operator  # noqa: E741


def ada(*groups: str, missing: tuple[str, ...] = (), **attributes: Json) -> SourceUser:
    """Ada, after a fresh read that asked for her memberships."""
    user = source(**attributes)  # type: ignore[arg-type]
    return replace(user, member_of=frozenset(groups), missing_groups=frozenset(missing))


def seen(verdict: Verdict) -> str:
    return "undecided" if verdict.undecided else "in" if verdict.in_scope else "out"


# --- the verdict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "inside", "outside"),
    [
        (member(O.EQUALS, SALES), ada(SALES), ada(STAFF)),
        (member(O.IN, SALES, STAFF), ada(STAFF), ada(CLUB)),
        (member(O.NOT_EQUALS, SALES), ada(STAFF), ada(SALES)),
        (member(O.NOT_IN, SALES, STAFF), ada(), ada(STAFF, CLUB)),
    ],
)
def test_a_membership_is_asked_like_an_attribute(clause: Clause, inside: SourceUser, outside: SourceUser) -> None:
    """Somebody in no group is no member: the null rule is for attributes that are empty."""
    asked = sync(filters=only(clause))
    assert scope(asked, inside) == Verdict(in_scope=True, reason="filter 'A'")
    assert scope(asked, outside) == Verdict(
        in_scope=False, reason=f"filter 'A': memberOf {clause.operator} does not hold"
    )


@pytest.mark.parametrize("operator", [O.IN, O.NOT_IN])
def test_what_is_not_known_is_open(operator: Operator) -> None:
    """A listing knows no memberships, and a group that does not exist has told nobody who was in it."""
    asked = sync(filters=only(member(operator, SALES, STAFF)))
    assert scope(asked, source()) == Verdict(
        in_scope=False,
        undecided=True,
        reason=f"filter 'A': memberOf {operator} is open, memberships are not known",
    )
    assert scope(asked, ada(missing=(STAFF,))) == Verdict(
        in_scope=False,
        undecided=True,
        reason=f"filter 'A': memberOf {operator} is open, there is no group {STAFF}",
    )
    assert seen(scope(asked, ada(SALES, missing=(STAFF,)))) == ("in" if operator is O.IN else "out")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (ada(SALES, department="Research"), "in"),
        (ada(SALES, department="Legal"), "out"),
        (ada(missing=(SALES,), department="Legal"), "out"),
        (ada(missing=(SALES,), department="Research"), "undecided"),
        (ada(CLUB, missing=(SALES,), department="Legal"), "in"),
    ],
)
def test_a_clause_that_is_certain_outweighs_one_that_is_open(user: SourceUser, expected: str) -> None:
    """Within a filter a certain no, between filters a certain yes."""
    filters = (
        Filter(name="A", clauses=[member(O.IN, SALES), department("Research")]),
        Filter(name="B", clauses=[member(O.EQUALS, CLUB)]),
    )
    assert seen(scope(sync(filters=filters), user)) == expected


def test_assignment_and_clauses_ask_each_for_their_own_groups() -> None:
    """Being in a group that a filter names assigns nobody."""
    asked = sync(assigned=Assigned(groups=frozenset({STAFF})), filters=only(member(O.NOT_IN, SALES)))
    assert asked.groups == {STAFF, SALES}
    assert [seen(scope(asked, user)) for user in (ada(STAFF), ada(SALES), ada(STAFF, SALES), ada())] == [
        "in",
        "out",
        "out",
        "out",
    ]
    assert scope(asked, ada(STAFF, CLUB)).reason == f"member of group {STAFF}; filter 'A'"
    assert scope_attributes(asked) == set(), "no read can select it"


@pytest.mark.parametrize(
    ("clauses", "user", "expected"),
    [
        ([member(O.NOT_IN, SALES)], ada(SALES), True),
        ([member(O.NOT_IN, SALES)], ada(STAFF), False),
        ([member(O.NOT_IN, SALES)], source(), False),
        ([member(O.NOT_IN, SALES)], ada(missing=(SALES,)), False),
        ([member(O.NOT_IN, SALES), department("Legal")], ada(SALES), True),
        ([department("Legal")], ada(), False),
        ([member(O.NOT_IN, SALES), department("Legal")], ada(), False),
        ([member(O.IN, SALES)], ada(), True),
    ],
)
def test_groups_alone_keep_somebody_out(clauses: list[Clause], user: SourceUser, expected: bool) -> None:
    """Whatever the other clauses say, and only where it is certain."""
    assert kept_out(sync(filters=only(*clauses)), user) is expected


# --- the fresh read ---------------------------------------------------------------------------------------------


async def test_who_joins_a_group_that_is_out_loses_the_account_and_gets_it_back_on_leaving() -> None:
    """At any depth, and the link remembers that it was a group."""
    world = guarded(member(O.NOT_IN, SALES))
    await world.linked()
    before = world.guests()
    world.source.groups |= {SALES: {CLUB}, CLUB: {ADA}}
    assert names(await world.look()) == ["SoftDelete"]
    assert (await world.stored()).member_of == frozenset({SALES})
    world.source.groups[CLUB].clear()
    assert names(await world.look()) == ["Restore", "Update"]
    assert (world.guests(), (await world.stored()).member_of) == (before, frozenset())


@pytest.mark.parametrize("how", [Deprovision.SOFT_DELETE, Deprovision.DISABLE])
async def test_a_group_that_was_deleted_takes_no_account(how: Deprovision) -> None:
    """A user who was in by that group is undecided."""
    world = guarded(member(O.IN, SALES), policy=Policy(out_of_scope=how))
    world.source.groups[SALES].add(ADA)
    await world.linked()
    del world.source.groups[SALES]
    outcome = await world.look()
    assert (names(outcome), outcome.error, world.target.writes) == ([], "undecided", [])


async def test_a_group_that_was_deleted_lets_nobody_in() -> None:
    """A user whom it kept out is not invited: nobody can say any more whether they were in it."""
    world = guarded(member(O.NOT_IN, SALES))
    world.hire()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == []
    assert await world.reason() == "out of scope"
    del world.source.groups[SALES]
    outcome = await world.look()
    assert (names(outcome), outcome.error, world.target.writes) == ([], "undecided", [])


async def test_a_group_that_was_deleted_enables_nobody_whom_it_had_disabled() -> None:
    """The pair is still linked, and that is not enough to be let in again."""
    world = guarded(member(O.NOT_IN, SALES), policy=Policy(out_of_scope=Deprovision.DISABLE))
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    world.target.writes.clear()
    del world.source.groups[SALES]
    for _ in range(2):
        outcome = await world.look()
        assert (names(outcome), outcome.error, world.target.writes) == ([], "undecided", [])
    world.source.groups[SALES] = set()
    assert names(await world.look()) == ["Update"]


async def test_whether_a_group_exists_is_asked_when_something_would_come_of_it() -> None:
    """A user who needs no change costs no further request; nor does a group that another clause makes irrelevant."""
    world = guarded(member(O.NOT_IN, SALES), department("Research"))
    await world.linked()
    await world.look()
    assert world.faults.count("source.missing_groups") == 0, "in, and linked"
    world.hire(BOB, "Bob", department="Legal")
    await world.look(BOB)
    assert world.faults.count("source.missing_groups") == 0, "out, and never ours"
    world.change(department="Legal")
    assert names(await world.look()) == ["SoftDelete"]
    assert world.faults.count("source.missing_groups") == 0, "out by the department, whatever becomes of the group"
    world.change(department="Research")
    assert names(await world.look()) == ["Restore", "Update"]
    assert world.faults.count("source.missing_groups") == 1, "in, if the group is there"


@pytest.mark.parametrize("call", ["source.read_user", "source.missing_groups"])
async def test_a_membership_that_cannot_be_read_lets_nobody_in(call: str) -> None:
    """No permission is not the lack of a membership."""
    world = guarded(member(O.NOT_IN, SALES))
    world.hire()
    refused = GraphRefusedError(status=403, code="Authorization_RequestDenied")
    world.faults.fail_next(call, refused)
    outcome = await world.look()
    assert (names(outcome), outcome.error, world.target.writes) == ([], refused.code, [])


async def test_who_is_assigned_by_id_is_asked_for_the_groups_of_filters_alone() -> None:
    """The assigned group decides nothing about them; the one in the filter does."""
    assigned = Assigned(groups=frozenset({STAFF}), members=frozenset({ADA}))
    world = World(assigned=assigned, filters=only(member(O.NOT_IN, SALES)))
    world.source.groups = {SALES: set()}  # and Staff does not exist
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["SoftDelete"]


# --- the feeds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "known", "full", "worth"),
    [
        (O.IN, None, False, True),
        (O.IN, None, True, False),
        (O.NOT_IN, None, False, True),
        (O.NOT_IN, None, True, True),
        (O.NOT_IN, LinkDigest(digest="", state=LinkState.SEEN), True, True),
        (O.NOT_IN, LinkDigest(digest="same", state=LinkState.LINKED), True, False),
        (O.IN, LinkDigest(digest="same", state=LinkState.LINKED), True, False),
        (O.IN, LinkDigest(digest="another", state=LinkState.LINKED), True, True),
    ],
)
async def test_the_users_feed_leaves_memberships_to_the_groups_feed(
    operator: Operator, known: LinkDigest | None, full: bool, worth: bool
) -> None:
    """A full round of users finds those whom no group has to let in; the rest are in the listing of a group."""
    world = guarded(member(operator, SALES), department("Research"))
    world.hire()
    known = await known_as(known)
    assert worth_a_look(world.sync, world.source.entry(ADA), known, full=full) is worth
    legal = replace(world.source.entry(ADA), attributes={**world.source.users[ADA], "department": "Legal"})
    assert worth_a_look(world.sync, legal, known, full=full) is (known is not None and known.state.ours)


async def started(*clauses: Clause) -> World:
    """Ada is linked, Bob and Carol are not; one full round of groups is over."""
    world = guarded(*clauses)
    world.source.groups[SALES] |= {BOB} if clauses[0].operator is O.NOT_IN else {ADA}
    await world.linked()
    world.hire(BOB, "Bob")
    world.hire("carol", "Carol")
    await world.look(BOB)
    await round_of_groups(world)
    world.forget_calls()
    return world


def left(*users: str, joined: tuple[str, ...] = (), regrouped: bool = False) -> GroupChanges:
    return GroupChanges(joined=joined, left=users, regrouped=regrouped, delta_link="delta:2")


async def test_who_leaves_a_group_that_is_out_is_nominated_by_the_next_page() -> None:
    """Though there is no target user of theirs to lose."""
    world = await started(member(O.NOT_IN, SALES))
    world.groups.pages["latest:1"] = left(BOB, joined=(ADA,))
    assert {user for user, _ in await round_of_groups(world)} == {ADA, BOB}
    world = await started(member(O.IN, SALES))
    world.groups.pages["latest:1"] = left(BOB)
    assert await round_of_groups(world) == [], "seen, and not in: nothing to lose"


async def test_a_full_round_finds_whom_a_group_does_not_keep_out_any_more() -> None:
    """A removal that no page told of: Bob is in no listing, but the link says what kept him out."""
    world = await started(member(O.NOT_IN, SALES))
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == [], "Bob is still in Sales, Ada still is not"
    world.source.groups[SALES] = {ADA}
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == [(BOB, Why.FEED), (ADA, Why.ABSENT)]


async def test_a_nested_group_that_is_taken_out_frees_its_members() -> None:
    """The page tells of the group and of none of its members."""
    world = guarded(member(O.NOT_IN, SALES))
    world.source.groups |= {SALES: {CLUB}, CLUB: {BOB}}
    world.hire(BOB, "Bob")
    await world.look(BOB)
    await round_of_groups(world)
    world.source.groups[SALES].clear()
    world.groups.pages["latest:1"] = left(regrouped=True)
    assert await round_of_groups(world) == [(BOB, Why.FEED)]


@pytest.mark.parametrize("operator", [O.IN, O.NOT_IN])
@pytest.mark.parametrize("how", [Deprovision.LEAVE, Deprovision.DISABLE])
async def test_who_kept_their_account_is_looked_at_when_groups_let_them_in_again(
    operator: Operator, how: Deprovision
) -> None:
    """By policy the pair stays; what changed meanwhile was not written, and perhaps they were disabled."""
    world = guarded(member(operator, SALES), policy=Policy(out_of_scope=how))
    inside, outside = ({ADA}, set[str]()) if operator is O.IN else (set[str](), {ADA})
    world.source.groups[SALES] = inside
    await world.linked()
    world.source.groups[SALES] = outside
    assert names(await world.look()) == (["Disable"] if how is Deprovision.DISABLE else [])
    assert (await world.stored()).state is LinkState.LINKED
    assert await world.reason() == ("no change" if how is Deprovision.DISABLE else "left by policy")
    assert await round_of_groups(world) == [(ADA, Why.ABSENT)]
    world.source.groups[SALES] = inside
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == [(ADA, Why.FEED)]


@pytest.mark.parametrize("operator", [O.IN, O.NOT_IN])
async def test_a_group_that_does_not_exist_moves_nobody(operator: Operator) -> None:
    """Neither those whom it had let in, nor those whom it had kept out."""
    world = await started(member(operator, SALES))
    del world.source.groups[SALES]
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == []


async def test_other_clauses_are_left_open_by_a_listing() -> None:
    """It knows memberships and no attributes: the read decides."""
    world = await started(member(O.IN, SALES, STAFF), department("Research"))
    world.source.groups[STAFF].add("carol")
    world.change("carol", department="Legal")
    world.clock.advance(timedelta(days=1))
    assert ("carol", Why.FEED) in await round_of_groups(world)


async def test_another_clause_about_groups_makes_the_round_full() -> None:
    """The groups are the same, and what is asked of them is not."""
    world = await started(member(O.IN, SALES))
    world.syncs[NAME] = sync(filters=only(member(O.NOT_IN, SALES)))
    assert await round_of_groups(world) == [(ADA, Why.ABSENT)], "Bob is found by the round of users that follows it"
    assert (await world.feed(GROUPS)).full
    assert sorted(world.feeds.resources()) == [(CONTOSO.key, "groups"), (CONTOSO.key, "users")]


async def test_both_feeds_together_find_everybody() -> None:
    """A first full round of users is followed by one of groups: whoever is to be in is nominated by one of them."""
    filters = (
        Filter(name="No sales people", clauses=[member(O.NOT_IN, SALES), department("Research")]),
        Filter(name="The club", clauses=[member(O.IN, CLUB)]),
    )
    world = World(filters=filters)
    people = {"in-none": (), "in-sales": (SALES,), "in-club": (CLUB,), "in-both": (SALES, CLUB)}
    world.source.groups = {group: {user for user, mine in people.items() if group in mine} for group in (SALES, CLUB)}
    for user_id in people:
        world.hire(user_id, user_id)
    world.hire("lawyer", "lawyer", department="Legal")
    world.source.pages.update(pages([world.source.entry(user_id) for user_id in (*people, "lawyer")]))
    await world.feeds.run(await world.started(full=True))
    found = set(whom(await world.nominated()))
    (groups,) = await world.runs()
    await world.feeds.run(groups)
    found |= set(whom(await world.nominated()))
    wanted = {
        user_id
        for user_id in (*people, "lawyer")
        if scope(
            world.sync, replace(world.source.entry(user_id), member_of=frozenset(people.get(user_id, ())))
        ).in_scope
    }
    assert wanted == {"in-none", "in-club", "in-both"}
    assert wanted <= found
    assert "lawyer" not in found


async def test_a_listing_that_fails_moves_nobody() -> None:
    """The round stands still, and `status` says why."""
    world = await started(member(O.NOT_IN, SALES))
    unavailable = UnavailableError()
    world.faults.fail_next("groups.members", unavailable)
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == []
    assert (await world.feed(GROUPS)).error == unavailable.code
