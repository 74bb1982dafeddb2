"""Rows and messages as version 0.1 really wrote them: what they mean today, and that today's would mean the same to it.

tests/support/data has them; tests.e2e.leave_behind made them, run in a checkout of version 0.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from sync_core.model import (
    ENABLED,
    MANAGER,
    Deprovision,
    Event,
    Guarded,
    Invite,
    Kind,
    Leaving,
    Link,
    LinkState,
    Postpone,
    Postponed,
    Why,
    fingerprint,
)
from sync_core.model.messages import decode_feed_run, decode_nomination, format_time
from sync_core.ports import Asked, BudgetRecord, FeedPhase, HoldState
from sync_core.storage.repositories import Storage
from sync_core.storage.table import Row, Value
from tests.support.left_behind import BARRED, STAFF, SYNC, LeftBehind, left_behind

SETTLED, UNFINISHED = left_behind("settled"), left_behind("unfinished")
TARGET_TENANT = "22222222-2222-2222-2222-222222222222"
# Every column of a link that version 0.1 reads back, filters by or selects.
LINK_COLUMNS: Mapping[str, type] = {
    **dict.fromkeys(("state", "target_id", "applied", "refused", "manager", "member_of", "permit", "adopt"), str),
    **dict.fromkeys(("read_at", "noticed_at", "invited_at", "linked_at", "deleted_at", "parked_until"), str),
    **dict.fromkeys(("reason", "digest", "reference"), str),
    **dict.fromkeys(("kept_out", "dirty", "created", "grouped", "present", "parked"), bool),
    **dict.fromkeys(("v", "park_count"), int),
}
# Not written any more. Version 0.1 asks by it whether a group that keeps people out still exists, for a linked user
# who is in scope without that group. Without the column it still asks where access is at stake: of a user who is
# disabled, deleted or not linked, or whose record is dirty. Of the rest, who have access, it releases the hold.
DROPPED = {"kept_out"}


@pytest_asyncio.fixture(params=["settled", "unfinished"])
async def left(request: pytest.FixtureRequest, storage: Storage) -> LeftBehind:
    """What was left, in today's storage."""
    left = {"settled": SETTLED, "unfinished": UNFINISHED}[request.param]
    await left.fill(storage)
    return left


async def link_of(storage: Storage, left: LeftBehind, name: str) -> Link:
    await left.fill(storage)
    link = await storage.links.get(SYNC, left.people[name])
    assert link is not None
    return link


IN_BOTH = frozenset({STAFF, BARRED})
MEANINGS: Mapping[str, tuple[LinkState, Mapping[str, object]]] = {
    # settled
    "grace": (LinkState.LINKED, {"manager": None}),
    "ada": (LinkState.LINKED, {"manager": SETTLED.people["grace"]}),
    "refused": (LinkState.LINKED, {"refused": {"businessPhones": "403 Authorization_RequestDenied"}, "dirty": False}),
    "disabled": (LinkState.LINKED, {"disabled": True, "member_of": {STAFF}}),  # in the source
    "moved": (LinkState.LINKED, {"disabled": True, "member_of": frozenset()}),  # left the group, disabled by policy
    "barred": (LinkState.LINKED, {"disabled": True, "member_of": IN_BOTH}),  # likewise, by a group that keeps out
    "leaver": (LinkState.DELETED, {"dirty": False, "guarded": None}),
    "returned": (LinkState.LINKED, {"disabled": False, "dirty": False}),
    "lost": (LinkState.LOST, {"approved_target": None}),  # deleted by somebody in the target
    "lost-disabled": (LinkState.LOST, {"parked": None}),
    "held": (LinkState.LINKED, {"guarded": Guarded.HELD, "dirty": False, "parked": None}),
    "rejected": (LinkState.LINKED, {"guarded": Guarded.HELD, "dirty": False, "parked": None}),
    "internal": (LinkState.SEEN, {"target_id": None}),  # parked
    "never": (LinkState.SEEN, {"target_id": None, "parked": None}),  # disabled from the beginning
    "outsider": (LinkState.SEEN, {"member_of": frozenset(), "parked": None}),
    "kept-out": (LinkState.SEEN, {"member_of": IN_BOTH, "parked": None}),
    # unfinished
    "dirty": (LinkState.LINKED, {"dirty": True, "guarded": None}),
    "counted": (LinkState.LINKED, {"dirty": True, "guarded": Guarded.SOFT_DELETE}),
    "disabling": (LinkState.LINKED, {"dirty": True, "guarded": Guarded.DISABLE}),
    "restoring": (LinkState.DELETED, {"dirty": True}),
    "approved": (LinkState.LINKED, {"guarded": Guarded.HELD}),
    "invited": (LinkState.INVITING, {"target_id": UNFINISHED.row("invited").text("target_id"), "dirty": False}),
    "inviting": (LinkState.INVITING, {"target_id": None, "dirty": False}),
}


