"""`xtsync status` and `xtsync resync`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import LinkState, Parked
from sync_core.model.errors import UnavailableError
from sync_core.model.messages import FEED_PAGES, decode_feed_run, parse_time
from sync_core.ports import FeedPhase, FeedState, GuardWindow, SubscriptionRecord
from tests.support.cli import ADA, BOB, NAME, Bench
from tests.support.make import person


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _fill(bench: Bench) -> None:
    now = bench.clock.now()
    bench.do(bench.storage.feeds.save(FeedState(tenant="contoso", completed_at=now - timedelta(minutes=4), entries=7)))
    bench.do(
        bench.storage.subscriptions.save(
            SubscriptionRecord(
                tenant="contoso", tenant_id="t", subscription_id="sub-1", expires_at=now + timedelta(hours=40)
            )
        )
    )
    bench.do(bench.storage.queues_by_name["user-changes-poison"].send("x"))
    bench.hold(ADA)
    bench.do(bench.storage.activity.poisoned("user-changes", "m1", "x", now))
    parked = replace(
        bench.link(BOB),
        state=LinkState.SEEN,
        parked=Parked(until=now + timedelta(minutes=10), tries=2, reason="unadopted"),
    )
    bench.do(bench.storage.links.save(parked))


def test_status_of_a_fresh_deployment(bench: Bench) -> None:
    """Nothing stored yet is not an error: it says what has never happened and what is missing."""
    result = bench.run("status")
    assert result.code == 0
    assert "never" in result.out
    assert "MISSING" in result.out
    assert "No deletion is held." in result.out
    assert "Nobody is parked." in result.out


def test_status_shows_what_wants_attention(bench: Bench) -> None:
    """Ages, expiry, poison, holds and parked users each stand in their table, with the command that helps."""
    _fill(bench)
    lines = bench.run("status").out.splitlines()
    assert any(line.split() == ["contoso", "users", "idle", "4", "min", "ago", "7", "-"] for line in lines)
    assert "contoso  users     sub-1  in 40 h  live" in lines
    assert any(line.split() == ["user-changes-poison", "1", "POISON"] for line in lines)
    assert "1 poisoned message kept in the table `activity`" in lines
    assert "See what failed again and again, put it back or remove it with: xtsync poison" in lines
    assert "Held deletions (see them with: xtsync holds)" in lines
    assert any(line.split() == [NAME, "1", "0", "0"] for line in lines)
    assert any(line.split() == [NAME, BOB, "unadopted", "in", "10", "min", "2"] for line in lines)


def test_status_json_has_stable_keys(bench: Bench) -> None:
    """Programs find the same keys whatever is stored, and times in ISO 8601."""
    empty = bench.run("status", "--json").json
    _fill(bench)
    full = bench.run("status", "--json").json
    assert list(empty) == list(full)
    assert full["feeds"][0] == {
        "tenant": "contoso",
        "feed": "users",
        "phase": "idle",
        "full": False,
        "started_at": None,
        "progress_at": None,
        "completed_at": "2026-01-05T08:56:00.000000Z",
        "completed_age_s": 240.0,
        "entries": 7,
        "nominated": 0,
        "error": None,
    }
    assert full["subscriptions"][0]["state"] == "live"
    assert full["subscriptions"][0]["expires_in_s"] == 40 * 3600
    assert full["holds"] == [{"sync": NAME, "waiting": 1, "approved": 0, "rejected": 0}]
    assert full["parked"][0]["source_id"] == BOB
    assert full["parked"][0]["tries"] == 2
    assert {"name": "user-changes-poison", "depth": 1, "poison": True, "unreadable": 0} in full["queues"]


def test_status_counts_what_no_function_can_read(bench: Bench) -> None:
    """Such a message is no fault of the program, and no poll takes it away."""
    bench.put("feed-pages-poison", '{"v":1}')
    lines = bench.run("status").out.splitlines()
    assert any(line.split() == ["feed-pages-poison", "1", "POISON", "1", "UNREADABLE"] for line in lines)
    assert "See what failed again and again, put it back or remove it with: xtsync poison" in lines


def test_status_knows_an_expired_subscription(bench: Bench) -> None:
    """A subscription that ran out is marked."""
    _fill(bench)
    bench.clock.advance(timedelta(hours=41))
    assert "EXPIRED" in bench.run("status").out


def test_status_asks_nobody_but_storage(bench: Bench) -> None:
    """No call to either tenant, and nothing is written."""
    _fill(bench)
    before = bench.stored()
    bench.run("status")
    assert bench.faults.calls == []
    assert bench.stored() == before


def test_many_parked_users_are_cut_for_people_only(bench: Bench) -> None:
    """The table shows the first twenty and says how many more; JSON has all."""
    now = bench.clock.now()
    for n in range(22):
        link = bench.link(f"{n:08d}-0000-0000-0000-000000000000")
        bench.do(bench.storage.links.save(replace(link, parked=Parked(until=now, tries=1, reason="unadopted"))))
    assert "and 2 more" in bench.run("status").out
    assert len(bench.run("status", "--json").json["parked"]) == 22


def test_resync_starts_a_full_round(bench: Bench) -> None:
    """It begins without a link, its message is on the queue, and the text says what will happen. Targets, too."""
    bench.do(bench.storage.feeds.save(FeedState(tenant="contoso", delta_link="https://graph.example/delta")))
    result = bench.run("resync")
    assert result.code == 0
    assert "contoso/users: a full round of the feed starts now" in result.out
    assert "only what differs is written; deletions pass the guard" in result.out
    state = bench.do(bench.storage.feeds.get("contoso"))
    assert (state.phase, state.full, state.link) == (FeedPhase.PAGES, True, None)
    target = bench.do(bench.storage.feeds.get("fabrikam", "target"))
    assert (target.phase, target.full) == (FeedPhase.PAGES, True)
    messages = bench.do(bench.storage.queues_by_name[FEED_PAGES].receive())
    runs = {decode_feed_run(message.body) for message in messages}
    assert {(run.feed, run.round) for run in runs} == {("users", state.round), ("target", target.round)}


def test_resync_json(bench: Bench) -> None:
    """Each started round has tenant, feed, id and time."""
    result = bench.run("resync", "--tenant", "contoso", "--json")
    [started] = result.json["rounds"]
    assert (started["tenant"], started["feed"]) == ("contoso", "users")
    assert started["round"] == started["started_at"] == "2026-01-05T09:00:00.000000Z"


def test_resync_of_another_tenant_is_wrong_usage(bench: Bench) -> None:
    """The hint names those that have a feed."""
    result = bench.run("resync", "--tenant", "nowhere")
    assert result.code == 2
    assert "hint: Tenants are: contoso, fabrikam." in result.err


def test_resync_reports_a_round_that_did_not_start(bench: Bench) -> None:
    """A failure of one tenant is shown with its hint and makes the exit code 1."""

    class Broken:
        async def get(self, tenant: str, feed: str = "users") -> FeedState:
            raise UnavailableError("storage did not answer")

        async def save(self, state: FeedState) -> FeedState:
            raise AssertionError

    bench.storage = replace(bench.storage, feeds=Broken())
    result = bench.run("resync")
    assert result.code == 1
    assert "contoso/users: not started: storage did not answer" in result.out


def test_status_shows_the_window_with_the_least_room(bench: Bench) -> None:
    """Of the sync's windows and the target tenant's; programs see all four."""
    now, target = bench.clock.now(), "target:22222222-2222-2222-2222-222222222222"
    assert " 0 in 24 h" in bench.run("status").out
    for of, month, used in ((NAME, False, 0), (NAME, True, 1), (target, False, 1), (target, True, 1)):
        window = GuardWindow(of=of, month=month, slices={now.isoformat(): used}, linked=40, counted_at=now)
        bench.do(bench.storage.guards.save_window(window))
    assert "1 of 1 into the target in 24 h" in bench.run("status").out
    (sync,) = bench.run("status", "--json").json["syncs"]
    assert sync["deletions_in_window"] == 0
    assert sync["windows"] == [
        {"counts": "sync", "window_s": 86_400.0, "used": 0, "limit": 1},
        {"counts": "sync", "window_s": 2_592_000.0, "used": 1, "limit": 2},
        {"counts": "target", "window_s": 86_400.0, "used": 1, "limit": 1},
        {"counts": "target", "window_s": 2_592_000.0, "used": 1, "limit": 2},
    ]


def test_refused_attributes_are_listed_with_their_beginning(bench: Bench) -> None:
    """Names, since when, and the next try; nobody is parked for them."""
    bench.source.users[ADA] = person(businessPhones=["+49 30 1"])
    bench.target.refuses = {"businessPhones": "403 Authorization_RequestDenied"}
    bench.run("sync", ADA)
    since = bench.clock.now()
    bench.clock.advance(timedelta(minutes=2))
    [refused] = bench.run("status", "--json").json["refused"]
    assert (refused["sync"], refused["source_id"], refused["attributes"]) == (NAME, ADA, ["businessPhones"])
    assert parse_time(refused["since"]) <= since < parse_time(refused["next_try_at"])
    shown = bench.run("status").out
    assert "Nobody is parked." in shown
    assert "Attributes that Graph refuses" in shown
    assert "businessPhones" in shown
    assert "+49" not in shown
    bench.source.soft_delete(ADA)
    bench.clock.advance(timedelta(hours=1))
    bench.run("sync", ADA)
    assert bench.run("status", "--json").json["refused"] == []  # nobody is left to be written
