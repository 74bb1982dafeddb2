"""The record of what happened, in memory and on Azurite alike; and how an older version and this one share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync_core.model import Event, InScope, Kind, Why, Written
from sync_core.ports import Asked
from sync_core.storage.repositories import Storage
from sync_core.storage.table import Row, Table, Value
from tests.support import activity_before as before

AT = datetime(2026, 10, 25, 0, 30, 0, 7, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def event(user: str, seconds: float, kind: Kind = Kind.UPDATED, **more: object) -> Event:
    basis = Event(at=at(seconds), sync="s", user=user, kind=kind, why=Why.FEED, nominated_at=AT)
    return replace(basis, **more)  # type: ignore[arg-type]


async def asked(storage: Storage, *of: str, **options: object) -> Sequence[Event]:
    """The events of the sync `s`, or of these people in it."""
    wanted = Asked(of=[("s", user) for user in of] or [("s", "")], **options)  # type: ignore[arg-type]
    return (await storage.activity.page(wanted)).events


async def rows(storage: Storage, pk: str | None = None) -> list[Row]:
    return [row async for row in table(storage).query(pk)]


def table(storage: Storage) -> Table:
    return storage.tables_by_name["activity"]


FULL = event(
    "u1",
    3,
    Kind.SOFT_DELETED,
    reason="deleted in the source",
    scope=InScope.OUT,
    scope_reason="not assigned",
    attributes=("city", "department"),
    refused=("mobilePhone",),
    target_id="t1",
    graph_request_ids=("r1", "r2"),
    operator="6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11",
    attempt=2,
)


async def test_an_event_comes_back_as_it_was(storage: Storage) -> None:
    """By the sync, by the person and by the kind; recorded twice, it is there once."""
    events = [
        FULL,
        event("u2", 2, Kind.PARKED, reason="429", next_try_at=at(62), again=True),
        event("", 1, Kind.CONFIGURED),
    ]
    for _ in range(2):
        await storage.activity.record(events)
    await storage.activity.vouch("s", at(0))
    assert await asked(storage) == events
    assert await asked(storage, "u1") == [FULL]
    assert await asked(storage, kinds=frozenset({Kind.SOFT_DELETED})) == [FULL]
    assert len(await rows(storage)) == 3 + 3 + 2 + 1  # the last: vouched


@pytest.mark.parametrize("vouched", [True, False])
async def test_a_question_is_answered_page_by_page(storage: Storage, vouched: bool) -> None:
    """Newest first, each once, whatever was recorded meanwhile; of two syncs as of one."""
    kinds = (Kind.DISABLED, Kind.UPDATED, Kind.HELD)
    events = [event(f"u{n % 5}", n, kinds[n % 3], sync="s" if n % 2 else "t") for n in range(30)]
    for sync in ("s", "t") if vouched else ():
        await storage.activity.vouch(sync, at(0))
    await storage.activity.record(events)
    wanted = frozenset({Kind.DISABLED, Kind.HELD})
    question = Asked(of=[("s", ""), ("t", "")], kinds=wanted, since=at(3), until=at(27), limit=4)
    found: list[Event] = []
    while True:
        page = await storage.activity.page(question)
        found += page.events
        if not page.more:
            break
        assert len(page.events) == 4
        await storage.activity.record([event("newer", 100 + len(found), Kind.HELD)])
        question = replace(question, after=page.more)
    assert found == [each for each in reversed(events[3:27]) if each.kind in wanted]


async def test_a_page_may_end_between_two_syncs(storage: Storage) -> None:
    """What happened in both at one moment is given once each."""
    twice = [event("u1", 1, sync=sync) for sync in ("s", "t", "u")]
    await storage.activity.record(twice)
    question = Asked(of=[(sync, "") for sync in "stu"], limit=1)
    found: list[Event] = []
    while True:
        page = await storage.activity.page(question)
        found += page.events
        if not page.more:
            break
        question = replace(question, after=page.more)
    assert found == twice


@pytest.mark.parametrize("token", ["x", "####", "Zm9v", "/w==", "ADA="])
async def test_a_page_after_no_place_is_refused(storage: Storage, token: str) -> None:
    """The endpoint passes on whatever a caller sends."""
    with pytest.raises(ValueError, match="continuation token"):
        await storage.activity.page(Asked(of=[("s", "")], after=token))


async def test_two_things_at_one_moment_are_two_events(storage: Storage) -> None:
    """A person's decision, and a worker at the same user."""
    both = [event("u1", 1, Kind.APPROVED), event("u1", 1, Kind.HELD)]
    await storage.activity.record(both)
    assert await asked(storage) == await asked(storage, "u1") == both


VALUES = (
    Written(attribute="city", value=None),
    Written(attribute="displayName", value='Ada "L." é 李🎉', before="Ada", before_known=True),
    Written(attribute="mail", value="a@b.example", before=None, before_known=True),
)