async def test_a_link_means_what_it_meant(storage: Storage, left: LeftBehind) -> None:
    """Everybody's state, and what is particular about it."""
    wanted = {name: MEANINGS[name] for name in left.people if name != "waiting"}
    links = {name: await storage.links.get(SYNC, left.people[name]) for name in wanted}
    found = {
        name: (link.state, {field: getattr(link, field) for field in wanted[name][1]})
        for name, link in links.items()
        if link
    }
    assert found == wanted
    for name in {"internal", "never"} & links.keys():
        link = links[name]
        assert link is not None
        assert (link.read_at is None or link.parked is not None) is (name == "internal")
    for link in links.values():
        assert link is not None
        assert link.on_create_written is link.ours
        assert (link.invited_at is not None) is (link.state is not LinkState.SEEN)
        assert (link.linked_at is not None) is link.ours


async def test_a_row_from_before_memberships_were_named(storage: Storage) -> None:
    """Such a row says that groups kept the user out, or nothing: the next look learns in which groups they are."""
    for name, known in (("outsider", frozenset[str]()), ("ada", None)):
        row = SETTLED.row(name)
        values = {column: value for column, value in row.values.items() if column != "member_of"}
        await storage.tables_by_name["links"].insert(replace(row, values=values))
        link = await storage.links.get(SYNC, row.rk)
        assert link is not None
        assert link.member_of == known


async def test_times_and_fingerprints_are_read(storage: Storage) -> None:
    """The reference to Ada's manager is the one that today's code makes of Grace's link: nothing is to be written."""
    ada = await link_of(storage, SETTLED, "ada")
    grace = await storage.links.get(SYNC, SETTLED.people["grace"])
    assert grace is not None
    assert ada.applied[MANAGER] == fingerprint(grace.reference)
    assert ada.applied[ENABLED] == fingerprint(True)
    assert ada.member_of == frozenset({STAFF})
    assert ada.linked_at is not None
    assert ada.invited_at is not None
    assert ada.read_at is not None
    assert ada.invited_at < ada.linked_at < ada.read_at


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("waiting", LinkState.SEEN, "adoption needs approval"),
        ("internal", LinkState.SEEN, "internal user"),
        ("lost", LinkState.LOST, "deleted in target"),
    ],
)
async def test_those_who_were_parked_are(storage: Storage, name: str, state: LinkState, reason: str) -> None:
    """Until when, how often and why; and the listing has just them."""
    link = await link_of(storage, SETTLED, name)
    assert link.state is state
    assert link.parked is not None
    assert link.parked.reason == reason
    assert link.parked.tries > 0
    parked = {each.source_id for each in await storage.links.parked(SYNC)}
    assert parked == {SETTLED.people[each] for each in ("waiting", "internal", "lost")}


async def test_a_person_s_word_on_an_adoption_stands(storage: Storage) -> None:
    """For the one target user, until the next look."""
    link = await link_of(storage, UNFINISHED, "waiting")
    assert link.approved_target == UNFINISHED.row("waiting").text("adopt")
    assert link.parked is not None


async def test_a_guest_who_was_just_invited_is_known(storage: Storage) -> None:
    """By the id with which Graph answered."""
    link = await link_of(storage, UNFINISHED, "invited")
    assert (link.state, link.target_id) == (LinkState.INVITING, UNFINISHED.row("invited").text("target_id"))
    assert link.invited_at is not None


