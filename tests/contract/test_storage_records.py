"""Feeds, subscriptions, guards, budgets, activity and the work queues, over the twins and the real ones alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync_core.model import (
    Control,
    FeedRun,
    LifecycleEvent,
    Nomination,
    Occasion,
    PlanRun,
    Why,
)
from sync_core.model.errors import ConflictError, ReadOnlyError
from sync_core.model.messages import decode_feed_run, decode_lifecycle_event, decode_nomination, encode
from sync_core.ports import (
    BudgetRecord,
    ControlRecord,
    CountedPerson,
    CreationApproval,
    FeedPhase,
    FeedState,
    GuardWindow,
    HoldRecord,
    HoldState,
    NoticeRecord,
    PlanEntry,
    PlanJob,
    SubscriptionRecord,
    SyncRecord,
    Telling,
)
from sync_core.storage.controls import TableControls
from sync_core.storage.errors import StorageRefusedError
from sync_core.storage.memory import MemoryTable
from sync_core.storage.repositories import Storage
from sync_core.storage.table import Row

AT = datetime(2026, 10, 25, 0, 30, 0, 7, tzinfo=UTC)


async def test_who_was_told_of_what(storage: Storage) -> None:
    """It comes back as it was, one of two instances makes it, and a row of a newer version is left to that."""
    record = NoticeRecord(
        receiver="XTSYNC_NOTIFY_A", occasion=Occasion.HELD, about="contoso/groups", id="n1", since=AT, sending_at=AT
    )
    saved = await storage.notices.save(record)
    assert list(await storage.notices.all()) == [saved]
    with pytest.raises(ConflictError):
        await storage.notices.save(record)
    told = await storage.notices.save(replace(saved, telling=Telling.TOLD, sending_at=None))
    assert list(await storage.notices.all()) == [told]
    newer = Row(pk="notice:", rk="A:drift:b", values={"v": 99})
    await storage.tables_by_name["guards"].insert(newer)
    assert list(await storage.notices.all()) == [told]
    later = await storage.notices.save(replace(record, occasion=Occasion.SCOPE_EMPTIED))
    assert sorted(await storage.notices.all(), key=lambda each: each.occasion) == [told, later]
    rows = storage.tables_by_name["guards"].query("notice:")
    assert [row.rk async for row in rows if row.rk != newer.rk] == ["XTSYNC_NOTIFY_A:held:contoso=2Fgroups"]
    for each in (told, later):
        await storage.notices.drop(each)
    assert list(await storage.notices.all()) == []


async def test_the_record_of_a_sync(storage: Storage) -> None:
    """It comes back as it was, is listed, and only one of two instances makes it."""
    record = SyncRecord(name="a-to-b", tenants=("s", "t"), config="f1", since=AT)
    saved = await storage.syncs.save(record)
    _, found = await storage.syncs.all()
    assert found["a-to-b"] == saved
    with pytest.raises(ConflictError):
        await storage.syncs.save(record)


async def test_what_the_creation_guard_knows_of_a_sync(account: Storage) -> None:
    """It comes back as it was, with and without an approval; of two processes at once, one has to read again."""
    await account.create("guards")
    empty = await account.creations.get("a-to-b")
    assert (empty.window.slices, empty.put_off_at, empty.approval, empty.etag) == ({}, None, None, None)
    window = replace(empty.window, slices={AT.isoformat(): 25}, linked=7, counted_at=AT)
    approval = CreationApproval(last=(AT, "user-2"), config="f1", people=2, by="Zoë", at=AT)
    for record in (replace(empty, window=window), replace(empty, window=window, put_off_at=AT, approval=approval)):
        kept = replace(record, etag=(await account.creations.get("a-to-b")).etag)
        saved = await account.creations.save(kept)
        assert await account.creations.get("a-to-b") == saved
        with pytest.raises(ConflictError):
            await account.creations.save(kept)
    assert await account.guards.holds("a-to-b") == []
    assert await account.guards.window("a-to-b") == GuardWindow(of="a-to-b")


async def test_what_a_person_said_about_a_sync(storage: Storage) -> None:
    """It comes back as it was; of two people who speak at once, one has to read again."""
    nothing = await storage.controls.get("a-to-b")
    assert (nothing.control, nothing.since) == (Control.RUNNING, None)
    said = replace(nothing, control=Control.PAUSED, by="anna", at=AT, reason="why 40?", since=AT)
    saved = await storage.controls.save(said)
    assert await storage.controls.get("a-to-b") == saved
    with pytest.raises(ConflictError):
        await storage.controls.save(said)


async def test_without_the_table_of_controls_nobody_has_said_anything(account: Storage) -> None:
    """As after an upgrade whose templates were not deployed. A pause makes the table first."""
    assert (await account.controls.get("a-to-b")).control is Control.RUNNING
    await account.create("controls")
    await account.controls.save(ControlRecord(sync="a-to-b", control=Control.PAUSED))
    assert (await account.controls.get("a-to-b")).control is Control.PAUSED


async def test_a_refusal_to_read_controls_is_no_permission_to_write() -> None:
    """Only the missing table means that nobody paused anything."""

    class Refused(MemoryTable):
        async def get(self, pk: str, rk: str) -> Row | None:
            raise StorageRefusedError(code="AuthorizationFailure", status=403)

    with pytest.raises(StorageRefusedError):
        await TableControls(Refused()).get("a-to-b")


async def test_the_record_of_who_leads(storage: Storage) -> None:
    """Of two processes that start at once only one takes the lead on what it read; nobody leads at first."""
    none, _ = await storage.syncs.all()
    assert none.leader == ""
    led = await storage.syncs.lead(replace(none, configs=("f1", "f2"), led_at=AT, seen_at=AT))
    assert (await storage.syncs.all())[0] == led
    assert led.leader == "f2"
    with pytest.raises(ConflictError):
        await storage.syncs.lead(replace(none, configs=("f3",), led_at=AT, seen_at=AT))


async def test_feed_state(storage: Storage) -> None:
    """A feed starts idle, keeps its long delta link, and lets only one of two runs save."""
    fresh = await storage.feeds.get("contoso")
    assert fresh == FeedState(tenant="contoso")
    saved = await storage.feeds.save(
        replace(
            fresh,
            tenant_id="11111111-1111-1111-1111-111111111111",
            phase=FeedPhase.SWEEP,
            round="r1",
            full=True,
            link="https://graph.example/next?$skiptoken=" + "x" * 20_000,
            delta_link="https://graph.example/delta?$deltatoken='y'&z",
            cursor="s/u",
            unlisted=("a-to-b", "a-to-c"),
            peopled=("a-to-b", "a-to-c"),
            unseen=(),
            emptied=("a-to-b",),
            fingerprint="f",
            started_at=AT,
            progress_at=AT + timedelta(microseconds=1),
            completed_at=AT,
            pages=1,
            entries=2,
            nominated=2**40,
        )
    )
    assert await storage.feeds.get("contoso") == saved
    assert await storage.feeds.get("contoso", "groups") == FeedState(tenant="contoso", feed="groups")
    await storage.feeds.save(replace(saved, link=None))
    with pytest.raises(ConflictError):
        await storage.feeds.save(replace(saved, round="r2"))
    with pytest.raises(ConflictError):
        await storage.feeds.save(fresh)


async def test_subscription_record(storage: Storage) -> None:
    """A subscription is written before it exists, then filled in; all of them can be listed."""
    assert await storage.subscriptions.get("contoso") is None
    first = await storage.subscriptions.save(SubscriptionRecord(tenant="contoso", tenant_id="id-1"))
    assert await storage.subscriptions.get("contoso") == first
    second = await storage.subscriptions.save(
        replace(first, subscription_id="sub", client_state_hash="ab" * 32, expires_at=AT)
    )
    other = await storage.subscriptions.save(
        SubscriptionRecord(tenant="contoso", tenant_id="id-1", resource="groups/x/members")
    )
    assert await storage.subscriptions.all() == [other, second]
    with pytest.raises(ConflictError):
        await storage.subscriptions.save(first)


async def test_subscription_columns_are_plain(storage: Storage) -> None:
    """The webhook's input binding finds these columns by these names, as text."""
    await storage.subscriptions.save(
        SubscriptionRecord(
            tenant="contoso", tenant_id="id-1", subscription_id="sub", client_state_hash="ab", expires_at=AT
        )
    )
    row = await storage.tables_by_name["subscriptions"].get("contoso", "users")
    assert row is not None
    assert row.values == {
        "v": 1,
        "tenant_id": "id-1",
        "subscription_id": "sub",
        "client_state_hash": "ab",
        "expires_at": "2026-10-25T00:30:00.000007Z",
    }