async def test_values_come_back_as_they_were(storage: Storage) -> None:
    """A column of its own, in all three rows, which a version before passes over."""
    await storage.activity.record([replace(FULL, values=VALUES)])
    for found in (await asked(storage), await asked(storage, "u1")):
        assert tuple(found[0].values) == VALUES
    assert len(await before.recent(table(storage), "s")) == 1
    assert await before.tally(table(storage), "s", AT) == (1, 0, [])
    assert await before.prune(table(storage), "s", at(4)) == 1
    await storage.activity.prune("s", at(4), 10)
    await storage.activity.record([FULL])
    assert tuple((await asked(storage))[0].values) == ()


@pytest.mark.parametrize("character", ["x", "é", "李", "🎉", "\n"])
async def test_large_values_are_cut_and_say_so(storage: Storage, character: str) -> None:
    """Each to 1,024 characters; of a row without room for all the names stay."""
    names = [f"extension_{'0' * 32}_{n:0100d}" for n in range(50)]
    values = [Written(attribute=name, value=character * 1025, before="", before_known=True) for name in names]
    await storage.activity.record([event("u1", 1, values=values[:1]), event("u2", 2, values=values)])
    many, one = await asked(storage)
    (first,) = one.values
    assert (first.value, first.before, first.cut) == (character * 1024, "", True)
    assert [each.attribute for each in many.values] == names
    assert all(each.cut for each in many.values)
    kept = [each.value is not None for each in many.values]
    assert kept[0]
    assert kept == sorted(kept, reverse=True)
    assert not kept[-1]
    await storage.activity.record(many_again := [replace(many, at=at(3))])
    assert (await asked(storage))[0].values == many_again[0].values


async def test_a_kind_that_a_newer_version_added_is_shown(storage: Storage) -> None:
    """After a rollback nothing is missing from the list."""
    await storage.activity.record([event("u1", 1, reason="why")])
    for row in await rows(storage):
        await table(storage).upsert(replace(row, values={**row.values, "kind": "transmuted"}))
    (shown,) = await asked(storage)
    assert (shown.kind, shown.reason) == (Kind.OTHER, "transmuted: why")


async def test_old_events_are_dropped_a_little_at_a_time(storage: Storage) -> None:
    """The oldest of one sync, in all three places; what is as old as the limit stays."""
    await storage.activity.record([event(user, n) for n, user in enumerate(("u1", "u2", "u1", "u3"), 1)])
    await storage.activity.record([event("", 1, Kind.CONFIGURED), event("u1", 1, sync="another")])
    counts = [await storage.activity.prune("s", at(4), 2) for _ in range(3)]
    assert counts == [2, 2, 0]
    assert [each.user for each in await asked(storage)] == ["u3"]
    assert sorted(row.pk for row in await rows(storage)) == [
        "another",
        "another:kind:updated",
        "another:u1",
        "s",
        "s:kind:updated",
        "s:u3",
    ]


async def test_activity_keeps_no_values(storage: Storage) -> None:
    """The columns of an event, word for word: object ids, names of attributes, reasons and times."""
    await storage.activity.record([FULL])
    (row,) = await rows(storage, "s")
    assert dict(row.values) == {
        "v": 1,
        "sync": "s",
        "user": "u1",
        "kind": "soft_deleted",
        "target_id": "t1",
        "changes": "SoftDelete",
        "attributes": "city,department",
        "reason": "deleted in the source",
        "scope": "out",
        "scope_reason": "not assigned",
        "why": "feed",
        "refused": "mobilePhone",
        "error": "",
        "request_ids": "r1,r2",
        "operator": "6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11",
        "attempt": 2,
        "nominated_at": "2026-10-25T00:30:00.000007Z",
        "done_at": "2026-10-25T00:30:03.000007Z",
        "latency_ms": 3000,
    }


# --- an older version, before, beside and after this one -----------------------------------------------------------


OLD_LOOKS = (
    ("Invite,Adopt,Update", "", [Kind.INVITED]),
    ("Adopt,Update", "", [Kind.ADOPTED]),
    ("Update", "", [Kind.UPDATED]),
    ("Disable", "", [Kind.DISABLED]),
    ("SoftDelete", "", [Kind.SOFT_DELETED]),
    ("Restore,Update", "", [Kind.RESTORED]),
    ("LetGo", "", [Kind.UNLINKED]),
    ("Update,Hold", "", [Kind.HELD]),
    ("", "unadopted", [Kind.REFUSED]),
    ("", "400 BadRequest", [Kind.PARKED]),
    ("Update", "ambiguous", [Kind.UPDATED, Kind.REFUSED]),
)