async def test_listings_find_old_rows(storage: Storage) -> None:
    """The sweeps and the guard go by these: the linked users, and the users that a group had."""
    await SETTLED.fill(storage)
    links = {name: await storage.links.get(SYNC, user) for name, user in SETTLED.people.items()}
    linked = [user for name, user in SETTLED.people.items() if _state(links[name]) is LinkState.LINKED]
    grouped = [user for name, user in SETTLED.people.items() if (link := links[name]) and link.member_of]
    assert [user async for user in storage.links.ids(SYNC)] == sorted(linked)
    assert [user async for user in storage.links.grouped(SYNC)] == sorted(grouped)
    assert await storage.links.count(SYNC) == len(linked) > 5


async def test_a_digest_of_an_old_row_is_that_of_its_link(storage: Storage, left: LeftBehind) -> None:
    """Or a feed would nominate everybody."""
    digests = await storage.links.digests(SYNC, list(left.people.values()))
    assert len(digests) > 5
    for user, found in digests.items():
        link = await storage.links.get(SYNC, user)
        assert link is not None
        assert (found.digest, found.state, found.manager) == (link.digest, link.state, link.manager)
        assert found.member_of == link.member_of
        assert found.reference == (link.applied.get(MANAGER, "") if link.digest else "")


async def test_claims_belong_to_whom_they_belonged(storage: Storage, left: LeftBehind) -> None:
    """Every target user of ours is claimed by their link, and nobody else gets them."""
    links = [await storage.links.get(SYNC, user) for user in left.people.values()]
    ours = [link for link in links if link is not None and link.ours]
    assert len(ours) > 4
    for link in ours:
        assert link.target_id is not None
        assert await storage.links.claim(TARGET_TENANT, link.target_id, "another/user") == link.owner


async def test_a_feed_goes_on_where_it_was(storage: Storage) -> None:
    """From the stored delta link; of the groups, with their closure."""
    await SETTLED.fill(storage)
    for feed in ("users", "groups"):
        state = await storage.feeds.get("contoso", feed)
        assert state.phase is FeedPhase.IDLE
        assert state.delta_link is not None
        assert state.delta_link.startswith(f"http://graph.emulator/v1.0/{feed}/delta?$deltatoken=")
        assert state.fingerprint
        assert bool(state.closure) is (feed == "groups")
        assert state.full_at is not None
        assert state.completed_at is not None
        assert state.full_at < state.completed_at


async def test_a_round_that_was_under_way_goes_on_at_its_page(storage: Storage) -> None:
    """The message that continues it is read, too."""
    await UNFINISHED.fill(storage)
    state = await storage.feeds.get("contoso")
    assert (state.phase, state.full, state.pages, state.error) == (FeedPhase.PAGES, False, 1, "Unavailable")
    assert state.link is not None
    assert "$skiptoken=" in state.link
    runs = [decode_feed_run(body) for body in UNFINISHED.queues["feed-pages"]]
    assert {(run.tenant, run.feed, run.round) for run in runs} == {("contoso", "users", state.round)}


async def test_nominations_that_waited_are_read(storage: Storage) -> None:
    """With what they are for, and how often they were tried."""
    nominations = [decode_nomination(body) for body in UNFINISHED.queues["user-changes"]]
    assert {each.sync for each in nominations} == {SYNC}
    assert {each.user for each in nominations} <= set(UNFINISHED.people.values())
    assert {Why.NOTIFICATION, Why.FEED, Why.APPROVED} <= {each.why for each in nominations}
    assert max(each.attempt for each in nominations) > 1


async def test_subscriptions_are_known(storage: Storage) -> None:
    """One of each feed, with the digest of the client state that the webhook compares."""
    await SETTLED.fill(storage)
    records = await storage.subscriptions.all()
    assert {(each.tenant, each.resource) for each in records} == {("contoso", "groups"), ("contoso", "users")}
    assert all(each.subscription_id and len(each.client_state_hash) == 64 and each.expires_at for each in records)