async def test_guard_window(storage: Storage) -> None:
    """The window of deletions starts empty and is saved by compare-and-swap."""
    fresh = await storage.guards.window("s")
    assert fresh == GuardWindow(of="s")
    window = await storage.guards.save_window(
        replace(fresh, slices={"2026-01-01T00:00:00Z": 3, "2026-01-01T01:00:00Z": 1}, linked=70_000, counted_at=AT)
    )
    assert await storage.guards.window("s") == window
    with pytest.raises(ConflictError):
        await storage.guards.save_window(fresh)


async def test_holds(storage: Storage) -> None:
    """Held deletions are listed by sync, decided once, and dropped."""
    await storage.guards.save_window(GuardWindow(of="s"))
    hold = HoldRecord(
        sync="s", source_id="u1", target_id="t1", change="SoftDelete", reason="gone at the source", held_at=AT
    )
    held = await storage.guards.save_hold(hold)
    other = await storage.guards.save_hold(replace(hold, source_id="u0"))
    await storage.guards.save_hold(replace(hold, sync="s2"))
    assert await storage.guards.holds("s") == [other, held]
    decided = await storage.guards.save_hold(
        replace(held, state=HoldState.APPROVED, decided_at=AT, decided_by="operator")
    )
    assert await storage.guards.hold("s", "u1") == decided
    with pytest.raises(ConflictError):
        await storage.guards.save_hold(replace(held, state=HoldState.REJECTED))
    with pytest.raises(ConflictError):
        await storage.guards.drop_hold(held)
    await storage.guards.drop_hold(decided)
    assert await storage.guards.hold("s", "u1") is None
    assert await storage.guards.holds("s") == [other]