@pytest.mark.parametrize(("changes", "error", "kinds"), OLD_LOOKS)
async def test_rows_written_before_stay_readable(storage: Storage, changes: str, error: str, kinds: list[Kind]) -> None:
    """Each look of an older version has the kinds of what it came to, by sync, by person and by kind."""
    values: dict[str, Value] = {"target_id": "t1", "attributes": "city,mail", "error": error, "retry_after": 300.0}
    await before.record(table(storage), sync="s", user="u1", at=AT, changes=changes, **values)
    events = await asked(storage)
    assert [each.kind for each in events] == kinds
    assert await asked(storage, "u1") == events
    for kind in Kind:
        assert [each.kind for each in await asked(storage, kinds=frozenset({kind}))] == [kind] * (kind in kinds)
    for each in events:
        assert (each.at, each.sync, each.user, each.target_id, each.why) == (AT, "s", "u1", "t1", "feed")
        assert (each.attributes, each.nominated_at) == (("city", "mail"), AT - timedelta(seconds=2))
        assert each.reason == (error if each.kind in {Kind.REFUSED, Kind.PARKED} else "")


async def test_an_older_version_beside_this_one_hides_nothing(storage: Storage) -> None:
    """It writes no rows by kind. A question by kind finds its events all the same, those of an upgrade after a poll."""
    wanted = frozenset({Kind.DISABLED})

    async def old(minute: int) -> None:
        await before.record(table(storage), sync="s", user=f"old{minute}", at=at(60 * minute), changes="Disable")

    async def new(minute: int) -> None:
        await storage.activity.record([event(f"new{minute}", 60 * minute, Kind.DISABLED)])

    await old(1)
    await storage.activity.vouch("s", at(120))  # the first poll of this version
    await new(3)
    await old(4)
    assert [each.user for each in await asked(storage, kinds=wanted)] == ["new3", "old1"]  # until the next poll
    await storage.activity.vouch("s", at(300))
    await new(6)
    assert [each.user for each in await asked(storage, kinds=wanted)] == ["new6", "old4", "new3", "old1"]
    await storage.activity.vouch("s", at(600))
    await new(11)
    assert [each.user for each in await asked(storage, kinds=wanted)] == ["new11", "new6", "old4", "new3", "old1"]
    assert [each.user for each in await asked(storage, kinds=wanted, limit=2)] == ["new11", "new6"]


async def test_an_older_version_shows_counts_and_drops_todays_events(storage: Storage) -> None:
    """Its list, its figures for the alerts and its retention; today's retention drops the rows that it leaves."""
    events = [
        event("u1", 1, Kind.INVITED, why=Why.NOTIFICATION),
        event("u2", 2, Kind.REFUSED, reason="unadopted"),
        event("u3", 3, Kind.PARKED, reason="400 BadRequest", again=True),
        event("", 4, Kind.CONFIGURED, why=""),
        event("u1", 5, Kind.SOFT_DELETED),
    ]
    await storage.activity.record(events)
    assert [each["done_at"] for each in await before.recent(table(storage), "s")] == [
        f"2026-10-25T00:30:0{second}.000007Z" for second in (5, 4, 3, 2, 1)
    ]
    assert await before.tally(table(storage), "s", AT) == (2, 1, [1000])
    tally = await storage.activity.tally("s", AT, 10)
    assert (tally.changed, tally.parked, tally.notified, tally.late_ms) == (2, 1, 1, 1000)
    assert await before.prune(table(storage), "s", at(5)) == 4
    assert {row.pk for row in await rows(storage)} - {"s", "s:u1"} == {f"s:kind:{each.kind}" for each in events}
    assert [each.kind for each in await asked(storage, "u1")] == [Kind.SOFT_DELETED]
    await storage.activity.prune("s", at(6), 10)
    assert await rows(storage) == []


async def test_what_an_older_version_wrote_is_dropped_with_the_rest(storage: Storage) -> None:
    """Its row keys have no kind."""
    await before.record(table(storage), sync="s", user="u1", at=AT, changes="Update")
    assert await storage.activity.prune("s", at(1), 10) == 1
    assert await rows(storage) == []


async def test_a_death_in_the_middle_leaves_nothing_for_ever(storage: Storage) -> None:
    """The listing is written first: the event is in it, and retention finds whatever else there is."""
    await storage.activity.record([event("u1", 1)])
    for pk in ("s:u1", "s:kind:updated"):
        (row,) = await rows(storage, pk)
        await table(storage).delete(row.pk, row.rk)
    assert [each.user for each in await asked(storage)] == ["u1"]
    assert await storage.activity.prune("s", at(2), 10) == 1
    assert await rows(storage) == []


# --- what this program gave up on ----------------------------------------------------------------------------------


async def test_poison_is_recorded_once(storage: Storage) -> None:
    """The poison handler may run again: the first record stands, and the count does not grow."""
    for _ in range(2):
        await storage.activity.poisoned("user-changes-poison", "m/1", '{"v":1}', AT)
    await storage.activity.poisoned("feed-pages-poison", "m/1", '{"v":1}', AT)
    assert await storage.activity.poison_count() == 2
    assert await asked(storage) == []


@pytest.mark.parametrize("character", ["x", "é", "李", "🎉"])
async def test_large_poison_is_cut(storage: Storage, character: str) -> None:
    """Whatever script a body is in, its first 32 KiB are kept and fit."""
    await storage.activity.poisoned("q", "m", character * 48_000, AT)
    (row,) = await rows(storage, "poison:")
    assert row.text("body") == character * (32 * 1024 // len(character.encode()))