async def test_the_guard_remembers(storage: Storage) -> None:
    """How many were taken away, who waits, and what a person decided about whom."""
    await SETTLED.fill(storage)
    window = await storage.guards.window(SYNC)
    assert sum(window.slices.values()) == 5
    assert window.linked > 0
    assert window.counted_at is not None
    holds = {each.source_id: each for each in await storage.guards.holds(SYNC)}
    assert holds.keys() == {SETTLED.people["held"], SETTLED.people["rejected"]}
    held, rejected = holds[SETTLED.people["held"]], holds[SETTLED.people["rejected"]]
    assert (held.state, rejected.state) == (HoldState.HELD, HoldState.REJECTED)
    assert (held.change, held.target_id) == ("SoftDelete", SETTLED.row("held").text("target_id"))
    assert (rejected.decided_by, rejected.decided_at is not None) == ("operator", True)


async def test_an_approval_stands(storage: Storage) -> None:
    """For as long as approvals do."""
    await UNFINISHED.fill(storage)
    held = await storage.guards.hold(SYNC, UNFINISHED.people["approved"])
    assert held is not None
    assert (held.state, held.decided_by) == (HoldState.APPROVED, "operator")


async def test_the_write_budget_goes_on(storage: Storage) -> None:
    """What was drawn from it counts."""
    await SETTLED.fill(storage)
    budget = await storage.budgets.get(TARGET_TENANT)
    assert budget is not None
    assert 0 < budget.tokens < 3000


async def test_activity_can_still_be_shown(storage: Storage) -> None:
    """The outcomes of a sync are listed, and the message that this program gave up on is counted."""
    await SETTLED.fill(storage)
    rows = [row for row in SETTLED.tables["activity"] if row.pk == SYNC]
    page = await storage.activity.page(Asked(of=[(SYNC, "")], limit=1000))
    assert len(page.events) >= len(rows) > 2
    assert [each.user for each in page.events] == [row.text("user") for row in rows]
    assert await storage.activity.poison_count() == 1


# --- the other direction ---------------------------------------------------------------------------------------------


def kinds(row: Row) -> dict[str, type]:
    return {name: type(value) for name, value in row.values.items()}


def expected(row: Row) -> dict[str, Value]:
    """What today's code writes of a link that it read from this row."""
    values = {name: value for name, value in row.values.items() if name not in DROPPED}
    if "refused" in values:  # a column for the listing of `xtsync status`; 0.1 ignores it
        values["refusing"] = True
    if json.loads(row.text("applied")).get(ENABLED) == fingerprint(False):  # a column for the guard's percentage
        values["disabled"] = True
    return values if "parked_until" in values else {**values, "reason": ""}


async def test_a_link_that_is_written_back_is_the_same_row(storage: Storage, left: LeftBehind) -> None:
    """But for `kept_out`, and for why somebody was skipped or held: version 0.1 shows a reason only of the parked."""
    table = storage.tables_by_name["links"]
    rows = [row for row in left.tables["links"] if row.pk == SYNC]
    for row in rows:
        link = await storage.links.get(row.pk, row.rk)
        assert link is not None
        await storage.links.save(link)
        written = await table.get(row.pk, row.rk)
        assert written is not None
        assert dict(written.values) == expected(row)


async def test_links_have_the_columns_that_version_0_1_reads() -> None:
    """Its own rows have every one of them, with these types: so the comparison above leaves none out."""
    rows = [row for left in (SETTLED, UNFINISHED) for row in left.tables["links"] if row.pk == SYNC]
    assert _columns(rows) == LINK_COLUMNS
    assert {row.values["kept_out"] for row in rows} == {True, False}
    assert {row.text("reason") for row in rows if "parked_until" not in row.values} == {
        "",
        "disabled",
        "held",
        "out of scope",
    }