async def test_windows_of_a_sync_and_of_a_target_tenant_are_rows_of_their_own(storage: Storage) -> None:
    """A sync's window of thirty days and those of its target tenant leave the row of version 0.1 alone."""
    of = "target:22222222-2222-2222-2222-222222222222"
    for number, (name, month) in enumerate([("s", False), ("s", True), (of, False), (of, True)]):
        fresh = await storage.guards.window(name, month=month)
        assert fresh == GuardWindow(of=name, month=month)
        await storage.guards.save_window(replace(fresh, slices={"2026-01-01T00:00:00Z": number}, linked=number))
    for number, (name, month) in enumerate([("s", False), ("s", True), (of, False), (of, True)]):
        assert (await storage.guards.window(name, month=month)).linked == number
    row = await storage.tables_by_name["guards"].get("s", "window")
    assert row is not None
    assert row.values == {"v": 1, "slices": '{"2026-01-01T00:00:00Z":0}', "linked": 0}


async def test_counted_people(storage: Storage) -> None:
    """A person is counted by sync, saved by compare-and-swap, and dropped when the last count is old enough."""
    nobody = await storage.guards.counted("t", "u1")
    assert nobody == CountedPerson(target_tenant="t", source_id="u1")
    await storage.guards.save_window(GuardWindow(of="target:t"))
    counted = await storage.guards.save_counted(replace(nobody, at={"sales": AT}))
    later = await storage.guards.save_counted(replace(counted, at={"sales": AT, "staff": AT + timedelta(hours=1)}))
    assert await storage.guards.counted("t", "u1") == later
    with pytest.raises(ConflictError):
        await storage.guards.save_counted(counted)
    await storage.guards.save_counted(CountedPerson(target_tenant="t", source_id="u2", at={"sales": AT}))
    await storage.guards.save_counted(CountedPerson(target_tenant="t2", source_id="u3", at={"sales": AT}))
    assert await storage.guards.prune_counted("t", AT + timedelta(minutes=30), 100) == 1
    assert (await storage.guards.counted("t", "u1")).at == later.at
    assert (await storage.guards.counted("t", "u2")).etag is None
    assert (await storage.guards.counted("t2", "u3")).etag is not None
    assert await storage.guards.prune_counted("t", AT + timedelta(hours=1), 100) == 1


async def test_decisions(storage: Storage) -> None:
    """Newest first, each as it was decided; the oldest are dropped."""
    hold = HoldRecord(
        sync="s", source_id="u1", target_id="t1", change="SoftDelete", reason="full", cause="deleted", held_at=AT
    )
    first = replace(hold, state=HoldState.REJECTED, decided_at=AT, decided_by="anna")
    second = replace(hold, state=HoldState.APPROVED, decided_at=AT + timedelta(hours=1), decided_by="bert")
    for each in (first, first, second, replace(first, sync="s2"), replace(first, source_id="u2")):
        await storage.guards.keep_decision(each)
    assert await storage.guards.decisions("s", 10) == [second, first, replace(first, source_id="u2")]
    assert await storage.guards.decisions("s", 1) == [second]
    assert await storage.guards.holds("s") == []
    await storage.guards.drop_decision(replace(first, source_id="u2"))
    assert await storage.guards.prune_decisions("s", AT + timedelta(minutes=1), 100) == 1
    assert await storage.guards.decisions("s", 10) == [second]


