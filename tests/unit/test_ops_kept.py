"""Acts of people are on record with their author, under the person concerned or under each sync."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import Deprovision, Event, FeedRun, Kind, Nomination, Policy, Why
from sync_core.model.messages import encode
from sync_core.ports import Asked
from tests.support.cli import ADA, BOB, CONFIG, NAME, Bench
from tests.support.endpoints import call
from tests.support.make import person
from tests.support.principals import OPERATOR_ID
from tests.support.world import World

OTHER = """\
  - name: contoso-to-northwind
    source: contoso
    target: northwind
"""
TWO = CONFIG.replace("syncs:", "  northwind: { id: 33333333-3333-3333-3333-333333333333 }\nsyncs:") + OTHER


def record(bench: Bench, sync: str = NAME, *, kinds: Sequence[Kind] = ()) -> Sequence[Event]:
    """Newest first."""
    asked = Asked(of=[(sync, "")], kinds=frozenset(kinds))
    return bench.do(bench.storage.activity.page(asked)).events


def told(event: Event) -> tuple[Kind, str, str, str, str]:
    return event.kind, event.user, event.reason, event.target_id, event.operator


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_decision_about_a_deletion(bench: Bench) -> None:
    """Each user of it, and who decided."""
    bench.hold_two()
    assert bench.run("holds", "reject", bench.code(), BOB, "--yes", "--by", "grace").code == 0
    assert bench.run("holds", "approve", bench.code(), ADA, "--yes", "--by", "anna").code == 0
    assert {told(each) for each in record(bench)} == {
        (Kind.APPROVED, ADA, "deletion", "guest-of-aaaa", "anna"),
        (Kind.REJECTED, BOB, "disabling", "guest-of-bbbb", "grace"),
    }


def test_a_decision_over_http(bench: Bench) -> None:
    """By the caller's object id."""
    bench.hold(ADA)
    assert call(bench, "decide", "Operator", body={"decision": "approve"}).status == 200
    assert [told(each) for each in record(bench)] == [(Kind.APPROVED, ADA, "deletion", "guest-of-aaaa", OPERATOR_ID)]


def test_an_adoption(bench: Bench) -> None:
    """Of which target user."""
    bench.source.users[ADA] = person("Ada")
    bench.target.add("guest-1", "ada@contoso.example")
    bench.run("sync", ADA)
    assert bench.run("adopt", ADA, "--yes", "--by", "anna").code == 0
    (event,) = record(bench, kinds=[Kind.APPROVED])
    assert told(event) == (Kind.APPROVED, ADA, "adoption", "guest-1", "anna")


def test_a_resync_is_on_record_of_each_sync_of_the_tenant(bench: Bench) -> None:
    """Over HTTP by object id, from the command line by name."""
    (bench.folder / "sync.yaml").write_text(TWO)
    assert bench.run("resync", "--by", "anna").code == 0
    bench.clock.advance(timedelta(minutes=1))
    assert call(bench, "resync", "Operator").status == 202
    for sync in (NAME, "contoso-to-northwind"):
        assert [(each.kind, each.user, each.operator) for each in record(bench, sync)] == [
            (Kind.RESYNCED, "", OPERATOR_ID),
            (Kind.RESYNCED, "", "anna"),
        ]


def test_messages_that_were_put_back_or_removed(bench: Bench) -> None:
    """Under the person that they name; else under each sync that they may be about."""
    (bench.folder / "sync.yaml").write_text(TWO)
    now = bench.clock.now()
    nomination = encode(Nomination(sync=NAME, user=ADA, why=Why.FEED, at=now))
    run = encode(FeedRun(tenant="contoso", feed="users", round="r"))
    for queue, name, body in (
        ("user-changes", "m1", nomination),
        ("feed-pages", "m2", run),
        ("user-changes", "m3", nomination.replace(NAME, "former")),
        ("user-changes", "m4", "x"),
    ):
        bench.do(bench.storage.activity.poisoned(queue, name, body, now))
    assert bench.run("poison", "put-back", "m1", "m2", "--by", "anna").code == 0
    assert bench.run("poison", "remove", "m3", "m4", "--yes", "--by", "grace").code == 0
    of_all = {
        (Kind.PUT_BACK, "", "message m2 of feed-pages", "", "anna"),
        (Kind.DISCARDED, "", "message m4 of user-changes", "", "grace"),
    }
    of_ada = {(Kind.PUT_BACK, ADA, "message m1 of user-changes", "", "anna")}
    assert {told(each) for each in record(bench)} > of_ada
    assert {told(each) for each in record(bench, "contoso-to-northwind")} <= of_all | {
        (Kind.DISCARDED, "", "message m3 of user-changes", "", "grace")
    }


async def test_a_configuration_is_on_record_once_for_each_change() -> None:
    """When a process with another one takes the lead; not at every poll, and not of a command."""
    world = World()
    other = replace(world.sync, policy=Policy(out_of_scope=Deprovision.LEAVE))

    async def configured() -> list[str]:
        page = await world.storage.activity.page(Asked(of=[(world.sync.name, "")], kinds=frozenset({Kind.CONFIGURED})))
        return [event.reason for event in page.events]

    for _ in range(3):
        await world.feeds.poll()
        world.clock.advance(timedelta(minutes=5))
    (first,) = await configured()
    assert first == f"sync.yaml {world.configurations.config}"
    command = world.instance({other.name: other}, started=False)
    await command.feeds.poll()
    assert await configured() == [first]
    newer = world.instance({other.name: other})
    for instance in (newer, world, newer):
        await instance.feeds.poll()
        world.clock.advance(timedelta(minutes=5))
    assert await configured() == [f"sync.yaml {newer.configurations.config}", first]


def test_a_plan_puts_no_configuration_on_record(bench: Bench) -> None:
    """It rehearses, and stores nothing."""
    bench.source.pages = {}
    before = json.dumps(str(bench.stored()))
    bench.run("plan")
    assert json.dumps(str(bench.stored())) == before