async def test_the_row_of_a_newcomer_who_waits_is_one_that_version_0_1_reads(storage: Storage) -> None:
    """All its columns are there with their types. It sees a user who was looked at, knows no ceiling, and invites."""
    at = datetime.now(UTC)
    put_off = Postpone(
        postponed=Invite(address="a@b.example", display_name=None, attributes={}), because=Postponed.CREATIONS_FULL
    )
    seen = Link(sync=SYNC, source_id="user", read_at=at)
    await storage.links.save(seen)
    table = storage.tables_by_name["links"]
    before = await table.get(SYNC, "user")
    waiting = replace(seen.postponed(put_off, at), etag=(await storage.links.get(SYNC, "user") or seen).etag)
    await storage.links.save(waiting)
    after = await table.get(SYNC, "user")
    assert before is not None
    assert after is not None
    assert dict(after.values) == {**before.values, "waiting": True, "waiting_since": after.values["waiting_since"]}
    assert {"waiting", "waiting_since"}.isdisjoint(LINK_COLUMNS)


async def test_all_other_records_that_are_written_back_are_the_same_rows(storage: Storage, left: LeftBehind) -> None:
    """Feeds, subscriptions, the guard's window, holds, and the write budget."""
    for feed in ("users", "groups"):
        await storage.feeds.save(await storage.feeds.get("contoso", feed))
    for record in await storage.subscriptions.all():
        await storage.subscriptions.save(record)
    await storage.guards.save_window(await storage.guards.window(SYNC))
    for hold in await storage.guards.holds(SYNC):
        await storage.guards.save_hold(hold)
    budget = await storage.budgets.get(TARGET_TENANT)
    assert isinstance(budget, BudgetRecord)
    await storage.budgets.save(budget)
    for table in ("feeds", "subscriptions", "guards"):
        rows = [row async for row in storage.tables_by_name[table].query(None)]
        assert [(row.pk, row.rk, dict(row.values)) for row in rows] == [
            (row.pk, row.rk, dict(row.values)) for row in left.tables[table]
        ]
        assert [kinds(row) for row in rows] == [kinds(row) for row in left.tables[table]]


async def test_new_claims_and_activity_have_the_old_columns(storage: Storage) -> None:
    """With the same types; both are only ever added."""
    await storage.links.claim(TARGET_TENANT, "guest", "staff/user")
    at = datetime.now(UTC)
    done = Event(
        at=at,
        sync=SYNC,
        user="user",
        kind=Kind.PARKED,
        why=Why.FEED,
        reason="later",
        target_id="guest",
        nominated_at=at,
        next_try_at=at + timedelta(seconds=1),
    )
    await storage.activity.record([done])
    await storage.activity.poisoned("user-changes", "id", "body", at)
    old = [row for left in (SETTLED, UNFINISHED) for table in ("links", "activity") for row in left.tables[table]]
    new = [row for table in ("links", "activity") async for row in storage.tables_by_name[table].query(None)]
    for names in (
        lambda row: row.pk.startswith("target:"),
        lambda row: row.pk == "poison:",
    ):
        assert _columns(filter(names, new)) == _columns(filter(names, old)) != {}
    before, now = (_columns(row for row in rows if "why" in row.values) for rows in (old, new))
    assert before.items() < now.items()
    assert now.keys() - before.keys() == {"kind"}


def _columns(rows: Iterable[Row]) -> dict[str, type]:
    """Of all of these rows."""
    return {name: kind for row in rows for name, kind in kinds(row).items()}


def _state(link: Link | None) -> LinkState | None:
    return None if link is None else link.state


async def test_a_stage_of_leaving_is_a_column_that_version_0_1_does_not_read(storage: Storage) -> None:
    """All its columns are there with their types. What it writes is without the stage, so that one begins anew."""
    at = datetime.now(UTC)
    linked = await storage.links.save(
        Link(sync=SYNC, source_id="user", state=LinkState.LINKED, target_id="t", read_at=at)
    )
    table = storage.tables_by_name["links"]
    before = await table.get(SYNC, "user")
    await storage.links.save(replace(linked, leaving=Leaving(stage=Deprovision.DISABLE, since=at)))
    after = await table.get(SYNC, "user")
    assert before is not None
    assert after is not None
    assert dict(after.values) == {**before.values, "leaving": f"disable {format_time(at)}"}
    await table.replace(replace(after, values=before.values), after.etag)
    back = await storage.links.get(SYNC, "user")
    assert back is not None
    assert back.leaving is None