async def test_budget(storage: Storage) -> None:
    """Two workers who draw from the same budget at once: one gets the tokens, the other looks again."""
    assert await storage.budgets.get("tenant") is None
    first = await storage.budgets.save(BudgetRecord(tenant_id="tenant", tokens=3000.0, at=AT))
    assert await storage.budgets.get("tenant") == first
    draws = [storage.budgets.save(replace(first, tokens=2900.5)) for _ in range(2)]
    results = await asyncio.gather(*draws, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["BudgetRecord", "ConflictError"]
    stored = await storage.budgets.get("tenant")
    assert stored is not None
    assert stored.tokens == 2900.5


async def test_the_next_message_of_a_queue(storage: Storage) -> None:
    """It stands from the time at which it was first seen, and a failed try makes another one of it."""
    queue = storage.queues_by_name["feed-pages"]
    assert await storage.fronts.watch("feed-pages", AT) == timedelta()
    await queue.send("x")
    assert await storage.fronts.stood("feed-pages", AT) == timedelta()
    assert await storage.fronts.watch("feed-pages", AT) == timedelta()
    assert await storage.fronts.stood("feed-pages", AT + timedelta(minutes=5)) == timedelta(minutes=5)
    assert await storage.fronts.watch("feed-pages", AT + timedelta(minutes=6)) == timedelta(minutes=6)
    (message,) = await queue.receive()
    await queue.update(message, visibility=0)
    assert await storage.fronts.watch("feed-pages", AT + timedelta(minutes=7)) == timedelta()


async def test_what_is_in_hand(storage: Storage) -> None:
    """A row stays until its look is finished; one that was taken again meanwhile is not dropped."""
    nomination = Nomination(sync="a/b", user="u:1", why=Why.FEED, at=AT, attempt=3)
    minute = timedelta(minutes=1)
    await storage.in_hand.take(nomination, AT)
    assert await storage.in_hand.left("a/b", AT) == []
    (left,) = await storage.in_hand.left("a/b", AT + minute)
    assert left.nomination == nomination
    await storage.in_hand.take(nomination, AT)
    await storage.in_hand.drop(left)
    (left,) = await storage.in_hand.left("a/b", AT + minute)
    await storage.in_hand.drop(left)
    await storage.in_hand.drop(left)
    await storage.in_hand.finish("a/b", "u:1")
    assert await storage.in_hand.left("a/b", AT + minute) == []


async def test_who_was_taken_over(storage: Storage) -> None:
    """By sync, and source tenants by themselves."""
    await storage.in_hand.note("a/b", "u:1", AT)
    await storage.in_hand.note("", "contoso", AT)
    assert await storage.in_hand.taken_over("a/b") == {"u:1": AT}
    assert await storage.in_hand.taken_over("") == {"contoso": AT}
    await storage.in_hand.forget("a/b", "u:1")
    assert await storage.in_hand.taken_over("a/b") == {}


async def test_work_queues(storage: Storage) -> None:
    """Each kind of message goes to its own queue and can be read back; depths name all eight."""
    nominations = [Nomination(sync="s", user=f"u{n}", why=Why.FEED, at=AT, attempt=n) for n in range(40)]
    run = FeedRun(tenant="contoso", feed="users", round="r")
    event = LifecycleEvent(tenant="contoso", event="missed", at=AT)
    await storage.queues.nominate(nominations)
    await storage.queues.nominate([])
    await storage.queues.continue_feed(run, delay=10**9)
    await storage.queues_by_name["subscription-events"].send(encode(event))
    await storage.plans.work_on(PlanRun(job="j", attempt=2))
    assert await storage.queues.depths() == {
        "user-changes": 40,
        "feed-pages": 1,
        "subscription-events": 1,
        "plan-jobs": 1,
        "user-changes-poison": 0,
        "feed-pages-poison": 0,
        "subscription-events-poison": 0,
        "plan-jobs-poison": 0,
    }
    work = storage.queues_by_name["user-changes"]
    received = [decode_nomination(each.body) for each in [*await work.receive(), *await work.receive()]]
    assert sorted(received, key=lambda each: each.attempt) == nominations
    assert await storage.queues_by_name["feed-pages"].receive() == []  # a longer delay than possible is the longest
    (message,) = await storage.queues_by_name["subscription-events"].receive()
    assert decode_lifecycle_event(message.body) == event
    await storage.queues.continue_feed(run)
    (message,) = await storage.queues_by_name["feed-pages"].receive()
    assert decode_feed_run(message.body) == run


async def test_a_plan_and_its_users(storage: Storage) -> None:
    """The job and its file come back as they were, also long ones. A nominee stands once, by user, then by sync."""
    text = "é𝄞" * 20_000
    job = PlanJob(id="f" * 24, asked_at=AT, asked_by="anna", candidate=True, sync="b", started_at=AT, nominated=0)
    job = await storage.plans.add(replace(job, checkpoint=text, counts={"b": {"Refuse: no address": 2}}), text)
    assert await storage.plans.get(job.id) == job
    assert await storage.plans.text(job.id) == text
    assert [(each.id, each.checkpoint) for each in await storage.plans.jobs()] == [(job.id, "")]
    with pytest.raises(ConflictError):
        await storage.plans.save(replace(job, etag=None))
    for _ in range(2):
        await storage.plans.nominate(job.id, [("u2", "a"), ("u1", "b"), ("u1", "a:é"), ("u10", "a")])
    first, second = await storage.plans.nominees(job.id, "", 2)
    assert [(each.user, each.sync) for each in (first, second)] == [("u10", "a"), ("u1", "a:é")]
    assert len(await storage.plans.nominees(job.id, second.place, 9)) == await storage.plans.count(job.id) - 2 == 2


async def test_the_changes_of_a_plan(storage: Storage) -> None:
    """Up to the job's cursor, by sync and kind, page by page; nobody stands there to whom nothing would happen."""
    job = await storage.plans.add(PlanJob(id="e" * 24, asked_at=AT, asked_by="anna", candidate=False), "")
    await storage.plans.nominate(job.id, [(f"u{n}", "a") for n in range(6)])
    nominees = await storage.plans.nominees(job.id, "", 9)
    kinds = ("Invite", "", "Refuse: it's", "Invite", "Invite", "Invite")
    entries = [PlanEntry(nominee=who, kind=kind, said="{}") for who, kind in zip(nominees, kinds, strict=True)]
    for _ in range(2):
        await storage.plans.keep(job.id, entries)
    await storage.plans.nominate(job.id, [("u0", "a")])  # by a reader who comes late: the decision stands
    assert await storage.plans.entries(job, "", 9) == []
    job = replace(job, cursor=nominees[4].place)
    wanted = [each for each in entries[:5] if each.kind]
    assert await storage.plans.entries(job, "", 9) == wanted
    assert await storage.plans.entries(job, wanted[0].nominee.place, 1, sync="a") == [wanted[1]]
    assert await storage.plans.entries(job, "", 9, kind="Refuse: it's") == [wanted[1]]
    assert await storage.plans.entries(job, "", 9, sync="b") == []
    assert await storage.plans.drop(job.id, 2) == 2
    assert await storage.plans.get(job.id) is not None
    await storage.plans.drop(job.id, 99)
    assert (await storage.plans.get(job.id), await storage.plans.jobs()) == (None, [])


async def test_without_the_table_of_plans_there_are_none(account: Storage) -> None:
    """As after an upgrade whose templates were not deployed. The first plan makes the table."""
    assert (await account.plans.jobs(), await account.plans.get("f" * 24)) == ([], None)


async def test_what_is_open_for_reading_refuses_every_write(storage: Storage) -> None:
    """Of every table and queue, and it reads what is there."""
    saved = await storage.syncs.save(SyncRecord(name="a-to-b", tenants=("s", "t"), config="f1", since=AT))
    reading = storage.for_reading()
    assert (await reading.syncs.all())[1] == {"a-to-b": saved}
    row = Row(pk="p", rk="r", values={})
    for table in reading.tables_by_name.values():
        for write in (table.insert(row), table.upsert(row), table.replace(row, "x"), table.delete("p", "r")):
            with pytest.raises(ReadOnlyError):
                await write
    for queue in reading.queues_by_name.values():
        for change in (queue.send("x"), queue.send_many(["x"]), queue.receive()):
            with pytest.raises(ReadOnlyError):
                await change
    assert set((await reading.queues.depths()).values()) == {0}


async def test_create_all_is_idempotent(storage: Storage) -> None:
    """A second deployment finds everything there and keeps it."""
    await storage.feeds.save(FeedState(tenant="contoso", round="r"))
    await storage.create_all()
    assert (await storage.feeds.get("contoso")).round == "r"
